import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.views.piano_roll.geometry import (
    Detail,
    PitchRows,
    bend_lines,
    bend_table,
    columns_of_notes,
    coverage,
    detail_at,
    joined_columns,
    note_edges,
    onset_rims,
    velocity_steps,
)
from desktop.views.time_columns import TimeColumns
from tests.make import bent, note

TENTHS = TimeColumns(first=0, count=100, seconds_per_column=0.1)
ROWS = PitchRows(row_px=8, scroll_px=0)


def all_edges(notes, *, gap_px=0, columns=TENTHS, rows=ROWS):
    return note_edges(notes, np.arange(len(notes)), columns, rows.tops(), gap_px).tolist()


def test_highest_pitch_is_the_top_row():
    assert (ROWS.top_of(127), ROWS.top_of(126), ROWS.top_of(0)) == (0, 8, 1016)


def test_every_row_of_a_whole_height_is_equally_high():
    assert set(np.diff(ROWS.tops()).tolist()) == {-8}


def test_rows_of_a_broken_height_meet_without_gap():
    tops = PitchRows(row_px=11.25, scroll_px=37).tops()
    assert set(np.diff(tops).tolist()) == {-11, -12}


@pytest.mark.parametrize(("y_px", "pitch"), [(0, 127), (7.9, 127), (8, 126), (1023, 0)])
def test_row_is_found_by_its_pixels(y_px, pitch):
    assert ROWS.pitch_at(y_px) == pitch


@pytest.mark.parametrize("y_px", [-1, 1024])
def test_outside_the_rows_is_no_pitch(y_px):
    assert ROWS.pitch_at(y_px) is None


@given(st.integers(0, 127), st.floats(1, 40), st.floats(0, 500))
def test_the_middle_of_a_row_is_its_pitch(pitch, row_px, scroll_px):
    middle_px = (127 - pitch + 0.5) * row_px - scroll_px
    assert PitchRows(row_px, scroll_px).pitch_at(middle_px) == pitch


def test_long_note_before_the_view_is_found():
    notes = columns_of_notes([note(40, 0.0, 90.0), *(note(60, t, t + 0.1) for t in range(1, 80))])
    view = notes.within(50.0, 52.0)
    assert view == slice(0, 52)


def test_notes_that_ended_are_cut_away():
    notes = columns_of_notes([note(60, t, t + 0.5) for t in range(100)])
    assert notes.within(50.6, 53.0) == slice(51, 53)


def test_view_after_the_last_note_is_empty():
    notes = columns_of_notes([note(60, 0.0, 1.0)])
    assert len(notes.onset_s[notes.within(5.0, 6.0)]) == 0


@given(
    st.lists(st.tuples(st.floats(0, 50), st.floats(0.01, 40)), max_size=40),
    st.floats(0, 60),
    st.floats(0.1, 20),
)
def test_culling_never_loses_a_note_in_view(spans, start_s, span_s):
    notes = columns_of_notes([note(60, on, on + length) for on, length in spans])
    near = notes.within(start_s, start_s + span_s)
    sounding = (notes.onset_s < start_s + span_s) & (notes.offset_s >= start_s)
    assert set(np.flatnonzero(sounding)) <= set(range(near.start, near.stop))


def test_joined_columns_know_track_and_place_of_each_note():
    bass = columns_of_notes([note(40, 0.0, 1.0), note(41, 2.0, 3.0)])
    lead = columns_of_notes([note(80, 1.0, 1.5)])
    joined = joined_columns([bass, lead])
    assert joined.pitch.tolist() == [40, 80, 41]
    assert joined.track.tolist() == [0, 1, 0]
    assert joined.note.tolist() == [0, 0, 1]


def test_note_that_starts_while_its_pitch_still_sounds_overlaps():
    bass = columns_of_notes([note(40, 0.0, 4.0), note(40, 1.0, 2.0), note(40, 3.0, 5.0)])
    lead = columns_of_notes([note(41, 1.0, 2.0), note(40, 2.0, 3.0), note(41, 2.0, 3.0)])
    joined = joined_columns([bass, lead])
    assert joined.overlaps[joined.track == 0].tolist() == [False, True, True]
    assert joined.overlaps[joined.track == 1].tolist() == [False, False, False]


def test_note_is_hit_between_onset_and_offset():
    notes = columns_of_notes([note(60, 1.0, 2.0), note(62, 1.0, 2.0)])
    assert notes.at(1.5, 62) == 1
    assert notes.at(2.5, 62) is None
    assert notes.at(1.5, 61) is None


def test_of_two_overlapping_notes_the_later_is_hit():
    notes = columns_of_notes([note(60, 1.0, 4.0), note(60, 2.0, 3.0)])
    assert notes.at(2.5, 60) == 1
    assert notes.at(3.5, 60) == 0


