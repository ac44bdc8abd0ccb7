"""PianoRoll: all notes of the song in one widget, drawn as a few arrays of rectangles."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.score.note import HIGHEST_PITCH, LOWEST_PITCH, NoteEvent
from core.score.tempo import TempoMap
from desktop.views.bar_grid import MIN_BAR_LINE_PX, MIN_BEAT_LINE_PX, BarGrid
from desktop.views.layer import Layer, blended, draw_lines, edges_of, fill_rects, vertical_lines
from desktop.views.piano_roll.early_notes import EarlyNoteColumns
from desktop.views.piano_roll.geometry import (
    BLACK_PITCH_CLASSES,
    PITCH_COUNT,
    VELOCITY_STEPS,
    Detail,
    NoteColumns,
    bend_lines,
    bend_table,
    columns_of_notes,
    coverage,
    detail_at,
    joined_columns,
    note_edges,
    onset_rims,
    velocity_steps,
)
from desktop.views.piano_roll.pitch_axis import PitchAxis
from desktop.views.positions import bars_text, note_name
from desktop.views.song_view import EarlyView, Emphasis, PointedPlace, TrackView
from desktop.views.theme import Palette, palette
from desktop.views.time_axis import TimeAxis
from desktop.views.time_columns import Pixels, Seconds, TimeColumns

SOFTEST_SHARE = 0.40  # how much of its track's colour the softest note has; the loudest has all
MUTED_SHARE = 0.28
HIT_TOLERANCE_PX = 2.0
MIN_BEND_ROW_PX = 7
MIN_BEND_NOTE_PX = 12
EARLY_SHARE = 0.6  # of its track's colour, for notes of a transcription that still runs
EDGE_ALPHA = 150
_DRAWING_ORDER = {Emphasis.GHOSTED: 0, Emphasis.MUTED: 1, Emphasis.NORMAL: 2}


@dataclass(frozen=True, slots=True)
class _ReadTrack:
    """Notes of one track as arrays; `notes` keeps the tuple alive by whose identity it is found."""

    notes: tuple[NoteEvent, ...]
    columns: NoteColumns
    bends: Seconds

    @classmethod
    def of(cls, notes: tuple[NoteEvent, ...]) -> "_ReadTrack":
        return cls(notes, columns_of_notes(notes), bend_table(notes))


class PianoRoll(QWidget):
    """Notes over pitch and time; colour is the track, depth of colour the velocity.

    `pointerMoved` carries a `PointedPlace` while the pointer is over the roll, None when it leaves.
    """

    pointerMoved = Signal(object)

    def __init__(
        self, time_axis: TimeAxis, pitch_axis: PitchAxis, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._time_axis = time_axis
        self._pitch_axis = pitch_axis
        self._layer = Layer()
        self._tracks: tuple[TrackView, ...] = ()
        self._drawn_tracks: tuple[TrackView, ...] = ()
        self._read_by_notes: dict[int, _ReadTrack] = {}
        self._notes = joined_columns(())
        self._bends = bend_lines(())
        self._early: EarlyView | None = None
        self._early_notes = EarlyNoteColumns()
        self._grid = BarGrid(TempoMap(), 0.0)
        self._pointed_note: int | None = None
        self.setAccessibleName(self.tr("Piano roll"))
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        time_axis.changed.connect(self._redraw)
        pitch_axis.changed.connect(self._redraw)

    def sizeHint(self) -> QSize:
        return QSize(800, 400)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 80)

    def set_tracks(self, tracks: Sequence[TrackView]) -> None:
        """Show these tracks; a tuple of notes that was shown before is not read again."""
        known = self._read_by_notes
        self._read_by_notes = {
            id(track.notes): known.get(id(track.notes)) or _ReadTrack.of(track.notes)
            for track in tracks
        }
        self._tracks = tuple(tracks)
        self._drawn_tracks = tuple(sorted(tracks, key=lambda track: _DRAWING_ORDER[track.emphasis]))
        self._notes = joined_columns(
            [self._read_by_notes[id(track.notes)].columns for track in self._drawn_tracks]
        )
        self._bends = bend_lines(
            [
                self._read_by_notes[id(track.notes)].bends
                for track in tracks
                if track.emphasis is Emphasis.NORMAL
            ]
        )
        self._pointed_note = None
        self._redraw()

    def set_grid(self, grid: BarGrid) -> None:
        self._grid = grid
        self._redraw()

    def set_early(self, early: EarlyView | None) -> None:
        """Show what a running transcription has found; only what is new is drawn."""
        before, self._early = self._early, early
        known = len(self._early_notes)
        are_others = self._early_notes.take(early.batches if early is not None else ())
        is_recoloured = before and early and before.colour_index != early.colour_index
        if are_others or is_recoloured:
            self._redraw()
        elif len(self._early_notes) > known:
            self._layer.draw_over(partial(self._draw_early_notes, first=known))
            self.update()
        elif before != early:
            self.update()

    @property
    def pitch_range(self) -> tuple[int, int] | None:
        """The lowest and highest pitch of all notes."""
        pitch = np.concatenate([self._notes.pitch, self._early_notes.pitch])
        return (int(pitch.min()), int(pitch.max())) if len(pitch) else None

    def note_at(self, position: QPointF) -> tuple[TrackView, NoteEvent] | None:
        """Return the track and the note under a point of the widget."""
        index = self._index_at(position)
        return None if index is None else self._note(index)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._layer.copied_to(self, self._draw)
        self._draw_edge()
        if self._pointed_note is not None and self._pointed_note < len(self._notes):
            painter = QPainter(self)
            painter.setPen(QColor(palette().text))
            painter.drawRect(self._note_rect(self._pointed_note))
            painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._pitch_axis.set_height(self.height())
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._redraw()
        super().changeEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(self._index_at(event.position()))
        self.pointerMoved.emit(self._place_at(event.position()))
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._point_at(None)
        self.pointerMoved.emit(None)
        super().leaveEvent(event)

    def _redraw(self) -> None:
        self._layer.discard()
        self.update()

    def _point_at(self, index: int | None) -> None:
        if index != self._pointed_note:
            self._pointed_note = index
            self.update()

    def _index_at(self, position: QPointF) -> int | None:
        pitch = self._pitch_axis.rows().pitch_at(position.y())
        if pitch is None:
            return None
        tolerance_s = HIT_TOLERANCE_PX * self._time_axis.seconds_per_pixel
        at_s = self._time_axis.seconds_at(position.x())
        return self._notes.at(at_s, pitch, tolerance_s=tolerance_s)

    def _note(self, index: int) -> tuple[TrackView, NoteEvent]:
        track = self._drawn_tracks[self._notes.track[index]]
        return track, track.notes[self._notes.note[index]]

    def _note_rect(self, index: int) -> QRect:
        columns = self._time_axis.columns()
        rows = self._pitch_axis.rows()
        left, top, right, bottom = note_edges(
            self._notes, np.array([index]), columns, rows.tops(), gap_px=1
        )[0].tolist()
        return QRect(left - 1, top - 1, right - left + 2, bottom - top + 2)

    def _place_at(self, position: QPointF) -> PointedPlace:
        at_s = self._time_axis.seconds_at(position.x())
        pitch = self._pitch_axis.rows().pitch_at(position.y())
        found = self.note_at(position)
        return PointedPlace(
            at_s=at_s,
            bars=bars_text(self._grid.tempo, at_s),
            pitch=pitch,
            pitch_name="" if pitch is None else note_name(pitch),
            note=found[1] if found else None,
            track_name=found[0].name if found else "",
        )

    def _draw(self, painter: QPainter, scale: float) -> None:
        colours = palette()
        columns = self._time_axis.columns(device_pixel_ratio=scale)
        tops = self._pitch_axis.rows(device_pixel_ratio=scale).tops()
        line_px = max(1, int(scale))
        draw_rows(painter, colours, columns.count, tops, line_px)
        draw_grid(painter, colours, columns, self._grid, line_px)
        self._draw_notes(painter, columns, tops, line_px)
        self._draw_early_notes(painter, scale)

    def _draw_early_notes(self, painter: QPainter, scale: float, first: int = 0) -> None:
        """Draw the notes of the running transcription from the `first` on, in one dimmed tone."""
        if self._early is None:
            return
        columns = self._time_axis.columns(device_pixel_ratio=scale)
        tops = self._pitch_axis.rows(device_pixel_ratio=scale).tops()
        shown = self._early_notes.within(columns.start_s, columns.end_s, first=first)
        edges = note_edges(self._early_notes, shown, columns, tops, gap_px=max(1, int(scale)))
        colours = palette()
        track = colours.track(self._early.colour_index)
        fill_rects(painter, edges, blended(track, QColor(colours.background), EARLY_SHARE))

    def _draw_edge(self) -> None:
        """Draw up to where notes are found, over the layer: it moves more often than notes come."""
        if self._early is None or self._early.edge_s <= 0:
            return
        x_px = self._time_axis.columns().x_at(self._early.edge_s)
        if 0 < x_px < self.width():
            colour = QColor(palette().accent)
            colour.setAlpha(EDGE_ALPHA)
            painter = QPainter(self)
            painter.fillRect(x_px - 1, 0, 1, self.height(), colour)
            painter.end()

    def _draw_notes(
        self, painter: QPainter, columns: TimeColumns, tops: Pixels, line_px: int
    ) -> None:
        notes = self._notes
        near = notes.within(columns.start_s, columns.end_s)
        if near.start == near.stop:
            return
        detail = detail_at(notes.median_duration_s, columns.seconds_per_column)
        reaches = notes.offset_s[near] >= columns.start_s
        if detail is Detail.DENSITY:
            self._draw_coverage(painter, columns, tops)
            reaches &= notes.offset_s[near] - notes.onset_s[near] >= columns.seconds_per_column
        shown = near.start + np.flatnonzero(reaches)
        layer = notes.track[shown] * 2 + notes.overlaps[shown]
        style = layer * VELOCITY_STEPS + velocity_steps(notes.velocity[shown])
        order = np.argsort(style, kind="stable")
        gap_px = line_px if detail is Detail.FULL else 0
        edges = note_edges(notes, shown[order], columns, tops, gap_px)
        ends = np.cumsum(np.bincount(style))
        rims = onset_rims(edges, gap_px)
        colours = palette()
        background = QColor(colours.background)
        first = 0
        for drawn_style, last in enumerate(ends.tolist()):
            if last > first:
                fill_rects(painter, rims[first:last], background)
                fill_rects(painter, edges[first:last], self._style_colour(colours, drawn_style))
            first = last
        if detail is Detail.FULL and self._pitch_axis.row_px >= MIN_BEND_ROW_PX:
            lines = self._bends.edges(columns, tops, MIN_BEND_NOTE_PX * line_px)
            draw_lines(painter, lines, background, line_px)

    def _style_colour(self, colours: Palette, style: int) -> QColor:
        layer, step = divmod(style, VELOCITY_STEPS)
        return note_colour(colours, self._drawn_tracks[layer // 2], step)

    def _draw_coverage(self, painter: QPainter, columns: TimeColumns, tops: Pixels) -> None:
        near = self._notes.within(columns.start_s, columns.end_s)
        colours = palette()
        typical = [note_colour(colours, track, VELOCITY_STEPS - 2) for track in self._drawn_tracks]
        bgr = np.array([(c.blue(), c.green(), c.red()) for c in typical], dtype=np.float64)
        picture = coverage(self._notes, near, columns, bgr)[::-1].copy()
        image = QImage(
            picture.data, columns.count, PITCH_COUNT, QImage.Format.Format_ARGB32_Premultiplied
        )
        top, bottom = int(tops[HIGHEST_PITCH + 1]), int(tops[LOWEST_PITCH])
        painter.drawImage(QRect(0, top, columns.count, bottom - top), image)


def note_colour(colours: Palette, track: TrackView, velocity_step: int) -> QColor:
    """Return the fill of a note: the track's colour, paler into the background the softer it is."""
    background = QColor(colours.background)
    if track.emphasis is Emphasis.GHOSTED:
        return QColor(colours.ghost)
    share = SOFTEST_SHARE + (1 - SOFTEST_SHARE) * velocity_step / (VELOCITY_STEPS - 1)
    if track.emphasis is Emphasis.MUTED:
        share *= MUTED_SHARE
    return blended(colours.track(track.colour_index), background, share)


