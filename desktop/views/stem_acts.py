"""StemActs: what the user does with files and stems, from menus, keys and rows."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from core.audio.read import AUDIO_SUFFIXES
from core.score.instruments import kind_from_name
from desktop.session.commands import (
    choose_for_stem,
    remove_stem,
    replace_stem,
    wish_for_model,
)
from desktop.session.offers import device_named, stems_for
from desktop.views.notices import NoticeAction, NoticeStrip
from desktop.views.window_parts import WindowParts


class StemActs(QObject):
    """Adds, transcribes, cancels, replaces and removes; acts on the selected stem."""

    def __init__(self, parts: WindowParts, notices: NoticeStrip, window: QWidget) -> None:
        super().__init__(window)
        self._parts = parts
        self._notices = notices
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

    def choose_model(self, model_id: str) -> None:
        """Have the selected stem heard by a model, now or once it is here; remember for its kind.

        While the model is missing, notes that are there stay, and a stem without any is heard by
        the built-in one.
        """
        stem, library = self._document.selected_stem, self._parts.library
        if stem is None:
            return
        kind = stem.kind or kind_from_name(stem.path.stem)
        if kind is not None:
            self._parts.settings.set_usual_model(kind, model_id)
        if library.is_usable(model_id):
            choose_for_stem(self._document, stem, replace(stem.choice, model=model_id))
        else:
            wish_for_model(self._document, stem, model_id)

    def transcribe_with(self, model_id: str) -> None:
        """Hear every stem again that this model would hear and another one has heard."""
        for stem in stems_for(model_id, self._document, self._parts.library):
            self._parts.queue.retry(stem.stem_id)

    def tell_installed(self, model_id: str) -> None:
        """Offer the stems that could be heard by a model that has just come in."""
        count = len(stems_for(model_id, self._document, self._parts.library))
        title = self._parts.library.title_of(model_id)
        words = self.tr("{0} is installed.").format(title)
        if not count:
            self._notices.tell(words)
            return
        one = self.tr("Transcribe 1 stem with it")
        text = one if count == 1 else self.tr("Transcribe {0} stems with it").format(count)
        self._notices.tell(words, NoticeAction(text, lambda: self._use_installed(model_id)))

    def _use_installed(self, model_id: str) -> None:
        self.transcribe_with(model_id)
        self._notices.hide()

    def choose_device(self, device: str) -> None:
        self._parts.settings.device = device_named(device)

    def choose_idle_minutes(self, minutes: int) -> None:
        """Let the models leave memory after so long without work."""
        self._parts.settings.idle_minutes = minutes
        self._parts.queue.rest_after(60.0 * minutes)

    def _add(self, paths: list[Path]) -> None:
        if paths:
            self._parts.settings.last_folder = paths[0].parent
            self._parts.importer.add(paths)

    def _file_filter(self) -> str:
        audio = " ".join(f"*{suffix}" for suffix in sorted(AUDIO_SUFFIXES))
        return self.tr("Audio ({0});;All files (*)").format(audio)
