"""The field that shows and chooses a stem's kind, in the stem list and in the inspector."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QWheelEvent
from PySide6.QtWidgets import QComboBox, QStyledItemDelegate, QStyleOptionViewItem

from core.score.instruments import StemKind
from desktop.session.document import Stem
from desktop.views.theme import GRID_PX, palette


class Choice(QComboBox):
    """A combo box that leaves the wheel to the list it stands in.

    Scrolling past one must not choose another kind, which would start a transcription.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setItemDelegate(_ChoiceLine(self))

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class _ChoiceLine(QStyledItemDelegate):
    """Draws a line of the list; the usual delegate ignores the colours of items."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        size = super().sizeHint(option, index)
        return QSize(size.width(), 2 * GRID_PX) if _is_separator(index) else size

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        if not _is_separator(index):
            super().paint(painter, option, index)
            return
        box: QRect = option.rect
        line = QRect(box.left(), box.center().y(), box.width(), 1)
        painter.fillRect(line, QColor(palette().line))


def _is_separator(index: QModelIndex | QPersistentModelIndex) -> bool:
    return bool(index.data(Qt.ItemDataRole.AccessibleDescriptionRole) == "separator")


def fill_with_kinds(field: QComboBox) -> None:
    """Offer recognition, then every kind."""
    field.addItem(field.tr("auto"), None)
    for kind in StemKind:
        field.addItem(kind.value, kind.value)


def show_kind(field: QComboBox, stem: Stem) -> None:
    """Show the kind that was chosen for the stem, or what it was recognised as."""
    recognised = stem.heard is not None and stem.choice.kind is None
    text = field.tr("auto: {0}") if recognised else field.tr("auto")
    kind = stem.heard.source.kind.value if stem.heard is not None else ""
    with QSignalBlocker(field):
        field.setItemText(0, text.format(kind))
        field.setCurrentIndex(0 if stem.choice.kind is None else field.findData(stem.choice.kind))


def chosen_kind(field: QComboBox) -> StemKind | None:
    """Return the kind that the field shows; Qt keeps it as plain text."""
    value = field.currentData()
    return StemKind(value) if value is not None else None
