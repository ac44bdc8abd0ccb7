"""Tables of ablations: rows that are kept one by one, so that what makes them resumes."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.training.schedule import replacing

ROW = "scores.csv"


@dataclass(frozen=True, slots=True)
class AblationTable:
    """Rows in a folder, one folder each, and all of them as .csv and .md in the order of `names`.

    `measures` are what is measured, of the development clips and of clips of unheard sounds.
    """

    folder: Path
    stem: str
    names: Sequence[str]
    measures: Sequence[str]

    @property
    def path(self) -> Path:
        return self.folder / f"{self.stem}.md"

    def lacks(self, name: str, only: str | None) -> bool:
        """Tell whether a row is still to be made, if only this one or all are wanted."""
        return only in (None, name) and not (self.folder / name / ROW).exists()

    def add(self, name: str, changed: str, hours: float, scores: Sequence[float | None]) -> None:
        """Keep a row and write the table; scores are those of the clips, then of unheard ones."""
        cells = [f"{100 * score:.1f}" if score is not None else "" for score in scores]
        row = [name, changed, f"{hours:.2f}", *cells]
        self._write_csv(self.folder / name / ROW, [row])
        self._write()

    def _write(self) -> None:
        rows: list[list[str]] = []
        for name in self.names:
            path = self.folder / name / ROW
            if path.exists():
                with path.open(newline="", encoding="utf-8") as file:
                    rows += list(csv.reader(file))
        columns = [
            f"{of}_{measure.lower()}" for of in ("dev", "unheard") for measure in self.measures
        ]
        fields = ["name", "changed", "hours", *columns]
        self._write_csv(self.folder / f"{self.stem}.csv", [fields, *rows])
        with replacing(self.path) as unfinished:
            unfinished.write_text(self._markdown(rows), encoding="utf-8")

    def _markdown(self, rows: Sequence[Sequence[str]]) -> str:
        measures, count = " / ".join(self.measures), len(self.measures)
        lines = [f"| changed | hours | {measures} | unheard {measures} |", "|---|---|---|---|"]
        for _, changed, hours, *cells in rows:
            dev, unheard = " / ".join(cells[:count]), " / ".join(cells[count:])
            lines.append(f"| {changed} | {hours} | {dev} | {unheard} |")
        return "\n".join([*lines, ""])

    def _write_csv(self, path: Path, rows: Sequence[Sequence[str]]) -> None:
        with (
            replacing(path) as unfinished,
            unfinished.open("w", newline="", encoding="utf-8") as file,
        ):
            csv.writer(file).writerows(rows)
