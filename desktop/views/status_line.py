"""StatusLine: what is being heard, how fast, what waits, and whether sound is available."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QToolButton, QWidget

from desktop.playback.player import Player
from desktop.session.document import Document, Stem, StemState
from desktop.session.transcription_queue import TranscriptionQueue
from desktop.views.positions import clock_text
from desktop.views.song_view import PointedPlace
from desktop.views.theme import GRID_PX, number_font


class StatusLine(QFrame):
    """The bottom line of the window."""

    def __init__(
        self,
        document: Document,
        queue: TranscriptionQueue,
        player: Player,
        *,
        cancel: QAction,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("status_line")
        self._document = document
        self._queue = queue
        self._player = player
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedWidth(30 * GRID_PX)
        self.progress.setAccessibleName(self.tr("Progress of the transcription"))
        self.doing = _label(self.tr("What is being done"))
        self.waiting = _label(self.tr("What waits"))
        self.pointed = _label(self.tr("Under the pointer"))
        self.sound = _label(self.tr("Sound"))
        self.cancel = QToolButton()
        self.cancel.setDefaultAction(cancel)
        self.cancel.setProperty("flat", True)
        self.cancel.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.cancel.setAccessibleName(self.tr("Cancel"))
        row = QHBoxLayout(self)
        row.setContentsMargins(3 * GRID_PX, 0, 3 * GRID_PX, 0)
        row.setSpacing(2 * GRID_PX)
        for widget in (self.progress, self.doing, self.cancel, self.waiting):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.pointed)
        row.addSpacing(2 * GRID_PX)
        row.addWidget(self.sound)
        self.setFixedHeight(7 * GRID_PX)
        queue.changed.connect(self.refresh)
        player.availabilityChanged.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        stem = self._queue.running_stem
        self.progress.setVisible(self._queue.is_busy)
        self.cancel.setVisible(self._queue.is_busy)
        is_counting = stem is not None and stem.state is StemState.RUNNING
        self.progress.setRange(0, 1000 if is_counting else 0)
        if stem is not None and is_counting:
            self.progress.setValue(round(stem.fraction * 1000))
        self.doing.setText(self._doing(stem))
        waiting = len(self._queue.waiting)
        self.waiting.setText(self.tr("{0} queued").format(waiting) if waiting else "")
        reason = self._player.unavailable_because
        self.sound.setText(self.tr("{0}: playback off").format(reason) if reason else "")

    def show_pointed(self, place: PointedPlace | None) -> None:
        """Say what lies under the pointer in the timeline."""
        if place is None:
            self.pointed.setText("")
            return
        words = [clock_text(place.at_s), place.bars, place.pitch_name]
        if place.note is not None:
            words += [place.track_name, self.tr("velocity {0}").format(place.note.velocity)]
        self.pointed.setText("   ".join(word for word in words if word))

    def _doing(self, stem: Stem | None) -> str:
        if stem is not None and stem.state is StemState.RUNNING:
            speed = f"{stem.times_real_time:.1f}".removesuffix(".0")
            percent = round(stem.fraction * 100)
            return self.tr("{0}: {1} %   {2}x real time").format(stem.path.name, percent, speed)
        if stem is not None and stem.state is StemState.PREPARING:
            return self.tr("{0}: preparing").format(stem.path.name)
        if stem is not None:  # the worker has been asked to stop
            return self.tr("{0}: stopping").format(stem.path.name)
        if self._queue.is_finding_tempo:
            return self.tr("finding tempo and key")
        return ""


def _label(name: str) -> QLabel:
    label = QLabel()
    label.setProperty("dim", True)
    label.setFont(number_font(12))
    label.setAccessibleName(name)
    return label
