"""ValueSlider: a slider that says its name, its value, and why it is greyed out."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from desktop.views.theme import number_font


class ValueSlider(QWidget):
    """A slider with its name and value above it; a double click on it asks for the usual value."""

    changed = Signal(int)
    resetRequested = Signal()

    def __init__(self, name: str, *, lowest: int, highest: int, unit: str) -> None:
        super().__init__()
        self._unit = unit
        self.slider = _ClickedSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(lowest, highest)
        self.slider.setPageStep((highest - lowest) // 20)
        self.slider.setAccessibleName(name)
        self.value = QLabel()
        self.value.setFont(number_font(12))
        head = QHBoxLayout()
        head.addWidget(QLabel(name))
        head.addStretch(1)
        head.addWidget(self.value)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.slider)
        self.slider.valueChanged.connect(self.changed)
        self.slider.doubleClicked.connect(self.resetRequested)

    def set_highest(self, highest: int) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setMaximum(highest)

    def show_value(self, value: int, *, why_not: str, tip: str = "") -> None:
        """Show the value; grey it out if there is a reason why it would change nothing."""
        self.setEnabled(not why_not)
        reset = self.tr("A double click goes back to the usual value.")
        self.setToolTip(why_not or f"{tip} {reset}".strip())
        self.slider.setAccessibleDescription(why_not or tip)
        value = min(value, self.slider.maximum())
        with QSignalBlocker(self.slider):
            self.slider.setValue(value)
        sign = "+" if value > 0 and self.slider.minimum() < 0 else ""
        self.value.setText(f"{sign}{value}{self._unit}")


class _ClickedSlider(QSlider):
    doubleClicked = Signal()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.doubleClicked.emit()
