"""Outgoing: MIDI leaves the window - into a DAW's folder, a file, the clipboard or a drag."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from core.daw.deliver import Delivery
from core.errors import AppError
from core.midi.file_name import file_name
from core.score.transcription import Transcription
from desktop.session.document import Document, Song, SongTrack
from desktop.session.drag_files import DragFiles
from desktop.session.exporting import Exporter
from desktop.session.settings import Settings
from desktop.views.drag_out import make_mime
from desktop.views.notices import NoticeAction, NoticeStrip
from desktop.views.reveal import reveal

_FILES_NAMED = 3


class Outgoing(QObject):
    """Acts on the song shown and tells the outcome in the notice strip."""

    changed = Signal()

    def __init__(
        self,
        document: Document,
        exporter: Exporter,
        drag_files: DragFiles,
        settings: Settings,
        *,
        notices: NoticeStrip,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._document = document
        self._exporter = exporter
        self._drag_files = drag_files
        self._settings = settings
        self._notices = notices
        self._window = window
        exporter.delivered.connect(self._tell_delivery)
        exporter.saved.connect(self._tell_saved)
        exporter.takenBack.connect(self._tell_taken_back)
        exporter.failed.connect(self.tell_failure)

    # --- files for drags and the clipboard

    def song_files(self) -> tuple[Path, ...]:
        """Write the song shown for a drag; nothing if it has no notes."""
        song = self._document.current_song
        if song is None:
            return ()
        transcription = self._document.transcription_of(song.song_id)
        if not transcription.note_count:
            return ()
        return self._drag_files.write(
            transcription, song.name, options=self._exporter.file_options()
        )

    def track_files(self, item: SongTrack) -> tuple[Path, ...]:
        """Write one track of the song shown for a drag, muted or not."""
        song = self._document.current_song
        if song is None:
            return ()
        return self._drag_files.write(
            self._only(song, item),
            song.name,
            track_name=item.track.name,
            options=self._exporter.file_options(),
        )

    def copy_song(self) -> None:
        self._copy(self.song_files)

    def copy_track(self, item: SongTrack | None) -> None:
        if item is not None:
            self._copy(lambda: self.track_files(item))

    def explain_drag(self) -> None:
        self._notices.tell(
            self.tr("Drag the dots onto a track of your DAW; the MIDI file comes along.")
        )

    # --- files where the user says

    def save_song(self) -> None:
        song = self._document.current_song
        if song is not None:
            transcription = self._document.transcription_of(song.song_id)
            self._save(transcription, file_name([song.name]))

    def save_track(self, item: SongTrack | None) -> None:
        song = self._document.current_song
        if song is not None and item is not None:
            self._save(self._only(song, item), file_name([song.name, item.track.name]))

    def tell_failure(self, error: AppError) -> None:
        self._notices.warn(str(error))

    def _only(self, song: Song, item: SongTrack) -> Transcription:
        return self._document.transcription_of(song.song_id).only(item.track)

    def _save(self, transcription: Transcription, name: str) -> None:
        start = str(self._settings.last_export_folder / name)
        chosen, _ = QFileDialog.getSaveFileName(
            self._window, self.tr("Save MIDI as"), start, self.tr("MIDI files (*.mid)")
        )
        if chosen:
            path = Path(chosen)
            self._settings.last_export_folder = path.parent
            self._exporter.save(transcription, path if path.suffix else path.with_suffix(".mid"))

    def _copy(self, write: Callable[[], tuple[Path, ...]]) -> None:
        try:
            files = write()
        except AppError as error:
            self.tell_failure(error)
            return
        if files:
            QGuiApplication.clipboard().setMimeData(make_mime(files))
            names = ", ".join(file.name for file in files)
            self._notices.tell(self.tr("Copied {0}. Paste it in a folder or a DAW.").format(names))

    # --- what came of it

    def _tell_delivery(self, delivery: Delivery) -> None:
        self._notices.tell(
            self.tr("Written: {0}. {1}").format(_named(delivery), delivery.hint),
            NoticeAction(self.tr("Reveal"), lambda: reveal(delivery.files[0])),
            NoticeAction(self.tr("Undo"), self._exporter.undo),
        )
        self.changed.emit()

    def _tell_saved(self, path: Path) -> None:
        self._notices.tell(
            self.tr("Written: {0}").format(path),
            NoticeAction(self.tr("Reveal"), lambda: reveal(path)),
        )

    def _tell_taken_back(self, kept: tuple[Path, ...]) -> None:
        if kept:
            names = ", ".join(path.name for path in kept)
            text = self.tr("Taken back, except what was changed since: {0}").format(names)
        else:
            text = self.tr("The export was taken back.")
        self._notices.tell(text)


def _named(delivery: Delivery) -> str:
    """Name the files: the first by its whole path, of many only how many more there are."""
    first, *others = delivery.files
    named = [str(first), *(file.name for file in others[: _FILES_NAMED - 1])]
    rest = len(delivery.files) - len(named)
    if rest:
        more = QCoreApplication.translate("Outgoing", "{0} more").format(rest)
        named.append(more)
    return ", ".join(named)
