"""A file that is not whole yet, and what is known of the whole: enough to go on later."""

import json
from dataclasses import asdict, replace
from pathlib import Path

from core.model_manager.connection import Announced, Answer, FileChangedError
from core.model_manager.record import read_json


class PartFile:
    """The beginning of `target`, in `<target>.part`, with notes on the whole beside it.

    Bytes without notes are thrown away: nobody could say what they are a part of.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        self._notes = target.with_name(f"{target.name}.part.json")
        found = _announced(read_json(self._notes))
        if found is None:
            self.path.unlink(missing_ok=True)
        self.announced = found or Announced()

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def is_whole(self) -> bool:
        return self.size > 0 and self.size == self.announced.size_bytes

    def begin(self, answer: Answer) -> None:
        """Note what the server says of the whole, before any of its bytes are kept.

        Raises:
            FileChangedError: the answer goes on with another file than the one that is here.
        """
        before, now = self.announced, answer.announced
        if not answer.start:
            self.path.unlink(missing_ok=True)
            before = now
        elif _contradict(before, now):  # some servers ignore the condition to resume on
            raise FileChangedError("the file on the server has changed")
        self._note(replace(before, validator=now.validator))

    def end_at(self, size_bytes: int) -> None:
        """Note that the file is this long after all."""
        self._note(replace(self.announced, size_bytes=size_bytes))

    def discard(self) -> None:
        """Throw away what is here."""
        self.path.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)
        self.announced = Announced()

    def accept(self) -> None:
        """Give the file its name."""
        self.path.replace(self.target)
        self._notes.unlink(missing_ok=True)

    def _note(self, announced: Announced) -> None:
        self.announced = announced
        self._notes.write_text(json.dumps(asdict(announced)), encoding="utf-8")


def _contradict(before: Announced, now: Announced) -> bool:
    """Tell whether two answers cannot be parts of one file."""
    pairs = (
        (before.size_bytes, now.size_bytes),
        (before.sha256, now.sha256),
        (before.md5, now.md5),
        (before.validator, now.validator),
    )
    return any(None not in pair and pair[0] != pair[1] for pair in pairs)


def _announced(notes: dict[str, object]) -> Announced | None:
    """Return what was noted, None if it is not what we write."""
    size, texts = (
        notes.get("size_bytes"),
        [notes.get(key) for key in ("sha256", "md5", "validator")],
    )
    if set(notes) != {"size_bytes", "sha256", "md5", "validator"}:
        return None
    if not isinstance(size, int | None):
        return None
    sha256, md5, validator = (text if isinstance(text, str) else None for text in texts)
    return Announced(size, sha256, md5, validator)
