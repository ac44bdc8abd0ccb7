"""Waveform: one lane per stem, peak and RMS in two tones, and how far each stem has been heard."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.audio.clip import Samples
from core.audio.peaks import WaveformPeaks
from core.score.tempo import TempoMap
from desktop.views.bar_grid import MIN_BAR_LINE_PX, BarGrid
from desktop.views.layer import Layer, blended, edges_of, fill_rects, vertical_lines
from desktop.views.song_view import Lane
from desktop.views.theme import palette
from desktop.views.time_axis import TimeAxis
from desktop.views.time_columns import Pixels, TimeColumns

MIN_LANE_PX = 12
ONE_LANE_PX = 80
USUAL_LANE_PX = 32
PEAK_SHARE, RMS_SHARE = 0.45, 0.90  # of the lane's colour over the background
LANE_MARGIN_PX = 2
FULL_LANE = 0.97
MAX_DISPLAY_GAIN = 8.0  # a nearly silent file stays visibly quiet


class Waveform(QWidget):
    """Lanes of equal height, top to bottom in the order given."""

    placeChosen = Signal(float)
    lanesChanged = Signal()
    pointerMoved = Signal(object)  # seconds, None when the pointer leaves

    def __init__(self, time_axis: TimeAxis, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._time_axis = time_axis
        self._layer = Layer()
        self._lanes: tuple[Lane, ...] = ()
        self._grid = BarGrid(TempoMap(), 0.0)
        self.setAccessibleName(self.tr("Waveform"))
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        time_axis.changed.connect(self._redraw)

    def sizeHint(self) -> QSize:
        return QSize(800, max(ONE_LANE_PX, len(self._lanes) * USUAL_LANE_PX))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, max(32, len(self._lanes) * MIN_LANE_PX))

    @property
    def lanes(self) -> tuple[Lane, ...]:
        return self._lanes

    def set_lanes(self, lanes: Sequence[Lane]) -> None:
        count_changed = len(lanes) != len(self._lanes)
        self._lanes = tuple(lanes)
        if count_changed:
            self.updateGeometry()
        self.lanesChanged.emit()
        self._redraw()

    def set_grid(self, grid: BarGrid) -> None:
        self._grid = grid
        self._redraw()

    def lane_tops(self, height_px: int) -> list[int]:
        """Return the top of each lane, then the bottom of the last."""
        count = max(1, len(self._lanes))
        return [height_px * index // count for index in range(count + 1)]

    def paintEvent(self, event: QPaintEvent) -> None:
        self._layer.copied_to(self, self._draw)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._redraw()
        super().changeEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._choose(event)
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pointerMoved.emit(self._time_axis.seconds_at(event.position().x()))
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._choose(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.pointerMoved.emit(None)
        super().leaveEvent(event)

    def _choose(self, event: QMouseEvent) -> None:
        at_s = self._time_axis.seconds_at(event.position().x())
        self.placeChosen.emit(min(max(0.0, at_s), self._time_axis.duration_s))

    def _redraw(self) -> None:
        self._layer.discard()
        self.update()

    def _draw(self, painter: QPainter, scale: float) -> None:
        colours = palette()
        columns = self._time_axis.columns(device_pixel_ratio=scale)
        height_px, line_px = painter.device().height(), max(1, int(scale))
        painter.fillRect(0, 0, columns.count, height_px, QColor(colours.background))
        bars_s = self._grid.bar_lines_s(columns, MIN_BAR_LINE_PX * line_px)
        lines = vertical_lines(columns.x_of(bars_s), top=0, bottom=height_px, width=line_px)
        fill_rects(painter, lines, QColor(colours.beat_line))
        tops = self.lane_tops(height_px)
        for lane, top, bottom in zip(self._lanes, tops, tops[1:], strict=False):
            margin_px = round(LANE_MARGIN_PX * scale)
            _draw_lane(painter, lane, columns, top + margin_px, bottom - margin_px - line_px)
            if bottom < height_px:
                painter.fillRect(
                    0, bottom - line_px, columns.count, line_px, QColor(colours.row_line)
                )


def _draw_lane(painter: QPainter, lane: Lane, columns: TimeColumns, top: int, bottom: int) -> None:
    colours = palette()
    stretches = _stretches(lane, columns)
    unheard = blended(QColor(colours.panel), QColor(colours.background), 0.6)
    for stretch in stretches:
        if not stretch.is_heard:
            painter.fillRect(
                stretch.first, top, stretch.last - stretch.first, bottom - top, unheard
            )
    if lane.peaks is None:
        middle = (top + bottom) // 2
        painter.fillRect(0, middle, columns.count, 1, QColor(colours.ghost))
    else:
        _draw_envelope(painter, lane, lane.peaks, columns, (top, bottom), stretches)
    edge_x = columns.x_at(lane.edge_s) if lane.edge_s is not None else 0
    if 0 < edge_x < columns.count:
        painter.fillRect(edge_x - 1, top, 1, bottom - top, QColor(colours.accent))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Columns of a lane that are heard or not, `last` exclusive."""

    first: int
    last: int
    is_heard: bool


