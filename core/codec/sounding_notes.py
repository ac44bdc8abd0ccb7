"""SoundingNotes: what was struck and not yet let go, while a decoder reads its tokens."""

import math
from collections.abc import Iterable, Mapping
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
    _now_called: dict[Key, Key] = field(default_factory=dict)  # what an open note is, by new names

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
        key = self._first_name(key)
        note = self._open.pop(key, None)
        if note is None:
            return False
        self._now_called = {new: old for new, old in self._now_called.items() if old != key}
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

    def carry_on(self, claims: Mapping[Key, float], at_s: float) -> int:
        """Let the claimed keys sound on and end the others; return how many claims were in vain.

        `claims` are log-probabilities by key. A model that hears a file in segments changes its
        mind about instruments between them: the claim of a silent key means the note of its pitch
        on another program, if nobody else claims that. Nothing can sound on from before the start
        of a file: what is claimed there begins there.
        """
        kept = {self._first_name(key) for key in claims} & set(self._open)
        in_vain = 0
        for key, log_probability in claims.items():
            if self._first_name(key) in kept:
                continue
            others = [other for other in self._open if other[0] == key[0] and other not in kept]
            if others:
                self._now_called[key] = others[0]
                kept.add(others[0])
            elif at_s <= 0:
                self.strike(key, at_s, velocity=FIRST_VELOCITY, log_probability=log_probability)
                kept.add(key)
            else:
                in_vain += 1
        self.let_go_all(at_s, but=kept)
        return in_vain

    def _first_name(self, key: Key) -> Key:
        """Return the key as which an open note began."""
        return key if key in self._open else self._now_called.get(key, key)


def within(notes: Iterable[NoteEvent], end_s: float) -> tuple[NoteEvent, ...]:
    """Return the notes that begin before `end_s`, cut there."""
    return tuple(
        note if note.offset_s <= end_s else replace(note, offset_s=end_s)
        for note in notes
        if note.onset_s < end_s
    )


def _probability(log_probability: float) -> float:
    return math.exp(min(0.0, log_probability))
