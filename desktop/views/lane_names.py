"""LaneNames: the stems' names beside their lanes."""

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.views.layer import Layer
from desktop.views.theme import SMALL_FONT_PX, palette, ui_font
from desktop.views.waveform import Waveform

MIN_NAME_LANE_PX = 10
COLOUR_BAR_PX = 3


class LaneNames(QWidget):
    """A colour and a name per lane of the waveform; long names are cut."""

    def __init__(self, waveform: Waveform, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._waveform = waveform
        self._layer = Layer()
        self.setAccessibleName(self.tr("Names of the stems"))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        waveform.lanesChanged.connect(self._redraw)

    def minimumSizeHint(self) -> QSize:
        return QSize(40, 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._layer.copied_to(self, self._draw)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._redraw()
        super().changeEvent(event)

    def _redraw(self) -> None:
        self.setToolTip("\n".join(lane.name for lane in self._waveform.lanes))
        self._layer.discard()
        self.update()

    def _draw(self, painter: QPainter, scale: float) -> None:
        colours = palette()
        width_px, height_px = painter.device().width(), painter.device().height()
        line_px = max(1, int(scale))
        painter.fillRect(0, 0, width_px, height_px, QColor(colours.panel))
        font = ui_font(round(SMALL_FONT_PX * scale))
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        tops = self._waveform.lane_tops(height_px)
        for lane, top, bottom in zip(self._waveform.lanes, tops, tops[1:], strict=False):
            bar_px = round(COLOUR_BAR_PX * scale)
            painter.fillRect(
                0, top, bar_px, bottom - top - line_px, colours.track(lane.colour_index)
            )
            if bottom < height_px:
                painter.fillRect(0, bottom - line_px, width_px, line_px, QColor(colours.line))
            if bottom - top >= MIN_NAME_LANE_PX * scale:
                left = bar_px + round(5 * scale)
                room_px = width_px - left - round(4 * scale)
                name = metrics.elidedText(lane.name, Qt.TextElideMode.ElideRight, room_px)
                painter.setPen(QColor(colours.text))
                box = QRect(left, top, room_px, bottom - top - line_px)
                painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, name)
