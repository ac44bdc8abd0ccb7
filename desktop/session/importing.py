"""Importing: dropped files and folders become stems of songs, and their waveforms are read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from core.audio.read import AudioScan, FoundAudio, find_audio, scan_audio
from core.engine.progress import CancelToken
from core.errors import AppError
from core.song_files import one_song_of, songs_in
from desktop.session.background import Background
from desktop.session.commands import add_files, add_songs, join_files
from desktop.session.document import Document, Failure, Song, StemState
from desktop.session.messages import Culprit


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What came of one drop: how many files are queued, and which were left out and why."""

    added: int
    found: FoundAudio


class Importer(QObject):
    """Looks through what was dropped on a thread, then adds it to the document."""

    imported = Signal(ImportOutcome)
    failed = Signal(AppError)

    def __init__(self, document: Document, background: Background) -> None:
        super().__init__(document)
        self._document = document
        self._background = background
        document.stemAdded.connect(self._scan)

    def add(self, paths: Sequence[Path]) -> None:
        """Sort the files into songs by their names; what belongs to the song shown joins it."""
        self._look_through(paths, self._add_by_name)

    def add_to_current_song(self, paths: Sequence[Path]) -> None:
        """Take all files as stems of the song shown; of a song of their own if there is none."""
        self._look_through(paths, self._add_to_current_song)

    def open_as_song(self, paths: Sequence[Path], name: str) -> None:
        """Take the files as one song of this name."""
        self._look_through(paths, lambda files: add_files(self._document, files, song_name=name))

    def _look_through(self, paths: Sequence[Path], add: Callable[[Sequence[Path]], object]) -> None:
        def look(_cancel: CancelToken) -> FoundAudio:
            return find_audio(paths)

        self._background.run(look, then=partial(self._take, add), failed=self.failed.emit)

    def _take(self, add: Callable[[Sequence[Path]], object], found: FoundAudio) -> None:
        known = {stem.path for stem in self._document.stems}
        new = [path for path in found.files if path not in known]
        if new:
            add(new)
        self.imported.emit(ImportOutcome(len(new), found))

    def _add_by_name(self, files: Sequence[Path]) -> None:
        current = self._document.current_song
        here = self._files_of(current)
        songs: list[tuple[str, Sequence[Path]]] = []
        for group in songs_in([*here, *files]):
            new = [path for path in group.files if path not in here]
            if current is not None and len(new) < len(group.files):
                if new:
                    join_files(self._document, new, song=current)
            else:
                songs.append((group.name, new))
        if songs:
            add_songs(self._document, songs)

    def _add_to_current_song(self, files: Sequence[Path]) -> None:
        current = self._document.current_song
        if current is not None:
            join_files(self._document, files, song=current)
        else:
            add_files(self._document, files, song_name=one_song_of(files).name)

    def _files_of(self, song: Song | None) -> list[Path]:
        if song is None:
            return []
        return [stem.path for stem in self._document.stems_of(song.song_id)]

    # --- waveforms

    @Slot(int)
    def _scan(self, stem_id: int) -> None:
        stem = self._document.stem(stem_id)
        if stem is None or stem.scan is not None:
            return
        path = stem.path

        def scan(cancel: CancelToken) -> AudioScan:
            return scan_audio(path, on_fraction=lambda _: cancel.raise_if_set())

        self._background.run(
            scan,
            then=partial(self._keep_scan, stem_id),
            failed=partial(self._show_unreadable, stem_id),
        )

    def _keep_scan(self, stem_id: int, scan: AudioScan) -> None:
        self._document.change_stem(stem_id, lambda stem: replace(stem, scan=scan))

    def _show_unreadable(self, stem_id: int, error: AppError) -> None:
        failure = Failure(error.problem, error.remedy, Culprit.FILE)
        self._document.change_stem(
            stem_id, lambda stem: replace(stem, state=StemState.FAILED, failure=failure)
        )
