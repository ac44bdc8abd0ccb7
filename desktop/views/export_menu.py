"""ExportMenu: the DAWs found on this machine by name, any folder, and how files are laid out."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from core.daw.folders import FoundDaw
from core.daw.profiles import PROFILES, Layout
from core.midi.mpe import MPE_BEND_RANGE_SEMITONES
from core.midi.write import COMMON_BEND_RANGE_SEMITONES
from desktop.session.exporting import TO_FOLDER, Destination, Exporter
from desktop.session.settings import Settings

FindDaws = Callable[[], tuple[FoundDaw, ...]]
BEND_RANGES = (1, 2, 3, 4, 5, 7, 12, 24)  # semitones; what synths offer
_FOLDER_CHARACTERS = 60


class ExportMenu(QMenu):
    """Built anew each time it opens, because a DAW or a drive may have come or gone."""

    chosen = Signal(Destination)

    def __init__(
        self,
        exporter: Exporter,
        settings: Settings,
        find_daws: FindDaws,
        *,
        also: tuple[QAction, ...],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._exporter = exporter
        self._settings = settings
        self._find_daws = find_daws
        self._also = also
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.rebuild)

    def rebuild(self) -> None:
        self.clear()
        found = self._find_daws()
        for daw in found:
            self._add_daw(daw)
        if not found:
            self.addAction(self.tr("No DAW found on this machine")).setEnabled(False)
        self.addSeparator()
        self.addAction(self.tr("Export to Folder…")).triggered.connect(self._choose_folder)
        if found:
            folders = self.addMenu(self.tr("Change Folder of"))
            for daw in found:
                self._add_folder_choice(folders, daw)
        self._add_layouts(self.addMenu(self.tr("File Layout")))
        self._add_profiles(self.addMenu(self.tr("Format of Folder Exports")))
        self._add_bend_ranges(self.addMenu(self.tr("Pitch Bend Range of the Synth")))
        self.addSeparator()
        self.addActions(self._also)

    def last_destination(self) -> Destination | None:
        """Return where the export before went, if that is still there."""
        name = self._settings.last_destination
        if name == TO_FOLDER:
            return self._exporter.destination_folder(self._settings.last_export_folder)
        for daw in self._find_daws():
            if daw.daw.value == name:
                return self._exporter.destination_in(daw)
        return None

    def _add_daw(self, daw: FoundDaw) -> None:
        destination = self._exporter.destination_in(daw)
        action = self.addAction(f"{daw.daw.display_name}\t{_short(destination.folder)}")
        action.setToolTip(f"{destination.folder}\n{daw.found_by}")
        action.triggered.connect(lambda: self.chosen.emit(destination))

    def _add_folder_choice(self, menu: QMenu, daw: FoundDaw) -> None:
        action = menu.addAction(f"{daw.daw.display_name}…")
        action.triggered.connect(lambda: self._choose_daw_folder(daw))
        if self._settings.daw_folder(daw.daw.value) is not None:
            back = menu.addAction(
                self.tr("{0}: back to {1}").format(daw.daw.display_name, _short(daw.folder))
            )
            back.triggered.connect(lambda: self._settings.set_daw_folder(daw.daw.value, None))

    def _choose_daw_folder(self, daw: FoundDaw) -> None:
        start = self._exporter.destination_in(daw).folder
        title = self.tr("Folder for {0}").format(daw.daw.display_name)
        chosen = QFileDialog.getExistingDirectory(self.parentWidget(), title, str(start))
        if chosen:
            self._settings.set_daw_folder(daw.daw.value, Path(chosen))

    def _choose_folder(self) -> None:
        start = str(self._settings.last_export_folder)
        title = self.tr("Export to folder")
        chosen = QFileDialog.getExistingDirectory(self.parentWidget(), title, start)
        if chosen:
            self.chosen.emit(self._exporter.destination_folder(Path(chosen)))

    def _add_layouts(self, menu: QMenu) -> None:
        group = QActionGroup(menu)
        for text, layout in (
            (self.tr("As the DAW likes it"), None),
            (self.tr("One file for the song"), Layout.COMBINED),
            (self.tr("One file per track"), Layout.PER_TRACK),
            (self.tr("Both"), Layout.BOTH),
        ):
            action = group.addAction(menu.addAction(text))
            action.setCheckable(True)
            action.setChecked(self._exporter.layout() is layout)
            action.triggered.connect(lambda _=False, layout=layout: self._keep_layout(layout))

    def _keep_layout(self, layout: Layout | None) -> None:
        self._settings.layout = layout.value if layout is not None else ""

    def _add_profiles(self, menu: QMenu) -> None:
        group = QActionGroup(menu)
        for profile in PROFILES:
            action = group.addAction(menu.addAction(profile.display_name))
            action.setCheckable(True)
            action.setChecked(self._exporter.folder_profile().id == profile.id)
            action.triggered.connect(lambda _=False, id_=profile.id: self._keep_profile(id_))

    def _add_bend_ranges(self, menu: QMenu) -> None:
        group = QActionGroup(menu)
        for semitones in BEND_RANGES:
            usual = self.tr("±{0} semitones, as most synths").format(semitones)
            words = usual if semitones == COMMON_BEND_RANGE_SEMITONES else f"±{semitones}"
            action = group.addAction(menu.addAction(words))
            action.setCheckable(True)
            wanted = self._settings.bend_range or COMMON_BEND_RANGE_SEMITONES
            action.setChecked(not self._settings.exports_mpe and wanted == semitones)
            action.triggered.connect(lambda _=False, wide=semitones: self._keep_bend_range(wide))
        mpe = group.addAction(
            menu.addAction(
                self.tr("MPE: ±{0}, each note on its own channel").format(MPE_BEND_RANGE_SEMITONES)
            )
        )
        mpe.setCheckable(True)
        mpe.setChecked(self._settings.exports_mpe)
        mpe.triggered.connect(self._keep_mpe)

    def _keep_bend_range(self, semitones: int) -> None:
        self._settings.bend_range = semitones
        self._settings.exports_mpe = False

    def _keep_mpe(self) -> None:
        self._settings.exports_mpe = True

    def _keep_profile(self, profile_id: str) -> None:
        self._settings.profile = profile_id


def _short(folder: Path) -> str:
    """Return a folder for a menu: the home folder as ~, a long middle left out."""
    try:
        text = str(Path("~") / folder.relative_to(Path.home()))
    except ValueError:
        text = str(folder)
    if len(text) <= _FOLDER_CHARACTERS:
        return text
    return f"{text[:20]}…{text[-_FOLDER_CHARACTERS + 21 :]}"
