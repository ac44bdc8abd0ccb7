"""Tokens become the notes that the reference decoder makes of them, and nothing makes it fail."""

import json
from pathlib import Path

import numpy as np
import pytest

from core.codec.events import Event, EventKind
from core.codec.notes_to_tokens import tokens_from_notes
from core.codec.tokens_to_notes import (
    DecodeLosses,
    SegmentTokens,
    notes_from_tokens,
    segment_start_s,
)
from core.codec.vocabulary import EOS, ISMIR2021_VOCABULARY, MT3_VOCABULARY, UNK, Vocabulary
from core.score.note import NoteEvent

CASES = json.loads(
    (Path(__file__).parents[2] / "golden" / "mt3_codec.json").read_text(encoding="utf-8")
)["cases"]


def segment(start_s: float, tokens: list[int], log_probability: float = 0.0) -> SegmentTokens:
    return SegmentTokens(
        start_s, np.array(tokens, np.int32), np.full(len(tokens), log_probability, np.float32)
    )


def tokens(*events: tuple[EventKind, int]) -> list[int]:
    return [MT3_VOCABULARY.token_of(Event(kind, value)) for kind, value in events]


def vocabulary_of(case: dict) -> Vocabulary:
    size = 1536 if case["velocity_bins"] == 1 else 1664
    return Vocabulary(case["velocity_bins"], case["ties"], size)


TIE, ON, OFF = (EventKind.TIE, 0), (EventKind.VELOCITY, 1), (EventKind.VELOCITY, 0)


def pitch(key: int) -> tuple[EventKind, int]:
    return (EventKind.PITCH, key)


def shift(steps: int) -> tuple[EventKind, int]:
    return (EventKind.SHIFT, steps)


def in_frames(start_s: float) -> int:
    return round(start_s * 125)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_every_golden_case_decodes_as_the_reference_does(case: dict) -> None:
    segments = [
        segment(segment_start_s(in_frames(part["start_time"]), 125), part["tokens"])
        for part in case["segments"]
    ]
    decoded = notes_from_tokens(segments, vocabulary_of(case))
    found = [
        (note.onset_s, note.offset_s, note.pitch, note.velocity, note.program, note.is_drum)
        for note in decoded.notes
    ]
    assert [note[2:] for note in found] == [tuple(note[2:6]) for note in case["notes"]]
    assert [note[:2] for note in found] == [
        pytest.approx(note[:2], abs=1e-9) for note in case["notes"]
    ]
    assert decoded.losses.invalid_events == case["invalid_events"]
    assert decoded.losses.late_events == case["dropped_events"]


def test_a_row_that_never_says_that_it_is_done_keeps_its_notes() -> None:
    row = tokens(TIE, ON, pitch(60), shift(50), OFF, pitch(60))
    decoded = notes_from_tokens([segment(0.0, row)], MT3_VOCABULARY)
    assert [note.pitch for note in decoded.notes] == [60]
    assert decoded.losses.unfinished_segments == 1


def test_a_tied_note_survives_the_border_of_its_segment() -> None:
    first = [*tokens(TIE, shift(10), ON, pitch(60)), EOS]
    second = [*tokens(pitch(60), TIE, shift(30), OFF, pitch(60)), EOS]
    (note,) = notes_from_tokens([segment(0.0, first), segment(2.04, second)], MT3_VOCABULARY).notes
    assert (note.onset_s, note.offset_s) == pytest.approx((0.1, 2.34))


def test_a_note_that_is_not_tied_ends_at_the_border() -> None:
    first = [*tokens(TIE, shift(10), ON, pitch(60)), EOS]
    second = [*tokens(TIE, shift(30), ON, pitch(64)), EOS]
    notes = notes_from_tokens([segment(0.0, first), segment(2.04, second)], MT3_VOCABULARY).notes
    assert (notes[0].pitch, notes[0].offset_s) == (60, pytest.approx(2.04))


PIANO, GUITAR = (EventKind.PROGRAM, 0), (EventKind.PROGRAM, 24)


