import pytest
from PySide6.QtGui import QColor

from desktop.views.piano_roll.keyboard import Keyboard
from desktop.views.piano_roll.pitch_axis import PitchAxis
from desktop.views.theme import DARK
from tests.desktop.views.user_acts import leave, move

pytestmark = pytest.mark.gui


@pytest.fixture
def axis():
    axis = PitchAxis()
    axis.set_height(400)
    axis.zoom_at(0, 10 - axis.row_px)
    axis.scroll_to_px((127 - 84) * 10)  # C6 is the top row
    return axis


@pytest.fixture
def keyboard(qtbot, themed, axis):
    keyboard = Keyboard(axis)
    qtbot.addWidget(keyboard)
    keyboard.resize(72, 400)
    return keyboard


def colour(keyboard, x_px, pitch):
    return keyboard.grab().toImage().pixelColor(x_px, (84 - pitch) * 10 + 3)


@pytest.mark.parametrize(
    ("pitch", "key"), [(83, "white_key"), (82, "black_key"), (81, "white_key")]
)
def test_keys_are_black_and_white(keyboard, pitch, key):
    assert colour(keyboard, 10, pitch) == QColor(getattr(DARK, key))


def test_black_keys_are_shorter(keyboard):
    assert colour(keyboard, 60, 82) == QColor(DARK.white_key)


def ink(keyboard, pitch, ground):
    image = keyboard.grab().toImage()
    rows = range((84 - pitch) * 10 + 1, (84 - pitch) * 10 + 9)
    return sum(image.pixelColor(x, y) != QColor(ground) for x in range(46, 72) for y in rows)


def test_only_the_cs_are_named(keyboard):
    assert ink(keyboard, 72, DARK.white_key) > 15
    assert ink(keyboard, 74, DARK.white_key) < 30


def test_pointed_key_is_highlighted_and_told(keyboard, qtbot):
    pointed = []
    keyboard.pitchPointed.connect(pointed.append)
    move(keyboard, (10, 23))
    assert colour(keyboard, 10, 82) == QColor(DARK.accent)
    leave(keyboard)
    assert colour(keyboard, 10, 82) == QColor(DARK.black_key)
    assert pointed == [82, None]


def test_keys_scroll_with_the_rows(keyboard, axis):
    axis.scroll_by_px(10)
    assert colour(keyboard, 10, 84) == QColor(DARK.white_key)  # B5 stands where C6 stood
    axis.scroll_by_px(10)
    assert colour(keyboard, 10, 84) == QColor(DARK.black_key)


def test_drum_names_replace_the_keys(keyboard):
    keyboard.show_drum_names({60: "Hi Bongo"})
    assert colour(keyboard, 10, 82) == QColor(DARK.panel)
    assert ink(keyboard, 60, DARK.panel) > 15
    keyboard.show_drum_names({})
    assert colour(keyboard, 10, 82) == QColor(DARK.black_key)
