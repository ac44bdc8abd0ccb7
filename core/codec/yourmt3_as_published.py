"""The decoder of YourMT3 as it was published, with its defects: what ours is compared with.

Nothing in the program uses it. Event by event and note by note it gives what the original gives;
`core.codec.yourmt3_notes` is the one to listen to.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from core.codec.events import Event, EventKind
from core.codec.sounding_notes import DRUM_NOTE_S
from core.codec.tokens_to_notes import SegmentTokens
from core.codec.vocabulary import EOS, STEPS_PER_S, YOURMT3_VOCABULARY
from core.score.note import MIN_NOTE_S, NoteEvent

LONGEST_NOTE_S = 10.0  # what is longer is cut to MIN_NOTE_S
VELOCITY = 1  # of every note

ProgramPitch = tuple[int, int]
"""In the order of the original: program, then pitch."""


class Fault(StrEnum):
    """What the original counts as an error, by its names."""

    MISSING_TIE = "Err/Missing tie"
    MISSING_PROGRAM_IN_TIE = "Err/Missing prg in tie"
    MISSING_PROGRAM = "Err/Missing prg"
    MISSING_VELOCITY = "Err/Missing vel"
    SECOND_TIE = "Err/Multi-tie type 2"
    SECOND_TIE_BEFORE_MUSIC = "Err/Multi-tie type 1"
    SHIFT_OUT_OF_RANGE = "Err/Shift out of range"
    OFF_WITHOUT_ON = "Err/Note off without note on"
    ONSET_NOT_FOUND = "Err/onset not found"
    UNTIED = "Err/merging segment tie"
    LONG_NOTE = "Err/long note > 10s"


@dataclass(frozen=True, slots=True)
class NoteChange:
    """A key struck (velocity 1) or let go (0), or a drum hit."""

    at_s: float
    pitch: int
    velocity: int
    program: int
    is_drum: bool = False

    @property
    def place_in_segment(self) -> tuple[float, bool, int, int, int]:
        return self.at_s, self.is_drum, self.program, self.velocity, self.pitch

    @property
    def place_in_file(self) -> tuple[float, bool, int, int, int]:
        return self.at_s, self.is_drum, self.pitch, self.velocity, self.program


@dataclass(slots=True)
class PublishedSegment:
    """What the original reads in one segment: ties, changes in order, what sounds on, faults."""

    start_s: float
    ties: list[ProgramPitch] = field(default_factory=list)
    changes: list[NoteChange] = field(default_factory=list)
    sounding: list[ProgramPitch] = field(default_factory=list)
    faults: Counter[Fault] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class PublishedNotes:
    """Notes in the order of the original, and its faults by name."""

    notes: tuple[NoteEvent, ...]
    faults: Mapping[Fault, int]


def segment_as_published(row: SegmentTokens) -> PublishedSegment:
    """Read one segment."""
    events = [
        EOS if token == EOS else YOURMT3_VOCABULARY.event_of(token) for token in row.tokens.tolist()
    ]
    segment = PublishedSegment(row.start_s)
    reader = _Reader(segment, round(STEPS_PER_S * row.start_s))
    place = reader.read_ties([event for event in events if isinstance(event, Event)])
    if place is None:
        segment.faults[Fault.MISSING_TIE] += 1
        segment.ties, segment.sounding = [], []
        return segment
    tie = next(n for n, event in enumerate(events) if _is_tie(event))
    for event in events[tie + 1 :]:
        if event == EOS:
            break
        if isinstance(event, Event):
            reader.apply(event)
    segment.changes.sort(key=lambda change: change.place_in_segment)
    return segment


def channel_as_published(rows: Sequence[SegmentTokens]) -> PublishedNotes:
    """Return the notes of one channel, of segments in order."""
    segments = [segment_as_published(row) for row in rows]
    faults: Counter[Fault] = Counter()
    changes: list[NoteChange] = []
    before: PublishedSegment | None = None
    for segment in segments:
        faults += segment.faults
        untied = [] if before is None else [k for k in before.sounding if k not in segment.ties]
        changes += [NoteChange(segment.start_s, pitch, 0, program) for program, pitch in untied]
        faults[Fault.UNTIED] += len(untied)
        changes += segment.changes
        before = segment
    notes = _notes_of(sorted(changes, key=lambda change: change.place_in_file), faults)
    return PublishedNotes(_trimmed(notes), +faults)


def notes_as_published(channels: Iterable[Sequence[SegmentTokens]]) -> PublishedNotes:
    """Return the notes of all channels together."""
    faults: Counter[Fault] = Counter()
    notes: list[NoteEvent] = []
    for rows in channels:
        channel = channel_as_published(rows)
        notes += channel.notes
        faults += Counter(channel.faults)
    mixed = _trimmed(sorted(notes, key=_place_of))
    return PublishedNotes(tuple(_with_least_length(note) for note in mixed), faults)


@dataclass(slots=True)
class _Reader:
    """The state in which the original reads the events of a segment."""

    segment: PublishedSegment
    start_step: int
    step: int = 0
    program: int | None = None
    velocity: int | None = None

    def __post_init__(self) -> None:
        self.step = self.start_step

    def read_ties(self, events: Sequence[Event]) -> int | None:
        """Return where the tie token stands, None if a shift or the end comes first."""
        for place, event in enumerate(events):
            match event:
                case Event(EventKind.TIE):
                    return place
                case Event(EventKind.SHIFT):
                    return None
                case Event(EventKind.PROGRAM, program):
                    self.program = program
                case Event(EventKind.PITCH, pitch) if self.program is not None:
                    self.segment.ties.append((self.program, pitch))
                    self.segment.sounding.append((self.program, pitch))
                case Event(EventKind.PITCH):
                    self.segment.faults[Fault.MISSING_PROGRAM_IN_TIE] += 1
                case _:
                    pass
        return None

    def apply(self, event: Event) -> None:
        match event:
            case Event(EventKind.SHIFT, 0):
                self.segment.faults[Fault.SHIFT_OUT_OF_RANGE] += 1
            case Event(EventKind.SHIFT, steps):
                self.step = self.start_step + steps
            case Event(EventKind.PROGRAM, program):
                self.program = program
            case Event(EventKind.VELOCITY, velocity):
                self.velocity = velocity
            case Event(EventKind.DRUM, drum_key):
                self._change(drum_key, VELOCITY, 0, is_drum=True)
            case Event(EventKind.PITCH, pitch):
                self._press(pitch)
            case _:
                is_later = self.step > self.start_step
                self.segment.faults[
                    Fault.SECOND_TIE if is_later else Fault.SECOND_TIE_BEFORE_MUSIC
                ] += 1

    def _press(self, pitch: int) -> None:
        faults, sounding = self.segment.faults, self.segment.sounding
        if self.program is None:
            faults[Fault.MISSING_PROGRAM] += 1
        elif self.velocity is None:
            faults[Fault.MISSING_VELOCITY] += 1
        elif self.velocity:
            sounding.append((self.program, pitch))
            self._change(pitch, VELOCITY, self.program)
        elif (self.program, pitch) in sounding:
            sounding.remove((self.program, pitch))
            self._change(pitch, 0, self.program)
        else:
            faults[Fault.OFF_WITHOUT_ON] += 1

    def _change(self, pitch: int, velocity: int, program: int, *, is_drum: bool = False) -> None:
        at_s = self.step / STEPS_PER_S
        self.segment.changes.append(NoteChange(at_s, pitch, velocity, program, is_drum))


def _is_tie(event: object) -> bool:
    return isinstance(event, Event) and event.kind is EventKind.TIE


def _notes_of(changes: Iterable[NoteChange], faults: Counter[Fault]) -> list[NoteEvent]:
    notes: list[NoteEvent] = []
    onsets_s: dict[ProgramPitch, float] = {}

    def end(key: ProgramPitch, end_s: float) -> None:
        program, pitch = key
        notes.append(NoteEvent(onsets_s.pop(key), pitch, end_s, VELOCITY, program))

    for change in changes:
        key = change.program, change.pitch
        if change.is_drum:
            end_s = change.at_s + DRUM_NOTE_S
            notes.append(NoteEvent(change.at_s, change.pitch, end_s, VELOCITY, is_drum=True))
            continue
        if key in onsets_s:
            end(key, change.at_s)
        elif not change.velocity:
            faults[Fault.ONSET_NOT_FOUND] += 1
        if change.velocity:
            onsets_s[key] = change.at_s
    for key, onset_s in list(onsets_s.items()):
        end(key, onset_s + MIN_NOTE_S)
    too_long = [note for note in notes if note.duration_s > LONGEST_NOTE_S]
    faults[Fault.LONG_NOTE] += len(too_long)
    shortened = [_cut(note, note.onset_s + MIN_NOTE_S) if note in too_long else note
                 for note in notes]  # fmt: skip
    return sorted((_with_least_length(note) for note in shortened), key=_place_of)


def _trimmed(notes: Sequence[NoteEvent]) -> tuple[NoteEvent, ...]:
    """End notes where the next one of their key begins; what has no length left goes."""
    next_onset_s: dict[tuple[bool, int, int], float] = {}
    trimmed = []
    for note in reversed(notes):
        key = note.is_drum, note.program, note.pitch
        end_s = min(note.offset_s, next_onset_s.get(key, note.offset_s))
        next_onset_s[key] = note.onset_s
        if end_s > note.onset_s:
            trimmed.append(_cut(note, end_s))
    return tuple(sorted(trimmed, key=_place_of))


def _cut(note: NoteEvent, end_s: float) -> NoteEvent:
    return replace(note, offset_s=end_s)


def _with_least_length(note: NoteEvent) -> NoteEvent:
    is_short = note.duration_s < MIN_NOTE_S
    return replace(note, offset_s=note.onset_s + MIN_NOTE_S) if is_short else note


def _place_of(note: NoteEvent) -> tuple[float, bool, int, int, int]:
    return note.onset_s, note.is_drum, note.program, note.velocity, note.pitch
