"""Notes to the tokens of successive segments: the inverse of the decoder, as models were taught.

Time is cut to hundredths of a second, velocities to the vocabulary's bins, drum hits lose their
length. What a token would only repeat (program, velocity, time) is not said again in a segment.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.codec.events import Event, EventKind
from core.codec.tokens_to_notes import SegmentTokens
from core.codec.vocabulary import EOS, STEPS_PER_S, Vocabulary
from core.score.note import NoteEvent


def tokens_from_notes(
    notes: Iterable[NoteEvent], starts_s: Sequence[float], vocabulary: Vocabulary
) -> tuple[SegmentTokens, ...]:
    """Return one row of tokens per segment, EOS last; every log-probability is 0, for certain.

    `starts_s` are the starts of the segments in whole steps, rising; notes before the first start
    begin there. A note lasts a step at least, and ends where its key is struck again; of notes of
    one key that begin in one step the longest counts.

    Raises:
        ValueError: there is no segment.
    """
    if not starts_s:
        raise ValueError("notes need a segment to be written to")
    starts = [_steps(start_s) for start_s in starts_s]
    acts = sorted(_acts(notes, starts[0], vocabulary))
    borders = [0, *(bisect_left(acts, start, key=_step_of) for start in starts[1:]), len(acts)]
    sounding: set[tuple[int, int]] = set()
    rows = [
        _row(acts[first:end], start, sounding, vocabulary)
        for start, first, end in zip(starts, borders[:-1], borders[1:], strict=True)
    ]
    return tuple(
        SegmentTokens(start / STEPS_PER_S, np.array(row, np.int32), np.zeros(len(row), np.float32))
        for start, row in zip(starts, rows, strict=True)
    )


@dataclass(frozen=True, slots=True, order=True)
class _Act:
    """A key is struck or let go. Acts sort as they are written: what ends comes first."""

    step: int
    is_start: bool
    is_drum: bool
    program: int
    pitch: int
    velocity: int  # as the value of an event; 0 lets go


@dataclass(slots=True)
class _Writer:
    """A row of tokens, and what it said last."""

    vocabulary: Vocabulary
    row: list[int] = field(default_factory=list)
    said: dict[EventKind, int] = field(default_factory=dict)

    def say(self, kind: EventKind, value: int) -> None:
        self.row.append(self.vocabulary.token_of(Event(kind, value)))

    def say_if_new(self, kind: EventKind, value: int) -> None:
        if self.said.get(kind) != value:
            self.said[kind] = value
            self.say(kind, value)

    def say_time(self, steps: int) -> None:
        """Say how many steps after the start of the segment; nothing at the start itself."""
        if self.said.get(EventKind.SHIFT, 0) == steps:
            return
        self.said[EventKind.SHIFT] = steps
        while steps > 0:
            self.say(EventKind.SHIFT, min(steps, self.vocabulary.longest_shift_steps))
            steps -= self.vocabulary.longest_shift_steps


def _acts(notes: Iterable[NoteEvent], first_step: int, vocabulary: Vocabulary) -> Iterator[_Act]:
    """Yield what happens, in no order."""
    struck: dict[tuple[bool, int, int], dict[int, tuple[int, int]]] = {}
    for note in notes:
        start = max(first_step, _steps(note.onset_s))
        end = max(start + 1, _steps(note.offset_s))
        value = vocabulary.velocity_value(note.velocity)
        of_key = struck.setdefault(
            (note.is_drum, 0 if note.is_drum else note.program, note.pitch), {}
        )
        of_key[start] = max(of_key.get(start, (0, 0)), (end, value))
    for (is_drum, program, pitch), of_key in struck.items():
        starts = sorted(of_key)
        for start, following in zip(starts, [*starts[1:], None], strict=True):
            end, value = of_key[start]
            on = _Act(start, True, is_drum, program, pitch, value)
            yield on
            if not is_drum:
                end = end if following is None else min(end, following)
                yield replace(on, step=end, is_start=False, velocity=0)


def _row(
    acts: Sequence[_Act], start: int, sounding: set[tuple[int, int]], vocabulary: Vocabulary
) -> list[int]:
    """Return the tokens of one segment; `sounding` [(program, pitch)] is brought up to its end."""
    writer = _Writer(vocabulary)
    if vocabulary.has_ties:
        for program, pitch in sorted(sounding):
            writer.say_if_new(EventKind.PROGRAM, program)
            writer.say(EventKind.PITCH, pitch)
        writer.say(EventKind.TIE, 0)
    for act in acts:
        writer.say_time(act.step - start)
        if act.is_drum:
            writer.say_if_new(EventKind.VELOCITY, act.velocity)
            writer.say(EventKind.DRUM, act.pitch)
            continue
        writer.say_if_new(EventKind.PROGRAM, act.program)
        writer.say_if_new(EventKind.VELOCITY, act.velocity)
        writer.say(EventKind.PITCH, act.pitch)
        (sounding.add if act.is_start else sounding.discard)((act.program, act.pitch))
    return [*writer.row, EOS]


def _step_of(act: _Act) -> int:
    return act.step


def _steps(at_s: float) -> int:
    return round(at_s * STEPS_PER_S)
