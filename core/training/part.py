"""Part: the notes one instrument plays, with pedal and pitch bends, as training data is made."""

from dataclasses import dataclass, field
from typing import NamedTuple

NO_PROGRAM = -1


class PlayedNote(NamedTuple):
    """One note as played or as labelled: seconds, MIDI pitch, MIDI velocity.

    `program` is the General MIDI program heard, or NO_PROGRAM for a sound that is none of them.
    """

    onset_s: float
    offset_s: float
    pitch: int
    velocity: int
    program: int = NO_PROGRAM


class Timed(NamedTuple):
    """A controller value from `at_s` on: pedal 0 or 127, or a pitch bend in semitones."""

    at_s: float
    amount: float


@dataclass(slots=True)
class Part:
    """What one instrument plays; built up by the composer."""

    notes: list[PlayedNote] = field(default_factory=list)
    pedal: list[Timed] = field(default_factory=list)
    bends: list[Timed] = field(default_factory=list)
    muted_strokes: list[Timed] = field(default_factory=list)  # across damped strings, with velocity
