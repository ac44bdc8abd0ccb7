"""ModelRow: one model in the Models panel, what it is, and what can be done with it."""

import re
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop.session.model_work import (
    Doing,
    LibraryModel,
    ModelFailure,
    ModelWork,
    Remedy,
)
from desktop.views.sizes import rate_text, size_text, wait_text
from desktop.views.theme import GRID_PX, icon, number_font, palette, ui_font


class ModelRow(QFrame):
    """Asks by signals; a removal only after it was confirmed in the row."""

    downloadRequested = Signal()
    getAgainRequested = Signal()
    cancelRequested = Signal()
    checkRequested = Signal()
    removeRequested = Signal()
    importRequested = Signal()
    folderRequested = Signal()
    dismissRequested = Signal()
    pageRequested = Signal(str)

    def __init__(self, model: LibraryModel) -> None:
        super().__init__()
        self._model = model
        self._is_asking = False
        entry = model.entry
        self.title = _wrapped(entry.title)
        bold = ui_font()
        bold.setWeight(bold.Weight.DemiBold)
        self.title.setFont(bold)
        self.state = QLabel()
        self.state.setProperty("dim", True)
        self.state.setFont(number_font(12))
        self.good_at = _wrapped(_sentence(entry.good_at))
        self.licence = _wrapped(self.tr("Licence: {0}").format(entry.licence))
        self.licence.setProperty("dim", True)
        self.paper = self._link(self.tr("Paper"), entry.paper)
        self.homepage = self._link(self.tr("Home page"), entry.homepage)
        self.work = WorkLine(entry.title)
        self.problem = ProblemLine(entry.title)
        self.download = self._button(self.tr("Download"), self.downloadRequested.emit)
        self.bring = self._button(self.tr("Import…"), self.importRequested.emit)
        self.check = self._button(self.tr("Check"), self.checkRequested.emit)
        self.folder = self._button(self.tr("Open folder"), self.folderRequested.emit)
        self.remove = self._button(self.tr("Remove"), lambda: self._ask(is_asking=True))
        self.question = _wrapped("")
        self.confirm = self._button(self.tr("Remove"), self._remove)
        self.keep = self._button(self.tr("Keep"), lambda: self._ask(is_asking=False))
        self.check.setToolTip(self.tr("Compare every file with its published digest"))
        self.bring.setToolTip(self.tr("Take the model from a file on this machine"))
        self._lay_out()
        self.work.cancelRequested.connect(self.cancelRequested)
        self.problem.chosen.connect(self._remedy)
        self.problem.dismissed.connect(self.dismissRequested)
        self.show_model(model)

    def show_model(self, model: LibraryModel) -> None:
        self._model = model
        self.state.setText(self._state_text())
        self.state.setToolTip(model.entry.note)
        self.setAccessibleName(f"{model.entry.title}, {self.state.text()}")
        self.work.show_work(model.work)
        self.problem.show_failure(model.failure)
        is_idle = model.work is None
        is_here = model.is_installed or model.is_partly_here
        is_asking = self._is_asking and is_idle and is_here
        self._is_asking = is_asking
        has_failed = model.failure is not None
        is_gettable = is_idle and not model.is_installed and not is_asking
        is_ours = is_idle and not model.entry.is_built_in and is_here and not is_asking
        self.download.setVisible(is_gettable and not has_failed)
        self.download.setText(self._download_text())
        self.bring.setVisible(is_gettable and not has_failed)
        self.check.setVisible(is_ours and model.is_installed and not has_failed)
        self.folder.setVisible(is_ours and model.is_installed)
        self.remove.setVisible(is_ours)
        self.remove.setText(self.tr("Remove") if model.is_installed else self.tr("Discard"))
        for widget in (self.question, self.confirm, self.keep):
            widget.setVisible(is_asking)
        size = size_text(model.here_bytes)
        self.question.setText(
            self.tr("Remove it and free {0}? It can be had again.").format(size)
            if model.is_installed
            else self.tr("Discard {0} of the download?").format(size)
        )
        self.confirm.setText(self.remove.text())

    def _state_text(self) -> str:
        model = self._model
        size = model.entry.size_bytes
        if model.entry.is_built_in:
            return self.tr("built in")
        if model.work is not None and model.work.doing is Doing.REMOVING:
            return self.tr("removing")
        if model.is_installed:
            here = size_text(model.here_bytes) if model.here_bytes else ""
            known = self.tr("checked") if model.was_checked else self.tr("installed")
            return "   ".join(part for part in (known, here) if part)
        if model.is_partly_here and not model.is_downloading:
            here = size_text(model.here_bytes)
            if size is None:
                return self.tr("{0} here").format(here)
            return self.tr("{0} of {1} here").format(here, size_text(size))
        return size_text(size) if size is not None else self.tr("size not published")

    def _download_text(self) -> str:
        return self.tr("Resume") if self._model.is_partly_here else self.tr("Download")

    def _ask(self, *, is_asking: bool) -> None:
        self._is_asking = is_asking
        self.show_model(self._model)
        (self.keep if is_asking else self.remove).setFocus()

    def _remove(self) -> None:
        self._is_asking = False
        self.removeRequested.emit()

    def _remedy(self, remedy: Remedy) -> None:
        match remedy:
            case Remedy.TRY_AGAIN:
                # What failed is the removal of what is here, else getting what is not.
                is_here = self._model.is_installed
                (self.removeRequested if is_here else self.downloadRequested).emit()
            case Remedy.GET_AGAIN:
                self.getAgainRequested.emit()
            case Remedy.IMPORT:
                self.importRequested.emit()
            case Remedy.OPEN_FOLDER:
                self.folderRequested.emit()

    def _button(self, text: str, act: Callable[[], None]) -> QPushButton:
        button = _small_button(text, f"{text}: {self._model.entry.title}")
        button.clicked.connect(lambda _: act())
        return button

    def _link(self, text: str, address: str) -> QPushButton:
        button = _small_button(text, f"{text}: {self._model.entry.title}")
        button.setProperty("flat", True)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.setStyleSheet(f"color: {palette().accent}; padding: 0; border: 0; min-height: 0;")
        button.setToolTip(self.tr("Opens {0} in the browser").format(address))
        button.setVisible(bool(address))
        button.clicked.connect(lambda: self.pageRequested.emit(address))
        return button

    def _lay_out(self) -> None:
        buttons = (self.download, self.bring, self.check, self.folder, self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX, 2 * GRID_PX)
        column.setSpacing(GRID_PX)
        head = QHBoxLayout()
        head.setSpacing(2 * GRID_PX)
        head.addWidget(self.title, 1)
        head.addWidget(self.state, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(head)
        column.addWidget(self.good_at)
        facts = QHBoxLayout()
        facts.setSpacing(4 * GRID_PX)
        facts.addWidget(self.licence, 1)
        for link in (self.paper, self.homepage):
            facts.addWidget(link, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(facts)
        column.addWidget(self.work)
        column.addWidget(self.problem)
        column.addWidget(self.question)
        column.addLayout(_line((self.confirm, self.keep)))
        column.addLayout(_line(buttons))


class WorkLine(QWidget):
    """Progress of what is done with a model, with the button that stops it."""

    cancelRequested = Signal()

    def __init__(self, of_what: str) -> None:
        super().__init__()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress: {0}").format(of_what))
        self.words = QLabel()
        self.words.setFont(number_font(12))
        self.words.setAccessibleName(self.tr("What is done: {0}").format(of_what))
        self.cancel = _small_button(self.tr("Cancel"), self.tr("Cancel: {0}").format(of_what))
        self.cancel.clicked.connect(self.cancelRequested)
        line = QHBoxLayout()
        line.addWidget(self.words, 1)
        line.addWidget(self.cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, GRID_PX, 0, 0)
        column.setSpacing(GRID_PX)
        column.addWidget(self.bar)
        column.addLayout(line)
        self.hide()

    def show_work(self, work: ModelWork | None) -> None:
        self.setVisible(work is not None)
        if work is None:
            return
        is_counted = work.fraction is not None and work.done_bytes > 0
        self.bar.setRange(0, 1000 if is_counted else 0)
        self.bar.setValue(round((work.fraction or 0.0) * 1000))
        self.words.setText(self._words(work))
        self.cancel.setVisible(work.doing is not Doing.REMOVING)

    def _words(self, work: ModelWork) -> str:
        if not work.done_bytes:
            return {
                Doing.DOWNLOADING: self.tr("connecting"),
                Doing.IMPORTING: self.tr("reading"),
                Doing.CHECKING: self.tr("checking"),
                Doing.REMOVING: self.tr("removing"),
            }[work.doing]
        amount = size_text(work.done_bytes)
        if work.total_bytes is not None:
            amount = self.tr("{0} of {1}").format(amount, size_text(work.total_bytes))
        words = [amount]
        if work.bytes_per_s > 0:
            words.append(rate_text(work.bytes_per_s))
        if work.left_s is not None:
            words.append(self.tr("{0} left").format(wait_text(work.left_s)))
        return "   ".join(words)


class ProblemLine(QWidget):
    """What went wrong, with what can be done about it as buttons."""

    chosen = Signal(Remedy)
    dismissed = Signal()

    def __init__(self, of_what: str) -> None:
        super().__init__()
        self._of_what = of_what
        self.words = _wrapped("")
        self.words.setProperty("error", True)
        self.words.setAccessibleName(self.tr("What went wrong: {0}").format(of_what))
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        texts = {
            Remedy.TRY_AGAIN: self.tr("Try again"),
            Remedy.GET_AGAIN: self.tr("Download again"),
            Remedy.IMPORT: self.tr("Import…"),
            Remedy.OPEN_FOLDER: self.tr("Open folder"),
        }
        self.buttons = {
            remedy: _small_button(text, f"{text}: {of_what}") for remedy, text in texts.items()
        }
        for remedy, button in self.buttons.items():
            button.clicked.connect(lambda _=False, remedy=remedy: self.chosen.emit(remedy))
        self.close_button = QToolButton()
        self.close_button.setIcon(icon("cancel", palette().dim_text))
        self.close_button.setProperty("flat", True)
        self.close_button.setAccessibleName(self.tr("Close this message: {0}").format(of_what))
        self.close_button.setToolTip(self.tr("Close this message"))
        self.close_button.setFixedSize(5 * GRID_PX, 5 * GRID_PX)
        self.close_button.setStyleSheet("padding: 0; min-height: 0; min-width: 0;")
        self.close_button.clicked.connect(self.dismissed)
        head = QHBoxLayout()
        head.addWidget(self.words, 1)
        head.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID_PX)
        column.addLayout(head)
        column.addLayout(_line(tuple(self.buttons.values())))
        self.hide()

    def show_failure(self, failure: ModelFailure | None) -> None:
        self.setVisible(failure is not None)
        if failure is None:
            return
        self.words.setText(breakable(f"{failure.problem} {failure.remedy}".strip()))
        for remedy, button in self.buttons.items():
            button.setVisible(remedy in failure.remedies)


def breakable(text: str) -> str:
    """Let long file names break after a dot, slash or underscore; a label would grow with them."""
    return re.sub(r"(?<=[._/\\])(?=\w)", "\u200b", text)


def _line(widgets: Sequence[QWidget]) -> QHBoxLayout:
    line = QHBoxLayout()
    line.setSpacing(2 * GRID_PX)
    for widget in widgets:
        line.addWidget(widget)
    line.addStretch(1)
    return line


def _wrapped(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    return label


def _small_button(text: str, name: str) -> QPushButton:
    button = QPushButton(text)
    button.setAccessibleName(name)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