def _stretches(lane: Lane, columns: TimeColumns) -> list[_Stretch]:
    """Cut what is in view into what was heard and what was not; all is heard if nothing runs."""
    if lane.heard_spans is None:
        return [_Stretch(0, columns.count, is_heard=True)]
    stretches: list[_Stretch] = []
    end = 0
    for start_s, end_s in lane.heard_spans:
        first = min(max(end, columns.x_at(start_s)), columns.count)
        last = min(max(first, columns.x_at(end_s)), columns.count)
        stretches += [_Stretch(end, first, is_heard=False), _Stretch(first, last, is_heard=True)]
        end = last
    stretches.append(_Stretch(end, columns.count, is_heard=False))
    return [stretch for stretch in stretches if stretch.last > stretch.first]


def _draw_envelope(
    painter: QPainter,
    lane: Lane,
    peaks: WaveformPeaks,
    columns: TimeColumns,
    span: tuple[int, int],
    stretches: Sequence[_Stretch],
) -> None:
    minimum, maximum, rms = peaks.between(columns.start_s, columns.end_s, columns.count)
    top, bottom = span
    middle, half = (top + bottom) / 2, (bottom - top) / 2 * display_gain(peaks)
    x = np.arange(columns.count, dtype=np.int32)
    peak_edges = _bars(x, middle - maximum * half, middle - minimum * half)
    rms_edges = _bars(x, middle - rms * half, middle + rms * half)
    for stretch in stretches:
        peak_colour, rms_colour = _tones(lane, is_heard=stretch.is_heard)
        fill_rects(painter, peak_edges[stretch.first : stretch.last], peak_colour)
        fill_rects(painter, rms_edges[stretch.first : stretch.last], rms_colour)


def _tones(lane: Lane, *, is_heard: bool) -> tuple[QColor, QColor]:
    """Return the colours of peaks and RMS, of what was heard or of what lies ahead."""
    colours = palette()
    background = QColor(colours.background)
    if is_heard:
        track = colours.track(lane.colour_index)
        return blended(track, background, PEAK_SHARE), blended(track, background, RMS_SHARE)
    ahead = QColor(colours.dim_text)
    return blended(ahead, background, 0.30), blended(ahead, background, 0.55)


def display_gain(peaks: WaveformPeaks) -> float:
    """Return how much larger a quiet file is drawn so that its loudest peak fills the lane."""
    coarsest = peaks.levels[-1]
    loudest = max(float(coarsest.maximum.max()), -float(coarsest.minimum.min()))
    return min(FULL_LANE / loudest, MAX_DISPLAY_GAIN) if loudest > 0 else 1.0


def _bars(x: Pixels, top: Samples, bottom: Samples) -> Pixels:
    """Return one rectangle per column [column, edge], at least a pixel high."""
    top_px = np.floor(top).astype(np.int32)
    return edges_of(x, top_px, x + 1, np.maximum(top_px + 1, np.ceil(bottom).astype(np.int32)))
