"""ModelsPanel: what is installed and what can be had; slides in from the right."""

from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.audio.read import AUDIO_SUFFIXES
from desktop.session.model_library import ModelLibrary
from desktop.session.model_work import Remedy
from desktop.session.settings import LONGEST_IDLE_MINUTES, Settings
from desktop.views.drop_frame import DropFrame
from desktop.views.model_row import ModelRow, ProblemLine, WorkLine
from desktop.views.row_column import row_column
from desktop.views.sizes import size_text
from desktop.views.slide_in import SlideIn
from desktop.views.theme import GRID_PX, icon, palette


class ModelsPanel(SlideIn):
    """One row per model, an import that has no row yet above them, the store below."""

    idleMinutesChosen = Signal(int)

    def __init__(
        self, library: ModelLibrary, settings: Settings, covered: QWidget, parent: QWidget
    ) -> None:
        super().__init__(QCoreApplication.translate("models", "Models"), covered, parent)
        self._library = library
        self._settings = settings
        self.setAcceptDrops(True)
        self._rows = {model.model_id: self._row(model.model_id) for model in library.models}
        self.bringing = QLabel()
        self.bringing_work = WorkLine(self.tr("import"))
        self.bringing_problem = ProblemLine(self.tr("import"))
        self.close_button = QToolButton()
        self.close_button.setIcon(icon("cancel"))
        self.close_button.setProperty("flat", True)
        self.close_button.setAccessibleName(self.tr("Close the Models panel"))
        self.close_button.setToolTip(self.tr("Close (Esc)"))
        self.import_file = _button(self.tr("Import file…"))
        self.import_folder = _button(self.tr("Import folder…"))
        self.folder = _button(self.tr("Open folder"))
        self.place = QLabel()
        self.place.setWordWrap(True)
        self.place.setProperty("dim", True)
        self.idle = QSpinBox()
        self.idle.setRange(1, LONGEST_IDLE_MINUTES)
        self.idle.setSuffix(self.tr(" min"))
        self.idle.setValue(settings.idle_minutes)
        self.idle.setAccessibleName(self.tr("Minutes without work until models leave memory"))
        self._lay_out()
        self._connect()
        self.drop_frame = DropFrame(self)
        self._show_import()
        self._show_room()

    def row(self, model_id: str) -> ModelRow:
        return self._rows[model_id]

    def open(self) -> None:
        """Slide in and look at the disk anew."""
        self._library.refresh()
        super().open()
        self.close_button.setFocus(Qt.FocusReason.TabFocusReason)

    # --- taking files

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        paths = _paths(event)
        if paths and not any(path.suffix.lower() in AUDIO_SUFFIXES for path in paths):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.drop_frame.show_drop_near(is_near=True)
        else:
            event.ignore()  # the window takes what sounds

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self.drop_frame.show_drop_near(is_near=False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.drop_frame.show_drop_near(is_near=False)
        event.acceptProposedAction()
        self._library.import_from(_paths(event)[0])

    def choose_file(self, model_id: str | None = None) -> None:
        """Let the user choose a file to import, as this model or as what it turns out to be."""
        start = str(self._settings.last_model_folder)
        types = self.tr("Models (*.pth *.pt *.ckpt *.safetensors checkpoint);;All files (*)")
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Import a model"), start, types)
        if chosen:
            path = Path(chosen)
            self._bring(path.parent if path.name == "checkpoint" else path, model_id)

    def choose_folder(self) -> None:
        start = str(self._settings.last_model_folder)
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Import a model's folder"), start)
        if chosen:
            self._bring(Path(chosen), None)

    def _bring(self, path: Path, model_id: str | None) -> None:
        self._settings.last_model_folder = path.parent
        self._library.import_from(path, model_id)

    # --- showing the library

    def _show_model(self, model_id: str) -> None:
        model = self._library.model(model_id)
        if model is not None:
            self._rows[model_id].show_model(model)

    def _show_import(self) -> None:
        importing = self._library.importing
        self._import_part.setVisible(importing is not None)
        if importing is None:
            return
        self.bringing.setText(self.tr("Importing '{0}'").format(importing.path.name))
        self.bringing_work.show_work(importing.work)
        self.bringing_problem.show_failure(importing.failure)
        self.bringing.setVisible(importing.work is not None)

    def _show_room(self) -> None:
        room = self._library.room
        words = [str(room.folder)]
        used = self.tr("{0} in models").format(size_text(room.used_bytes))
        if room.free_bytes is not None:
            used += self.tr(", {0} free on the disk").format(size_text(room.free_bytes))
        self.place.setText("\n".join([*words, used]))

    def _open_folder(self, folder: Path) -> None:
        there = next(place for place in (folder, *folder.parents) if place.is_dir())
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(there)))

    # --- making

    def _row(self, model_id: str) -> ModelRow:
        library = self._library
        model = library.model(model_id)
        assert model is not None
        row = ModelRow(model)
        row.downloadRequested.connect(lambda: library.download(model_id))
        row.getAgainRequested.connect(lambda: library.get_again(model_id))
        row.cancelRequested.connect(lambda: library.cancel(model_id))
        row.checkRequested.connect(lambda: library.check(model_id))
        row.removeRequested.connect(lambda: library.remove(model_id))
        row.dismissRequested.connect(lambda: library.dismiss(model_id))
        row.importRequested.connect(lambda: self.choose_file(model_id))
        row.folderRequested.connect(lambda: self._open_folder(library.room.folder / model_id))
        row.pageRequested.connect(lambda address: QDesktopServices.openUrl(QUrl(address)))
        return row

    def _connect(self) -> None:
        library = self._library
        library.modelChanged.connect(self._show_model)
        library.importChanged.connect(self._show_import)
        library.roomChanged.connect(self._show_room)
        self.close_button.clicked.connect(self.close_panel)
        self.import_file.clicked.connect(lambda _: self.choose_file())
        self.import_folder.clicked.connect(self.choose_folder)
        self.folder.clicked.connect(lambda: self._open_folder(library.room.folder))
        self.bringing_work.cancelRequested.connect(library.cancel_import)
        self.bringing_problem.dismissed.connect(library.cancel_import)
        self.bringing_problem.chosen.connect(self._import_instead)
        self.idle.valueChanged.connect(self.idleMinutesChosen)

    def _import_instead(self, _remedy: Remedy) -> None:
        importing = self._library.importing
        self.choose_file(importing.model_id if importing is not None else None)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(3 * GRID_PX, GRID_PX, GRID_PX, GRID_PX)
        heading = QLabel(self.tr("MODELS"))
        heading.setProperty("heading", True)
        head.addWidget(heading)
        head.addStretch(1)
        head.addWidget(self.close_button)
        self._import_part = QFrame()
        part = QVBoxLayout(self._import_part)
        part.setContentsMargins(3 * GRID_PX, 0, 3 * GRID_PX, 2 * GRID_PX)
        for widget in (self.bringing, self.bringing_work, self.bringing_problem):
            part.addWidget(widget)
        scrolled = QScrollArea()
        column = row_column(scrolled)
        for place, row in enumerate(self._rows.values()):
            column.insertWidget(2 * place, _Line())
            column.insertWidget(2 * place + 1, row)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(1, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(head)
        whole.addWidget(self._import_part)
        whole.addWidget(scrolled, 1)
        whole.addWidget(_Line())
        whole.addLayout(self._foot())

    def _foot(self) -> QVBoxLayout:
        foot = QVBoxLayout()
        foot.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX, 2 * GRID_PX)
        foot.setSpacing(2 * GRID_PX)
        buttons, memory = QHBoxLayout(), QHBoxLayout()
        for button in (self.import_file, self.import_folder, self.folder):
            buttons.addWidget(button)
        buttons.addStretch(1)
        memory.addWidget(QLabel(self.tr("Models leave memory after")))
        memory.addWidget(self.idle)
        memory.addWidget(QLabel(self.tr("without work")))
        memory.addStretch(1)
        foot.addLayout(buttons)
        foot.addWidget(self.place)
        foot.addLayout(memory)
        return foot


class _Line(QFrame):
    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(1)
        self.setObjectName("line")
        self.setStyleSheet(f"#line {{ background: {palette().line}; }}")


def _button(text: str) -> QPushButton:
    button = QPushButton(text)
    button.setAccessibleName(text.replace("…", ""))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _paths(event: QDropEvent) -> list[Path]:
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
