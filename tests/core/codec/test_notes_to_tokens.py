"""Notes become the tokens that decode to them again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codec.events import EventKind
from core.codec.notes_to_tokens import tokens_from_notes
from core.codec.tokens_to_notes import notes_from_tokens
from core.codec.vocabulary import EOS, ISMIR2021_VOCABULARY, MT3_VOCABULARY, Vocabulary
from core.score.note import NoteEvent

SEGMENT_STEPS = 204
STARTS_S = [step / 100 for step in (0, 204, 409, 614)]
VOCABULARIES = [MT3_VOCABULARY, ISMIR2021_VOCABULARY, Vocabulary(127, True, 1664)]


def said(row: np.ndarray, vocabulary: Vocabulary) -> list[str]:
    events = [vocabulary.event_of(token) for token in row.tolist()]
    return ["EOS" if event is None else f"{event.kind} {event.value}" for event in events]


@st.composite
def pieces(draw: st.DrawFn) -> list[NoteEvent]:
    """Draw notes on whole steps; those of one key of one program follow each other."""
    notes = []
    keys = st.tuples(st.sampled_from([0, 24, 127]), st.sampled_from([0, 60, 61, 127]))
    for program, pitch in draw(st.sets(keys, max_size=6)):
        times = sorted(draw(st.sets(st.integers(0, 1900), max_size=8)))
        for onset, offset in zip(times[::2], times[1::2], strict=False):
            notes.append(NoteEvent(onset / 100, pitch, offset / 100, 127, program))
    hits = draw(st.sets(st.tuples(st.integers(0, 1900), st.sampled_from([36, 38])), max_size=8))
    notes += [NoteEvent(at / 100, key, at / 100 + 0.01, 127, is_drum=True) for at, key in hits]
    return notes


def content(notes: list[NoteEvent]) -> list[tuple[float, ...]]:
    rows = [(n.onset_s, n.pitch, n.offset_s, n.velocity, n.program, n.is_drum) for n in notes]
    return sorted((round(row[0], 6), row[1], round(row[2], 6), *row[3:]) for row in rows)


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=["mt3", "ismir2021", "127 with ties"])
@given(notes=pieces())
def test_tokens_of_notes_decode_to_the_same_notes(
    notes: list[NoteEvent], vocabulary: Vocabulary
) -> None:
    decoded = notes_from_tokens(tokens_from_notes(notes, STARTS_S, vocabulary), vocabulary)
    assert content(list(decoded.notes)) == content(notes)
    assert decoded.losses.total == decoded.losses.unfinished_segments == 0


@given(velocity=st.integers(1, 127))
def test_127_bins_keep_the_velocity(velocity: int) -> None:
    rows = tokens_from_notes([NoteEvent(0.1, 60, 0.5, velocity)], [0.0], ISMIR2021_VOCABULARY)
    (note,) = notes_from_tokens(rows, ISMIR2021_VOCABULARY).notes
    assert note.velocity == velocity


def test_a_chord_over_a_segment_border_reads_as_models_were_taught() -> None:
    notes = [
        NoteEvent(0.1, 60, 2.5, 90, program=0),
        NoteEvent(0.1, 64, 1.0, 90, program=0),
        NoteEvent(0.1, 40, 2.5, 90, program=33),
        NoteEvent(1.0, 36, 1.1, 90, is_drum=True),
    ]
    first, second = tokens_from_notes(notes, [0.0, 2.04], MT3_VOCABULARY)
    assert said(first.tokens, MT3_VOCABULARY) == [
        "tie 0", "shift 10", "program 0", "velocity 1", "pitch 60", "pitch 64", "program 33",
        "pitch 40", "shift 100", "program 0", "velocity 0", "pitch 64", "velocity 1", "drum 36",
        "EOS",
    ]  # fmt: skip
    assert said(second.tokens, MT3_VOCABULARY) == [
        "program 0", "pitch 60", "program 33", "pitch 40", "tie 0", "shift 46", "program 0",
        "velocity 0", "pitch 60", "program 33", "pitch 40", "EOS",
    ]  # fmt: skip


def test_times_beyond_the_longest_shift_take_several() -> None:
    (row,) = tokens_from_notes([NoteEvent(25.0, 60, 26.0)], [0.0], MT3_VOCABULARY)
    assert said(row.tokens, MT3_VOCABULARY)[1:4] == ["shift 1000", "shift 1000", "shift 500"]


def test_a_note_ends_where_its_key_is_struck_again() -> None:
    notes = [NoteEvent(0.0, 60, 2.0), NoteEvent(1.0, 60, 1.5)]
    rows = tokens_from_notes(notes, [0.0], MT3_VOCABULARY)
    found = notes_from_tokens(rows, MT3_VOCABULARY).notes
    assert [(note.onset_s, note.offset_s) for note in found] == [(0.0, 1.0), (1.0, 1.5)]


def test_of_notes_that_begin_together_on_one_key_the_longest_counts() -> None:
    notes = [NoteEvent(0.0, 60, 0.5), NoteEvent(0.001, 60, 1.5)]
    rows = tokens_from_notes(notes, [0.0], MT3_VOCABULARY)
    found = notes_from_tokens(rows, MT3_VOCABULARY).notes
    assert [(note.onset_s, note.offset_s) for note in found] == [(0.0, 1.5)]


def test_silence_is_told_in_two_words() -> None:
    (row,) = tokens_from_notes([], [0.0], MT3_VOCABULARY)
    tie = MT3_VOCABULARY.range_of(EventKind.TIE).first_token
    assert row.tokens.tolist() == [tie, EOS]


def test_notes_without_a_segment_are_refused() -> None:
    with pytest.raises(ValueError, match="need a segment"):
        tokens_from_notes([NoteEvent(0.0, 60, 1.0)], [], MT3_VOCABULARY)
