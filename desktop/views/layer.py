"""Pictures in device pixels, and rectangles drawn by the array.

A view paints into a `Layer` when what it shows has changed, and copies the layer to the screen at
every other paint event: a playhead that moves over 10,000 notes then costs one small copy.
"""

from collections.abc import Callable
from typing import cast

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLine, QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QWidget
from shiboken6 import Shiboken

from desktop.views.time_columns import Pixels


class Layer:
    """The picture of one widget, kept until `discard`, or until size or screen change."""

    def __init__(self) -> None:
        self._image = QImage()
        self._is_current = False

    def discard(self) -> None:
        self._is_current = False

    def draw_over(self, draw: Callable[[QPainter, float], None]) -> None:
        """Add to the picture, if there is one; otherwise `copied_to` has it drawn anyway."""
        if self._is_current:
            self._paint(self._image.devicePixelRatioF(), draw)

    def copied_to(self, widget: QWidget, draw: Callable[[QPainter, float], None]) -> None:
        """Copy the layer to the widget; `draw(painter, scale)` makes it first if need be.

        The painter that `draw` gets counts in device pixels, `scale` per pixel of the widget.
        """
        scale = widget.devicePixelRatioF()
        size = (widget.size().toSizeF() * scale).toSize()
        if size.isEmpty():
            return
        if self._image.size() != size:
            self._image = QImage(size, QImage.Format.Format_RGB32)
            self._is_current = False
        if not self._is_current:
            self._paint(scale, draw)
            self._is_current = True
        screen = QPainter(widget)
        screen.drawImage(0, 0, self._image)
        screen.end()

    def _paint(self, scale: float, draw: Callable[[QPainter, float], None]) -> None:
        self._image.setDevicePixelRatio(1.0)
        painter = QPainter(self._image)
        draw(painter, scale)
        painter.end()
        self._image.setDevicePixelRatio(scale)


def edges_of(
    left: npt.NDArray[np.integer],
    top: npt.NDArray[np.integer],
    right: npt.NDArray[np.integer],
    bottom: npt.NDArray[np.integer],
) -> Pixels:
    """Return rectangles [rect, edge] for `fill_rects`; right and bottom are exclusive."""
    edges = np.empty((len(left), 4), dtype=np.int32)
    edges[:, 0], edges[:, 1] = left, top
    edges[:, 2], edges[:, 3] = right - 1, bottom - 1
    return edges


def fill_rects(painter: QPainter, edges: Pixels, colour: QColor) -> None:
    """Fill rectangles [rect, edge] (as `edges_of` makes them) with one colour, without outline.

    The rows have the memory layout of QRect, so that Qt reads the array itself: no Python object
    per rectangle. Slices of rows may be given, not of columns.
    """
    if not len(edges):
        return
    if edges.dtype != np.int32 or edges.shape[1] != 4 or not edges.flags.c_contiguous:
        raise ValueError("rectangles must be contiguous int32 [rect, 4]")
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRects(cast("QRect", Shiboken.wrapInstance(edges.ctypes.data, QRect)), len(edges))


def draw_lines(painter: QPainter, ends: Pixels, colour: QColor, width_px: int) -> None:
    """Draw smooth lines [line, (x, y, x, y)]; as with `fill_rects` Qt reads the array."""
    if not len(ends):
        return
    if ends.dtype != np.int32 or ends.shape[1] != 4 or not ends.flags.c_contiguous:
        raise ValueError("lines must be contiguous int32 [line, 4]")
    painter.setPen(QPen(colour, width_px))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(0.5, 0.5)  # through the middle of pixels, else each line blurs over two
    painter.drawLines(cast("QLine", Shiboken.wrapInstance(ends.ctypes.data, QLine)), len(ends))
    painter.restore()


def vertical_lines(x: Pixels, *, top: int, bottom: int, width: int) -> Pixels:
    """Return lines `width` pixels wide, from `top` to `bottom` (exclusive), as rectangles."""
    full = np.full(len(x), top)
    return edges_of(x, full, x + width, np.full(len(x), bottom))


def blended(over: QColor, under: QColor, share: float) -> QColor:
    """Return `share` of one colour laid over the other, opaque."""
    rest = 1.0 - share
    return QColor(
        round(over.red() * share + under.red() * rest),
        round(over.green() * share + under.green() * rest),
        round(over.blue() * share + under.blue() * rest),
    )
