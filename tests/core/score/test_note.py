from dataclasses import replace

import pytest

from core.score.note import NoteEvent, PitchBend
from tests import make


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"pitch": -1}, "pitch -1"),
        ({"pitch": 128}, "pitch 128"),
        ({"velocity": 0}, "velocity 0"),
        ({"velocity": 128}, "velocity 128"),
        ({"program": -1}, "program -1"),
        ({"program": 128}, "program 128"),
        ({"offset_s": -0.1}, "before onset"),
        ({"onset_s": float("nan")}, "before onset"),
        ({"offset_s": float("nan")}, "before onset"),
    ],
)
def test_notes_that_midi_cannot_hold_are_refused(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(make.note(60, 0.0, 0.5), **wrong)


def test_a_note_may_have_no_length() -> None:
    assert make.note(60, 1.0, 1.0).duration_s == 0.0


def test_moving_a_note_moves_its_bends() -> None:
    moved = make.bent(60, 1.0, 2.0, (1.5, 0.5)).moved(0.25)
    assert (moved.onset_s, moved.offset_s) == (1.25, 2.25)
    assert moved.bends == (PitchBend(1.75, 0.5),)


def test_another_program_changes_nothing_else() -> None:
    note = make.note(60, 1.0, 2.0, 99)
    assert note.with_program(33) == replace(note, program=33)


def test_notes_sort_by_onset_then_pitch_then_offset_then_velocity() -> None:
    ordered = [
        make.note(60, 0.0, 1.0, 50),
        make.note(60, 0.0, 1.0, 90),
        make.note(60, 0.0, 2.0, 10),
        make.note(62, 0.0, 0.5),
        make.note(40, 1.0, 2.0),
    ]
    backwards = ordered[::-1]
    assert sorted(backwards) == ordered


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (NoteEvent(0.0, 60, 1.0, confidence=None), NoteEvent(0.0, 60, 1.0, confidence=0.5)),
        (make.bent(60, 0.0, 1.0, (0.0, 1.0)), make.bent(60, 0.0, 1.0, (0.0, 2.0))),
    ],
    ids=["confidence", "bends"],
)
def test_notes_that_differ_in_what_has_no_order_can_be_sorted(
    first: NoteEvent, second: NoteEvent
) -> None:
    assert sorted([first, second]) == [first, second]
    assert sorted([second, first]) == [second, first]
