"""What the original decoder of YourMT3 made of token sequences, and how to write such sequences."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from core.codec.events import Event, EventKind
from core.codec.tokens_to_notes import SegmentTokens
from core.codec.vocabulary import EOS, YOURMT3_VOCABULARY
from core.features.yourmt3_spectrogram import segment_start_s
from core.score.note import NoteEvent

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "golden" / "yourmt3_codec.json").read_text(encoding="utf-8")
)
CASES: dict[str, dict[str, Any]] = {case["name"]: case for case in GOLDEN["cases"]}

Said = tuple[EventKind, int]
TIE: Said = (EventKind.TIE, 0)
ON: Said = (EventKind.VELOCITY, 1)
OFF: Said = (EventKind.VELOCITY, 0)


def at(steps: int) -> Said:
    return (EventKind.SHIFT, steps)


def key(pitch: int) -> Said:
    return (EventKind.PITCH, pitch)


def program(number: int) -> Said:
    return (EventKind.PROGRAM, number)


def drum(drum_key: int) -> Said:
    return (EventKind.DRUM, drum_key)


def row(index: int, tokens: list[int], log_probability: float = 0.0) -> SegmentTokens:
    """Return the tokens of the segment of this index."""
    return SegmentTokens(
        segment_start_s(index),
        np.array(tokens, np.int32),
        np.full(len(tokens), log_probability, np.float32),
    )


def said(index: int, *events: Said) -> SegmentTokens:
    """Return a segment that says these events and ends."""
    return row(index, [*(YOURMT3_VOCABULARY.token_of(Event(*event)) for event in events), EOS])


def rows_of(case: dict[str, Any]) -> list[SegmentTokens]:
    return [row(index, segment["tokens"]) for index, segment in enumerate(case["segments"])]


GoldenNote = tuple[float, float, int, int, bool]


def golden_notes(notes: list[Any]) -> list[GoldenNote]:
    """Return onset, offset, pitch, program (0 of drums, as ours have) and whether it is a drum."""
    return [
        (on_s, off_s, pitch, 0 if is_drum else number, is_drum)
        for on_s, off_s, pitch, _, number, is_drum in notes
    ]


def as_golden(notes: Iterable[NoteEvent]) -> list[GoldenNote]:
    return [(n.onset_s, n.offset_s, n.pitch, n.program, n.is_drum) for n in notes]


def by_key(notes: list[GoldenNote]) -> list[GoldenNote]:
    """Return the notes in an order that their ends do not change."""
    return sorted(notes, key=lambda note: (round(note[0], 6), *note[2:]))


def assert_same(ours: list[GoldenNote], theirs: list[GoldenNote]) -> None:
    assert [note[2:] for note in ours] == [note[2:] for note in theirs]
    times = [note[:2] for note in ours], [note[:2] for note in theirs]
    np.testing.assert_allclose(times[0], times[1], rtol=0, atol=1e-9)
