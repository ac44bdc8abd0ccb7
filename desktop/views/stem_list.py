"""StemList: the files of each song with their kind, their state, and what to do when one failed."""

from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.score.instruments import StemKind
from desktop.session.commands import choose_for_stem, remove_stem
from desktop.session.document import Document, Song, Stem, StemState
from desktop.session.job_texts import job_text
from desktop.session.messages import Culprit
from desktop.session.model_library import ModelLibrary
from desktop.session.offers import ModelWish, wish_of
from desktop.session.transcription_queue import TranscriptionQueue
from desktop.views.elided_label import ElidedLabel
from desktop.views.kind_field import Choice, chosen_kind, fill_with_kinds, show_kind
from desktop.views.row_column import row_column
from desktop.views.theme import GRID_PX, icon, number_font, palette
from desktop.views.wish_line import WishLine

_DOT_PX, _EDGE_PX = 10, 2


class StemList(QScrollArea):
    """Rows in the order of songs and stems; a heading per song once there are several."""

    replaceRequested = Signal(int)  # the user wants another file in place of this stem
    modelsRequested = Signal()

    def __init__(
        self,
        document: Document,
        queue: TranscriptionQueue,
        library: ModelLibrary,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._queue = queue
        self._library = library
        self._rows: dict[int, _StemRow] = {}
        self._headings: list[QWidget] = []
        self._heading_names: dict[int, str] = {}
        self._laying_out = QTimer(self)  # one layout for however many stems came at once
        self._laying_out.setSingleShot(True)
        self._laying_out.setInterval(0)
        self._laying_out.timeout.connect(self._lay_out)
        self.setAccessibleName(self.tr("Stems"))
        self._column = row_column(self)
        document.stemAdded.connect(self._add_row)
        document.stemRemoved.connect(self._remove_row)
        document.stemChanged.connect(self._refresh_row)
        library.modelChanged.connect(self._refresh_wishes)
        document.selectedStemChanged.connect(self._show_selection)
        document.songsChanged.connect(self._laying_out.start)
        document.songChanged.connect(self._rename_heading)
        document.currentSongChanged.connect(self._laying_out.start)

    def row(self, stem_id: int) -> "_StemRow":
        return self._rows[stem_id]

    def _add_row(self, stem_id: int) -> None:
        stem = self._document.stem(stem_id)
        if stem is None:
            return
        row = _StemRow(stem)
        row.pressed.connect(lambda: self._document.select_stem(stem.stem_id))
        row.kindChosen.connect(lambda kind: self._choose_kind(stem_id, kind))
        row.retry.clicked.connect(lambda: self._queue.retry(stem.stem_id))
        row.cancel.clicked.connect(lambda: self._queue.cancel(stem.stem_id))
        row.remove.clicked.connect(lambda: self._remove(stem_id))
        row.replace.clicked.connect(lambda: self.replaceRequested.emit(stem_id))
        row.models.clicked.connect(self.modelsRequested)
        row.again.clicked.connect(lambda: self._queue.retry(stem.stem_id))
        row.wish.downloadRequested.connect(self._library.download)
        row.wish.cancelRequested.connect(self._library.cancel)
        row.wish.transcribeRequested.connect(lambda: self._queue.retry(stem.stem_id))
        self._rows[stem_id] = row
        self._refresh_row(stem_id)
        self._laying_out.start()

    def _remove_row(self, stem_id: int) -> None:
        row = self._rows.pop(stem_id)
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()

    def _refresh_row(self, stem_id: int) -> None:
        stem = self._document.stem(stem_id)
        if stem is not None and stem_id in self._rows:
            self._rows[stem_id].show_stem(stem)
            self._rows[stem_id].show_job(
                job_text(stem, self._library), wish_of(stem, self._library)
            )

    def _refresh_wishes(self, model_id: str) -> None:
        for stem in self._document.stems:
            if stem.choice.model == model_id:
                self._refresh_row(stem.stem_id)

    def _show_selection(self) -> None:
        selected = self._document.selected_stem
        for stem_id, row in self._rows.items():
            row.set_selected(selected is not None and stem_id == selected.stem_id)
        if selected is not None and selected.stem_id in self._rows:
            self.ensureWidgetVisible(self._rows[selected.stem_id], 0, 0)

    def _choose_kind(self, stem_id: int, kind: StemKind | None) -> None:
        stem = self._document.stem(stem_id)
        if stem is not None:
            choose_for_stem(self._document, stem, replace(stem.choice, kind=kind))

    def _remove(self, stem_id: int) -> None:
        stem = self._document.stem(stem_id)
        if stem is not None:
            remove_stem(self._document, stem)

    def _rename_heading(self, song_id: int) -> None:
        song = self._document.song(song_id)
        shown = self._heading_names.get(song_id)
        if song is not None and shown is not None and shown != song.name:
            self._laying_out.start()

    def _lay_out(self) -> None:
        """Put headings and rows into the document's order."""
        for heading in self._headings:
            self._column.removeWidget(heading)
            heading.hide()
            heading.deleteLater()
        self._headings = []
        self._heading_names = {song.song_id: song.name for song in self._document.songs}
        widgets: list[QWidget] = []
        for song in self._document.songs:
            stems = self._document.stems_of(song.song_id)
            if len(self._document.songs) > 1:
                self._headings.append(self._heading(song, has_name=len(stems) > 1))
                widgets.append(self._headings[-1])
            widgets += [self._rows[s.stem_id] for s in stems if s.stem_id in self._rows]
        for place, widget in enumerate(widgets):
            if self._column.indexOf(widget) != place:
                self._column.insertWidget(place, widget)

    def _heading(self, song: Song, *, has_name: bool) -> QWidget:
        """Return the song's name above its stems; above a single file a line is enough."""
        if not has_name:
            return _Line()
        heading = _SongHeading(song.name, is_current=song == self._document.current_song)
        heading.clicked.connect(lambda: self._document.show_song(song.song_id))
        return heading


class _Line(QFrame):
    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(1)
        self.setStyleSheet(f"background: {palette().line};")


class _SongHeading(QPushButton):
    """Shows the song when it is clicked; a long name is cut at its end."""

    def __init__(self, name: str, *, is_current: bool) -> None:
        super().__init__()
        self._name = name
        self.setProperty("flat", True)
        self.setAccessibleName(self.tr("Song {0}").format(name))
        self.setToolTip(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        colours = palette()
        colour = colours.text if is_current else colours.dim_text
        self.setStyleSheet(
            f"text-align: left; padding: 0 {3 * GRID_PX}px; color: {colour}; font-weight: 600;"
            f"border: 0; border-top: 1px solid {colours.line}; border-radius: 0;"
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        room_px = self.width() - 6 * GRID_PX
        metrics = QFontMetrics(self.font())
        self.setText(metrics.elidedText(self._name, Qt.TextElideMode.ElideRight, room_px))


class _StemRow(QFrame):
    """Two lines: dot, name and state; kind and buttons. Below them progress, or what went wrong."""

    pressed = Signal()
    kindChosen = Signal(object)  # StemKind | None

    def __init__(self, stem: Stem) -> None:
        super().__init__()
        self._is_selected = False
        self._path = str(stem.path)
        self._dot = _StateDot()
        self.name = ElidedLabel()
        self.state = QLabel()
        self.state.setProperty("dim", True)
        self.state.setFont(number_font(11))
        self.state.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.state.setMinimumWidth(self.state.fontMetrics().horizontalAdvance("cancelled") + 4)
        self.kind = _kind_field()
        self.retry = _row_button("retry", self.tr("Transcribe again"))
        self.cancel = _row_button("cancel", self.tr("Cancel this stem"))
        self.remove = _row_button("cancel", self.tr("Remove this stem"))
        self.replace = QPushButton(self.tr("Choose another file…"))
        self.replace.setAccessibleName(self.tr("Choose another file for this stem"))
        self.again = QPushButton(self.tr("Try again"))
        self.again.setAccessibleName(self.tr("Transcribe this stem again"))
        self.models = QPushButton(self.tr("Models…"))
        self.models.setAccessibleName(self.tr("Look at the models"))
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setRange(0, 1000)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setProperty("error", True)
        self.problem.setAccessibleName(self.tr("What went wrong"))
        self.wish = WishLine()
        self._lay_out()
        self.kind.activated.connect(lambda _: self.kindChosen.emit(chosen_kind(self.kind)))
        self.show_stem(stem)

    def _lay_out(self) -> None:
        first, second, third = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        for line in (first, second, third):
            line.setContentsMargins(0, 0, 0, 0)
            line.setSpacing(2 * GRID_PX)
        first.addWidget(self._dot)
        first.addWidget(self.name, 1)
        first.addWidget(self.state)
        second.setSpacing(0)
        second.addSpacing(_DOT_PX + GRID_PX)
        second.addWidget(self.kind)
        second.addStretch(1)
        for button in (self.retry, self.cancel, self.remove):
            second.addWidget(button)
        third.addSpacing(_DOT_PX)
        for remedy in (self.replace, self.models, self.again):
            third.addWidget(remedy)
        third.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        column.setSpacing(GRID_PX // 2)
        column.addLayout(first)
        column.addLayout(second)
        column.addWidget(self.problem)
        column.addLayout(third)
        column.addWidget(self.wish)
        column.addWidget(self.progress)

    def show_stem(self, stem: Stem) -> None:
        self._dot.show_state(stem.state)
        self.name.show_text(stem.path.name)
        self.setAccessibleName(f"{stem.path.name}, {stem.state}")
        self.state.setText(self._state_text(stem))
        show_kind(self.kind, stem)
        is_waiting = stem.state.is_waiting
        self.cancel.setVisible(is_waiting)
        self.retry.setVisible(stem.state in (StemState.FAILED, StemState.CANCELLED))
        self.remove.setVisible(not is_waiting)
        self.progress.setVisible(stem.state in (StemState.PREPARING, StemState.RUNNING))
        if stem.state is StemState.PREPARING:
            self.progress.setRange(0, 0)  # busy: how long loading takes is unknown
        else:
            self.progress.setRange(0, 1000)
            self.progress.setValue(round(stem.fraction * 1000))
        failure = stem.failure if stem.state is StemState.FAILED else None
        self.problem.setVisible(failure is not None)
        culprit = failure.culprit if failure is not None else None
        self.replace.setVisible(culprit is Culprit.FILE)
        self.models.setVisible(culprit is Culprit.MODEL)
        self.again.setVisible(culprit is Culprit.RUN)
        if failure is not None:
            self.problem.setText(f"{failure.problem} {failure.remedy}")

    def show_job(self, text: str, wish: ModelWish | None) -> None:
        """Tell how the stem was heard, and of a chosen model that did not hear it."""
        self.state.setToolTip(text)
        self.name.setToolTip("\n".join(part for part in (self._path, text) if part))
        self.wish.show_wish(wish)

    def set_selected(self, is_selected: bool) -> None:
        self._is_selected = is_selected
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._is_selected:
            return
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(palette().raised))
        painter.fillRect(0, 0, _EDGE_PX, self.height(), QColor(palette().accent))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.pressed.emit()
        super().mousePressEvent(event)

    def _state_text(self, stem: Stem) -> str:
        match stem.state:
            case StemState.QUEUED:
                return self.tr("queued")
            case StemState.PREPARING:
                return self.tr("preparing")
            case StemState.RUNNING:
                return f"{round(stem.fraction * 100)} %"
            case StemState.DONE:
                return self.tr("{0} notes").format(stem.heard.note_count if stem.heard else 0)
            case StemState.FAILED:
                return self.tr("failed")
            case StemState.CANCELLED:
                return self.tr("cancelled")


class _StateDot(QWidget):
    """A circle that fills as the work goes on: empty, half, full; red when it failed."""

    def __init__(self) -> None:
        super().__init__()
        self._state = StemState.QUEUED
        self.setFixedSize(QSize(_DOT_PX, _DOT_PX))

    def show_state(self, state: StemState) -> None:
        self._state = state
        self.setToolTip(state.value)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = palette()
        colour = {
            StemState.PREPARING: colours.accent,
            StemState.RUNNING: colours.accent,
            StemState.DONE: colours.accent,
            StemState.FAILED: colours.error,
        }.get(self._state, colours.dim_text)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(colour), 1.5))
        circle = QRectF(1, 1, _DOT_PX - 2, _DOT_PX - 2)
        if self._state in (StemState.DONE, StemState.FAILED):
            painter.setBrush(QColor(colour))
        painter.drawEllipse(circle)
        if self._state in (StemState.PREPARING, StemState.RUNNING):
            painter.setBrush(QColor(colour))
            painter.drawPie(circle, 90 * 16, 180 * 16)
        elif self._state is StemState.CANCELLED:
            painter.drawLine(QPointF(2.5, _DOT_PX / 2), QPointF(_DOT_PX - 2.5, _DOT_PX / 2))
        painter.end()


def _kind_field() -> QComboBox:
    field = Choice()
    field.setAccessibleName(field.tr("Kind of stem"))
    field.setToolTip(field.tr("What the file holds; another kind is heard again"))
    fill_with_kinds(field)
    field.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    field.setStyleSheet("QComboBox { background: transparent; border-color: transparent; }")
    return field


def _row_button(icon_name: str, name: str) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon(icon_name, palette().dim_text))
    button.setProperty("flat", True)
    button.setAccessibleName(name)
    button.setToolTip(name)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
