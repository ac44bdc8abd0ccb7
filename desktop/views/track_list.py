"""TrackList: the tracks of the song shown: colour, name, notes, mute, solo and the drag handle."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QToolButton,
    QWidget,
)

from core.errors import AppError
from desktop.session.commands import rename_track, toggle_mute, toggle_solo
from desktop.session.document import Document, SongTrack
from desktop.session.track_ids import TrackId
from desktop.views.drag_out import DragHandle
from desktop.views.row_column import row_column
from desktop.views.theme import GRID_PX, number_font, palette

NAME_MARGIN_PX = 7  # border, padding and the field's own margin: text stands still when edited

WriteTrack = Callable[[SongTrack], tuple[Path, ...]]


class TrackList(QScrollArea):
    """One row per track; a muted track is drawn as a ghost and left out of every export."""

    dragFailed = Signal(AppError)
    dragExplained = Signal()
    selectionChanged = Signal()

    def __init__(
        self, document: Document, write_track: WriteTrack, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._write_track = write_track
        self._rows: list[_TrackRow] = []
        self._selected: TrackId | None = None
        self.setAccessibleName(self.tr("Tracks"))
        self._column = row_column(self)
        document.songChanged.connect(self._refresh_if_shown)
        document.currentSongChanged.connect(self.refresh)

    @property
    def rows(self) -> tuple["_TrackRow", ...]:
        return tuple(self._rows)

    @property
    def selected(self) -> SongTrack | None:
        """The track that mute, solo, rename and the menu act on; else the first one."""
        tracks = self._tracks()
        chosen = [track for track in tracks if track.track_id == self._selected]
        return next(iter(chosen or tracks), None)

    def select(self, track_id: TrackId) -> None:
        self._selected = track_id
        self._show_selection()
        self.selectionChanged.emit()

    def mute_selected(self) -> None:
        song, track = self._document.current_song, self.selected
        if song is not None and track is not None:
            toggle_mute(self._document, song, track.track_id)

    def solo_selected(self) -> None:
        song, track = self._document.current_song, self.selected
        if song is not None and track is not None:
            toggle_solo(self._document, song, track.track_id)

    def rename_selected(self) -> None:
        """Put the cursor into the name of the selected track."""
        track = self.selected
        for row in self._rows:
            if track is not None and row.track_id == track.track_id:
                row.name.begin_edit()

    def enable_handles(self, *, is_enabled: bool, why_not: str) -> None:
        """Let tracks be dragged out, or say why they cannot be yet."""
        for row in self._rows:
            row.handle.setEnabled(is_enabled)
            row.handle.setToolTip(why_not or row.handle.accessibleName())

    def refresh(self) -> None:
        """Make one row per track of the song shown; rows whose track stays are kept."""
        tracks = self._tracks()
        kept = {row.track_id: row for row in self._rows}
        self._rows = [
            kept.pop(track.track_id) if track.track_id in kept else self._new_row(track)
            for track in tracks
        ]
        for row in kept.values():
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        for place, (row, track) in enumerate(zip(self._rows, tracks, strict=True)):
            if self._column.indexOf(row) != place:
                self._column.insertWidget(place, row)
            row.show_track(track)
        self._show_selection()
        self.selectionChanged.emit()

    def _refresh_if_shown(self, song_id: int) -> None:
        song = self._document.current_song
        if song is None or song.song_id == song_id:
            self.refresh()

    def _tracks(self) -> tuple[SongTrack, ...]:
        song = self._document.current_song
        return self._document.tracks_of(song.song_id) if song is not None else ()

    def _new_row(self, track: SongTrack) -> "_TrackRow":
        track_id = track.track_id
        row = _TrackRow(track_id, lambda: self._files_of(track_id))
        row.pressed.connect(lambda: self.select(track_id))
        row.mute.clicked.connect(lambda: self._act_on(track_id, self.mute_selected))
        row.solo.clicked.connect(lambda: self._act_on(track_id, self.solo_selected))
        row.name.renamed.connect(lambda name: self._rename(track_id, name))
        row.handle.failed.connect(self.dragFailed)
        row.handle.clickedWithoutDrag.connect(self.dragExplained)
        return row

    def _act_on(self, track_id: TrackId, act: Callable[[], None]) -> None:
        self.select(track_id)
        act()

    def _rename(self, track_id: TrackId, name: str) -> None:
        song = self._document.current_song
        if song is not None and name:
            rename_track(self._document, song, track_id, name)

    def _files_of(self, track_id: TrackId) -> tuple[Path, ...]:
        for track in self._tracks():
            if track.track_id == track_id:
                return self._write_track(track)
        return ()

    def _show_selection(self) -> None:
        selected = self.selected
        for row in self._rows:
            row.set_selected(selected is not None and row.track_id == selected.track_id)


class _TrackRow(QFrame):
    pressed = Signal()

    def __init__(self, track_id: TrackId, write_files: Callable[[], tuple[Path, ...]]) -> None:
        super().__init__()
        self.track_id = track_id
        self._is_selected = False
        self._colour = _ColourBar()
        self.mute = _letter_button("M", self.tr("Mute: a ghost in the roll, left out of exports"))
        self.solo = _letter_button("S", self.tr("Solo: export only soloed tracks"))
        self.name = _NameField()
        self.notes = QLabel()
        self.notes.setProperty("dim", True)
        self.notes.setFont(number_font(11))
        self.handle = DragHandle(write_files, name=self.tr("Drag this track's MIDI out"))
        row = QHBoxLayout(self)
        row.setContentsMargins(3 * GRID_PX, 2, GRID_PX, 2)
        row.setSpacing(GRID_PX)
        row.addWidget(self.mute)
        row.addWidget(self.solo)
        row.addWidget(self._colour)
        row.addWidget(self.name, 1)
        row.addWidget(self.notes)
        row.addWidget(self.handle)

    def show_track(self, track: SongTrack) -> None:
        self._colour.show_colour(track.colour_index, is_ghost=not track.is_exported)
        self.mute.setChecked(track.is_muted)
        self.solo.setChecked(track.is_soloed)
        self.name.show_name(track.track.name)
        self.name.setEnabled(True)
        self.notes.setText(str(len(track.track.notes)))
        name = track.track.name
        self.setAccessibleName(name)
        self.mute.setAccessibleName(self.tr("Mute {0}").format(name))
        self.solo.setAccessibleName(self.tr("Solo {0}").format(name))
        self.name.setAccessibleName(self.tr("Name of track {0}").format(name))
        self.handle.setAccessibleName(self.tr("Drag the MIDI of {0} out").format(name))

    def set_selected(self, is_selected: bool) -> None:
        self._is_selected = is_selected
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._is_selected:
            painter = QPainter(self)
            painter.fillRect(self.rect(), QColor(palette().raised))
            painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.pressed.emit()
        super().mousePressEvent(event)


class _NameField(QLineEdit):
    """Looks like a label until it is double-clicked."""

    renamed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._shown = ""
        self.setAcceptDrops(False)
        self.editingFinished.connect(self._finish)
        self._end_edit()

    def show_name(self, name: str) -> None:
        self._shown = name
        if self.isReadOnly():
            self.setText(name)
            self.setCursorPosition(0)
            self.setToolTip(name)

    def begin_edit(self) -> None:
        self.setReadOnly(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setStyleSheet("")
        self.setFocus()
        self.selectAll()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a name that is too long with dots at its end; while it is edited it scrolls."""
        if not self.isReadOnly():
            super().paintEvent(event)
            return
        box = self.rect().adjusted(NAME_MARGIN_PX, 0, -NAME_MARGIN_PX, 0)
        elide = Qt.TextElideMode.ElideRight
        text = self.fontMetrics().elidedText(self.text(), elide, box.width())
        painter = QPainter(self)
        painter.setPen(QColor(palette().text))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        painter.end()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.isReadOnly():
            self.begin_edit()
        else:
            super().mouseDoubleClickEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.isReadOnly():
            event.ignore()  # the row takes it and selects itself
        else:
            super().mousePressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Keep Esc, which elsewhere cancels the transcription, while the name is edited."""
        is_override = event.type() == QEvent.Type.ShortcutOverride
        if is_override and isinstance(event, QKeyEvent) and not self.isReadOnly():
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self.isReadOnly():
            self.setText(self._shown)
            self._finish()
        else:
            super().keyPressEvent(event)

    def _finish(self) -> None:
        if self.isReadOnly():
            return
        name = self.text().strip()
        self._end_edit()
        if name and name != self._shown:
            self.renamed.emit(name)
        self.show_name(self._shown)

    def _end_edit(self) -> None:
        self.setReadOnly(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.deselect()
        self.clearFocus()
        self.setStyleSheet("QLineEdit { background: transparent; border-color: transparent; }")


class _ColourBar(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._colour_index = 0
        self._is_ghost = False
        self.setFixedSize(QSize(GRID_PX, 4 * GRID_PX))

    def show_colour(self, colour_index: int, *, is_ghost: bool) -> None:
        self._colour_index, self._is_ghost = colour_index, is_ghost
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        ghost, track = QColor(palette().ghost), palette().track(self._colour_index)
        painter.fillRect(self.rect(), ghost if self._is_ghost else track)
        painter.end()


def _letter_button(letter: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(letter)
    button.setCheckable(True)
    button.setToolTip(tip)
    button.setProperty("flat", True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setFixedWidth(5 * GRID_PX)
    button.setStyleSheet("padding: 0;")
    return button
