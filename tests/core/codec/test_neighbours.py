"""One voice, and what is not of it."""

from core.codec.neighbours import without_neighbours
from core.score.note import NoteEvent

SUNG = [NoteEvent(at / 2, 60 + at % 5, at / 2 + 0.4, velocity=75 + at % 3) for at in range(20)]


def with_others(others: list[NoteEvent]) -> list[NoteEvent]:
    return without_neighbours(sorted([*SUNG, *others]))


def note(onset_s: float, offset_s: float, velocity: int, pitch: int = 48) -> NoteEvent:
    return NoteEvent(onset_s, pitch, offset_s, velocity=velocity)


def test_a_voice_alone_keeps_its_notes() -> None:
    assert without_neighbours(SUNG) == SUNG


def test_a_note_under_a_louder_one_is_left_out() -> None:
    assert with_others([note(1.05, 1.35, 68)]) == SUNG


def test_a_note_that_outlasts_the_louder_one_stays() -> None:
    longer = note(9.7, 12.0, 70)
    assert with_others([longer]) == [*SUNG, longer]


def test_where_many_sound_along_those_in_the_rests_go_too() -> None:
    along = [note(at / 2 + 0.1, at / 2 + 0.35, 66) for at in range(20)]
    in_the_rest = note(12.0, 12.5, 66)
    assert with_others([*along, in_the_rest]) == SUNG
    assert with_others([in_the_rest]) == [*SUNG, in_the_rest]


def test_what_is_hardly_heard_is_not_of_the_voice() -> None:
    assert with_others([note(12.0, 12.5, 50)]) == SUNG


def test_two_voices_as_loud_as_each_other_both_stay() -> None:
    second = [NoteEvent(n.onset_s, n.pitch + 4, n.offset_s, velocity=n.velocity) for n in SUNG]
    third = [NoteEvent(n.onset_s, n.pitch - 8, n.offset_s, velocity=68) for n in SUNG]
    assert with_others([*second, *third]) == sorted([*SUNG, *second, *third])


def test_chords_whose_notes_start_together_stay() -> None:
    softer = [note(at / 2 + 0.02, at / 2 + 0.3, 66, pitch=67 + at % 5) for at in range(0, 20, 2)]
    assert with_others(softer) == sorted([*SUNG, *softer])


def test_overtones_that_start_with_their_tone_are_left_out() -> None:
    overtones = [note(at / 2, at / 2 + 0.3, 66, pitch=72 + at % 5) for at in range(0, 20, 2)]
    assert with_others(overtones) == SUNG


def test_others_who_now_and_then_play_at_the_same_time_are_left_out() -> None:
    other = [note(at / 2 + 0.3 * (at % 3), at / 2 + 0.3 + 0.3 * (at % 3), 66) for at in range(20)]
    kept = with_others(other)
    assert kept == SUNG


def test_a_few_notes_are_no_crowd() -> None:
    few = [note(0.0, 1.0, 90), note(0.2, 0.8, 40)]
    assert without_neighbours(few) == few


def test_nothing_stays_nothing() -> None:
    assert without_neighbours([]) == []


def test_chords_of_others_are_left_out() -> None:
    """They start with each other, and not with the voice."""
    chords = [
        note(at / 2 + 0.15, at / 2 + 0.39, velocity, pitch)
        for at in range(20)
        for velocity, pitch in ((70, 67), (66, 50), (66, 52))
    ]
    assert with_others(chords) == SUNG