def mended(*rows: list[int]) -> list[tuple[int, int, float, float]]:
    """Return pitch, program, onset and offset of the notes, with ties mended."""
    segments = [segment(2.04 * index, row) for index, row in enumerate(rows)]
    notes = notes_from_tokens(segments, MT3_VOCABULARY, mends_ties=True).notes
    return sorted((n.pitch, n.program, round(n.onset_s, 3), round(n.offset_s, 3)) for n in notes)


def test_a_note_that_sounds_on_as_another_instrument_is_not_cut() -> None:
    first = [*tokens(TIE, shift(10), PIANO, ON, pitch(60)), EOS]
    second = [*tokens(GUITAR, pitch(60), TIE, shift(30), OFF, pitch(60)), EOS]
    assert mended(first, second) == [(60, 0, 0.1, 2.34)]
    published = notes_from_tokens([segment(0.0, first), segment(2.04, second)], MT3_VOCABULARY)
    assert published.notes[0].offset_s == pytest.approx(2.04)
    assert published.losses.invalid_events == 2


def test_a_note_of_two_instruments_is_not_confused_with_either() -> None:
    first = [*tokens(TIE, shift(10), PIANO, ON, pitch(60), GUITAR, pitch(60)), EOS]
    second = [*tokens(GUITAR, pitch(60), TIE, shift(30), OFF, pitch(60)), EOS]
    assert mended(first, second) == [(60, 0, 0.1, 2.04), (60, 24, 0.1, 2.34)]


def test_the_new_name_of_a_note_ends_with_it() -> None:
    first = [*tokens(TIE, shift(10), PIANO, ON, pitch(60)), EOS]
    second = [*tokens(GUITAR, pitch(60), TIE, shift(30), OFF, pitch(60),
                      shift(40), PIANO, ON, pitch(60), shift(50), GUITAR, OFF, pitch(60),
                      shift(90), PIANO, pitch(60)), EOS]  # fmt: skip
    assert mended(first, second) == [(60, 0, 0.1, 2.34), (60, 0, 2.44, 2.94)]


def test_what_sounds_at_the_start_of_the_file_begins_there() -> None:
    first = [*tokens(PIANO, pitch(55), TIE, shift(88), OFF, pitch(55)), EOS]
    assert mended(first) == [(55, 0, 0.0, 0.88)]
    assert notes_from_tokens([segment(0.0, first)], MT3_VOCABULARY).notes == ()


def test_later_nothing_begins_that_is_only_said_to_sound_on() -> None:
    second = [*tokens(PIANO, pitch(55), TIE, shift(88), OFF, pitch(55)), EOS]
    assert mended([*tokens(TIE), EOS], second) == []


def test_the_confidence_of_a_note_is_the_probability_of_its_pitch() -> None:
    row = np.array(tokens(TIE, shift(3), ON, pitch(60), shift(50), OFF, pitch(60)), np.int32)
    doubts = np.log(np.array([0.9, 0.2, 0.8, 0.5, 0.9, 0.9, 0.1], np.float32))
    (note,) = notes_from_tokens([SegmentTokens(0.0, row, doubts)], MT3_VOCABULARY).notes
    assert note.confidence == pytest.approx(0.5)


def test_the_confidence_of_a_hit_is_the_probability_of_its_drum() -> None:
    row = np.array(tokens(TIE, ON, (EventKind.DRUM, 38)), np.int32)
    doubts = np.log(np.array([0.9, 0.8, 0.25], np.float32))
    (note,) = notes_from_tokens([SegmentTokens(0.0, row, doubts)], MT3_VOCABULARY).notes
    assert note.confidence == pytest.approx(0.25)


def test_unknown_does_not_end_a_row() -> None:
    row = [*tokens(TIE, ON), UNK, *tokens(pitch(60), shift(50), OFF, pitch(60)), EOS]
    decoded = notes_from_tokens([segment(0.0, row)], MT3_VOCABULARY)
    assert [note.pitch for note in decoded.notes] == [60]
    assert decoded.losses.invalid_events == 1


def test_what_stands_behind_the_end_of_a_row_does_not_count() -> None:
    row = [*tokens(TIE), EOS, *tokens(ON, pitch(60)), UNK]
    decoded = notes_from_tokens([segment(0.0, row)], MT3_VOCABULARY)
    assert (decoded.notes, decoded.losses) == ((), DecodeLosses())


