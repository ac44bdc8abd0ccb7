"""NoticeStrip: one line below the transport that says what was done or could not be, with buttons.

It stays until it is closed or the next notice comes; nothing in it must be answered.
"""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from desktop.views.theme import GRID_PX, icon, palette


@dataclass(frozen=True, slots=True)
class NoticeAction:
    """A button of a notice."""

    text: str
    act: Callable[[], None]


class NoticeStrip(QFrame):
    """Hidden while there is nothing to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.setAccessibleName(self.tr("Notice"))
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.close_button = QToolButton()
        self.close_button.setIcon(icon("cancel"))
        self.close_button.setProperty("flat", True)
        self.close_button.setAccessibleName(self.tr("Close this notice"))
        self.close_button.setToolTip(self.tr("Close this notice"))
        self.close_button.clicked.connect(self.hide)
        self._buttons: list[QPushButton] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(3 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        self._row.setSpacing(2 * GRID_PX)
        self._row.addWidget(self.text, 1)
        self._row.addWidget(self.close_button)
        self.hide()

    @property
    def buttons(self) -> tuple[QPushButton, ...]:
        return tuple(self._buttons)

    def tell(self, text: str, *actions: NoticeAction) -> None:
        """Say something, with what can be done about it."""
        self._show(text, palette().accent, actions)

    def warn(self, text: str, *actions: NoticeAction) -> None:
        """Say that something did not work."""
        self._show(text, palette().error, actions)

    def _show(self, text: str, edge: str, actions: tuple[NoticeAction, ...]) -> None:
        for button in self._buttons:
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self._buttons = [self._button(action) for action in actions]
        for place, button in enumerate(self._buttons, start=1):
            self._row.insertWidget(place, button)
        self.text.setText(text)
        self.setStyleSheet(
            f"#notice {{ background: {palette().raised}; border-left: 3px solid {edge}; }}"
        )
        self.show()

    def _button(self, action: NoticeAction) -> QPushButton:
        button = QPushButton(action.text)
        button.setAccessibleName(action.text)
        button.clicked.connect(action.act)
        return button
