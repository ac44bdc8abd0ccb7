"""EarlyNotes: the notes of segments, told while others are still being written."""

from collections.abc import Callable, Iterable, Sequence

from core.engine.progress import OnNotes
from core.score.note import NoteEvent

ReadSegment = Callable[[int], Sequence[NoteEvent]]


class EarlyNotes:
    """Reads each segment by itself as soon as it is written, in whatever order that happens.

    One that the model takes long for would otherwise hold back all that follow it.
    """

    def __init__(self, read: ReadSegment, segment_s: float, on_notes: OnNotes) -> None:
        """`read` returns the notes of the segment of a number, their times from its start on."""
        self._read = read
        self._segment_s = segment_s
        self._on_notes = on_notes
        self._told: set[int] = set()

    def tell(self, written: Iterable[int]) -> None:
        """Tell what is in those of the written segments that were not told yet."""
        for index in sorted(set(written) - self._told):
            start_s = index * self._segment_s
            notes = [note.moved(start_s) for note in self._read(index)]
            self._on_notes(notes, start_s, start_s + self._segment_s)
            self._told.add(index)
