"""Keyboard: the keys beside the roll, in step with its rows."""

import numpy as np
from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.score.note import HIGHEST_PITCH, LOWEST_PITCH
from desktop.views.layer import Layer, edges_of, fill_rects
from desktop.views.piano_roll.geometry import BLACK_PITCH_CLASSES
from desktop.views.piano_roll.pitch_axis import PitchAxis
from desktop.views.positions import note_name
from desktop.views.theme import SMALL_FONT_PX, Palette, palette, ui_font
from desktop.views.time_columns import Pixels

BLACK_KEY_SHARE = 0.6  # of the length of a white key
MIN_LABEL_ROW_PX = 7
MIN_DRUM_LABEL_ROW_PX = 9


class Keyboard(QWidget):
    """Piano keys with the Cs named, or drum names where only drums are shown."""

    pitchPointed = Signal(object)  # int, None when the pointer leaves

    def __init__(self, pitch_axis: PitchAxis, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pitch_axis = pitch_axis
        self._layer = Layer()
        self._drum_names: dict[int, str] = {}
        self._pointed_pitch: int | None = None
        self.setAccessibleName(self.tr("Keyboard"))
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        pitch_axis.changed.connect(self._redraw)

    def minimumSizeHint(self) -> QSize:
        return QSize(40, 80)

    def show_drum_names(self, names: dict[int, str]) -> None:
        """Name rows as drums by pitch; an empty table brings the piano keys back."""
        if names != self._drum_names:
            self._drum_names = dict(names)
            self._redraw()

    def point_at(self, pitch: int | None) -> None:
        """Highlight one key."""
        if pitch != self._pointed_pitch:
            self._pointed_pitch = pitch
            self._redraw()

    def paintEvent(self, event: QPaintEvent) -> None:
        self._layer.copied_to(self, self._draw)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._redraw()
        super().changeEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        pitch = self._pitch_axis.rows().pitch_at(event.position().y())
        self.point_at(pitch)
        self.pitchPointed.emit(pitch)
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.point_at(None)
        self.pitchPointed.emit(None)
        super().leaveEvent(event)

    def _redraw(self) -> None:
        self._layer.discard()
        self.update()

    def _draw(self, painter: QPainter, scale: float) -> None:
        tops = self._pitch_axis.rows(device_pixel_ratio=scale).tops()
        if self._drum_names:
            self._draw_drum_rows(painter, tops, scale)
        else:
            self._draw_keys(painter, tops, scale)
            self._draw_octave_names(painter, tops, scale)

    def _draw_keys(self, painter: QPainter, tops: Pixels, scale: float) -> None:
        colours = palette()
        width, line = painter.device().width(), max(1, int(scale))
        painter.fillRect(0, 0, width, painter.device().height(), QColor(colours.background))
        painter.fillRect(
            0, int(tops[-1]), width, int(tops[0] - tops[-1]), QColor(colours.white_key)
        )
        if self._pointed_pitch is not None:
            self._fill_key(painter, tops, self._pointed_pitch, width, colours)
        pitches = np.arange(LOWEST_PITCH, HIGHEST_PITCH + 1)
        black = pitches[np.isin(pitches % 12, BLACK_PITCH_CLASSES)]
        middle = (tops[black] + tops[black + 1]) // 2
        between = pitches[np.isin(pitches % 12, (0, 5))]
        edge = QColor(colours.black_key)
        edge.setAlpha(110)
        lines_y = np.concatenate([middle, tops[between] - line])
        left = np.zeros(len(lines_y), dtype=np.int32)
        fill_rects(painter, edges_of(left, lines_y, left + width, lines_y + line), edge)
        left = np.zeros(len(black), dtype=np.int32)
        length = round(width * BLACK_KEY_SHARE)
        fill_rects(
            painter,
            edges_of(left, tops[black + 1], left + length, tops[black]),
            QColor(colours.black_key),
        )
        if self._pointed_pitch is not None and self._pointed_pitch % 12 in BLACK_PITCH_CLASSES:
            self._fill_key(painter, tops, self._pointed_pitch, length, colours)

    @staticmethod
    def _fill_key(
        painter: QPainter, tops: Pixels, pitch: int, length_px: int, colours: Palette
    ) -> None:
        top, bottom = int(tops[pitch + 1]), int(tops[pitch])
        painter.fillRect(0, top, length_px, bottom - top, QColor(colours.accent))

    def _draw_octave_names(self, painter: QPainter, tops: Pixels, scale: float) -> None:
        named = {pitch for pitch in range(LOWEST_PITCH, HIGHEST_PITCH + 1) if pitch % 12 == 0}
        if self._pointed_pitch is not None:
            named.add(self._pointed_pitch)
        if self._pitch_axis.row_px >= MIN_LABEL_ROW_PX - 3:
            painter.setPen(QColor(palette().black_key))
            self._draw_names(painter, tops, scale, {pitch: note_name(pitch) for pitch in named})

    def _draw_names(
        self, painter: QPainter, tops: Pixels, scale: float, names: dict[int, str]
    ) -> None:
        row_px = self._pitch_axis.row_px
        font = ui_font(round(min(SMALL_FONT_PX, max(8, row_px + 1)) * scale))
        painter.setFont(font)
        width = painter.device().width() - round(4 * scale)
        text_px = round(QFontMetricsF(font).height())
        for pitch, name in names.items():
            middle = int(tops[pitch + 1] + tops[pitch]) // 2
            box = QRect(0, middle - text_px // 2, width, text_px)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, name)

    def _draw_drum_rows(self, painter: QPainter, tops: Pixels, scale: float) -> None:
        colours = palette()
        width, line = painter.device().width(), max(1, int(scale))
        painter.fillRect(0, 0, width, painter.device().height(), QColor(colours.panel))
        if self._pointed_pitch is not None:
            self._fill_key(painter, tops, self._pointed_pitch, width, colours)
        pitches = np.arange(LOWEST_PITCH, HIGHEST_PITCH + 1)
        left = np.zeros(len(pitches), dtype=np.int32)
        fill_rects(
            painter,
            edges_of(left, tops[pitches] - line, left + width, tops[pitches]),
            QColor(colours.line),
        )
        if self._pitch_axis.row_px >= MIN_DRUM_LABEL_ROW_PX:
            painter.setPen(QColor(colours.text))
            self._draw_names(painter, tops, scale, self._drum_names)
