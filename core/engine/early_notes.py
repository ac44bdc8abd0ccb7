"""EarlyNotes: the notes of segments written in any order, told before the last one is written."""

from collections.abc import Callable, Sequence

from core.engine.progress import OnNotes
from core.score.note import NoteEvent

ReadSegment = Callable[[int], Sequence[NoteEvent]]


class EarlyNotes:
    """Reads segments in their order, each as soon as none before it is missing.

    A note may sound on from one segment into the next, so that in any other order it could not be
    told where it ends. Each segment is read once.
    """

    def __init__(self, read: ReadSegment, segment_s: float, on_notes: OnNotes) -> None:
        """`read` returns the notes that end in the segment of a number, each the next one."""
        self._read = read
        self._segment_s = segment_s
        self._on_notes = on_notes
        self._next = 0

    def tell(self, is_written: Callable[[int], bool]) -> None:
        """Read on as far as segments are written, and tell what was found, if that was any."""
        first = self._next
        found: list[NoteEvent] = []
        while is_written(self._next):
            found += self._read(self._next)
            self._next += 1
        if self._next > first:
            self._on_notes(found, self._next * self._segment_s)
