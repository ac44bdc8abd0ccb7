"""Vocabulary: which token stands for which event, as a table of ranges.

Source: Magenta's MT3 (event codec with the special ids PAD, EOS and UNK in front). The vocabularies
of its two checkpoints differ in the number of velocities and in whether there are ties; that of
YourMT3, which is the same for all its five, has shifts for one segment only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from core.codec.events import Event, EventKind, EventRange

PAD, EOS, UNK = 0, 1, 2
START = PAD  # what a row begins with, before the first token of the model
SPECIAL_TOKENS = 3

STEPS_PER_S = 100  # shifts count hundredths of a second
LONGEST_SHIFT_STEPS = 1000
PITCHES = PROGRAMS = DRUM_KEYS = 128
LOUDEST = 127  # MIDI velocity


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The tokens of a model: `velocity_bins` steps of loudness, and `size` rows of its logits.

    With one bin there are only on and off. `has_ties`: segments begin with the notes that sound on.
    `has_programs`: the model was taught to name instruments; the tokens are there in any case.
    """

    velocity_bins: int
    has_ties: bool
    size: int
    has_programs: bool = True
    longest_shift_steps: int = LONGEST_SHIFT_STEPS

    def __post_init__(self) -> None:
        if not 1 <= self.velocity_bins <= LOUDEST:
            raise ValueError(f"{self.velocity_bins} velocity bins are outside 1..{LOUDEST}")
        if self.ranges[-1].tokens.stop > self.size:
            raise ValueError(f"{self.size} rows are too few for the events")

    @property
    def ranges(self) -> tuple[EventRange, ...]:
        """The ranges in the order of their tokens."""
        return _ranges(self.velocity_bins, self.longest_shift_steps)

    @property
    def events(self) -> tuple[Event | None, ...]:
        """What each token says, by token; None for special and unused ones."""
        return _events(self)

    def range_of(self, kind: EventKind) -> EventRange:
        return next(events for events in self.ranges if events.kind is kind)

    def token_of(self, event: Event) -> int:
        """Return the token of an event; ValueError if it has none."""
        events = self.range_of(event.kind)
        if not 0 <= event.value < events.count:
            raise ValueError(f"{event} is not in the vocabulary")
        return events.first_token + event.value

    def event_of(self, token: int) -> Event | None:
        """Return what a token says, None for special, unused and impossible ones."""
        return self.events[token] if 0 <= token < self.size else None

    def velocity_of(self, value: int) -> int:
        """Return the MIDI velocity of a velocity event: 0, or int(127 value / bins)."""
        return LOUDEST * value // self.velocity_bins

    def velocity_value(self, velocity: int) -> int:
        """Return the value of a velocity event for a MIDI velocity: ceil(bins velocity / 127)."""
        return -(-self.velocity_bins * velocity // LOUDEST)


@cache
def _ranges(velocity_bins: int, longest_shift_steps: int) -> tuple[EventRange, ...]:
    counts = (
        (EventKind.SHIFT, longest_shift_steps + 1),
        (EventKind.PITCH, PITCHES),
        (EventKind.VELOCITY, velocity_bins + 1),
        (EventKind.TIE, 1),
        (EventKind.PROGRAM, PROGRAMS),
        (EventKind.DRUM, DRUM_KEYS),
    )
    return tuple(_in_a_row(counts))


def _in_a_row(counts: tuple[tuple[EventKind, int], ...]) -> Iterator[EventRange]:
    first = SPECIAL_TOKENS
    for kind, count in counts:
        yield EventRange(kind, first, count)
        first += count


@cache
def _events(vocabulary: Vocabulary) -> tuple[Event | None, ...]:
    events: list[Event | None] = [None] * vocabulary.size
    for row in vocabulary.ranges:
        events[row.first_token : row.tokens.stop] = [Event(row.kind, n) for n in range(row.count)]
    return tuple(events)


MT3_VOCABULARY = Vocabulary(velocity_bins=1, has_ties=True, size=1536)
ISMIR2021_VOCABULARY = Vocabulary(velocity_bins=127, has_ties=False, size=1664, has_programs=False)
YOURMT3_VOCABULARY = Vocabulary(velocity_bins=1, has_ties=True, size=596, longest_shift_steps=205)
