from dataclasses import replace

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor

from core.score.tempo import constant_tempo
from desktop.views.bar_grid import BarGrid
from desktop.views.layer import blended
from desktop.views.piano_roll.canvas import EARLY_SHARE, PianoRoll, note_colour
from desktop.views.piano_roll.pitch_axis import PitchAxis
from desktop.views.song_view import EarlyView, Emphasis, TrackView
from desktop.views.theme import DARK
from desktop.views.time_axis import TimeAxis
from tests.desktop.views.user_acts import leave, move
from tests.make import bent, note

pytestmark = pytest.mark.gui
ROW_PX = 10


class Scene:
    """A roll of 1000 px for 10 s with rows of 10 px; B5 (83) is the second row."""

    def __init__(self, qtbot):
        self.time_axis, self.pitch_axis = TimeAxis(), PitchAxis()
        self.roll = PianoRoll(self.time_axis, self.pitch_axis)
        qtbot.addWidget(self.roll)
        self.roll.resize(1000, 400)
        self.roll.grab()
        self.time_axis.set_width(1000)
        self.time_axis.set_duration(10.0)
        self.pitch_axis.zoom_at(0, ROW_PX - self.pitch_axis.row_px)
        self.pitch_axis.scroll_to_px((127 - 84) * ROW_PX)

    def show(self, *notes, **track):
        self.roll.set_tracks([TrackView("Keys", notes, **track)])

    def at(self, at_s, pitch):
        return QPointF(at_s * 100, (84 - pitch) * ROW_PX + ROW_PX // 2)

    def colour(self, at_s, pitch):
        point = self.at(at_s, pitch).toPoint()
        return self.roll.grab().toImage().pixelColor(point)


@pytest.fixture
def scene(qtbot, themed):
    return Scene(qtbot)


LOUDEST = DARK.track(0)


def test_loudest_note_has_the_colour_of_its_track(scene):
    scene.show(note(83, 2.0, 4.0, velocity=127))
    assert scene.colour(3.0, 83) == LOUDEST


def test_softer_note_is_paler(scene):
    scene.show(note(83, 2.0, 4.0, velocity=20), note(80, 2.0, 4.0, velocity=90))
    soft, loud = scene.colour(3.0, 83), scene.colour(3.0, 80)
    assert QColor(DARK.background).lightness() < soft.lightness() < loud.lightness()


def test_note_ends_where_it_ends(scene):
    scene.show(note(83, 2.0, 4.0, velocity=127))
    assert scene.colour(1.98, 83) != LOUDEST
    assert scene.colour(2.0, 83) == LOUDEST
    assert scene.colour(3.98, 83) == LOUDEST
    assert scene.colour(4.0, 83) != LOUDEST


def test_rows_of_other_pitches_stay_empty(scene):
    scene.show(note(83, 2.0, 4.0))
    assert scene.colour(3.0, 81) == QColor(DARK.background)
    assert scene.colour(3.0, 80) == QColor(DARK.row_black_key)


def test_repeated_note_is_parted_from_the_one_before(scene):
    scene.show(note(83, 2.0, 4.0, velocity=127), note(83, 4.0, 6.0, velocity=127))
    assert scene.colour(3.99, 83) == QColor(DARK.background)
    assert scene.colour(4.0, 83) == LOUDEST


def test_overlapping_note_shows_its_onset(scene):
    scene.show(note(83, 2.0, 6.0, velocity=127), note(83, 4.0, 5.0, velocity=100))
    assert scene.colour(3.99, 83) == QColor(DARK.background)


def test_second_track_has_the_second_colour(scene):
    loud = note(83, 2.0, 4.0, velocity=127)
    scene.roll.set_tracks([TrackView("A", (), 0), TrackView("B", (loud,), 1)])
    assert scene.colour(3.0, 83) == DARK.track(1)


def test_ghosted_track_is_grey_and_behind_the_others(scene):
    loud = note(83, 2.0, 4.0, velocity=127)
    front = TrackView("Front", (loud,), 0)
    ghost = TrackView("Ghost", (note(83, 1.0, 5.0),), 1, emphasis=Emphasis.GHOSTED)
    scene.roll.set_tracks([front, ghost])
    assert scene.colour(1.5, 83) == QColor(DARK.ghost)
    assert scene.colour(3.0, 83) == LOUDEST


def test_muted_track_is_dimmed():
    track = TrackView("Keys", ())
    muted = note_colour(DARK, replace(track, emphasis=Emphasis.MUTED), 7)
    soft = note_colour(DARK, track, 0)
    assert QColor(DARK.background).lightness() < muted.lightness() < soft.lightness()


def test_bend_is_drawn_inside_the_note(scene):
    scene.show(bent(83, 2.0, 4.0, (2.0, 0.0), (2.5, 0.0)))
    line = scene.roll.grab().toImage().pixelColor(300, 14)
    assert line.lightness() < scene.colour(3.0, 83).lightness() / 2


def test_very_short_notes_show_as_density(scene):
    scene.time_axis.set_duration(3600.0)
    scene.show(*(note(83, 100.0 + i / 4, 100.1 + i / 4) for i in range(4000)))
    point = scene.at(0.0, 83).toPoint()
    image = scene.roll.grab().toImage()
    dense, before = image.pixelColor(150, point.y()), image.pixelColor(20, point.y())
    assert before == QColor(DARK.background)
    assert abs(dense.hue() - LOUDEST.hue()) < 12


def test_long_note_shows_among_dense_ones(scene):
    scene.time_axis.set_duration(3600.0)
    short = [note(60, 100.0 + i / 4, 100.1 + i / 4) for i in range(4000)]
    scene.show(note(83, 1000.0, 2000.0, velocity=127), *short)
    assert scene.roll.grab().toImage().pixelColor(400, 15) == LOUDEST


def test_bars_are_brighter_than_beats(scene):
    scene.roll.set_grid(BarGrid(constant_tempo(120.0), 10.0))
    assert scene.colour(2.0, 83) == QColor(DARK.bar_line)
    assert scene.colour(2.5, 83) == QColor(DARK.beat_line)
    assert scene.colour(2.6, 83) == QColor(DARK.background)


def test_note_under_the_pointer_is_found(scene):
    wanted = note(83, 2.0, 4.0)
    scene.show(wanted)
    track, found = scene.roll.note_at(scene.at(3.0, 83))
    assert (track.name, found) == ("Keys", wanted)
    assert scene.roll.note_at(scene.at(3.0, 82)) is None
    assert scene.roll.note_at(QPointF(300, -5)) is None


def test_note_is_found_in_its_own_track_though_ghosts_are_drawn_first(scene):
    ghost = TrackView("Ghost", (note(70, 2.0, 4.0),), emphasis=Emphasis.GHOSTED)
    scene.roll.set_tracks([TrackView("Front", (note(83, 2.0, 4.0),)), ghost])
    assert scene.roll.note_at(scene.at(3.0, 83))[0].name == "Front"
    assert scene.roll.note_at(scene.at(3.0, 70))[0].name == "Ghost"


def test_pointed_note_is_outlined_until_the_pointer_leaves(scene):
    scene.show(note(83, 2.0, 4.0, velocity=127))
    move(scene.roll, (300, 15))
    edge = QPointF(300, 9).toPoint()
    assert scene.roll.grab().toImage().pixelColor(edge) == QColor(DARK.text)
    leave(scene.roll)
    assert scene.roll.grab().toImage().pixelColor(edge) != QColor(DARK.text)


def test_pitch_range_spans_all_tracks(scene):
    assert scene.roll.pitch_range is None
    scene.roll.set_tracks([TrackView("A", (note(40),)), TrackView("B", (note(90),))])
    assert scene.roll.pitch_range == (40, 90)


def test_painting_ten_thousand_notes_makes_no_object_per_note(scene):
    gc = pytest.importorskip("gc")
    scene.show(*(note(40 + i % 40, i / 1000, i / 1000 + 0.05) for i in range(10_000)))
    scene.roll.grab()
    gc.collect()
    scene.time_axis.show_range(1.0, 9.0)
    before = gc.get_count()[0]
    gc.disable()
    scene.roll.grab()
    made = gc.get_count()[0] - before
    gc.enable()
    assert made < 2_000


def early(*batches, edge_s=0.0):
    return EarlyView(batches, edge_s)


EARLY = blended(DARK.track(0), QColor(DARK.background), EARLY_SHARE)


def test_notes_that_are_being_found_are_dimmed(scene):
    scene.roll.set_early(early((note(83, 2.0, 4.0, velocity=127),)))
    assert scene.colour(3.0, 83) == EARLY


def test_what_is_found_later_is_added_to_the_picture(scene, monkeypatch):
    first, second = (note(83, 2.0, 4.0),), (note(81, 5.0, 6.0),)
    scene.roll.set_early(early(first))
    assert scene.colour(3.0, 83) == EARLY
    redrawn = []
    monkeypatch.setattr(scene.roll, "_draw", lambda *_: redrawn.append(1))
    scene.roll.set_early(early(first, second))
    assert (scene.colour(3.0, 83), scene.colour(5.5, 81)) == (EARLY, EARLY)
    assert redrawn == []


def test_early_notes_cannot_be_pointed_at(scene):
    scene.roll.set_early(early((note(83, 2.0, 4.0),)))
    assert scene.roll.note_at(scene.at(3.0, 83)) is None


def test_early_notes_leave_with_the_run(scene):
    scene.roll.set_early(early((note(83, 2.0, 4.0),)))
    scene.roll.grab()
    scene.roll.set_early(None)
    assert scene.colour(3.0, 83) == QColor(DARK.background)


def test_the_pitches_of_early_notes_count(scene):
    scene.roll.set_early(early((note(30),), (note(90),)))
    assert scene.roll.pitch_range == (30, 90)


def test_the_edge_is_a_line_that_moves_over_the_notes(scene):
    scene.show(note(83, 2.0, 6.0, velocity=127))
    batches = ((note(81, 0.0, 1.0),),)
    scene.roll.set_early(EarlyView(batches, 3.0))
    assert scene.colour(2.99, 83) != LOUDEST
    scene.roll.set_early(EarlyView(batches, 5.0))
    assert scene.colour(2.99, 83) == LOUDEST
    assert scene.colour(4.99, 83) != LOUDEST
