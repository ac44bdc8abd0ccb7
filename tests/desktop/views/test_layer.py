import gc
import sys

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget

from desktop.views.layer import Layer, blended, draw_lines, edges_of, fill_rects, vertical_lines

RED, BLACK = QColor("#ff0000"), QColor("#000000")


@pytest.fixture
def image(qapp):
    image = QImage(20, 10, QImage.Format.Format_RGB32)
    image.fill(BLACK)
    return image


@pytest.fixture
def painter(image):
    painter = QPainter(image)
    yield painter
    painter.end()


def red_pixels(image):
    return {
        (x, y)
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y) == RED
    }


def numbers(*values):
    return np.array(values, dtype=np.int32)


def test_rectangle_fills_its_pixels_and_no_more(image, painter):
    fill_rects(painter, edges_of(numbers(3), numbers(2), numbers(6), numbers(4)), RED)
    assert red_pixels(image) == {(x, y) for x in (3, 4, 5) for y in (2, 3)}


def test_slice_of_rectangles_draws_only_that_slice(image, painter):
    edges = edges_of(numbers(0, 5, 10), numbers(0, 0, 0), numbers(1, 6, 11), numbers(1, 1, 1))
    fill_rects(painter, edges[1:2], RED)
    assert red_pixels(image) == {(5, 0)}


def test_no_rectangles_draw_nothing(image, painter):
    fill_rects(painter, edges_of(numbers(), numbers(), numbers(), numbers()), RED)
    assert red_pixels(image) == set()


def test_vertical_lines_are_as_wide_as_said(image, painter):
    fill_rects(painter, vertical_lines(numbers(4), top=1, bottom=3, width=2), RED)
    assert red_pixels(image) == {(4, 1), (5, 1), (4, 2), (5, 2)}


def test_line_runs_from_point_to_point(image, painter):
    draw_lines(painter, np.array([[2, 5, 10, 5]], dtype=np.int32), RED, 1)
    assert {x for x, y in red_pixels(image)} >= {3, 5, 9}


@pytest.mark.parametrize("draw", [fill_rects, lambda p, e, c: draw_lines(p, e, c, 1)])
@pytest.mark.parametrize(
    "edges",
    [np.zeros((2, 4), np.int64), np.zeros((2, 3), np.int32), np.zeros((4, 8), np.int32)[:, ::2]],
)
def test_array_that_qt_cannot_read_is_refused(painter, draw, edges):
    with pytest.raises(ValueError, match="contiguous int32"):
        draw(painter, edges, RED)


def test_blend_lies_between_both_colours():
    assert blended(QColor(200, 100, 0), QColor(0, 0, 100), 0.25) == QColor(50, 25, 75)


def test_painter_calls_keep_the_count_of_none(painter):
    # PySide6 6.12.0 on Python 3.11 gives back a None it does not own on most void painter calls,
    # and the interpreter aborts within seconds of painting.
    edges = edges_of(numbers(0), numbers(0), numbers(1), numbers(1))
    gc.collect()
    gc.disable()  # what others left behind would count
    before = sys.getrefcount(None)
    for _ in range(1_000):
        painter.setPen(RED)
        painter.setBrush(RED)
        painter.fillRect(0, 0, 1, 1, RED)
        painter.drawRect(QRectF(0, 0, 1, 1))
        painter.drawText(0, 0, "")
        fill_rects(painter, edges, RED)
    after = sys.getrefcount(None)
    gc.enable()
    assert abs(after - before) < 50


class Pane(QWidget):
    def __init__(self):
        super().__init__()
        self.layer = Layer()
        self.drawn = 0

    def draw(self, painter, scale):
        self.drawn += 1
        painter.fillRect(0, 0, painter.device().width(), painter.device().height(), RED)

    def paintEvent(self, event):  # noqa: N802 (Qt names it)
        self.layer.copied_to(self, self.draw)


@pytest.fixture
def pane(qtbot):
    pane = Pane()
    qtbot.addWidget(pane)
    pane.resize(40, 30)
    return pane


@pytest.mark.gui
def test_layer_is_drawn_once_and_then_copied(pane):
    pane.grab()
    assert pane.grab().toImage().pixelColor(39, 29) == RED
    assert pane.drawn == 1


@pytest.mark.gui
def test_discarded_layer_is_drawn_again(pane):
    pane.grab()
    pane.layer.discard()
    pane.grab()
    assert pane.drawn == 2


@pytest.mark.gui
def test_layer_is_drawn_again_in_another_size(pane):
    pane.grab()
    pane.resize(60, 30)
    assert pane.grab().toImage().pixelColor(59, 0) == RED
    assert pane.drawn == 2
