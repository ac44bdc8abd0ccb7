"""Settings: what the window remembers between two starts, typed, in one file."""

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from core.codec.bends import Bends
from core.engine.note_choice import AS_USUAL
from core.engine.options import AUTO_MODEL, Device
from core.midi.write import WIDEST_BEND_SEMITONES
from core.score.instruments import StemKind

IDLE_MINUTES, LONGEST_IDLE_MINUTES = 10, 240


class Settings:
    """Reads and writes one settings file; a missing or unusable value is the default."""

    def __init__(self, store: QSettings) -> None:
        self._store = store

    @property
    def last_folder(self) -> Path:
        """Where the file chooser opens."""
        return self._path("folders/last_opened") or Path.home()

    @last_folder.setter
    def last_folder(self, folder: Path) -> None:
        self._store.setValue("folders/last_opened", str(folder))

    @property
    def last_model_folder(self) -> Path:
        """Where the chooser for a model to import opens."""
        return self._path("folders/last_model") or Path.home()

    @last_model_folder.setter
    def last_model_folder(self, folder: Path) -> None:
        self._store.setValue("folders/last_model", str(folder))

    @property
    def last_export_folder(self) -> Path:
        return self._path("folders/last_export") or Path.home()

    @last_export_folder.setter
    def last_export_folder(self, folder: Path) -> None:
        self._store.setValue("folders/last_export", str(folder))

    @property
    def last_destination(self) -> str:
        """The name of the DAW exported to last, "folder" for a folder, "" for nothing yet."""
        return self._text("export/destination")

    @last_destination.setter
    def last_destination(self, name: str) -> None:
        self._store.setValue("export/destination", name)

    @property
    def profile(self) -> str:
        """The name of the profile for exports to a folder, "" for the general one."""
        return self._text("export/profile")

    @profile.setter
    def profile(self, name: str) -> None:
        self._store.setValue("export/profile", name)

    @property
    def layout(self) -> str:
        """The name of the chosen file layout, "" for the profile's own."""
        return self._text("export/layout")

    @layout.setter
    def layout(self, name: str) -> None:
        self._store.setValue("export/layout", name)

    def daw_folder(self, daw: str) -> Path | None:
        """Return the folder that the user chose for a DAW instead of the one found."""
        return self._path(f"daw_folders/{daw}")

    def set_daw_folder(self, daw: str, folder: Path | None) -> None:
        if folder is None:
            self._store.remove(f"daw_folders/{daw}")
        else:
            self._store.setValue(f"daw_folders/{daw}", str(folder))

    @property
    def device(self) -> Device:
        try:
            return Device(self._text("transcription/device") or Device.AUTO)
        except ValueError:
            return Device.AUTO

    @device.setter
    def device(self, device: Device) -> None:
        self._store.setValue("transcription/device", device.value)

    def usual_model(self, kind: StemKind) -> str:
        """Return the model that was chosen last for a stem of this kind, else `auto`."""
        return self._text(f"models/{kind}") or AUTO_MODEL

    def set_usual_model(self, kind: StemKind, model_id: str) -> None:
        self._store.setValue(f"models/{kind}", model_id)

    def usual_bends(self, kind: StemKind) -> Bends:
        """Return what was chosen last for the bends of a stem of this kind, else none."""
        try:
            return Bends(self._text(f"bends/{kind}") or AS_USUAL.bends)
        except ValueError:
            return AS_USUAL.bends

    def set_usual_bends(self, kind: StemKind, bends: Bends) -> None:
        self._store.setValue(f"bends/{kind}", bends.value)

    @property
    def bend_range(self) -> int | None:
        """How many semitones the user's synths bend; None is what most of them do."""
        value = self._text("export/bend_range")
        is_usable = value.isdecimal() and 1 <= int(value) <= WIDEST_BEND_SEMITONES
        return int(value) if is_usable else None

    @bend_range.setter
    def bend_range(self, semitones: int | None) -> None:
        self._store.setValue("export/bend_range", str(semitones or ""))

    @property
    def exports_mpe(self) -> bool:
        return self._text("export/mpe") == "yes"

    @exports_mpe.setter
    def exports_mpe(self, exports: bool) -> None:
        self._store.setValue("export/mpe", "yes" if exports else "no")

    @property
    def idle_minutes(self) -> int:
        """After how long without work the models leave memory."""
        value = self._text("transcription/idle_minutes")
        is_usable = value.isdecimal() and 1 <= int(value) <= LONGEST_IDLE_MINUTES
        return int(value) if is_usable else IDLE_MINUTES

    @idle_minutes.setter
    def idle_minutes(self, minutes: int) -> None:
        self._store.setValue("transcription/idle_minutes", str(minutes))

    @property
    def follows_playhead(self) -> bool:
        return self._text("view/follows_playhead") != "no"

    @follows_playhead.setter
    def follows_playhead(self, follows: bool) -> None:
        self._store.setValue("view/follows_playhead", "yes" if follows else "no")

    @property
    def shows_inspector(self) -> bool:
        return self._text("view/shows_inspector") != "no"

    @shows_inspector.setter
    def shows_inspector(self, shows: bool) -> None:
        self._store.setValue("view/shows_inspector", "yes" if shows else "no")

    @property
    def geometry(self) -> QByteArray:
        return self._bytes("window/geometry")

    @geometry.setter
    def geometry(self, geometry: QByteArray) -> None:
        self._store.setValue("window/geometry", geometry)

    @property
    def splitter(self) -> QByteArray:
        return self._bytes("window/splitter")

    @splitter.setter
    def splitter(self, state: QByteArray) -> None:
        self._store.setValue("window/splitter", state)

    def _text(self, key: str) -> str:
        value = self._store.value(key, "")
        return value if isinstance(value, str) else ""

    def _path(self, key: str) -> Path | None:
        text = self._text(key)
        return Path(text) if text else None

    def _bytes(self, key: str) -> QByteArray:
        value = self._store.value(key)
        return value if isinstance(value, QByteArray) else QByteArray()
