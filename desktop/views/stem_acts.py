"""StemActs: what the user does with files and stems, from menus, keys and rows."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from core.audio.read import AUDIO_SUFFIXES
from core.codec.bends import Bends
from desktop.session.commands import choose_for_stem, remove_stem, replace_stem
from desktop.session.offers import device_named
from desktop.views.window_parts import WindowParts


class StemActs(QObject):
    """Adds, transcribes, cancels, replaces and removes; acts on the selected stem."""

    def __init__(self, parts: WindowParts, window: QWidget) -> None:
        super().__init__(window)
        self._parts = parts
        self._document = parts.document
        self._window = window

    def add_files(self) -> None:
        start = str(self._parts.settings.last_folder)
        chosen, _ = QFileDialog.getOpenFileNames(
            self._window, self.tr("Add files"), start, self._file_filter()
        )
        self._add([Path(file) for file in chosen])

    def add_folder(self) -> None:
        start = str(self._parts.settings.last_folder)
        chosen = QFileDialog.getExistingDirectory(self._window, self.tr("Add folder"), start)
        self._add([Path(chosen)] if chosen else [])

    def open_demo(self) -> None:
        self._parts.importer.open_as_song(self._parts.demo_files, self.tr("Demo song"))

    def transcribe_again(self) -> None:
        stem = self._document.selected_stem
        if stem is not None:
            self._parts.queue.retry(stem.stem_id)

    def cancel(self) -> None:
        stem = self._parts.queue.running_stem
        if stem is not None:
            self._parts.queue.cancel(stem.stem_id)
        else:
            self._parts.queue.cancel_all()

    def step_stem(self, step: int) -> None:
        stems = self._document.stems
        selected = self._document.selected_stem
        place = stems.index(selected) + step if selected is not None else 0
        self._document.select_stem(stems[place % len(stems)].stem_id)

    def replace_selected_stem(self) -> None:
        stem = self._document.selected_stem
        if stem is not None:
            self.replace_stem(stem.stem_id)

    def replace_stem(self, stem_id: int) -> None:
        stem = self._document.stem(stem_id)
        if stem is None:
            return
        start = str(stem.path.parent)
        chosen, _ = QFileDialog.getOpenFileName(
            self._window, self.tr("Choose another file"), start, self._file_filter()
        )
        if chosen:
            replace_stem(self._document, stem, Path(chosen))

    def remove_stem(self) -> None:
        stem = self._document.selected_stem
        if stem is not None:
            remove_stem(self._document, stem)

    def choose_device(self, device: str) -> None:
        self._parts.settings.device = device_named(device)

    def choose_bends(self, bends: Bends) -> None:
        """Bend the notes of the selected stem; remember for its kind."""
        stem = self._document.selected_stem
        if stem is None:
            return
        if stem.kind is not None:
            self._parts.settings.set_usual_bends(stem.kind, bends)
        notes = replace(stem.choice.notes, bends=bends)
        choose_for_stem(self._document, stem, replace(stem.choice, notes=notes))

    def _add(self, paths: list[Path]) -> None:
        if paths:
            self._parts.settings.last_folder = paths[0].parent
            self._parts.importer.add(paths)

    def _file_filter(self) -> str:
        audio = " ".join(f"*{suffix}" for suffix in sorted(AUDIO_SUFFIXES))
        return self.tr("Audio ({0});;All files (*)").format(audio)
