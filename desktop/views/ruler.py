"""Ruler: bars and beats, seconds below, the first downbeat, the loop, and the place to click."""

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPolygon
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.score.tempo import TempoMap
from desktop.views.bar_grid import BarGrid
from desktop.views.layer import Layer, fill_rects, vertical_lines
from desktop.views.positions import tick_label
from desktop.views.theme import SMALL_FONT_PX, Palette, number_font, palette
from desktop.views.time_axis import TimeAxis
from desktop.views.time_columns import TimeColumns

HEIGHT_PX = 40
BARS_HEIGHT_PX = 22
MIN_BAR_LABEL_PX = 40
MIN_SECONDS_LABEL_PX = 80
MARKER_GRAB_PX = 6
LABEL_STEPS_S = (
    0.001,
    0.002,
    0.005,
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    1800,
    3600,
)


class Ruler(QWidget):
    """Click or drag seeks, Shift+drag chooses a loop, the flag of the first downbeat is dragged."""

    placeChosen = Signal(float)
    loopChosen = Signal(float, float)
    firstDownbeatMoved = Signal(float)
    pointerMoved = Signal(object)  # seconds, None when the pointer leaves

    def __init__(self, time_axis: TimeAxis, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._time_axis = time_axis
        self._layer = Layer()
        self._grid = BarGrid(TempoMap(), 0.0)
        self._has_marker = False
        self._loop: tuple[float, float] | None = None
        self._dragged: str | None = None
        self._drag_from_s = 0.0
        self.setAccessibleName(self.tr("Ruler"))
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(HEIGHT_PX)
        time_axis.changed.connect(self._redraw)

    def sizeHint(self) -> QSize:
        return QSize(800, HEIGHT_PX)

    def set_grid(self, grid: BarGrid, *, has_bars: bool) -> None:
        """Show bars and beats; while the tempo is unknown (not `has_bars`) only seconds show."""
        self._grid, self._has_marker = grid, has_bars
        self._redraw()

    def set_loop(self, loop: tuple[float, float] | None) -> None:
        """Mark the loop, from and until in seconds."""
        self._loop = loop
        self._redraw()

    def paintEvent(self, event: QPaintEvent) -> None:
        self._layer.copied_to(self, self._draw)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._redraw()
        super().changeEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
            return
        self._drag_from_s = self._seconds_at(event)
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._dragged = "loop"
        elif self._is_on_marker(event):
            self._dragged = "marker"
        else:
            self._dragged = "playhead"
            self.placeChosen.emit(self._drag_from_s)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at_s = self._seconds_at(event)
        self.pointerMoved.emit(at_s)
        if self._dragged == "playhead":
            self.placeChosen.emit(at_s)
        elif self._dragged == "marker":
            self.firstDownbeatMoved.emit(at_s)
        elif self._dragged == "loop" and at_s != self._drag_from_s:
            self.loopChosen.emit(min(at_s, self._drag_from_s), max(at_s, self._drag_from_s))
        elif self._dragged is None:
            on_marker = self._is_on_marker(event)
            self.setCursor(Qt.CursorShape.SplitHCursor if on_marker else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged = None
        super().mouseReleaseEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.pointerMoved.emit(None)
        super().leaveEvent(event)

    def _seconds_at(self, event: QMouseEvent) -> float:
        at_s = self._time_axis.seconds_at(event.position().x())
        return min(max(0.0, at_s), self._time_axis.duration_s)

    def _is_on_marker(self, event: QMouseEvent) -> bool:
        x_px = self._time_axis.x_at(self._grid.tempo.first_downbeat_s)
        is_near = -2 <= event.position().x() - x_px <= MARKER_GRAB_PX + 2
        return self._has_marker and is_near and event.position().y() < MARKER_GRAB_PX + 2

    def _redraw(self) -> None:
        self._layer.discard()
        self.update()

    def _draw(self, painter: QPainter, scale: float) -> None:
        colours = palette()
        columns = self._time_axis.columns(device_pixel_ratio=scale)
        width_px, height_px = painter.device().width(), painter.device().height()
        line_px = max(1, int(scale))
        painter.fillRect(0, 0, width_px, height_px, QColor(colours.panel))
        if self._has_marker:
            self._draw_bars(painter, colours, columns, scale)
        self._draw_loop(painter, colours, columns, scale)
        self._draw_seconds(painter, colours, columns, scale)
        if self._has_marker:
            self._draw_marker(painter, colours, columns, scale)
        painter.fillRect(0, height_px - line_px, width_px, line_px, QColor(colours.line))

    def _draw_loop(
        self, painter: QPainter, colours: Palette, columns: TimeColumns, scale: float
    ) -> None:
        if self._loop is None:
            return
        left, right = (columns.x_at(edge_s) for edge_s in self._loop)
        band = QColor(colours.accent)
        band.setAlpha(50)
        height_px = round(BARS_HEIGHT_PX * scale)
        painter.fillRect(left, 0, right - left, height_px, band)
        for x_px in (left, right - round(2 * scale)):
            painter.fillRect(x_px, 0, round(2 * scale), height_px, QColor(colours.accent))

    def _draw_bars(
        self, painter: QPainter, colours: Palette, columns: TimeColumns, scale: float
    ) -> None:
        line_px, bottom = max(1, int(scale)), round(BARS_HEIGHT_PX * scale)
        beats_x = columns.x_of(self._grid.beat_lines_s(columns, 8 * scale))
        beat_top = bottom - round(4 * scale)
        fill_rects(
            painter,
            vertical_lines(beats_x, top=beat_top, bottom=bottom, width=line_px),
            QColor(colours.ghost),
        )
        labelled = self._grid.bar_indices(columns, MIN_BAR_LABEL_PX * scale)
        bars_x = columns.x_of(self._grid.bar_starts_s[labelled])
        fill_rects(
            painter,
            vertical_lines(bars_x, top=round(6 * scale), bottom=bottom, width=line_px),
            QColor(colours.disabled_text),
        )
        font = number_font(round(SMALL_FONT_PX * scale))
        painter.setFont(font)
        painter.setPen(QColor(colours.text))
        baseline = round(6 * scale + QFontMetricsF(font).capHeight())
        for x_px, number in zip(
            bars_x.tolist(), self._grid.bar_numbers[labelled].tolist(), strict=True
        ):
            painter.drawText(x_px + round(4 * scale), baseline, str(number))

    def _draw_seconds(
        self, painter: QPainter, colours: Palette, columns: TimeColumns, scale: float
    ) -> None:
        step_s = seconds_label_step(columns.seconds_per_column, MIN_SECONDS_LABEL_PX * scale)
        font = number_font(round((SMALL_FONT_PX - 1) * scale))
        painter.setFont(font)
        top = round(BARS_HEIGHT_PX * scale)
        height_px = painter.device().height() - top
        baseline = top + round((height_px + QFontMetricsF(font).capHeight()) / 2)
        first = int(columns.start_s / step_s)
        for index in range(first, int(columns.end_s / step_s) + 1):
            x_px = columns.x_at(index * step_s)
            painter.fillRect(
                x_px,
                top + height_px - round(5 * scale),
                max(1, int(scale)),
                round(5 * scale),
                QColor(colours.ghost),
            )
            painter.setPen(QColor(colours.dim_text))
            painter.drawText(x_px + round(4 * scale), baseline, tick_label(index * step_s, step_s))

    def _draw_marker(
        self, painter: QPainter, colours: Palette, columns: TimeColumns, scale: float
    ) -> None:
        x_px = columns.x_at(self._grid.tempo.first_downbeat_s)
        side = round(MARKER_GRAB_PX * scale)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.warning))
        painter.drawPolygon(QPolygon([QPoint(x_px, 0), QPoint(x_px + side, 0), QPoint(x_px, side)]))
        painter.fillRect(
            QRect(x_px, 0, max(1, int(scale)), round(BARS_HEIGHT_PX * scale)),
            QColor(colours.warning),
        )


def seconds_label_step(seconds_per_pixel: float, min_label_px: float) -> float:
    """Return the distance of time labels in seconds: the smallest round one with room for them."""
    wanted_s = seconds_per_pixel * min_label_px
    return next((step_s for step_s in LABEL_STEPS_S if step_s >= wanted_s), LABEL_STEPS_S[-1])
