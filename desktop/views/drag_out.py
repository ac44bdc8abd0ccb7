"""Dragging MIDI out of the window: a handle that takes real files along.

The files are written when the drag starts, not before, and offered as local URLs only: with a text
beside them some DAWs would take the text.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QToolButton, QWidget

from core.errors import AppError
from desktop.views.theme import ICON_PX, icon, palette

WriteFiles = Callable[[], Sequence[Path]]
RunDrag = Callable[[QDrag], None]


def make_mime(files: Sequence[Path]) -> QMimeData:
    """Return the drag data of files that exist: one local URL each."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    return mime


def run_drag(drag: QDrag) -> None:
    """Hand the drag to the system; copying is the only thing offered."""
    drag.exec(Qt.DropAction.CopyAction)


class DragHandle(QToolButton):
    """Press and pull: the MIDI comes along. A plain click says how it is meant."""

    failed = Signal(AppError)
    clickedWithoutDrag = Signal()

    def __init__(
        self,
        write_files: WriteFiles,
        *,
        name: str,
        text: str = "",
        run: RunDrag = run_drag,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._write_files = write_files
        self._run = run
        self._pressed_at: QPoint | None = None
        self.setIcon(icon("drag", palette().dim_text))
        self.setText(text)
        if text:
            self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setProperty("flat", True)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the menu has its keyboard twin
        self.setAccessibleName(name)
        self.setToolTip(name)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed_at = event.position().toPoint()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed_at is None:
            return
        pulled = event.position().toPoint() - self._pressed_at
        if pulled.manhattanLength() >= QApplication.startDragDistance():
            self._end_press()
            self._start_drag()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed_at is not None:
            self._end_press()
            self.clickedWithoutDrag.emit()

    def _end_press(self) -> None:
        self._pressed_at = None
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    def _start_drag(self) -> None:
        try:
            files = self._write_files()
        except AppError as error:
            self.failed.emit(error)
            return
        if not files:
            return
        drag = QDrag(self)
        drag.setMimeData(make_mime(files))
        drag.setPixmap(icon("drag", palette().accent).pixmap(ICON_PX, ICON_PX))
        self._run(drag)
