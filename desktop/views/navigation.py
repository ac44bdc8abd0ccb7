"""Navigation: wheel, middle drag and pinch move every pane of the timeline in the same way."""

from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QNativeGestureEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from desktop.views.piano_roll.pitch_axis import PitchAxis
from desktop.views.time_axis import TimeAxis

ZOOM_PER_NOTCH = 1.25
DEGREES_PER_NOTCH = 15.0
SCROLL_PX_PER_NOTCH = 48.0
_ARROW_STEPS: dict[int, QPointF] = {
    Qt.Key.Key_Left: QPointF(1, 0),
    Qt.Key.Key_Right: QPointF(-1, 0),
    Qt.Key.Key_Up: QPointF(0, 1),
    Qt.Key.Key_Down: QPointF(0, -1),
}
_EIGHTHS_PER_NOTCH = 8 * DEGREES_PER_NOTCH


class Navigation(QObject):
    """Watches panes: wheel scrolls, Shift+wheel sideways, Ctrl+wheel zooms at the pointer.

    Ctrl+Shift+wheel zooms pitches, middle drag pans, pinch zooms, arrow keys scroll. Panes without
    pitches scroll sideways with the plain wheel.
    """

    def __init__(
        self, time_axis: TimeAxis, pitch_axis: PitchAxis, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._time_axis = time_axis
        self._pitch_axis = pitch_axis
        self._pitched: set[QObject] = set()
        self._timeless: set[QObject] = set()
        self._grabbed_at: QPointF | None = None

    def watch(self, pane: QWidget, *, has_pitches: bool = False, has_time: bool = True) -> None:
        if has_pitches:
            self._pitched.add(pane)
        if not has_time:
            self._timeless.add(pane)
        pane.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QWheelEvent):
            self._wheel(watched, event)
            return True
        if isinstance(event, QNativeGestureEvent):
            return self._pinch(watched, event)
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._key(watched, event)
        if isinstance(event, QMouseEvent) and isinstance(watched, QWidget):
            return self._drag(watched, event)
        return False

    def _wheel(self, pane: QObject, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / _EIGHTHS_PER_NOTCH
        modifiers = event.modifiers()
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            # Some systems turn Shift+wheel into a sideways wheel.
            notches = notches or event.angleDelta().x() / _EIGHTHS_PER_NOTCH
            zooms_pitches = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
            if pane in self._timeless or (zooms_pitches and pane in self._pitched):
                self._pitch_axis.zoom_at(event.position().y(), _away_from_zero(notches))
            else:
                self._time_axis.zoom_at(event.position().x(), ZOOM_PER_NOTCH**notches)
            return
        by_px = _scroll_px(event)
        if modifiers & Qt.KeyboardModifier.ShiftModifier or pane not in self._pitched:
            by_px = QPointF(by_px.x() + by_px.y(), 0.0)
        self._pan(pane, by_px)

    def _pan(self, pane: QObject, by_px: QPointF) -> None:
        if by_px.x() and pane not in self._timeless:
            self._time_axis.scroll_by_px(-by_px.x())
        if by_px.y() and pane in self._pitched:
            self._pitch_axis.scroll_by_px(-by_px.y())

    def _key(self, pane: QObject, event: QKeyEvent) -> bool:
        step = _ARROW_STEPS.get(event.key())
        if step is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        self._pan(pane, step * SCROLL_PX_PER_NOTCH)
        return True

    def _pinch(self, pane: QObject, event: QNativeGestureEvent) -> bool:
        if event.gestureType() != Qt.NativeGestureType.ZoomNativeGesture:
            return False
        if pane not in self._timeless:
            self._time_axis.zoom_at(event.position().x(), max(0.1, 1.0 + event.value()))
        return True

    def _drag(self, pane: QWidget, event: QMouseEvent) -> bool:
        position = event.position()
        if event.type() == QEvent.Type.MouseButtonPress:
            if event.button() != Qt.MouseButton.MiddleButton:
                return False
            self._grabbed_at = position
            pane.setCursor(Qt.CursorShape.ClosedHandCursor)
            return True
        if self._grabbed_at is None:
            return False
        if event.type() == QEvent.Type.MouseMove:
            self._pan(pane, position - self._grabbed_at)
            self._grabbed_at = position
            return True
        if event.type() == QEvent.Type.MouseButtonRelease:
            self._grabbed_at = None
            pane.unsetCursor()
            return True
        return False


def _scroll_px(event: QWheelEvent) -> QPointF:
    """Return the way to scroll: exact where a trackpad says so, else by notches of the wheel."""
    if not event.pixelDelta().isNull():
        return event.pixelDelta().toPointF()
    return event.angleDelta().toPointF() * (SCROLL_PX_PER_NOTCH / _EIGHTHS_PER_NOTCH)


def _away_from_zero(notches: float) -> int:
    return round(notches) or (1 if notches > 0 else -1 if notches < 0 else 0)
