"""The field that shows and chooses the model of a stem."""

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox

from desktop.session.offers import ModelOffer
from desktop.views.kind_field import Choice
from desktop.views.sizes import size_text
from desktop.views.theme import palette

_MODELS_PANEL = ""  # stands where a model's id would


class ModelField(Choice):
    """Offers what is installed, then, greyed, what can be downloaded, then the Models panel."""

    modelChosen = Signal(str)
    modelsRequested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._shown = ""
        self.setAccessibleName(self.tr("Model"))
        self.setToolTip(self.tr("The model that hears this stem; another one hears it again"))
        self.setMinimumContentsLength(8)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.activated.connect(self._choose)

    def fill(self, offers: Sequence[ModelOffer]) -> None:
        """Offer these models; the one that is shown stays shown."""
        with QSignalBlocker(self):
            self.clear()
            for offer in offers:
                if offer.is_installed:
                    self._add(offer.title, offer)
            missing = [offer for offer in offers if not offer.is_installed]
            if missing:
                self.insertSeparator(self.count())
            for offer in missing:
                size = size_text(offer.size_bytes) if offer.size_bytes else self.tr("download")
                self._add(f"{offer.title}   {size}", offer)
                grey = QColor(palette().dim_text)
                self.setItemData(self.count() - 1, grey, Qt.ItemDataRole.ForegroundRole)
            self.insertSeparator(self.count())
            self.addItem(self.tr("Models…"), _MODELS_PANEL)
            self.setItemData(
                self.count() - 1,
                self.tr("What is installed and what can be had"),
                Qt.ItemDataRole.ToolTipRole,
            )
        self._select()

    def show_model(self, model_id: str, auto_title: str) -> None:
        """Show the chosen model; `auto_title` words what `auto` takes."""
        self._shown = model_id
        with QSignalBlocker(self):
            self.setItemText(0, auto_title)
        self._select()

    def _add(self, text: str, offer: ModelOffer) -> None:
        self.addItem(text, offer.model_id)
        tip = offer.good_at
        if not offer.is_installed:
            tip = self.tr("{0}\nNot installed: choosing it offers the download.").format(tip)
        self.setItemData(self.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)

    def _select(self) -> None:
        with QSignalBlocker(self):
            self.setCurrentIndex(max(0, self.findData(self._shown)))

    def _choose(self) -> None:
        chosen = self.currentData()
        if chosen == _MODELS_PANEL:
            self._select()
            self.modelsRequested.emit()
        else:
            self.modelChosen.emit(chosen)
