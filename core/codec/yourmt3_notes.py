"""Tokens of YourMT3 to notes: every channel of its decoder by itself, then all of them together.

The vocabulary is that of MT3, the grammar differs: shifts count from the start of the segment,
what a segment says of programs and velocities holds for it alone, drums need no velocity. Put right
are the defects of the original decoder, which `core.codec.yourmt3_as_published` has: notes longer
than 10 s keep their length, notes that never end sound to the end of the file, EOS ends a row
wherever it stands, a segment that lacks its tie token is read nevertheless, notes that end in the
step in which they begin are no longer ones, of one note in two channels the longer stays, and a
note that sounds on as another instrument, or from the start of the file on, is not lost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from core.codec.events import Event, EventKind
from core.codec.sounding_notes import FIRST_VELOCITY, Key, SoundingNotes, within
from core.codec.tokens_to_notes import DecodedNotes, DecodeLosses, SegmentTokens
from core.codec.vocabulary import EOS, STEPS_PER_S, YOURMT3_VOCABULARY
from core.score.note import NoteEvent


def notes_from_channels(
    channels: Iterable[Sequence[SegmentTokens]], *, end_s: float
) -> DecodedNotes:
    """Return the notes that channels wrote, each in rows for successive segments of one file.

    Notes come in order of onset, with the programs that the tokens name (singing voice is 100, its
    chorus 101), at one velocity. A note's confidence is the probability of its pitch or drum token.
    `end_s` is where the file ends: notes are cut there, those that begin later are left out and
    counted. No token makes it fail.
    """
    decoders = []
    for rows in channels:
        decoder = ChannelDecoder()
        for row in sorted(rows, key=lambda row: row.start_s):
            decoder.read(row)
        decoder.finish(end_s)
        decoders.append(decoder)
    notes = [note for decoder in decoders for note in decoder.notes]
    kept = without_overlaps(within(notes, end_s))
    losses = DecodeLosses(
        invalid_events=sum(decoder.invalid_events for decoder in decoders),
        unfinished_segments=sum(decoder.unfinished_rows for decoder in decoders),
        notes_outside=sum(note.onset_s >= end_s for note in notes),
    )
    return DecodedNotes(kept, losses)


def without_overlaps(notes: Iterable[NoteEvent]) -> tuple[NoteEvent, ...]:
    """End notes where their key is struck again on the same program; sort them by onset.

    Of notes that begin together the longest stays.
    """
    trimmed: list[NoteEvent] = []
    last_of_key: dict[tuple[bool, int, int], int] = {}
    for note in sorted(notes):
        key = note.is_drum, note.program, note.pitch
        last = last_of_key.get(key)
        if last is not None and trimmed[last].onset_s == note.onset_s:
            trimmed[last] = note
            continue
        if last is not None and trimmed[last].offset_s > note.onset_s:
            trimmed[last] = replace(trimmed[last], offset_s=note.onset_s)
        last_of_key[key] = len(trimmed)
        trimmed.append(note)
    return tuple(sorted(trimmed))


@dataclass(slots=True)
class _Row:
    """What the tokens of one segment have said so far."""

    start_step: int
    at_s: float
    program: int | None = None
    velocity: int | None = None


@dataclass(slots=True)
class ChannelDecoder:
    """Reads the segments of one channel in order; open notes stay open until a later one."""

    invalid_events: int = 0
    unfinished_rows: int = 0
    _sounding: SoundingNotes = field(default_factory=SoundingNotes)

    @property
    def notes(self) -> list[NoteEvent]:
        """The notes that have ended so far, in the order in which they did."""
        return self._sounding.done

    def read(self, segment: SegmentTokens) -> None:
        """Take in the next segment."""
        tokens = segment.tokens.tolist()
        end = tokens.index(EOS) if EOS in tokens else len(tokens)
        self.unfinished_rows += end == len(tokens)
        events = [YOURMT3_VOCABULARY.event_of(token) for token in tokens[:end]]
        start_step = round(STEPS_PER_S * segment.start_s)
        row = _Row(start_step, start_step / STEPS_PER_S)
        log_probabilities = segment.log_probabilities[:end].tolist()
        body = self._read_ties(events, log_probabilities, row, segment.start_s)
        for event, log_probability in zip(events[body:], log_probabilities[body:], strict=True):
            self.invalid_events += not self._apply(event, row, log_probability)

    def finish(self, end_s: float) -> None:
        """Let what still sounds end with the file."""
        self._sounding.let_go_all(end_s)

    def _read_ties(
        self,
        events: Sequence[Event | None],
        log_probabilities: Sequence[float],
        row: _Row,
        start_s: float,
    ) -> int:
        """End the notes that do not sound on; return where the music begins among the events.

        Where it begins without a tie token, nobody knows what sounds on: all of it does.
        """
        tied: dict[Key, float] = {}
        for place, event in enumerate(events):
            match event:
                case Event(EventKind.TIE):
                    self.invalid_events += self._sounding.carry_on(tied, start_s)
                    return place + 1
                case Event(EventKind.SHIFT):
                    self.invalid_events += 1
                    return place
                case Event(EventKind.PROGRAM, program):
                    row.program = program
                case Event(EventKind.PITCH, pitch) if row.program is not None:
                    tied[pitch, row.program] = log_probabilities[place]
                case _:
                    self.invalid_events += 1
        self.invalid_events += self._sounding.carry_on(tied, start_s)
        return len(events)

    def _apply(self, event: Event | None, row: _Row, log_probability: float) -> bool:
        """Take in one event; False where it makes no sense."""
        match event:
            case Event(EventKind.SHIFT, steps) if steps > 0:
                row.at_s = (row.start_step + steps) / STEPS_PER_S
            case Event(EventKind.PROGRAM, program):
                row.program = program
            case Event(EventKind.VELOCITY, velocity):
                row.velocity = velocity
            case Event(EventKind.DRUM, drum_key):
                self._sounding.hit(
                    drum_key, row.at_s, velocity=FIRST_VELOCITY, log_probability=log_probability
                )
            case Event(EventKind.PITCH, pitch):
                return self._press(pitch, row, log_probability)
            case _:
                return False
        return True

    def _press(self, pitch: int, row: _Row, log_probability: float) -> bool:
        """Strike a key or let it go, as was said before."""
        if row.program is None or row.velocity is None:
            return False
        key = pitch, row.program
        if row.velocity == 0:
            return self._sounding.let_go(key, row.at_s)
        self._sounding.strike(
            key, row.at_s, velocity=FIRST_VELOCITY, log_probability=log_probability
        )
        return True
