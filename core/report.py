"""What a transcription looks like in a terminal: progress, tables and JSON."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from core.daw.deliver import Delivery
from core.daw.profiles import bpm_text
from core.engine.progress import Progress
from core.errors import AppError, printable_name
from core.score.key import key_name

if TYPE_CHECKING:  # imports torch, which the short commands must not wait for
    from core.engine.heard import HeardStem
    from core.song import HeardSong

SECONDS_BETWEEN_LINES = 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """One song: what was heard, and where its MIDI files are or why they are not."""

    song: "HeardSong"
    delivery: Delivery | None
    error: AppError | None


class ProgressLine:
    """One line: rewritten in place on a terminal, once per quarter of a file elsewhere."""

    def __init__(self, stream: TextIO, file_count: int) -> None:
        self._stream = stream
        self._file_count = file_count
        self._files: list[Path] = []
        self._is_terminal = stream.isatty()
        self._shown_at_s = 0.0
        self._quarter = -1

    def show(self, path: Path, progress: Progress) -> None:
        if path not in self._files:
            self._files.append(path)
            self._quarter = -1
        text = (
            f"[{len(self._files)}/{self._file_count}] {printable_name(path)}: "
            f"{progress.fraction:4.0%}  {progress.times_real_time:.1f}x real time"
        )
        if self._is_terminal:
            self._rewrite(text, is_last=progress.fraction >= 1)
        elif int(progress.fraction * 4) > self._quarter:
            self._quarter = int(progress.fraction * 4)
            self._write(f"{text}\n")

    def clear(self) -> None:
        if self._is_terminal:
            self._write("\r\x1b[K")

    def _rewrite(self, text: str, *, is_last: bool) -> None:
        now_s = time.monotonic()
        if is_last or now_s - self._shown_at_s > SECONDS_BETWEEN_LINES:
            self._shown_at_s = now_s
            width = shutil.get_terminal_size().columns
            self._write(f"\r\x1b[K{text[: width - 1]}")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def song_text(outcome: Outcome) -> str:
    """Return the table of a song's stems, its tempo, and where its MIDI files are."""
    song = outcome.song
    if song.transcription is None or song.tempo is None:
        return ""
    heads = ("FILE", "KIND", "BY", "MODEL", "DEVICE", "NOTES", "LENGTH", "SPEED")
    tempo = song.tempo.tempo
    key = song.transcription.key
    found = (
        f"  {bpm_text(tempo.bpm)} BPM, {tempo.meter}, bar 1 at {tempo.first_downbeat_s:.2f} s"
        f" ({song.tempo.how}){', ' + key_name(key) if key else ''}"
    )
    lines = [table_text(heads, [_stem_row(stem) for stem in song.stems]), found]
    if outcome.delivery is not None:
        lines += [f"  -> {file.parent / printable_name(file)}" for file in outcome.delivery.files]
        lines.append(f"  {outcome.delivery.hint}")
    return "\n".join(lines)


def totals_text(outcomes: Sequence[Outcome]) -> str:
    """Return what came of a whole batch, in one line."""
    heard = sum(len(outcome.song.stems) for outcome in outcomes)
    failed = sum(len(outcome.song.failures) for outcome in outcomes)
    written = sum(len(outcome.delivery.files) for outcome in outcomes if outcome.delivery)
    return f"{heard} files heard, {failed} failed, {written} MIDI files written."


def table_text(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows in columns as wide as their longest cell."""
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    lines = []
    for row in [heads, *rows]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def song_json(outcome: Outcome) -> dict[str, object]:
    """Return all that is known of a song, ready for `json.dumps`."""
    song = outcome.song
    tempo = song.tempo.tempo if song.tempo else None
    key = song.transcription.key if song.transcription else None
    return {
        "song": song.files.name,
        "files": [_stem_json(stem) for stem in song.stems],
        "failed": [
            {"path": str(failure.path), "error": str(failure.error)} for failure in song.failures
        ],
        "bpm": tempo and tempo.bpm,
        "tempo_changes": tempo and [[c.at_beat, c.bpm] for c in tempo.changes],
        "meter": tempo and str(tempo.meter),
        "first_downbeat_s": tempo and tempo.first_downbeat_s,
        "tempo_found_by": song.tempo.how if song.tempo else None,
        "tempo_confidence": song.tempo.confidence if song.tempo else None,
        "key": key_name(key) if key else None,
        "midi": [str(file) for file in outcome.delivery.files] if outcome.delivery else [],
        "hint": outcome.delivery.hint if outcome.delivery else None,
        "error": str(outcome.error) if outcome.error else None,
    }


def _stem_json(stem: "HeardStem") -> dict[str, object]:
    return {
        "path": str(stem.path),
        "kind": stem.source.kind,
        "kind_found_by": stem.kind_found_by,
        "model": stem.source.model,
        "device": stem.source.device,
        "device_reason": stem.device_reason,
        "duration_s": stem.source.duration_s,
        "elapsed_s": stem.elapsed_s,
        "tracks": {track.name: len(track.notes) for track in stem.tracks},
    }


def _stem_row(stem: "HeardStem") -> tuple[str, ...]:
    return (
        printable_name(stem.path),
        stem.source.kind,
        stem.kind_found_by,
        stem.source.model,
        stem.source.device,
        str(stem.note_count),
        f"{int(stem.source.duration_s // 60)}:{stem.source.duration_s % 60:04.1f}",
        f"{stem.times_real_time:.1f}x",
    )
