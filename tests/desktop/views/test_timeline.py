import gc
import subprocess
import sys
import weakref
from dataclasses import replace

import pytest
import shiboken6
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QScrollBar, QSplitter, QWidget

from core.score.tempo import constant_tempo
from desktop.views.playhead import Playhead
from desktop.views.song_view import EarlyView, Emphasis, Lane, TrackView
from desktop.views.timeline import DRUM_GUTTER_PX, GUTTER_PX, TimelineView
from tests.desktop.views import make_song
from tests.desktop.views.user_acts import (
    CTRL,
    MIDDLE,
    SHIFT,
    drag,
    leave,
    move,
    pane,
    pinch,
    press,
    wheel,
)
from tests.make import note

pytestmark = [pytest.mark.gui, pytest.mark.qt_log_ignore("propagateSizeHints")]
PANES = ("Ruler", "Waveform", "Piano roll")


@pytest.fixture(scope="module")
def song():
    return make_song.song(minutes=1.0)


@pytest.fixture
def view(qtbot, song):
    view = TimelineView()
    qtbot.addWidget(view)
    view.resize(882, 600)  # 800 px of time beside keys and scroll bar
    view.show()
    view.set_lanes(song.lanes)
    view.set_song(song.tracks, song.tempo, song.duration_s)
    qtbot.waitExposed(view)
    return view


def one_note_view(qtbot, *notes, **track):
    view = TimelineView()
    qtbot.addWidget(view)
    view.resize(882, 600)
    view.show()
    view.set_song([TrackView("Keys", notes, **track)], constant_tempo(120.0), 8.0)
    qtbot.waitExposed(view)
    return view


def test_whole_song_is_in_view_at_first(view):
    assert (view.time_axis.start_s, view.time_axis.end_s) == (0.0, 60.0)
    assert view.time_axis.width_px == 800


@pytest.mark.parametrize("name", PANES)
def test_panes_share_their_edges(view, name):
    part = pane(view, name)
    left = part.mapTo(view, QPoint(0, 0)).x()
    assert (left, part.width()) == (GUTTER_PX, 800)


@pytest.mark.parametrize("name", PANES)
@pytest.mark.parametrize("notches", [1, 3, -1])
def test_ctrl_wheel_keeps_the_time_under_the_pointer(view, name, notches):
    view.time_axis.show_range(20.0, 30.0)
    before_s = view.time_axis.seconds_at(300)
    wheel(pane(view, name), (300, 10), notches, keys=CTRL)
    assert view.time_axis.seconds_at(300) == pytest.approx(before_s)
    assert view.time_axis.span_s == pytest.approx(10.0 / 1.25**notches)


def test_wheel_scrolls_pitches_in_the_roll(view):
    view.pitch_axis.zoom_at(0, 8)
    top, start_s = view.pitch_axis.rows().pitch_at(0), view.time_axis.start_s
    wheel(pane(view, "Piano roll"), (300, 100), -1)
    assert view.pitch_axis.rows().pitch_at(0) < top
    assert view.time_axis.start_s == start_s


@pytest.mark.parametrize("name", PANES)
def test_shift_wheel_scrolls_sideways(view, name):
    view.time_axis.show_range(20.0, 30.0)
    wheel(pane(view, name), (300, 10), -1, keys=SHIFT)
    assert view.time_axis.start_s == pytest.approx(20.6)


def test_plain_wheel_over_the_waveform_scrolls_sideways(view):
    view.time_axis.show_range(20.0, 30.0)
    wheel(pane(view, "Waveform"), (300, 10), 1)
    assert view.time_axis.start_s == pytest.approx(19.4)


def test_trackpad_scrolls_by_its_own_pixels_in_both_directions(view):
    view.time_axis.show_range(20.0, 30.0)
    view.pitch_axis.zoom_at(0, 8)
    before_px = view.pitch_axis.scroll_px
    wheel(pane(view, "Piano roll"), (300, 100), -0.1, pixels=(-16, -7))
    assert view.time_axis.start_s == pytest.approx(20.2)
    assert view.pitch_axis.scroll_px == before_px + 7


def test_ctrl_shift_wheel_makes_rows_higher(view):
    before_px = view.pitch_axis.row_px
    wheel(pane(view, "Piano roll"), (300, 100), 2, keys=CTRL | SHIFT)
    assert view.pitch_axis.row_px == before_px + 2


def test_ctrl_wheel_over_the_keyboard_makes_rows_higher(view):
    before_px = view.pitch_axis.row_px
    wheel(pane(view, "Keyboard"), (30, 100), 1, keys=CTRL)
    assert view.pitch_axis.row_px == before_px + 1
    assert view.time_axis.is_fitted


