import pytest

from desktop.views.time_axis import EMPTY_SONG_S, MIN_SECONDS_PER_PIXEL, TimeAxis


@pytest.fixture
def axis():
    axis = TimeAxis()
    axis.set_width(1000)
    axis.set_duration(100.0)
    return axis


def test_new_song_fits_the_view(axis):
    assert (axis.start_s, axis.end_s) == (0.0, 100.0)
    assert axis.is_fitted


def test_axis_without_song_spans_half_a_minute():
    axis = TimeAxis()
    axis.set_width(600)
    assert axis.end_s == EMPTY_SONG_S == 30.0


@pytest.mark.parametrize("x_px", [0, 137, 500, 999])
@pytest.mark.parametrize("factor", [1.25, 7.0])
def test_zoom_keeps_the_time_under_the_pointer_still(axis, x_px, factor):
    axis.show_range(40.0, 60.0)
    before_s = axis.seconds_at(x_px)
    axis.zoom_at(x_px, factor)
    assert axis.seconds_at(x_px) == pytest.approx(before_s, abs=1e-9)
    assert axis.span_s == pytest.approx(20.0 / factor)


def test_zooming_out_stops_at_the_whole_song(axis):
    axis.show_range(40.0, 60.0)
    axis.zoom_at(500, 0.001)
    assert (axis.start_s, axis.end_s) == (0.0, 100.0)


def test_zooming_in_stops_at_one_millisecond_per_pixel(axis):
    axis.zoom_at(500, 1e9)
    assert axis.seconds_per_pixel == MIN_SECONDS_PER_PIXEL == 0.001


def test_scrolling_stops_at_both_ends(axis):
    axis.show_range(40.0, 60.0)
    axis.scroll_by_px(-1_000_000)
    assert axis.start_s == 0.0
    axis.scroll_by_px(1_000_000)
    assert axis.end_s == pytest.approx(100.0)


def test_pixels_and_seconds_are_inverse(axis):
    axis.show_range(12.3, 45.6)
    assert axis.seconds_at(axis.x_at(33.3)) == pytest.approx(33.3)


def test_fitted_view_stays_fitted_when_it_grows(axis):
    axis.set_width(2000)
    assert axis.end_s == pytest.approx(100.0)


def test_fitted_view_stays_fitted_when_a_longer_stem_arrives(axis):
    axis.set_duration(250.0)
    assert axis.end_s == pytest.approx(250.0)


def test_zoomed_view_keeps_its_place_when_it_grows(axis):
    axis.show_range(40.0, 60.0)
    axis.set_width(1200)
    assert axis.start_s == pytest.approx(40.0)
    assert axis.seconds_per_pixel == pytest.approx(0.02)


def test_zoomed_view_keeps_its_place_when_a_longer_stem_arrives(axis):
    axis.show_range(40.0, 60.0)
    axis.set_duration(250.0)
    assert (axis.start_s, axis.end_s) == pytest.approx((40.0, 60.0))


def test_revealing_a_time_in_view_moves_nothing(axis):
    axis.show_range(40.0, 60.0)
    axis.reveal(59.0)
    assert axis.start_s == pytest.approx(40.0)


def test_revealing_a_time_to_come_pages_on(axis):
    axis.show_range(40.0, 60.0)
    axis.reveal(61.0, margin=0.1)
    assert axis.start_s == pytest.approx(59.0)


def test_change_is_announced_once(axis, qtbot):
    seen = []
    axis.changed.connect(lambda: seen.append(axis.start_s))
    axis.show_range(40.0, 60.0)
    axis.show_range(40.0, 60.0)
    assert seen == [40.0]


def test_width_alone_is_announced(axis):
    axis.show_range(0.0, 20.0)
    seen = []
    axis.changed.connect(lambda: seen.append(axis.width_px))
    axis.set_width(1500)
    assert seen == [1500]


def test_empty_range_is_refused(axis):
    with pytest.raises(ValueError, match="empty"):
        axis.show_range(5.0, 5.0)


def test_zoom_factor_of_zero_is_refused(axis):
    with pytest.raises(ValueError, match="not positive"):
        axis.zoom_at(0, 0.0)


def test_columns_count_device_pixels(axis):
    axis.show_range(40.0, 60.0)
    columns = axis.columns(device_pixel_ratio=2.0)
    assert (columns.first, columns.count) == (4000, 2000)
    assert columns.seconds_per_column == pytest.approx(0.01)
