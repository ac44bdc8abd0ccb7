import pytest

from core.midi.tick_notes import (
    TickBend,
    TickNote,
    VoiceBends,
    one_voice_bends,
    tick_notes,
)
from core.midi.ticks import conformed_grid
from core.score.note import NoteEvent
from core.score.tempo import constant_tempo
from core.score.transcription import Track
from tests import make

GRID = conformed_grid(constant_tempo(120.0))  # 1920 ticks per second


def _spans(track: Track) -> list[tuple[int, int, int]]:
    return [(note.on_ticks, note.off_ticks, note.pitch) for note in tick_notes(track, GRID)]


def test_notes_of_other_pitches_overlap_as_they_like() -> None:
    track = make.track(make.note(60, 0.0, 2.0), make.note(64, 1.0, 3.0))
    assert _spans(track) == [(0, 3840, 60), (1920, 5760, 64)]


def test_each_of_many_overlapping_strokes_ends_where_the_next_begins() -> None:
    track = make.track(*(make.note(60, k * 0.5, 5.0) for k in range(4)))
    assert _spans(track) == [
        (0, 960, 60),
        (960, 1920, 60),
        (1920, 2880, 60),
        (2880, 9600, 60),
    ]


@pytest.mark.parametrize(("gap_s", "count"), [(0.0, 1), (0.009, 1), (0.011, 2)])
def test_strokes_less_than_10_ms_apart_are_one(gap_s: float, count: int) -> None:
    track = make.track(make.note(60, 1.0, 2.0), make.note(60, 1.0 + gap_s, 2.0))
    assert len(tick_notes(track, GRID)) == count


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (make.note(60, 0.0, 1.0, 90), make.note(60, 0.005, 2.0, 50)),
        (make.note(60, 0.0, 2.0, 50), make.note(60, 0.005, 1.0, 90)),
    ],
)
def test_one_of_two_strokes_is_as_loud_as_the_louder_and_as_long_as_the_longer(
    first: NoteEvent, second: NoteEvent
) -> None:
    assert tick_notes(make.track(first, second), GRID) == [TickNote(0, 60, 3840, 90)]


def test_a_note_before_the_file_starts_with_it() -> None:
    assert _spans(make.track(make.note(60, -0.5, 1.0))) == [(0, 1920, 60)]


def test_a_repeated_note_may_be_shorter_than_a_128th_but_not_than_10_ms() -> None:
    track = make.track(make.note(60, 1.0, 1.0), make.note(60, 1.0125, 2.0))
    assert _spans(track) == [(1920, 1944, 60), (1944, 3840, 60)]


def test_bends_keep_their_places_within_the_note() -> None:
    note = make.bent(60, 1.0, 2.0, (0.5, 0.25), (1.5, 0.5), (2.0, 1.0))
    [found] = tick_notes(make.track(note), GRID)
    assert found.bends == (TickBend(1920, 0.25), TickBend(2880, 0.5))


def test_the_last_of_several_bends_on_one_tick_counts() -> None:
    [found] = tick_notes(make.track(make.bent(60, 0.0, 1.0, (0.5, 1.0), (0.5001, 2.0))), GRID)
    assert found.bends == (TickBend(960, 2.0),)


def test_a_note_cut_short_loses_the_bends_behind_the_cut() -> None:
    track = make.track(make.bent(60, 0.0, 2.0, (0.5, 1.0), (1.5, 2.0)), make.note(60, 1.0, 2.0))
    assert [note.bends for note in tick_notes(track, GRID)] == [(TickBend(960, 1.0),), ()]


def _bent(*spans: tuple[int, int]) -> list[bool]:
    """Whether each note of a channel, bent all along from its start, keeps bends."""
    notes = [
        TickNote(on, 60 + number, off, 80, (TickBend(on, 1.0), TickBend(off - 1, 2.0)))
        for number, (on, off) in enumerate(spans)
    ]
    return [bool(voice.bends) for voice in one_voice_bends(notes)]


def test_only_notes_that_sound_alone_keep_their_bends() -> None:
    within_the_first = (100, 200), (500, 600)
    after_all, joined_to_it = (1000, 1100), (1100, 1200)
    assert _bent((0, 1000), *within_the_first, after_all, joined_to_it) == [
        False, False, False, True, True
    ]  # fmt: skip


def test_bends_in_legato_end_where_the_next_note_begins() -> None:
    first = TickNote(0, 60, 1000, 80, (TickBend(0, 1.0), TickBend(950, 2.0)))
    second = TickNote(900, 62, 2000, 80, (TickBend(900, -1.0),))
    assert one_voice_bends([first, second]) == [
        VoiceBends((TickBend(0, 1.0),), until_ticks=900),
        VoiceBends((TickBend(900, -1.0),), until_ticks=2000),
    ]


@pytest.mark.parametrize(("overlap", "are_bent"), [(333, True), (334, False)])
def test_notes_that_share_more_than_a_third_are_a_chord(overlap: int, are_bent: bool) -> None:
    assert _bent((0, 1000), (1000 - overlap, 2000 - overlap)) == [are_bent, are_bent]