def test_middle_drag_pans_time_and_pitches(view):
    view.time_axis.show_range(20.0, 30.0)
    view.pitch_axis.zoom_at(0, 8)
    before_px = view.pitch_axis.scroll_px
    drag(pane(view, "Piano roll"), (300, 200), (250, 190), (220, 180), button=MIDDLE)
    assert view.time_axis.start_s == pytest.approx(21.0)
    assert view.pitch_axis.scroll_px == before_px + 20


def test_pointer_moves_nothing_after_the_middle_button_is_released(view):
    view.time_axis.show_range(20.0, 30.0)
    roll = pane(view, "Piano roll")
    drag(roll, (300, 200), (220, 200), button=MIDDLE)
    move(roll, (100, 200))
    assert view.time_axis.start_s == pytest.approx(21.0)


def test_pinch_zooms_at_the_fingers(view):
    view.time_axis.show_range(20.0, 30.0)
    before_s = view.time_axis.seconds_at(400)
    pinch(pane(view, "Piano roll"), (400, 100), 0.25)
    assert view.time_axis.span_s == pytest.approx(8.0)
    assert view.time_axis.seconds_at(400) == pytest.approx(before_s)


@pytest.mark.parametrize(
    ("key", "start_s", "lower_px"),
    [("Left", 19.4, 0), ("Right", 20.6, 0), ("Up", 20.0, -48), ("Down", 20.0, 48)],
)
def test_arrow_keys_scroll_the_roll(view, qtbot, key, start_s, lower_px):
    view.time_axis.show_range(20.0, 30.0)
    view.pitch_axis.zoom_at(0, 8)
    before_px = view.pitch_axis.scroll_px
    qtbot.keyClick(pane(view, "Piano roll"), getattr(Qt.Key, f"Key_{key}"))
    assert view.time_axis.start_s == pytest.approx(start_s)
    assert view.pitch_axis.scroll_px == before_px + lower_px


def test_click_in_the_ruler_seeks(view, qtbot):
    with qtbot.waitSignal(view.seekRequested) as sought:
        press(pane(view, "Ruler"), (400, 30))
    assert sought.args == [pytest.approx(30.0)]


def test_drag_in_the_ruler_scrubs(view):
    places_s = []
    view.seekRequested.connect(places_s.append)
    drag(pane(view, "Ruler"), (400, 30), (440, 30), (2000, 30))
    assert places_s == pytest.approx([30.0, 33.0, 60.0])


def test_moving_over_the_ruler_does_not_seek(view):
    places_s = []
    view.seekRequested.connect(places_s.append)
    move(pane(view, "Ruler"), (440, 30))
    assert places_s == []


def test_click_in_the_waveform_seeks(view, qtbot):
    with qtbot.waitSignal(view.seekRequested) as sought:
        press(pane(view, "Waveform"), (200, 10))
    assert sought.args == [pytest.approx(15.0)]


def test_shift_drag_in_the_ruler_chooses_a_loop(view):
    loops = []
    view.loopChosen.connect(lambda *loop: loops.append(loop))
    drag(pane(view, "Ruler"), (400, 10), (320, 10), keys=SHIFT)
    assert loops == [pytest.approx((24.0, 30.0))]


def test_flag_of_the_first_downbeat_can_be_dragged(view, qtbot):
    sought = []
    view.seekRequested.connect(sought.append)
    flag_x = view.time_axis.x_at(0.42) + 2
    with qtbot.waitSignal(view.firstDownbeatMoved) as moved:
        drag(pane(view, "Ruler"), (flag_x, 3), (80, 3))
    assert moved.args == [pytest.approx(6.0)]
    assert sought == []


def test_song_without_tempo_has_no_flag_to_drag(view, song):
    view.set_song((), None, song.duration_s)
    moved = []
    view.firstDownbeatMoved.connect(moved.append)
    drag(pane(view, "Ruler"), (2, 3), (80, 3))
    assert moved == []


def test_pointer_over_a_note_tells_place_and_note(qtbot):
    struck = note(60, 1.0, 3.0)
    view = one_note_view(qtbot, struck)
    places = []
    view.pointerMoved.connect(places.append)
    rows = view.pitch_axis.rows()
    move(pane(view, "Piano roll"), (200, rows.top_of(60) + 3))
    (place,) = places
    assert (place.at_s, place.bars) == (pytest.approx(2.0), "2.1.000")
    assert (place.pitch, place.pitch_name) == (60, "C4")
    assert (place.note, place.track_name) == (struck, "Keys")


def test_pointer_beside_notes_tells_the_place_only(qtbot):
    view = one_note_view(qtbot, note(60, 1.0, 3.0))
    places = []
    view.pointerMoved.connect(places.append)
    move(pane(view, "Piano roll"), (700, view.pitch_axis.rows().top_of(62) + 3))
    assert (places[0].note, places[0].pitch_name) == (None, "D4")


