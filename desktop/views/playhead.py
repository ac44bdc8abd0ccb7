"""Playhead: a line over all panes and a flag in the ruler, both widgets of their own.

Moving them repaints two strips of the panes, which copy their layers; no note is drawn again.
"""

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPolygon
from PySide6.QtWidgets import QWidget

from desktop.views.theme import palette

LINE_PX = 1
FLAG_PX = 9


class Playhead(QWidget):
    """The line; lets the mouse through to the panes below."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._flag = _Flag(parent)
        self.hide()
        self._flag.hide()

    def place(self, panes: QRect, x_px: int | None) -> None:
        """Stand at column `x_px` of the panes (in the parent's pixels), or vanish outside them."""
        is_inside = x_px is not None and 0 <= x_px < panes.width()
        if is_inside and x_px is not None:
            x_px += panes.left()
            self.setGeometry(x_px, panes.top(), LINE_PX, panes.height())
            self._flag.move(x_px - FLAG_PX // 2, panes.top())
        if is_inside == self.isHidden():
            self.setVisible(is_inside)
            self._flag.setVisible(is_inside)
            self._flag.raise_()
            self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(palette().accent))
        painter.end()


class _Flag(QWidget):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFixedSize(FLAG_PX, FLAG_PX - 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(palette().accent))
        tip = QPoint(FLAG_PX // 2, self.height())
        painter.drawPolygon(QPolygon([QPoint(0, 0), QPoint(FLAG_PX, 0), tip]))
        painter.end()
