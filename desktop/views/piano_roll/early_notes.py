"""EarlyNoteColumns: notes of a running transcription as arrays that grow at their end."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.score.note import NoteEvent
from desktop.views.time_columns import Seconds

FIRST_ROOM = 256  # notes; doubled whenever it is full

Batches = tuple[tuple[NoteEvent, ...], ...]


class EarlyNoteColumns:
    """Reads each batch of notes once; their order is that in which they were found."""

    def __init__(self) -> None:
        self._batches: Batches = ()
        self._count = 0
        self._times_s = np.empty((2, FIRST_ROOM), np.float64)
        self._pitch = np.empty(FIRST_ROOM, np.int16)

    def __len__(self) -> int:
        return self._count

    @property
    def onset_s(self) -> Seconds:
        return self._times_s[0, : self._count]

    @property
    def offset_s(self) -> Seconds:
        return self._times_s[1, : self._count]

    @property
    def pitch(self) -> npt.NDArray[np.int16]:
        return self._pitch[: self._count]

    def take(self, batches: Batches) -> bool:
        """Hold these notes; False if they are those held before and perhaps more at the end."""
        known = len(self._batches)
        goes_on = len(batches) >= known and (not known or batches[known - 1] is self._batches[-1])
        if not goes_on:
            self._count = known = 0
        for batch in batches[known:]:
            self._append(batch)
        self._batches = batches
        return not goes_on

    def within(self, start_s: float, end_s: float, *, first: int = 0) -> npt.NDArray[np.intp]:
        """Return the places, from `first` on, of notes that sound between the two times."""
        sounds = (self.onset_s[first:] < end_s) & (self.offset_s[first:] >= start_s)
        return first + np.flatnonzero(sounds)

    def _append(self, notes: Sequence[NoteEvent]) -> None:
        count = self._count + len(notes)
        while count > len(self._pitch):
            self._times_s = np.concatenate([self._times_s, np.empty_like(self._times_s)], axis=1)
            self._pitch = np.concatenate([self._pitch, np.empty_like(self._pitch)])
        new = slice(self._count, count)
        self._times_s[0, new] = [note.onset_s for note in notes]
        self._times_s[1, new] = [note.offset_s for note in notes]
        self._pitch[new] = [note.pitch for note in notes]
        self._count = count