@pytest.mark.parametrize(("index", "start_s"), [(0, 0.0), (1, 2.04), (2, 4.09), (3, 6.14)])
def test_segments_start_on_the_hundredth_before_their_first_frame(
    index: int, start_s: float
) -> None:
    assert segment_start_s(256 * index, 125) == start_s


def test_a_start_on_a_whole_hundredth_stays_there() -> None:
    assert segment_start_s(15 * 256, 125) == 30.72  # Magenta's remainder makes it 30.71


def test_segments_may_come_in_any_order() -> None:
    first = [*tokens(TIE, shift(10), ON, pitch(60)), EOS]
    second = [*tokens(pitch(60), TIE, shift(30), OFF, pitch(60)), EOS]
    (note,) = notes_from_tokens([segment(2.04, second), segment(0.0, first)], MT3_VOCABULARY).notes
    assert (note.onset_s, note.offset_s) == pytest.approx((0.1, 2.34))


def test_notes_are_cut_where_the_file_ends_and_those_behind_it_are_counted() -> None:
    row = [*tokens(TIE, ON, pitch(60), shift(150), pitch(64), shift(190), OFF, pitch(60)), EOS]
    decoded = notes_from_tokens([segment(0.0, row)], MT3_VOCABULARY, end_s=1.2)
    assert [(note.pitch, note.offset_s) for note in decoded.notes] == [(60, 1.2)]
    assert decoded.losses.notes_outside == 1


PLAUSIBLE = tokens_from_notes(
    [
        NoteEvent(0.1 * n, 60 + n % 12, 0.1 * n + 0.05 * (n % 9), 127, (0, 33)[n % 2], n % 5 == 0)
        for n in range(60)
    ],
    [0.0, 2.04, 4.09],
    MT3_VOCABULARY,
)


def mutated(row: np.ndarray, rng: np.random.Generator, size: int) -> np.ndarray:
    """Return the row with tokens replaced, put in, left out, repeated, or pushed far ahead."""
    at = int(rng.integers(0, len(row)))
    match rng.integers(0, 5):
        case 0:
            return np.concatenate([row[:at], rng.integers(-3, size + 3, 3), row[at + 3 :]])
        case 1:
            return np.insert(row, at, rng.integers(0, size, 4))
        case 2:
            return np.delete(row, slice(at, at + int(rng.integers(1, 8))))
        case 3:
            return np.concatenate([row[:at], row[at // 2 : at], row[at:]])
        case _:
            return np.insert(row, at, rng.integers(900, 1004, 6))  # shifts of nine seconds and more


def odd_rows(rng: np.random.Generator, size: int) -> list[SegmentTokens]:
    """Return up to three segments: plausible rows mutated up to three times, or any tokens."""
    segments = []
    for index in range(int(rng.integers(1, 4))):
        if rng.random() < 0.3:
            row = rng.integers(-5, size + 5, int(rng.integers(0, 64)))
        else:
            row = PLAUSIBLE[index].tokens
            for _ in range(int(rng.integers(1, 4))):
                row = mutated(row, rng, size) if len(row) else row
        doubts = np.full(len(row), -0.5, np.float32)
        segments.append(SegmentTokens(2.04 * index, row.astype(np.int32), doubts))
    return segments


@pytest.mark.slow
@pytest.mark.parametrize("vocabulary", [MT3_VOCABULARY, ISMIR2021_VOCABULARY], ids=["mt3", "ismir"])
@pytest.mark.parametrize("seed", range(5))
def test_ten_thousand_odd_sequences_decode_to_notes_within_the_file(
    vocabulary: Vocabulary, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    end_s = 5.0
    found = outside = 0
    for _ in range(10_000):
        decoded = notes_from_tokens(odd_rows(rng, vocabulary.size), vocabulary, end_s=end_s)
        assert all(0.0 <= note.onset_s < end_s for note in decoded.notes)
        assert all(note.onset_s < note.offset_s <= end_s for note in decoded.notes)
        found += len(decoded.notes)
        outside += decoded.losses.notes_outside
    assert min(found, outside) > 1000  # the sequences are odd, but not so odd that nothing is tried
