"""What a musician does with mouse and trackpad, sent to a widget as Qt's events."""

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QNativeGestureEvent, QPointingDevice, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

NO_BUTTON, LEFT, MIDDLE = (
    Qt.MouseButton.NoButton,
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.MiddleButton,
)
NONE, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


def pane(view: QWidget, accessible_name: str) -> QWidget:
    """Return the part of a view that a screen reader calls by this name."""
    (found,) = [w for w in view.findChildren(QWidget) if w.accessibleName() == accessible_name]
    return found


def wheel(widget, at, notches=1.0, *, sideways=0.0, keys=NONE, pixels=(0, 0)):
    position = QPointF(*at)
    event = QWheelEvent(
        position,
        widget.mapToGlobal(position),
        QPoint(*pixels),
        QPoint(round(sideways * 120), round(notches * 120)),
        NO_BUTTON,
        keys,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def mouse(widget, kind, at, *, button=LEFT, held=None, keys=NONE):
    position = QPointF(*at)
    event = QMouseEvent(
        kind, position, widget.mapToGlobal(position), button, button if held is None else held, keys
    )
    QApplication.sendEvent(widget, event)


def press(widget, at, *, button=LEFT, keys=NONE):
    mouse(widget, QEvent.Type.MouseButtonPress, at, button=button, keys=keys)


def move(widget, at, *, held=NO_BUTTON, keys=NONE):
    mouse(widget, QEvent.Type.MouseMove, at, button=NO_BUTTON, held=held, keys=keys)


def release(widget, at, *, button=LEFT):
    mouse(widget, QEvent.Type.MouseButtonRelease, at, button=button, held=NO_BUTTON)


def drag(widget, start, *stops, button=LEFT, keys=NONE):
    press(widget, start, button=button, keys=keys)
    for stop in stops:
        move(widget, stop, held=button, keys=keys)
    release(widget, stops[-1], button=button)


def leave(widget):
    QApplication.sendEvent(widget, QEvent(QEvent.Type.Leave))


def pinch(widget, at, value):
    position = QPointF(*at)
    event = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture,
        QPointingDevice.primaryPointingDevice(),
        2,
        position,
        position,
        widget.mapToGlobal(position),
        value,
        QPointF(0, 0),
    )
    QApplication.sendEvent(widget, event)
