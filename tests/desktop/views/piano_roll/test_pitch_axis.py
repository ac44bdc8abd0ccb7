import pytest

from desktop.views.piano_roll.pitch_axis import FITTED_ROW_PX, MAX_ROW_PX, MIN_ROW_PX, PitchAxis


@pytest.fixture
def axis():
    axis = PitchAxis()
    axis.set_height(400)
    return axis


def shown_pitches(axis):
    rows = axis.rows()
    return rows.pitch_at(axis.height_px - 1), rows.pitch_at(0)


def test_empty_roll_shows_the_middle_of_the_keyboard(axis):
    lowest, highest = shown_pitches(axis)
    assert lowest <= 36
    assert highest >= 84


def test_fitting_shows_every_pitch_with_two_to_spare(axis):
    axis.fit(40, 76)
    lowest, highest = shown_pitches(axis)
    assert lowest <= 38
    assert highest >= 78
    assert axis.row_px == 9


def test_fitting_one_pitch_makes_rows_no_higher_than_usual(axis):
    axis.fit(60, 60)
    assert axis.row_px == FITTED_ROW_PX
    assert shown_pitches(axis) == (46, 74)


def test_fitted_view_stays_fitted_when_it_grows(axis):
    axis.fit(30, 90)
    assert axis.row_px == 6
    axis.set_height(800)
    assert axis.row_px == 12
    assert axis.is_fitted


def test_scrolled_view_keeps_its_rows_when_it_grows(axis):
    axis.fit(30, 90)
    axis.scroll_by_px(12)
    axis.set_height(500)
    assert axis.row_px == 6
    assert not axis.is_fitted


@pytest.mark.parametrize("steps", [1, 5, -2])
def test_zoom_keeps_the_pitch_under_the_pointer(axis, steps):
    axis.zoom_at(0, 6)
    before = axis.rows().pitch_at(200)
    axis.zoom_at(200, steps)
    assert axis.rows().pitch_at(200) == before


def test_rows_stay_within_their_limits(axis):
    axis.zoom_at(200, 1000)
    assert axis.row_px == MAX_ROW_PX
    axis.zoom_at(200, -1000)
    assert axis.row_px == 4  # 128 rows of 3 px would leave a part of the 400 px bare
    assert MIN_ROW_PX == 3


def test_scrolling_stops_at_the_highest_and_lowest_pitch(axis):
    axis.scroll_by_px(-100_000)
    assert shown_pitches(axis)[1] == 127
    axis.scroll_by_px(100_000)
    assert shown_pitches(axis)[0] == 0


def test_rows_in_device_pixels_are_twice_as_high_on_a_fine_screen(axis):
    assert axis.rows(device_pixel_ratio=2.0).row_px == 2 * axis.row_px
