"""SlideIn: a panel that comes in over the right edge of another widget, and goes again."""

from PySide6.QtCore import (
    QEasingCurve,
    QEvent,
    QObject,
    QPoint,
    QPropertyAnimation,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QWidget

from desktop.views.theme import palette

WIDTH_PX = 400
SLIDE_MS = 140


class SlideIn(QFrame):
    """As high as what it covers; Esc closes it while it has the keyboard."""

    closed = Signal()

    def __init__(self, name: str, covered: QWidget, parent: QWidget) -> None:
        """`parent` holds `covered` at whatever depth."""
        super().__init__(parent)
        self._covered = covered
        self._parent = parent
        self._is_open = False
        self.setObjectName("slide_in")
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._dress()
        self._slide = QPropertyAnimation(self, b"pos", self)
        self._slide.setDuration(SLIDE_MS)
        self._slide.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._slide.finished.connect(self._end_slide)
        covered.installEventFilter(self)
        self.hide()

    @property
    def is_open(self) -> bool:
        return self._is_open

    def open(self) -> None:
        """Slide in."""
        if self._is_open:
            return
        self._is_open = True
        place = self._place()
        self.resize(place.size())
        self._slide_to(place.topLeft(), place.topRight() if self.isHidden() else self.pos())
        self.show()
        self.raise_()

    def close_panel(self) -> None:
        """Slide out."""
        if self._is_open:
            self._is_open = False
            self._slide_to(self._place().topRight(), self.pos())
            self.closed.emit()

    def event(self, event: QEvent) -> bool:
        """Keep Esc, which elsewhere cancels the transcription."""
        is_esc = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
        if is_esc and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_panel()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move) and self._is_open:
            self._slide.stop()
            self.setGeometry(self._place())
        return False

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._dress()
        super().changeEvent(event)

    def _dress(self) -> None:
        colours = palette()
        style = (
            f"#slide_in {{ background: {colours.panel}; border-left: 1px solid {colours.line}; }}"
        )
        if self.styleSheet() != style:
            self.setStyleSheet(style)

    def _place(self) -> QRect:
        """Return where the panel lies in its parent when it is open."""
        whole = QRect(self._covered.mapTo(self._parent, QPoint()), self._covered.size())
        width_px = min(WIDTH_PX, whole.width())
        return QRect(whole.right() + 1 - width_px, whole.top(), width_px, whole.height())

    def _slide_to(self, end: QPoint, start: QPoint) -> None:
        self._slide.stop()
        self._slide.setStartValue(start)
        self._slide.setEndValue(end)
        self._slide.start()

    def _end_slide(self) -> None:
        self.setVisible(self._is_open)
