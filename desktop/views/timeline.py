"""TimelineView: ruler, waveform and piano roll over one time axis, with the playhead over all."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollBar, QSplitter, QWidget

from core.score.instruments import DRUM_KEY_NAMES, drum_key_name
from core.score.tempo import TempoMap
from desktop.views.bar_grid import BarGrid
from desktop.views.lane_names import LaneNames
from desktop.views.navigation import ZOOM_PER_NOTCH, Navigation
from desktop.views.piano_roll.canvas import PianoRoll
from desktop.views.piano_roll.keyboard import Keyboard
from desktop.views.piano_roll.pitch_axis import PitchAxis
from desktop.views.playhead import Playhead
from desktop.views.positions import bars_text
from desktop.views.ruler import Ruler
from desktop.views.song_view import EarlyView, Emphasis, Lane, PointedPlace, TrackView
from desktop.views.time_axis import TimeAxis
from desktop.views.waveform import Waveform

GUTTER_PX = 72  # keys and lane names
DRUM_GUTTER_PX = 124  # the longest General MIDI drum name
SCROLLBAR_PX = 10
ZOOM_PER_STEP = ZOOM_PER_NOTCH**2
SEEK_JUMP_S = 0.5  # a playhead that moves further in one step was put there, it did not play


class TimelineView(QWidget):
    """The song over time.

    `seekRequested` carries seconds. `pointerMoved` carries a `PointedPlace`, or None when the
    pointer leaves. `loopChosen` and `firstDownbeatMoved` come from the ruler, in seconds.
    """

    seekRequested = Signal(float)
    loopChosen = Signal(float, float)
    firstDownbeatMoved = Signal(float)
    pointerMoved = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Timeline"))
        self.time_axis = TimeAxis(self)
        self.pitch_axis = PitchAxis(self)
        self._grid = BarGrid(TempoMap(), 0.0)
        self._has_bars = False
        self._tracks: tuple[TrackView, ...] = ()
        self._early_drums = False
        self._playhead_s: float | None = None
        self._follows_playhead = True
        self._was_border_moved = False
        self._ruler = Ruler(self.time_axis)
        self._waveform = Waveform(self.time_axis)
        self._lane_names = LaneNames(self._waveform)
        self._roll = PianoRoll(self.time_axis, self.pitch_axis)
        self._keyboard = Keyboard(self.pitch_axis)
        self._sideways = QScrollBar(Qt.Orientation.Horizontal)
        self._upright = QScrollBar(Qt.Orientation.Vertical)
        self._splitter = QSplitter(Qt.Orientation.Vertical)
        self._lay_out()
        self._playhead = Playhead(self)
        self._connect()

    @property
    def playhead_s(self) -> float | None:
        return self._playhead_s

    def set_song(
        self, tracks: Sequence[TrackView], tempo: TempoMap | None, duration_s: float
    ) -> None:
        """Show tracks over `duration_s` seconds; without a tempo only seconds, no bars."""
        self._has_bars = tempo is not None
        if tempo is not None and (tempo != self._grid.tempo or duration_s != self._grid.duration_s):
            self._grid = BarGrid(tempo, duration_s)
        elif tempo is None:
            self._grid = BarGrid(TempoMap(), 0.0)
        self.time_axis.set_duration(duration_s)
        self._ruler.set_grid(self._grid, has_bars=self._has_bars)
        self._waveform.set_grid(self._grid)
        self._roll.set_grid(self._grid)
        self._roll.set_tracks(tracks)
        self._tracks = tuple(tracks)
        self._show_keys(tracks)
        if self.pitch_axis.is_fitted:
            self.fit_pitches()
        self._place_playhead()

    def set_lanes(self, lanes: Sequence[Lane]) -> None:
        """Show one waveform lane per stem, top to bottom."""
        self._waveform.set_lanes(lanes)
        self._share_height()

    def set_early(self, early: EarlyView | None) -> None:
        """Show notes while they are being found; None once that is over."""
        before = self._roll.pitch_range
        self._roll.set_early(early)
        had_drums_only = self._early_drums
        self._early_drums = early is not None and early.has_drums_only
        if self._early_drums != had_drums_only:
            self._show_keys(self._tracks)
        if self.pitch_axis.is_fitted and self._roll.pitch_range != before:
            self.fit_pitches()

    def set_playhead(self, at_s: float | None) -> None:
        """Move the playhead; pages on when it plays out of view and following is on."""
        before_s, self._playhead_s = self._playhead_s, at_s
        if at_s is not None and self._follows_playhead:
            was_put = before_s is None or abs(at_s - before_s) > SEEK_JUMP_S
            if was_put or (before_s is not None and self._is_in_view(before_s)):
                self.time_axis.reveal(at_s)
        self._place_playhead()

    def set_loop(self, loop: tuple[float, float] | None) -> None:
        """Mark the loop in the ruler, from and until in seconds."""
        self._ruler.set_loop(loop)

    def follow_playhead(self, follows: bool) -> None:
        self._follows_playhead = follows

    def zoom_in(self) -> None:
        self._zoom(ZOOM_PER_STEP)

    def zoom_out(self) -> None:
        self._zoom(1 / ZOOM_PER_STEP)

    def fit(self) -> None:
        """Show the whole song and all its pitches."""
        self.time_axis.fit()
        self.fit_pitches()

    def fit_pitches(self) -> None:
        """Show all pitches that have notes."""
        pitch_range = self._roll.pitch_range
        if pitch_range is not None:
            self.pitch_axis.fit(*pitch_range)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_playhead()

    def _lay_out(self) -> None:
        corner, corner_right = QWidget(), QWidget()
        self._gutter = (corner, self._lane_names, self._keyboard)
        right = QWidget()
        for part in (corner_right, right, self._upright):
            part.setFixedWidth(SCROLLBAR_PX)
        self._sideways.setFixedHeight(SCROLLBAR_PX)
        self._upright.setAccessibleName(self.tr("Scroll pitches"))
        self._sideways.setAccessibleName(self.tr("Scroll time"))
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(_row(self._lane_names, self._waveform, right))
        self._splitter.addWidget(_row(self._keyboard, self._roll, self._upright))
        self._splitter.setStretchFactor(0, 0)
        self._splitter.setStretchFactor(1, 1)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(corner, 0, 0)
        layout.addWidget(self._ruler, 0, 1)
        layout.addWidget(corner_right, 0, 2)
        layout.addWidget(self._splitter, 1, 0, 1, 3)
        layout.addWidget(self._sideways, 2, 1)
        layout.setRowStretch(1, 1)
        layout.setColumnStretch(1, 1)
        self._set_gutter(GUTTER_PX)

    def _connect(self) -> None:
        self._navigation = Navigation(self.time_axis, self.pitch_axis, self)
        self._navigation.watch(self._ruler)
        self._navigation.watch(self._waveform)
        self._navigation.watch(self._roll, has_pitches=True)
        self._navigation.watch(self._keyboard, has_pitches=True, has_time=False)
        for pane in (self._roll, self._ruler, self._splitter):
            pane.installEventFilter(self)
        self._ruler.placeChosen.connect(self.seekRequested)
        self._ruler.loopChosen.connect(self.loopChosen)
        self._ruler.firstDownbeatMoved.connect(self.firstDownbeatMoved)
        self._waveform.placeChosen.connect(self.seekRequested)
        self._ruler.pointerMoved.connect(self._point_at_time)
        self._waveform.pointerMoved.connect(self._point_at_time)
        self._roll.pointerMoved.connect(self._point_at_place)
        self.time_axis.changed.connect(self._show_time)
        self.pitch_axis.changed.connect(self._show_pitches)
        self._splitter.splitterMoved.connect(self._keep_border)
        self._sideways.valueChanged.connect(self._scroll_time)
        self._upright.valueChanged.connect(self._scroll_pitches)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self.time_axis.set_width(self._roll.width())
            if watched is self._splitter:
                self._share_height()
            self._place_playhead()
        return False

    def _show_keys(self, tracks: Sequence[TrackView]) -> None:
        heard = [t for t in tracks if t.notes and t.emphasis is not Emphasis.GHOSTED]
        names: dict[int, str] = {}
        if (heard or self._early_drums) and all(track.is_drum for track in heard):
            struck = {note.pitch for track in heard for note in track.notes}
            names = dict(DRUM_KEY_NAMES) | {key: drum_key_name(key) for key in struck}
        self._keyboard.show_drum_names(names)
        self._set_gutter(DRUM_GUTTER_PX if names else GUTTER_PX)

    def _share_height(self) -> None:
        """Give few lanes room to show their shape, and many no more than a third of the view.

        Once the user has moved the border it stays.
        """
        if self._was_border_moved:
            return
        height_px = max(1, self._splitter.height())
        wanted_px = self._waveform.sizeHint().height()
        lanes_px = max(self._waveform.minimumSizeHint().height(), min(wanted_px, height_px // 3))
        self._splitter.setSizes([lanes_px, height_px - lanes_px])

    def _keep_border(self) -> None:
        self._was_border_moved = True

    def _set_gutter(self, width_px: int) -> None:
        for widget in self._gutter:
            widget.setFixedWidth(width_px)

    def _zoom(self, factor: float) -> None:
        centre_px = self.time_axis.width_px / 2
        if self._playhead_s is not None and self._is_in_view(self._playhead_s):
            centre_px = self.time_axis.x_at(self._playhead_s)
        self.time_axis.zoom_at(centre_px, factor)

    def _is_in_view(self, at_s: float) -> bool:
        return self.time_axis.start_s <= at_s <= self.time_axis.end_s

    def _place_playhead(self) -> None:
        x_px = None if self._playhead_s is None else self.time_axis.columns().x_at(self._playhead_s)
        top_left = self._ruler.mapTo(self, QPoint(0, 0))
        bottom = self._splitter.geometry().bottom() + 1
        panes = QRect(top_left.x(), top_left.y(), self._ruler.width(), bottom - top_left.y())
        self._playhead.place(panes, x_px)

    def _show_time(self) -> None:
        axis = self.time_axis
        total_px = round(axis.duration_s / axis.seconds_per_pixel)
        self._sideways.blockSignals(True)
        self._sideways.setRange(0, max(0, total_px - axis.width_px))
        self._sideways.setPageStep(axis.width_px)
        self._sideways.setSingleStep(max(1, axis.width_px // 20))
        self._sideways.setValue(round(axis.start_s / axis.seconds_per_pixel))
        self._sideways.blockSignals(False)
        self._place_playhead()

    def _show_pitches(self) -> None:
        axis = self.pitch_axis
        self._upright.blockSignals(True)
        self._upright.setRange(0, max(0, axis.content_px - axis.height_px))
        self._upright.setPageStep(axis.height_px)
        self._upright.setSingleStep(axis.row_px)
        self._upright.setValue(round(axis.scroll_px))
        self._upright.blockSignals(False)

    def _scroll_time(self, value_px: int) -> None:
        self.time_axis.scroll_to(value_px * self.time_axis.seconds_per_pixel)

    def _scroll_pitches(self, value_px: int) -> None:
        self.pitch_axis.scroll_to_px(value_px)

    def _point_at_time(self, at_s: float | None) -> None:
        if at_s is None:
            self.pointerMoved.emit(None)
        else:
            self.pointerMoved.emit(PointedPlace(at_s, bars_text(self._grid.tempo, at_s)))

    def _point_at_place(self, place: PointedPlace | None) -> None:
        self._keyboard.point_at(None if place is None else place.pitch)
        self.pointerMoved.emit(place)


def _row(*widgets: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for widget in widgets:
        layout.addWidget(widget)
    return row
