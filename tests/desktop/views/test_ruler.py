import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from core.score.tempo import constant_tempo
from desktop.views.bar_grid import BarGrid
from desktop.views.ruler import BARS_HEIGHT_PX, Ruler, seconds_label_step
from desktop.views.theme import DARK
from desktop.views.time_axis import TimeAxis
from tests.desktop.views.user_acts import move

pytestmark = pytest.mark.gui
TICK_Y = BARS_HEIGHT_PX - 2


@pytest.fixture
def ruler(qtbot, themed):
    axis = TimeAxis()
    axis.set_width(1000)
    axis.set_duration(10.0)
    ruler = Ruler(axis)
    qtbot.addWidget(ruler)
    ruler.resize(1000, ruler.height())
    ruler.set_grid(BarGrid(constant_tempo(120.0, first_downbeat_s=1.0), 10.0), has_bars=True)
    return ruler


def colour(ruler, x_px, y_px):
    return ruler.grab().toImage().pixelColor(x_px, y_px)


@pytest.mark.parametrize("x_px", [300, 500, 700, 900])
def test_bars_have_ticks_at_their_starts(ruler, x_px):
    assert colour(ruler, x_px, TICK_Y) == QColor(DARK.disabled_text)
    assert colour(ruler, x_px - 1, TICK_Y) == QColor(DARK.panel)


@pytest.mark.parametrize("x_px", [350, 400, 450])
def test_beats_have_smaller_ticks(ruler, x_px):
    assert colour(ruler, x_px, TICK_Y) == QColor(DARK.ghost)
    assert colour(ruler, x_px, 12) == QColor(DARK.panel)


def test_first_downbeat_has_a_flag(ruler):
    assert colour(ruler, 101, 2) == QColor(DARK.warning)


def test_without_tempo_there_are_neither_bars_nor_flag(ruler):
    ruler.set_grid(BarGrid(constant_tempo(120.0), 0.0), has_bars=False)
    assert colour(ruler, 300, TICK_Y) == QColor(DARK.panel)
    assert colour(ruler, 1, 2) == QColor(DARK.panel)


def test_seconds_stand_below_the_bars(ruler):
    assert colour(ruler, 200, 37) == QColor(DARK.ghost)
    text = [colour(ruler, x, y).lightness() for x in range(204, 226) for y in range(25, 37)]
    assert max(text) > QColor(DARK.panel).lightness() + 40


def test_loop_is_marked_in_the_bars(ruler):
    ruler.set_loop((3.0, 5.0))
    assert colour(ruler, 300, 10) == QColor(DARK.accent)
    assert colour(ruler, 420, 3) != QColor(DARK.panel)
    assert colour(ruler, 520, 3) == QColor(DARK.panel)
    ruler.set_loop(None)
    assert colour(ruler, 420, 3) == QColor(DARK.panel)


def test_pointer_shows_that_the_flag_can_be_dragged(ruler):
    move(ruler, (102, 3))
    assert ruler.cursor().shape() == Qt.CursorShape.SplitHCursor
    move(ruler, (300, 3))
    assert ruler.cursor().shape() == Qt.CursorShape.ArrowCursor


@pytest.mark.parametrize(
    ("seconds_per_pixel", "step_s"),
    [(0.001, 0.1), (0.01, 1), (0.05, 5), (0.1, 10), (3.6, 300), (100.0, 3600)],
)
def test_labels_keep_their_distance(seconds_per_pixel, step_s):
    assert seconds_label_step(seconds_per_pixel, 80) == step_s