def test_hairline_note_is_hit_within_the_tolerance():
    notes = columns_of_notes([note(60, 1.0, 1.001)])
    assert notes.at(1.04, 60) is None
    assert notes.at(1.04, 60, tolerance_s=0.05) == 0
    assert notes.at(0.96, 60, tolerance_s=0.05) == 0


def test_edges_are_those_of_a_qrect():
    assert all_edges(columns_of_notes([note(127, 1.0, 2.0)])) == [[10, 0, 19, 7]]


def test_gap_is_kept_right_and_below():
    assert all_edges(columns_of_notes([note(126, 1.0, 2.0)]), gap_px=1) == [[10, 8, 18, 14]]


def test_shortest_note_is_one_pixel_wide():
    assert all_edges(columns_of_notes([note(127, 1.0, 1.001)]), gap_px=1) == [[10, 0, 10, 6]]


def test_thin_rows_have_no_gap():
    thin = PitchRows(row_px=2, scroll_px=0)
    edges = all_edges(columns_of_notes([note(126, 1.0, 2.0)]), gap_px=1, rows=thin)
    assert edges == [[10, 2, 18, 3]]


def test_rim_lies_left_of_the_note():
    edges = np.array([[10, 8, 18, 14]], dtype=np.int32)
    assert onset_rims(edges, 1).tolist() == [[9, 8, 9, 14]]


@pytest.mark.parametrize(
    ("duration_s", "detail"),
    [(0.2, Detail.FULL), (0.199, Detail.FILL), (0.05, Detail.FILL), (0.049, Detail.DENSITY)],
)
def test_detail_falls_with_the_width_of_notes(duration_s, detail):
    assert detail_at(duration_s, seconds_per_pixel=0.1) is detail


def test_velocities_fall_into_eight_steps():
    assert velocity_steps(np.array([1, 15, 16, 64, 127], dtype=np.int16)).tolist() == [
        0,
        0,
        1,
        4,
        7,
    ]


def covered(*notes, colours=((10.0, 20.0, 30.0),)):
    columns = columns_of_notes(notes)
    return coverage(columns, slice(0, len(columns)), TENTHS, np.array(colours))


def test_silence_is_transparent():
    assert covered(note(60, 1.0, 1.01))[61].sum() == 0


def test_short_note_covers_its_column_in_part():
    pixel = covered(note(60, 1.0, 1.05))[60, 10]
    assert pixel[3] == 172  # (0.35 + 0.65 / 2) * 255


def test_crowded_column_is_opaque_and_in_colour():
    pixel = covered(*(note(60, 1.0 + i / 100, 1.05 + i / 100) for i in range(5)))[60, 10]
    assert pixel.tolist() == [10, 20, 30, 255]


def test_two_tracks_mix_by_how_long_they_sound():
    long_one = columns_of_notes([note(60, 1.0, 1.075)])
    short_one = columns_of_notes([note(60, 1.0, 1.025)])
    joined = joined_columns([long_one, short_one])
    colours = np.array([[0.0, 0.0, 200.0], [0.0, 0.0, 100.0]])
    assert coverage(joined, slice(0, 2), TENTHS, colours)[60, 10, 2] == 175


def test_bends_become_lines_up_to_the_end_of_the_note():
    lines = bend_lines([bend_table([bent(127, 1.0, 5.0, (1.0, 0.0), (2.0, 1.0))])])
    tops = PitchRows(row_px=100, scroll_px=0).tops()
    assert lines.edges(TENTHS, tops, 8).tolist() == [[10, 49, 20, 7], [20, 7, 50, 7]]


def test_wide_bend_stays_inside_its_note():
    lines = bend_lines([bend_table([bent(127, 1.0, 5.0, (1.0, 12.0), (2.0, -12.0))])])
    tops = PitchRows(row_px=100, scroll_px=0).tops()
    ends_y = lines.edges(TENTHS, tops, 8)[:, [1, 3]]
    assert ends_y.tolist() == [[7, 91], [91, 91]]


def test_a_deep_scoop_leaves_the_vibrato_after_it_to_scale():
    lines = bend_lines([bend_table([bent(127, 1.0, 5.0, (1.0, -3.0), (2.0, 0.5), (3.0, 0.0))])])
    tops = PitchRows(row_px=100, scroll_px=0).tops()
    ends_y = lines.edges(TENTHS, tops, 8)[:, [1, 3]]
    assert ends_y.tolist() == [[91, 28], [28, 49], [49, 49]]


def test_bends_of_notes_too_narrow_to_show_them_are_left_out():
    lines = bend_lines([bend_table([bent(127, 1.0, 1.5, (1.0, 0.0), (1.2, 1.0))])])
    assert len(lines.edges(TENTHS, ROWS.tops(), 8)) == 0


def test_notes_without_bends_have_no_lines():
    assert len(bend_lines([bend_table([note()])]).start_s) == 0