def draw_rows(
    painter: QPainter, colours: Palette, width_px: int, tops: Pixels, line_px: int
) -> None:
    """Draw the rows: black keys darker, a line between B and C and between E and F."""
    top, bottom = int(tops[-1]), int(tops[0])
    painter.fillRect(0, min(0, top), width_px, max(bottom, 10_000), QColor(colours.background))
    pitches = np.arange(LOWEST_PITCH, HIGHEST_PITCH + 1)
    black = pitches[np.isin(pitches % 12, BLACK_PITCH_CLASSES)]
    left = np.zeros(len(black), dtype=np.int32)
    fill_rects(
        painter,
        edges_of(left, tops[black + 1], left + width_px, tops[black]),
        QColor(colours.row_black_key),
    )
    lined = pitches[np.isin(pitches % 12, (0, 5))]
    left = np.zeros(len(lined), dtype=np.int32)
    fill_rects(
        painter,
        edges_of(left, tops[lined] - line_px, left + width_px, tops[lined]),
        QColor(colours.row_line),
    )


def draw_grid(
    painter: QPainter, colours: Palette, columns: TimeColumns, grid: BarGrid, line_px: int
) -> None:
    """Draw subdivisions, beats and bars as far as they stand clear of each other."""
    height_px = painter.device().height()
    for lines_s, colour in (
        (grid.subdivision_lines_s(columns, MIN_BEAT_LINE_PX * line_px), colours.row_line),
        (grid.beat_lines_s(columns, MIN_BEAT_LINE_PX * line_px), colours.beat_line),
        (grid.bar_lines_s(columns, MIN_BAR_LINE_PX * line_px), colours.bar_line),
    ):
        lines = vertical_lines(columns.x_of(lines_s), top=0, bottom=height_px, width=line_px)
        fill_rects(painter, lines, QColor(colour))
