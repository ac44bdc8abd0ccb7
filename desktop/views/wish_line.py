"""WishLine: on a stem's row, the model it was to be heard by, and the button that gets it there."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from desktop.session.model_work import LibraryModel
from desktop.session.offers import ModelWish
from desktop.views.sizes import size_text, wait_text
from desktop.views.theme import GRID_PX


class WishLine(QWidget):
    """Hidden while the chosen model is the one that heard the stem."""

    downloadRequested = Signal(str)
    cancelRequested = Signal(str)
    transcribeRequested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._wish: ModelWish | None = None
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setProperty("dim", True)
        self.words.setAccessibleName(self.tr("About the chosen model"))
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setRange(0, 1000)
        self.button = QPushButton()
        self.button.setAccessibleName(self.tr("Get the chosen model"))
        self.button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.clicked.connect(self._act)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID_PX)
        for widget in (self.words, self.progress, self.button):
            column.addWidget(widget)
        self.hide()

    def show_wish(self, wish: ModelWish | None) -> None:
        self._wish = wish
        self.setVisible(wish is not None)
        if wish is None:
            return
        model = wish.model
        is_error = model.failure is not None
        if self.words.property("error") != is_error:
            self.words.setProperty("error", is_error)
            self.words.setProperty("dim", not is_error)
            self.words.style().polish(self.words)
        self.words.setText(self._words(wish))
        fraction = model.work.fraction if model.work is not None else None
        self.progress.setVisible(model.is_downloading)
        self.progress.setRange(0, 0 if fraction is None else 1000)
        self.progress.setValue(round((fraction or 0.0) * 1000))
        self.button.setText(self._button_text(model))
        self.button.setAccessibleName(f"{self.button.text()}: {model.entry.title}")

    def _words(self, wish: ModelWish) -> str:
        model, title = wish.model, wish.model.entry.title
        if model.is_installed:
            return self.tr("{0} is here now.").format(title)
        stands_in = self.tr("{0} stands in.").format(wish.stand_in)
        if model.failure is not None:
            return f"{model.failure.problem} {model.failure.remedy} {stands_in}"
        if model.work is not None and model.is_downloading:
            left_s = model.work.left_s
            wait = self.tr(", {0} left").format(wait_text(left_s)) if left_s is not None else ""
            return self.tr("{0} is on its way{1}. {2}").format(title, wait, stands_in)
        return self.tr("{0} is not installed. {1}").format(title, stands_in)

    def _button_text(self, model: LibraryModel) -> str:
        if model.is_installed:
            return self.tr("Transcribe with {0}").format(model.entry.title)
        if model.is_downloading:
            return self.tr("Cancel download")
        if model.failure is not None:
            return self.tr("Try again")
        if model.is_partly_here:
            return self.tr("Resume download")
        size = f" ({size_text(model.entry.size_bytes)})" if model.entry.size_bytes else ""
        return self.tr("Download{0}").format(size)

    def _act(self) -> None:
        if self._wish is None:
            return
        model = self._wish.model
        if model.is_installed:
            self.transcribeRequested.emit()
        elif model.is_downloading:
            self.cancelRequested.emit(model.model_id)
        else:
            self.downloadRequested.emit(model.model_id)
