"""EmptyState: the centre of the window before the first file: a place to drop one."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.views.theme import GRID_PX, icon, palette, ui_font


class EmptyState(QWidget):
    """Says what to do, and nothing else."""

    demoRequested = Signal()
    filesRequested = Signal()

    def __init__(self, *, has_demo: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Drop stems or a mix here"))
        picture = QLabel()
        picture.setPixmap(icon("add", palette().dim_text).pixmap(32, 32))
        words = QLabel(self.tr("Drop stems or a mix."))
        words.setFont(ui_font(20))
        self.demo = _link(self.tr("Or open the demo song."))
        self.demo.clicked.connect(self.demoRequested)
        self.demo.setVisible(has_demo)
        self.files = _link(self.tr("Choose files…"))
        self.files.clicked.connect(self.filesRequested)
        column = QVBoxLayout(self)
        column.setSpacing(2 * GRID_PX)
        column.addStretch(1)
        for widget in (picture, words, self.demo, self.files):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = palette()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(colours.background))
        painter.setPen(QPen(QColor(colours.line), 1, Qt.PenStyle.DashLine))
        margin = 6 * GRID_PX + 0.5
        painter.drawRect(QRectF(self.rect()).adjusted(margin, margin, -margin, -margin))
        painter.end()


def _link(text: str) -> QPushButton:
    button = QPushButton(text)
    button.setProperty("flat", True)
    button.setAccessibleName(text)
    button.setCursor(Qt.CursorShape.PointingHandCursor)
    button.setStyleSheet(f"color: {palette().accent};")
    return button