@pytest.mark.parametrize("name", PANES)
def test_leaving_a_pane_is_told(view, name):
    places = []
    view.pointerMoved.connect(places.append)
    leave(pane(view, name))
    assert places == [None]


def test_scroll_bars_follow_and_lead_the_view(view):
    view.time_axis.show_range(20.0, 30.0)
    sideways = pane(view, "Scroll time")
    assert isinstance(sideways, QScrollBar)
    assert (sideways.maximum(), sideways.value(), sideways.pageStep()) == (4000, 1600, 800)
    sideways.setValue(800)
    assert view.time_axis.start_s == pytest.approx(10.0)
    upright = pane(view, "Scroll pitches")
    upright.setValue(0)
    assert view.pitch_axis.rows().pitch_at(0) == 127


def test_zoom_in_keeps_the_playhead_still(view):
    view.set_playhead(12.0)
    before_px = view.time_axis.x_at(12.0)
    view.zoom_in()
    assert view.time_axis.x_at(12.0) == pytest.approx(before_px)
    assert view.time_axis.span_s < 60.0


def test_zoom_out_returns_to_the_whole_song(view):
    view.zoom_in()
    view.zoom_out()
    assert view.time_axis.is_fitted


def test_fit_shows_all_of_the_song_and_its_pitches(view):
    view.time_axis.show_range(20.0, 21.0)
    view.pitch_axis.zoom_at(0, 20)
    view.fit()
    assert view.time_axis.is_fitted
    assert view.pitch_axis.is_fitted


def test_first_notes_bring_their_pitches_into_view(qtbot):
    view = one_note_view(qtbot, note(100, 1.0, 2.0))
    rows = view.pitch_axis.rows()
    assert 0 <= rows.top_of(100) < view.pitch_axis.height_px


def test_notes_that_arrive_do_not_move_a_view_that_was_scrolled(view, song):
    view.pitch_axis.scroll_by_px(30)
    before_px = view.pitch_axis.scroll_px
    view.set_song([TrackView("Keys", (note(10, 0.0, 1.0),))], song.tempo, song.duration_s)
    assert view.pitch_axis.scroll_px == before_px


def test_drums_alone_name_the_keys_as_drums(view, song):
    view.set_song(song.tracks[:1], song.tempo, song.duration_s)
    assert pane(view, "Keyboard").width() == DRUM_GUTTER_PX


def test_ghosted_pitched_tracks_do_not_hide_the_drum_names(view, song):
    ghost = replace(song.tracks[2], emphasis=Emphasis.GHOSTED)
    view.set_song([song.tracks[0], ghost], song.tempo, song.duration_s)
    assert pane(view, "Keyboard").width() == DRUM_GUTTER_PX


def test_playhead_follows_the_panes_when_the_gutter_widens(view, song, qtbot):
    view.set_playhead(0.0)
    view.set_song(song.tracks[:1], song.tempo, song.duration_s)
    qtbot.waitUntil(lambda: playhead_x(view) == DRUM_GUTTER_PX, timeout=1000)


def playhead_x(view):
    line = view.findChild(Playhead)
    return line.x() if line.isVisible() else None


@pytest.mark.parametrize(("at_s", "x_px"), [(0.0, 0), (15.0, 200), (59.9, 799)])
def test_playhead_stands_at_its_time(view, at_s, x_px):
    view.set_playhead(at_s)
    assert view.playhead_s == at_s
    assert playhead_x(view) == GUTTER_PX + x_px


def test_playhead_vanishes_without_a_place_and_outside_the_view(view):
    view.set_playhead(None)
    assert playhead_x(view) is None
    view.follow_playhead(False)
    view.time_axis.show_range(20.0, 30.0)
    view.set_playhead(40.0)
    assert playhead_x(view) is None


def test_view_pages_on_when_the_playhead_plays_out_of_it(view):
    view.time_axis.show_range(20.0, 30.0)
    view.set_playhead(29.99)
    view.set_playhead(30.01)
    assert view.time_axis.start_s == pytest.approx(29.01)


def test_view_stays_when_following_is_off(view):
    view.follow_playhead(False)
    view.time_axis.show_range(20.0, 30.0)
    view.set_playhead(29.99)
    view.set_playhead(30.01)
    assert view.time_axis.start_s == pytest.approx(20.0)


def test_view_stays_where_the_user_scrolled_to_while_it_plays(view):
    view.time_axis.show_range(20.0, 30.0)
    view.set_playhead(25.0)
    view.time_axis.scroll_to(40.0)
    view.set_playhead(25.02)
    assert view.time_axis.start_s == pytest.approx(40.0)


