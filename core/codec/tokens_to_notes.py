"""Tokens of successive segments to notes.

The state machine of MT3's decoder: notes that sound on at the end of a segment stay open, and the
next segment begins by naming those that do (ties). Defects of the PyTorch ports are not taken over:
a row that never says EOS keeps its notes, UNK does not end a row, and segments start on whole
hundredths of a second without the error of a remainder in floating point.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from core.codec.events import Event, EventKind
from core.codec.sounding_notes import FIRST_VELOCITY, Key, SoundingNotes, within
from core.codec.vocabulary import EOS, STEPS_PER_S, Vocabulary
from core.score.note import MIN_NOTE_S, NoteEvent

Tokens = npt.NDArray[np.int32]
LogProbabilities = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class SegmentTokens:
    """What a model wrote for one segment that starts at `start_s` seconds of the file.

    `tokens` [step] come without the start token; EOS is among them if it came, and what stands
    behind it does not count. `log_probabilities` [step] say how sure the model was of each.
    """

    start_s: float
    tokens: Tokens
    log_probabilities: LogProbabilities

    def __post_init__(self) -> None:
        if self.tokens.shape != self.log_probabilities.shape or self.tokens.ndim != 1:
            raise ValueError("tokens and their probabilities must be [step], both of one length")


@dataclass(frozen=True, slots=True)
class DecodeLosses:
    """What could not be made into notes: counts."""

    invalid_events: int = 0  # no such token, or one that makes no sense where it stands
    late_events: int = 0  # from the first time after the start of the next segment on
    unfinished_segments: int = 0  # the model never said that it was done; nothing is lost
    notes_outside: int = 0  # begin after the end of the file

    @property
    def total(self) -> int:
        return self.invalid_events + self.late_events + self.notes_outside


@dataclass(frozen=True, slots=True)
class DecodedNotes:
    """Notes in the order in which they ended, and what was lost."""

    notes: tuple[NoteEvent, ...]
    losses: DecodeLosses


def segment_start_s(first_frame: int, frames_per_s: int) -> float:
    """Return when a segment starts for the decoder: its first frame's time in whole steps."""
    return first_frame * STEPS_PER_S // frames_per_s / STEPS_PER_S


def notes_from_tokens(
    segments: Sequence[SegmentTokens],
    vocabulary: Vocabulary,
    *,
    end_s: float | None = None,
    mends_ties: bool = False,
) -> DecodedNotes:
    """Return the notes of all segments of a file, given in any order; no token makes it fail.

    A note's confidence is the probability of its pitch or drum token. On real recordings that tells
    false notes better than products or means with the tokens of its time, velocity and program
    (area under ROC 0.61 against 0.50 to 0.60): an onset between two hundredths of a second, or a
    piano that may be electric, is no reason to doubt the note.

    `end_s`, if given, is where the file ends: notes are cut there, those that begin later are left
    out and counted. With `mends_ties` a note that sounds on as another instrument is not cut at the
    border of the segment, and what sounds at the start of the file begins there; the original
    decoder drops both.
    """
    decoder = NoteDecoder(vocabulary, mends_ties)
    in_time = sorted(segments, key=lambda segment: segment.start_s)
    following: list[float | None] = [segment.start_s for segment in in_time[1:]]
    for segment, following_s in zip(in_time, [*following, None], strict=False):
        decoder.read(segment, following_s)
    return decoder.finish(end_s)


@dataclass(slots=True)
class NoteDecoder:
    """Reads one segment after the other; open notes stay open until a later one, or `finish`."""

    vocabulary: Vocabulary
    mends_ties: bool = False
    _velocity: int = FIRST_VELOCITY
    _program: int = 0
    _now_s: float = 0.0
    _sounding: SoundingNotes = field(default_factory=SoundingNotes)
    _tied: dict[Key, float] = field(default_factory=dict)  # log-probabilities
    _is_in_tie: bool = False
    _invalid: int = 0
    _late: int = 0
    _unfinished: int = 0

    def read(self, segment: SegmentTokens, following_s: float | None) -> None:
        """Take in a segment; `following_s` is when the next one starts, None after the last.

        Once a time lies after the start of the next segment, the rest of the row is late.
        """
        self._is_in_tie, self._tied = self.vocabulary.has_ties, {}
        tokens = segment.tokens.tolist()
        end = tokens.index(EOS) if EOS in tokens else len(tokens)
        self._unfinished += end == len(tokens)
        log_probabilities = segment.log_probabilities.tolist()
        at_s, steps = segment.start_s, 0
        for place, token in enumerate(tokens[:end]):
            event = self.vocabulary.event_of(token)
            if event is None:
                self._invalid += 1
                continue
            if event.kind is EventKind.SHIFT:
                steps += event.value
                at_s = segment.start_s + steps / STEPS_PER_S
                if following_s is not None and at_s > following_s:
                    self._late += end - place
                    return
                continue
            steps = 0  # the next shift counts from the start of the segment again
            if at_s < self._now_s:
                self._invalid += 1
                continue
            self._now_s = at_s
            self._invalid += not self._apply(event, log_probabilities[place])

    def finish(self, end_s: float | None = None) -> DecodedNotes:
        """End what still sounds, at the last event or a little after the last onset."""
        last_s = max(self._now_s, self._sounding.last_onset_s + MIN_NOTE_S)
        self._sounding.let_go_all(last_s)
        notes = tuple(self._sounding.done)
        kept = notes if end_s is None else within(notes, end_s)
        outside = len(notes) - len(kept)
        losses = DecodeLosses(self._invalid, self._late, self._unfinished, outside)
        return DecodedNotes(kept, losses)

    def _apply(self, event: Event, log_probability: float) -> bool:
        """Take in one event at the current time; False where it makes no sense."""
        match event.kind:
            case EventKind.VELOCITY:
                self._velocity = self.vocabulary.velocity_of(event.value)
            case EventKind.PROGRAM:
                self._program = event.value
            case EventKind.TIE:
                return self._end_untied()
            case EventKind.DRUM:
                return self._hit(event.value, log_probability)
            case EventKind.PITCH if self._is_in_tie:
                return self._tie((event.value, self._program), log_probability)
            case EventKind.PITCH if self._velocity == 0:
                return self._sounding.let_go((event.value, self._program), self._now_s)
            case EventKind.PITCH:
                self._sounding.strike(
                    (event.value, self._program),
                    self._now_s,
                    velocity=self._velocity,
                    log_probability=log_probability,
                )
            case EventKind.SHIFT:
                raise AssertionError("shifts are read, not applied")
        return True

    def _end_untied(self) -> bool:
        if not self._is_in_tie:
            return False
        if self.mends_ties:
            self._invalid += self._sounding.carry_on(self._tied, self._now_s)
        else:
            self._sounding.let_go_all(self._now_s, but=self._tied)
        self._is_in_tie = False
        return True

    def _tie(self, key: Key, log_probability: float) -> bool:
        is_silent = key not in self._sounding and not self.mends_ties
        if is_silent or key in self._tied:
            return False
        self._tied[key] = log_probability
        return True

    def _hit(self, drum_key: int, log_probability: float) -> bool:
        if self._velocity == 0:
            return False
        self._sounding.hit(
            drum_key, self._now_s, velocity=self._velocity, log_probability=log_probability
        )
        return True
