import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontMetricsF, QIcon
from PySide6.QtWidgets import QComboBox, QPushButton, QSlider

from desktop.views import theme
from desktop.views.theme import (
    DARK,
    ICON_NAMES,
    LIGHT,
    apply_theme,
    icon,
    number_font,
    palette,
    style_sheet,
)
from desktop.views.timeline import TimelineView

# Machado, Oliveira, Fernandes 2009, severity 1.0, for linear RGB.
SIGHTS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def linear_rgb(hex_rgb):
    rgb = np.array([int(hex_rgb[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def oklab(rgb):
    """Return OKLab of linear RGB (Ottosson 2020)."""
    to_lms = np.array(
        [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
         [0.0883024619, 0.2817188376, 0.6299787005]]
    )  # fmt: skip
    to_lab = np.array(
        [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
         [0.0259040371, 0.7827717662, -0.8086757660]]
    )  # fmt: skip
    return to_lab @ np.cbrt(to_lms @ rgb)


def luminance(hex_rgb):
    return float(np.array([0.2126, 0.7152, 0.0722]) @ linear_rgb(hex_rgb))


def contrast(first, second):
    """Return the contrast ratio of WCAG 2."""
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    ("colours", "sight", "least"),
    [
        (DARK, "normal", 0.12),
        (DARK, "protanopia", 0.07),
        (DARK, "deuteranopia", 0.07),
        (DARK, "tritanopia", 0.07),
        (LIGHT, "normal", 0.10),
        (LIGHT, "protanopia", 0.04),
        (LIGHT, "deuteranopia", 0.04),
        (LIGHT, "tritanopia", 0.04),
    ],
)
def test_no_two_tracks_look_alike(colours, sight, least):
    seen = [oklab(np.clip(SIGHTS[sight] @ linear_rgb(hue), 0, 1)) for hue in colours.tracks]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) >= least


@pytest.mark.parametrize("colours", [DARK, LIGHT])
def test_track_colours_are_about_equally_light(colours):
    lightness = [oklab(linear_rgb(hue))[0] for hue in colours.tracks]
    assert len(lightness) == 8
    assert max(lightness) - min(lightness) <= 0.105


@pytest.mark.parametrize("colours", [DARK, LIGHT])
@pytest.mark.parametrize("ground", ["background", "panel", "raised"])
@pytest.mark.parametrize("ink", ["text", "dim_text", "warning", "error"])
def test_texts_are_readable(colours, ground, ink):
    assert contrast(getattr(colours, ink), getattr(colours, ground)) >= 4.5


@pytest.mark.parametrize("colours", [DARK, LIGHT])
def test_keys_can_be_told_apart(colours):
    assert contrast(colours.white_key, colours.black_key) >= 4.5


def test_ninth_track_has_the_colour_of_the_first():
    assert DARK.track(8) == DARK.track(0) == QColor("#0aa6f5")


@pytest.mark.parametrize("name", ICON_NAMES)
@pytest.mark.parametrize("mode", [QIcon.Mode.Normal, QIcon.Mode.Disabled])
def test_every_icon_draws_something_inside_its_square(themed, name, mode):
    apply_theme(themed)
    image = icon(name).pixmap(16, mode=mode).toImage()
    alpha = [image.pixelColor(x, y).alpha() for x in range(16) for y in range(16)]
    assert 8 < sum(value > 100 for value in alpha) < 140


@pytest.mark.parametrize("wanted", ["play", "stop", "loop", "export", "drag", "cancel", "add"])
def test_icons_of_the_transport_exist(wanted):
    assert wanted in ICON_NAMES


def test_icon_takes_the_colour_asked_for(qapp):
    image = icon("stop", "#ff0000").pixmap(16).toImage()
    assert image.pixelColor(8, 8) == QColor("#ff0000")


def test_theme_is_dark_where_the_system_names_no_scheme(themed):
    apply_theme(themed)
    assert palette() is DARK


@pytest.mark.parametrize(
    ("scheme", "colours"), [(Qt.ColorScheme.Light, LIGHT), (Qt.ColorScheme.Dark, DARK)]
)
def test_theme_can_be_chosen(themed, scheme, colours):
    apply_theme(themed, scheme)
    assert palette() is colours
    assert themed.palette().window().color() == QColor(colours.panel)


@pytest.mark.gui
@pytest.mark.qt_log_ignore("propagateSizeHints")
def test_views_are_drawn_again_when_the_theme_changes(themed, qtbot):
    apply_theme(themed)
    view = TimelineView()
    qtbot.addWidget(view)
    view.resize(600, 400)
    view.show()
    before = view.grab().toImage().pixelColor(300, 10)
    apply_theme(themed, Qt.ColorScheme.Light)
    qtbot.wait(1)
    after = view.grab().toImage().pixelColor(300, 10)
    assert (before, after) == (QColor(DARK.panel), QColor(LIGHT.panel))


@pytest.mark.gui
@pytest.mark.parametrize("make", [QPushButton, QComboBox, QSlider])
def test_style_sheet_is_understood(themed, qtbot, make):
    apply_theme(themed)  # a warning of Qt about the sheet fails the test
    widget = make()
    qtbot.addWidget(widget)
    assert not widget.grab().isNull()
    assert "$" not in themed.styleSheet()


def test_picture_in_the_style_sheet_exists():
    assert theme.CHEVRON_FILE.is_file()


def test_digits_of_times_have_equal_width(themed):
    apply_theme(themed)
    metrics = QFontMetricsF(number_font())
    assert len({round(metrics.horizontalAdvance(digit), 2) for digit in "0123456789"}) == 1


def test_applying_twice_keeps_the_size_of_the_font(themed):
    apply_theme(themed)
    apply_theme(themed)
    assert themed.font().pixelSize() == theme.FONT_PX


@pytest.mark.parametrize("colours", [DARK, LIGHT])
def test_pictures_that_the_style_sheet_names_exist(colours):
    files = re.findall(r'url\("([^"]+)"\)', style_sheet(colours))
    assert len(files) == 2
    assert all(Path(file).is_file() for file in files)
