"""SoundingNotes: what was struck and not yet let go, while a decoder reads its tokens."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from core.score.note import MIN_NOTE_S, NoteEvent

DRUM_NOTE_S = MIN_NOTE_S  # drums are hits; the models give them no length
FIRST_VELOCITY = 100  # of models that name none

Key = tuple[int, int]
"""Pitch and program: what a token that lets go can tell apart."""


@dataclass(frozen=True, slots=True)
class _OpenNote:
    onset_s: float
    velocity: int
    confidence: float


@dataclass(slots=True)
class SoundingNotes:
    """Keys that are down, and in `done` the notes that have ended, in the order of their ends."""

    done: list[NoteEvent] = field(default_factory=list)
    _open: dict[Key, _OpenNote] = field(default_factory=dict)

    def __contains__(self, key: Key) -> bool:
        return key in self._open

    def keys(self) -> tuple[Key, ...]:
        return tuple(self._open)

    @property
    def last_onset_s(self) -> float:
        """When the latest of the open notes began; 0 if there is none."""
        return max((note.onset_s for note in self._open.values()), default=0.0)

    def hit(self, drum_key: int, at_s: float, *, velocity: int, log_probability: float) -> None:
        self.done.append(
            NoteEvent(at_s, drum_key, at_s + DRUM_NOTE_S, velocity, is_drum=True,
                      confidence=_probability(log_probability))
        )  # fmt: skip

    def strike(self, key: Key, at_s: float, *, velocity: int, log_probability: float) -> None:
        """Begin a note; one that sounds on this key ends."""
        self.let_go(key, at_s)
        self._open[key] = _OpenNote(at_s, velocity, _probability(log_probability))

    def let_go(self, key: Key, at_s: float) -> bool:
        """End the note of a key, MIN_NOTE_S after its onset or later; False if none sounds."""
        note = self._open.pop(key, None)
        if note is None:
            return False
        pitch, program = key
        end_s = max(at_s, note.onset_s + MIN_NOTE_S)
        self.done.append(
            NoteEvent(
                note.onset_s, pitch, end_s, note.velocity, program, confidence=note.confidence
            )
        )
        return True

    def let_go_all(self, at_s: float, *, but: Iterable[Key] = ()) -> None:
        kept = set(but)
        for key in self.keys():
            if key not in kept:
                self.let_go(key, at_s)


def within(notes: Iterable[NoteEvent], end_s: float) -> tuple[NoteEvent, ...]:
    """Return the notes that begin before `end_s`, cut there."""
    return tuple(
        note if note.offset_s <= end_s else replace(note, offset_s=end_s)
        for note in notes
        if note.onset_s < end_s
    )


def _probability(log_probability: float) -> float:
    return math.exp(min(0.0, log_probability))
