"""Exporting: the song shown goes into a DAW's folder or any other, and can be taken back."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from core.daw.deliver import Delivery, deliver, undo_delivery
from core.daw.folders import FoundDaw
from core.daw.profiles import Layout, Profile, profile_for, profile_named
from core.engine.progress import CancelToken
from core.errors import AppError, DeliveryError
from core.midi.write import MidiOptions, split_tracks, write_midi
from core.score.transcription import Transcription
from desktop.session.background import Background
from desktop.session.document import Document
from desktop.session.settings import Settings

TO_FOLDER = "folder"  # the destination's name in the settings when it is not a DAW


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an export goes: a folder, laid out for a DAW or generally."""

    name: str
    folder: Path
    profile: Profile
    root: Path | None = None


class Exporter(QObject):
    """Writes in the background; at most one delivery can be undone, the last."""

    delivered = Signal(Delivery)
    saved = Signal(Path)
    takenBack = Signal(object)  # tuple[Path, ...]: files that stay because they were changed
    failed = Signal(AppError)

    def __init__(self, document: Document, background: Background, settings: Settings) -> None:
        super().__init__(document)
        self._document = document
        self._background = background
        self._settings = settings
        self._last: Delivery | None = None

    def destination_in(self, found: FoundDaw) -> Destination:
        """Return where exports for this DAW go: the folder the user chose, else the one found."""
        chosen = self._settings.daw_folder(found.daw.value)
        profile = self._bent(profile_for(found.daw))
        if chosen is not None:
            return Destination(found.daw.value, chosen, profile)
        return Destination(found.daw.value, found.folder, profile, found.root)

    def destination_folder(self, folder: Path) -> Destination:
        """Return a plain folder as destination, laid out by the profile of the settings."""
        return Destination(TO_FOLDER, folder, self._bent(self.folder_profile()))

    def folder_profile(self) -> Profile:
        try:
            return profile_named(self._settings.profile)
        except DeliveryError:
            return profile_for(None)

    def file_options(self) -> MidiOptions:
        """Return how a file is written that goes to no DAW in particular."""
        return self._bent(profile_for(None)).combined

    def layout(self) -> Layout | None:
        """Return the layout the user insists on; None leaves it to the profile."""
        try:
            return Layout(self._settings.layout)
        except ValueError:
            return None

    def export(self, destination: Destination) -> None:
        """Write the song shown; `delivered` or `failed` follows."""
        song = self._document.current_song
        if song is None:
            return
        self._settings.last_destination = destination.name
        if destination.name == TO_FOLDER:
            self._settings.last_export_folder = destination.folder
        transcription = self._document.transcription_of(song.song_id)
        name, layout = song.name, self.layout()

        def write(_cancel: CancelToken) -> Delivery:
            return deliver(
                transcription,
                name,
                destination.folder,
                destination.profile,
                layout=layout,
                root=destination.root,
            )

        self._background.run(write, then=self._keep_delivery, failed=self.failed.emit)

    def undo(self) -> None:
        """Take the last delivery back."""
        delivery, self._last = self._last, None
        if delivery is None:
            return

        def take_back(_cancel: CancelToken) -> tuple[Path, ...]:
            return undo_delivery(delivery)

        self._background.run(take_back, then=self.takenBack.emit, failed=self.failed.emit)

    def save(self, transcription: Transcription, path: Path) -> None:
        """Write the song where the user said; `saved` or `failed` follows.

        What has more tracks than a file has channels goes on in "name 2.mid" beside it.
        """
        options = self.file_options()

        def write(_cancel: CancelToken) -> Path:
            for number, part in enumerate(split_tracks(transcription, options), start=1):
                numbered = path.with_stem(f"{path.stem} {number}") if number > 1 else path
                write_midi(part, numbered, options)
            return path

        self._background.run(write, then=self.saved.emit, failed=self.failed.emit)

    def _bent(self, profile: Profile) -> Profile:
        settings = self._settings
        if settings.exports_mpe:
            return profile.with_bends(None, is_mpe=True)
        return profile.with_bends(settings.bend_range)

    def _keep_delivery(self, delivery: Delivery) -> None:
        self._last = delivery
        self.delivered.emit(delivery)
