"""Events: what a token of an MT3-like model says about the music."""

from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """What an event says."""

    SHIFT = "shift"  # time passes, in steps from the start of the segment
    PITCH = "pitch"  # this key is struck, or let go where the velocity is 0
    VELOCITY = "velocity"  # holds for the pitches and drums that follow; 0 is off
    TIE = "tie"  # ends the list of notes that sound on from the segment before
    PROGRAM = "program"  # holds for the pitches that follow
    DRUM = "drum"  # this drum is hit


@dataclass(frozen=True, slots=True)
class Event:
    """One event; what `value` counts depends on the kind."""

    kind: EventKind
    value: int


@dataclass(frozen=True, slots=True)
class EventRange:
    """Consecutive tokens of one kind, for values 0, 1, ... in order."""

    kind: EventKind
    first_token: int
    count: int

    @property
    def tokens(self) -> range:
        return range(self.first_token, self.first_token + self.count)