def test_moving_playhead_repaints_a_strip_and_draws_no_note(view, monkeypatch, qtbot):
    view.set_playhead(10.0)
    view.grab()
    roll = pane(view, "Piano roll")
    drawn, painted = [], []
    monkeypatch.setattr(roll, "_draw", lambda *_: drawn.append(1))
    paint = roll.paintEvent
    monkeypatch.setattr(roll, "paintEvent", lambda e: (painted.append(e.region()), paint(e)))
    view.set_playhead(10.2)
    qtbot.wait(20)
    assert drawn == []
    assert all(region.boundingRect().width() <= 16 for region in painted)


def test_click_on_the_playhead_reaches_the_pane_below(view, qtbot):
    view.set_playhead(30.0)
    point = QPoint(GUTTER_PX + 400, 60)
    assert view.findChild(Playhead).geometry().contains(point)
    assert view.childAt(point) is pane(view, "Waveform")


def test_waveform_alone_looks_right_before_notes_come(view, song):
    view.set_song((), None, song.duration_s)
    image = view.grab().toImage()
    lane = pane(view, "Waveform")
    top = lane.mapTo(view, QPoint(0, 0)).y()
    seen = {image.pixelColor(x, y).name() for x in range(80, 800, 3) for y in range(top, top + 40)}
    assert len(seen) >= 3


def lanes_height(view):
    return pane(view, "Waveform").height()


def test_lanes_take_their_height_though_set_before_the_window_shows(qtbot):
    view = TimelineView()
    qtbot.addWidget(view)
    view.set_lanes([Lane(str(number)) for number in range(4)])
    view.resize(882, 600)
    view.show()
    qtbot.waitExposed(view)
    assert lanes_height(view) == 128


def test_many_lanes_take_a_third_of_the_view(view):
    view.set_lanes([Lane(str(number)) for number in range(12)])
    assert 170 <= lanes_height(view) <= 186


def test_border_that_was_dragged_stays(view):
    handle = view.findChild(QSplitter).handle(1)
    drag(handle, (400, 0), (400, 60))
    dragged = lanes_height(view)
    assert dragged > 150
    view.set_lanes([Lane("only one")])
    assert lanes_height(view) == dragged


def test_ten_tracks_show_all_their_colours(themed, view):
    image = view.grab().toImage()
    hues = {
        image.pixelColor(x, y).hue() // 12
        for x in range(GUTTER_PX, 860)
        for y in range(200, 580, 2)
        if image.pixelColor(x, y).saturation() > 40
    }
    assert len(hues) >= 6


def test_every_part_has_an_accessible_name(view):
    parts = [w for w in view.findChildren(QWidget) if w.focusPolicy().value or type(w).paintEvent]
    interactive = [
        w for w in parts if type(w).__module__.startswith("desktop") or isinstance(w, QScrollBar)
    ]
    assert [w for w in interactive if not w.accessibleName() and not _is_overlay(w)] == []


def _is_overlay(widget):
    return type(widget).__module__ == "desktop.views.playhead"


def test_same_tracks_are_not_read_twice(view, song, monkeypatch):
    read = []
    monkeypatch.setattr("desktop.views.piano_roll.canvas.columns_of_notes", read.append)
    view.set_song(song.tracks, song.tempo, song.duration_s)
    assert read == []


def test_closed_view_is_freed(qtbot, song):
    view = TimelineView()
    view.set_song(song.tracks, song.tempo, song.duration_s)
    view.set_lanes(song.lanes)
    view.grab()
    roll = weakref.ref(pane(view, "Piano roll"))
    shiboken6.delete(view)
    del view
    gc.collect()
    assert roll() is None or not shiboken6.isValid(roll())


def test_views_do_not_load_torch_or_librosa():
    program = "import desktop.views.timeline, sys; print({'torch', 'librosa'} & set(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "set()"


def test_pitches_are_fitted_to_notes_as_they_are_found(qtbot):
    view = one_note_view(qtbot)
    low = (note(24, 0.0, 1.0),)
    view.set_early(EarlyView((low,), 1.0))
    rows = view.pitch_axis.rows()
    assert rows.pitch_at(view.pitch_axis.height_px - 1) <= 24
    view.set_early(EarlyView((low, (note(100, 1.0, 2.0),)), 2.0))
    assert view.pitch_axis.rows().pitch_at(0) >= 100


def test_a_view_that_was_scrolled_stays_while_notes_are_found(qtbot):
    view = one_note_view(qtbot)
    view.pitch_axis.scroll_to_px(50)
    scroll_px = view.pitch_axis.scroll_px
    view.set_early(EarlyView(((note(24, 0.0, 1.0),),), 1.0))
    assert view.pitch_axis.scroll_px == scroll_px


def test_drums_have_their_names_from_the_first_hit_on(qtbot):
    view = one_note_view(qtbot)
    assert pane(view, "Keyboard").width() == GUTTER_PX
    view.set_early(EarlyView(((note(36, 0.0, 0.1),),), 1.0, has_drums_only=True))
    assert pane(view, "Keyboard").width() == DRUM_GUTTER_PX
