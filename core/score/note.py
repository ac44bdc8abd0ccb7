"""NoteEvent: one immutable sounding note."""

from dataclasses import dataclass, replace

LOWEST_PITCH, HIGHEST_PITCH = 0, 127
MIN_NOTE_S = 0.01  # quantisation can produce zero-length notes; same floor as the MT3 decoder


@dataclass(frozen=True, slots=True)
class PitchBend:
    """Deviation from the note's pitch from `at_s` on, in semitones (positive is up)."""

    at_s: float
    semitones: float


@dataclass(frozen=True, slots=True)
class NoteEvent:
    """One note as it sounds: seconds from the start of the audio, MIDI pitch, MIDI velocity.

    Notes sort by onset, then pitch, offset and velocity.

    `program` is the General MIDI program (0..127). For drums `pitch` is the General MIDI drum key
    and `program` the kit. `confidence` is the model's own probability of the onset, 0..1, or None
    where a model gives none. `bends` are in time order and absolute in seconds.
    """

    onset_s: float
    pitch: int
    offset_s: float
    velocity: int = 80
    program: int = 0
    is_drum: bool = False
    confidence: float | None = None
    bends: tuple[PitchBend, ...] = ()

    def __post_init__(self) -> None:
        if not LOWEST_PITCH <= self.pitch <= HIGHEST_PITCH:
            raise ValueError(f"pitch {self.pitch} is outside 0..127")
        if not 1 <= self.velocity <= 127:
            raise ValueError(f"velocity {self.velocity} is outside 1..127")
        if not 0 <= self.program <= 127:
            raise ValueError(f"program {self.program} is outside 0..127")
        if not self.offset_s >= self.onset_s:
            raise ValueError(f"offset {self.offset_s} s lies before onset {self.onset_s} s")

    def __lt__(self, other: "NoteEvent") -> bool:
        if self.onset_s != other.onset_s:  # decides nearly always, and notes are sorted a lot
            return self.onset_s < other.onset_s
        # Not the confidence, which may be None, nor the bends: neither has an order.
        return (self.pitch, self.offset_s, self.velocity) < (
            other.pitch,
            other.offset_s,
            other.velocity,
        )

    @property
    def duration_s(self) -> float:
        return self.offset_s - self.onset_s

    def moved(self, by_s: float) -> "NoteEvent":
        """Return the same note `by_s` seconds later, bends included."""
        bends = tuple(PitchBend(bend.at_s + by_s, bend.semitones) for bend in self.bends)
        return replace(
            self, onset_s=self.onset_s + by_s, offset_s=self.offset_s + by_s, bends=bends
        )

    def with_program(self, program: int) -> "NoteEvent":
        return replace(self, program=program)
