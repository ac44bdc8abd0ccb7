"""Tokens of YourMT3 become notes; each defect of the published decoder stands beside our answer."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codec.notes_to_tokens import tokens_from_notes
from core.codec.tokens_to_notes import DecodeLosses, SegmentTokens
from core.codec.vocabulary import EOS, PAD, UNK, YOURMT3_VOCABULARY
from core.codec.yourmt3_as_published import Fault, notes_as_published
from core.codec.yourmt3_notes import notes_from_channels
from core.features.yourmt3_spectrogram import SEGMENT_S, segment_start_s
from core.score.note import NoteEvent
from tests.core.codec.yourmt3_cases import (
    CASES,
    GOLDEN,
    OFF,
    ON,
    TIE,
    as_golden,
    assert_same,
    at,
    by_key,
    drum,
    golden_notes,
    key,
    program,
    row,
    rows_of,
    said,
)

Times = list[tuple[float, float]]

# Where the published decoder loses a segment, and where on and off fall into one step.
WITHOUT_TIE = {name for name, case in CASES.items() if Fault.MISSING_TIE in case["errors"]}
SAME_STEP = {"fuzz0", "fuzz4", "fuzz6"}


def times(notes: tuple[NoteEvent, ...]) -> Times:
    return [(round(note.onset_s, 6), round(note.offset_s, 6)) for note in notes]


def ours(*rows: SegmentTokens, end_s: float | None = None) -> Times:
    return times(notes_from_channels([rows], end_s=end_s or len(rows) * SEGMENT_S).notes)


def theirs(*rows: SegmentTokens) -> Times:
    return times(notes_as_published([rows]).notes)


@pytest.mark.parametrize("name", sorted(CASES.keys() - WITHOUT_TIE - SAME_STEP))
def test_notes_are_those_of_the_original_but_for_ends_that_it_loses(name: str) -> None:
    case = CASES[name]
    end_s = len(case["segments"]) * SEGMENT_S + 0.01
    decoded = notes_from_channels([rows_of(case)], end_s=end_s)
    found, expected = by_key(as_golden(decoded.notes)), by_key(golden_notes(case["notes"]))
    assert [note[2:] for note in found] == [note[2:] for note in expected]
    for note, published in zip(found, expected, strict=True):
        is_lost = published[1] - published[0] < 0.011 and note[1] > published[1] + 1e-9
        assert note[0] == pytest.approx(published[0], abs=1e-9)
        assert note[1] == pytest.approx(published[1], abs=1e-9) or is_lost


def test_channels_are_mixed_as_in_the_original() -> None:
    mix: dict[str, Any] = GOLDEN["mix_channels"]
    channels = [[row(n, tokens) for n, tokens in enumerate(rows)] for rows in mix["channels"]]
    found = as_golden(notes_from_channels(channels, end_s=SEGMENT_S).notes)
    assert_same(by_key(found), by_key(golden_notes(mix["notes"])))


def test_a_note_longer_than_ten_seconds_keeps_its_length() -> None:
    held = [said(n, program(0), key(60), TIE) for n in range(1, 6)]
    rows = [said(0, TIE, at(10), program(0), ON, key(60)), *held,
            said(6, program(0), key(60), TIE, at(10), OFF, key(60))]  # fmt: skip
    assert theirs(*rows) == [(0.1, 0.11)]
    assert ours(*rows) == [(0.1, 12.39)]


def test_a_note_that_never_ends_sounds_to_the_end_of_the_file() -> None:
    rows = [said(0, TIE, at(10), program(0), ON, key(60)), said(1, program(0), key(60), TIE)]
    assert theirs(*rows) == [(0.1, 0.11)]
    assert ours(*rows, end_s=3.5) == [(0.1, 3.5)]


def test_a_row_that_starts_with_its_end_says_nothing() -> None:
    first = said(0, TIE, at(10), program(0), ON, key(60))
    second = row(1, [EOS, *said(1, TIE, at(10), drum(38)).tokens.tolist()])
    assert theirs(first, second) == [(0.1, 2.047938), (2.15, 2.16)]
    assert ours(first, second) == [(0.1, 2.047938)]


def test_a_segment_without_its_tie_token_is_read_nevertheless() -> None:
    rows = [
        said(0, TIE, at(100), program(0), ON, key(60)),
        said(1, at(10), program(0), ON, key(64), at(30), OFF, key(60), key(64)),
    ]
    assert theirs(*rows) == [(1.0, 2.047938)]
    assert ours(*rows) == [(1.0, 2.35), (2.15, 2.35)]
    assert notes_from_channels([rows], end_s=9.0).losses == DecodeLosses(invalid_events=1)


def test_a_list_of_ties_without_its_token_counts() -> None:
    rows = [
        said(0, TIE, at(100), program(0), ON, key(60), key(64)),
        said(1, program(0), key(60)),
        said(2, program(0), key(60), TIE, at(10), OFF, key(60)),
    ]
    assert theirs(*rows) == [(1.0, 2.047938), (1.0, 2.047938)]
    assert ours(*rows) == [(1.0, 4.2), (1.0, 2.047938)]


def test_a_note_let_go_in_the_step_in_which_it_was_struck_stays_short() -> None:
    rows = [said(0, TIE, at(10), program(0), ON, key(60), OFF, key(60)), said(1, TIE)]
    assert theirs(*rows) == [(0.1, 0.11)]  # by chance: it never finds the end
    again = [rows[0], said(1, TIE, at(100), program(0), ON, key(60), at(110), OFF, key(60))]
    assert theirs(*again) == [(0.1, 3.05), (3.05, 3.15)]
    assert ours(*again) == [(0.1, 0.11), (3.05, 3.15)]


def test_an_untied_note_struck_again_at_the_border_keeps_its_second_length() -> None:
    rows = [
        said(0, TIE), said(1, TIE), said(2, TIE, at(100), program(0), ON, key(60)),
        said(3, TIE, program(0), ON, key(60), at(50), OFF, key(60)),
    ]  # fmt: skip
    assert theirs(*rows)[1] == (6.14, 6.15)  # the border is at 6.1438 s, the step at 6.14 s
    assert ours(*rows) == [(5.1, 6.14), (6.14, 6.64)]


def test_of_one_note_in_two_channels_the_longer_stays() -> None:
    long = said(0, TIE, at(10), program(0), ON, key(60), at(90), OFF, key(60))
    short = said(0, TIE, at(10), program(0), ON, key(60), at(20), OFF, key(60))
    assert times(notes_as_published([[long], [short]]).notes) == [(0.1, 0.2)]
    decoded = notes_from_channels([[long], [short]], end_s=2.0)
    assert times(decoded.notes) == [(0.1, 0.9)]


def test_channels_do_not_end_each_others_notes() -> None:
    piano = [said(0, TIE, at(10), program(0), ON, key(60)), said(1, program(0), key(60), TIE)]
    drums = [said(0, TIE), said(1, TIE)]
    assert times(notes_from_channels([piano, drums], end_s=3.0).notes) == [(0.1, 3.0)]


def test_the_confidence_of_a_note_is_the_probability_of_its_pitch() -> None:
    tokens = said(0, TIE, at(3), program(0), ON, key(60), at(50), OFF, key(60)).tokens
    doubts = np.log(np.array([0.9, 0.2, 0.8, 0.7, 0.5, 0.9, 0.9, 0.1, 0.3], np.float32))
    decoded = notes_from_channels([[SegmentTokens(0.0, tokens, doubts)]], end_s=2.0)
    assert [note.confidence for note in decoded.notes] == [pytest.approx(0.5)]


def test_padding_and_unknown_words_are_counted_and_passed_over() -> None:
    tokens = said(0, TIE, at(10), program(0), ON, key(60), at(50), OFF, key(60)).tokens.tolist()
    decoded = notes_from_channels([[row(0, [*tokens[:4], UNK, PAD, *tokens[4:]])]], end_s=2.0)
    assert times(decoded.notes) == [(0.1, 0.5)]
    assert decoded.losses.invalid_events == 2


def test_a_row_that_never_says_that_it_is_done_keeps_its_notes() -> None:
    tokens = said(0, TIE, at(10), program(0), ON, key(60), at(50), OFF, key(60)).tokens[:-1]
    decoded = notes_from_channels([[row(0, tokens.tolist())]], end_s=2.0)
    assert times(decoded.notes) == [(0.1, 0.5)]
    assert decoded.losses == DecodeLosses(unfinished_segments=1)


def test_notes_are_cut_where_the_file_ends_and_those_behind_it_are_counted() -> None:
    only = said(0, TIE, at(10), program(0), ON, key(60), at(150), key(64), at(190), OFF, key(60))
    decoded = notes_from_channels([[only]], end_s=1.2)
    assert times(decoded.notes) == [(0.1, 1.2)]
    assert decoded.losses.notes_outside == 1


def test_segments_may_come_in_any_order() -> None:
    first = said(0, TIE, at(10), program(0), ON, key(60))
    second = said(1, program(0), key(60), TIE, at(10), OFF, key(60))
    assert ours(second, first) == ours(first, second) == [(0.1, 2.15)]


def test_silence_has_no_notes_and_no_losses() -> None:
    decoded = notes_from_channels([[said(n, TIE)] for n in range(13)], end_s=2.0)
    assert (decoded.notes, decoded.losses) == ((), DecodeLosses())


@st.composite
def pieces(draw: st.DrawFn) -> list[NoteEvent]:
    """Draw notes on whole steps, some of them long; those of one key follow each other."""
    notes = []
    keys = st.tuples(st.sampled_from([0, 33, 100, 127]), st.sampled_from([0, 60, 61, 127]))
    for number, pitch in draw(st.sets(keys, max_size=6)):
        steps = sorted(draw(st.sets(st.integers(0, 1420), max_size=8)))
        for onset, offset in zip(steps[::2], steps[1::2], strict=False):
            notes.append(NoteEvent(onset / 100, pitch, offset / 100, 100, number))
    hits = draw(st.sets(st.tuples(st.integers(0, 1420), st.sampled_from([36, 38])), max_size=8))
    notes += [NoteEvent(step / 100, hit, step / 100 + 0.01, 100, is_drum=True)
              for step, hit in hits]  # fmt: skip
    return notes


def written(notes: list[NoteEvent], segments: int) -> list[SegmentTokens]:
    """Return the rows that say these notes."""
    starts_s = [round(segment_start_s(n), 2) for n in range(segments)]
    rows = tokens_from_notes(notes, starts_s, YOURMT3_VOCABULARY)
    return [replace(each, start_s=segment_start_s(n)) for n, each in enumerate(rows)]


@given(notes=pieces())
def test_tokens_of_notes_decode_to_the_same_notes(notes: list[NoteEvent]) -> None:
    decoded = notes_from_channels([written(notes, 7)], end_s=15.0)
    assert_same(by_key(as_golden(decoded.notes)), by_key(as_golden(notes)))
    assert decoded.losses == DecodeLosses()


PLAUSIBLE = written(
    [
        NoteEvent(0.1 * n, 60 + n % 12, 0.1 * n + 0.05 * (n % 9), 100, (0, 33)[n % 2], n % 5 == 0)
        for n in range(60)
    ],
    3,
)


def mutated(tokens: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the row with tokens replaced, put in, left out, repeated, or without its tie."""
    at_place = int(rng.integers(0, len(tokens)))
    match rng.integers(0, 5):
        case 0:
            return np.concatenate(
                [tokens[:at_place], rng.integers(-3, 600, 3), tokens[at_place + 3 :]]
            )
        case 1:
            return np.insert(tokens, at_place, rng.integers(0, 596, 4))
        case 2:
            return np.delete(tokens, slice(at_place, at_place + int(rng.integers(1, 8))))
        case 3:
            return np.concatenate([tokens[:at_place], tokens[at_place // 2 :]])
        case _:
            return tokens[tokens != 339]


def odd_rows(rng: np.random.Generator) -> list[SegmentTokens]:
    """Return up to three segments: plausible rows mutated up to three times, or any tokens."""
    rows = []
    for index in range(int(rng.integers(1, 4))):
        if rng.random() < 0.3:
            tokens = rng.integers(-5, 600, int(rng.integers(0, 64)))
        else:
            tokens = PLAUSIBLE[index].tokens
            for _ in range(int(rng.integers(1, 4))):
                tokens = mutated(tokens, rng) if len(tokens) else tokens
        rows.append(row(index, tokens.tolist(), -0.5))
    return rows


def assert_playable(notes: tuple[NoteEvent, ...], end_s: float) -> None:
    """Assert that notes lie within the file, in order, and that no key sounds twice at once."""
    assert all(0.0 <= note.onset_s < note.offset_s <= end_s for note in notes)
    assert list(notes) == sorted(notes)
    ends_s: dict[tuple[bool, int, int], float] = {}
    for note in notes:
        of_key = note.is_drum, note.program, note.pitch
        assert note.onset_s >= ends_s.get(of_key, 0.0)
        ends_s[of_key] = note.offset_s


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_ten_thousand_odd_sequences_decode_to_notes_within_the_file(seed: int) -> None:
    rng = np.random.default_rng(seed)
    end_s = 5.0
    found = outside = more = 0
    for _ in range(1_000):
        channels = [odd_rows(rng), odd_rows(rng)]
        decoded = notes_from_channels(channels, end_s=end_s)
        assert_playable(decoded.notes, end_s)
        found += len(decoded.notes)
        outside += decoded.losses.notes_outside
        more += len(decoded.notes) > len(notes_as_published(channels).notes)
    assert min(found, outside) > 500
    assert more > 200  # segments without a tie are not thrown away


def test_what_sounds_at_the_start_of_the_file_begins_there() -> None:
    rows = [said(0, program(0), key(55), TIE, at(88), program(0), OFF, key(55))]
    assert ours(*rows) == [(0.0, 0.88)]
    assert theirs(*rows) == []


def test_a_note_that_sounds_on_as_another_instrument_is_not_cut() -> None:
    rows = [
        said(0, TIE, at(10), program(0), ON, key(60)),
        said(1, program(2), key(60), TIE, at(30), program(2), OFF, key(60)),
    ]
    assert ours(*rows) == [(0.1, pytest.approx(segment_start_s(1) + 0.3, abs=0.006))]
    assert theirs(*rows) == [(0.1, pytest.approx(segment_start_s(1)))]
