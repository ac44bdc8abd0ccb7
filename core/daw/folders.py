"""Where each DAW looks for files on this machine: found by looking, never by creating.

Sources of the defaults: Ableton help 209774085 (User Library), LMMS
ConfigManager.cpp (working directory), Ardour rc_configuration_vars.h (session folder), Image-Line's
registry value "Shared data". Where a DAW keeps the musician's own choice in a preference file,
that choice comes first.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal, assert_never

import platformdirs

from core.daw.preferences import (
    ardour_session_folder,
    live_user_library,
    lmms_working_folder,
    named_folder,
    reaper_folders,
)
from core.errors import DeliveryError

if sys.platform == "win32":
    import winreg

System = Literal["windows", "macos", "linux"]

OUR_FOLDER = "Notewright"
BUNDLE_SUFFIXES = (".logicx", ".band", ".app", ".bundle", ".component", ".vst3")
FL_STUDIO_DATA = r"HKEY_CURRENT_USER\Software\Image-Line\Shared\Paths\Shared data"


class Daw(StrEnum):
    """The DAWs that Notewright knows how to find; the value is the name in commands."""

    ABLETON_LIVE = "ableton-live"
    LOGIC = "logic"
    GARAGEBAND = "garageband"
    REAPER = "reaper"
    FL_STUDIO = "fl-studio"
    CUBASE = "cubase"
    NUENDO = "nuendo"
    BITWIG = "bitwig"
    STUDIO_ONE = "studio-one"
    PRO_TOOLS = "pro-tools"
    ARDOUR = "ardour"
    LMMS = "lmms"
    REASON = "reason"

    @property
    def display_name(self) -> str:
        return _DISPLAY_NAMES[self]


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides where programs keep their files; `registry` has the Windows values we read."""

    system: System
    home: Path
    documents: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    registry: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FoundDaw:
    """A DAW that is on this machine, and the sub-folder of its own folder that we write to.

    `root` exists; `folder` may not exist yet. `found_by` tells the user why we believe it.
    """

    daw: Daw
    folder: Path
    root: Path
    found_by: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Somewhere a DAW may keep its files: it counts if `root` is a folder."""

    daw: Daw
    root: Path
    sub_folder: str
    found_by: str = "default folder"


def this_machine() -> Machine:
    """Describe the machine we run on; the system says where Documents is, OneDrive moves it."""
    return Machine(
        system=_this_system(),
        home=Path.home(),
        documents=platformdirs.user_documents_path(),
        environment=dict(os.environ),
        registry=_registry(),
    )


def find_daws(machine: Machine) -> tuple[FoundDaw, ...]:
    """Return each DAW found on `machine` once, in the order of `Daw`; nothing is created."""
    found: dict[Daw, FoundDaw] = {}
    for place in _places_on(machine):
        if place.daw not in found and _is_folder(place.root) and not is_in_bundle(place.root):
            folder = place.root / place.sub_folder
            found[place.daw] = FoundDaw(place.daw, folder, place.root, place.found_by)
    return tuple(found[daw] for daw in Daw if daw in found)


def daw_named(text: str) -> Daw:
    """Return the DAW that a musician means by "live", "FL Studio" or "studioone".

    Raises:
        DeliveryError: the name is unknown or fits several; the remedy lists the choices.
    """
    wanted = _letters(text)
    for daw in Daw:
        if wanted in {_letters(daw), _letters(daw.display_name), *_NICKNAMES.get(daw, ())}:
            return daw
    begun = [daw for daw in Daw if wanted and _letters(daw.display_name).startswith(wanted)]
    if len(begun) == 1:
        return begun[0]
    raise DeliveryError(f"No DAW is called '{text}'.", f"Choose one of: {', '.join(Daw)}.")


def is_in_bundle(folder: Path) -> bool:
    """Tell whether `folder` is or lies in a package that only its own program may change."""
    return any(part.lower().endswith(BUNDLE_SUFFIXES) for part in folder.parts)


_DISPLAY_NAMES = {
    Daw.ABLETON_LIVE: "Ableton Live",
    Daw.LOGIC: "Logic Pro",
    Daw.GARAGEBAND: "GarageBand",
    Daw.REAPER: "Reaper",
    Daw.FL_STUDIO: "FL Studio",
    Daw.CUBASE: "Cubase",
    Daw.NUENDO: "Nuendo",
    Daw.BITWIG: "Bitwig Studio",
    Daw.STUDIO_ONE: "Studio One",
    Daw.PRO_TOOLS: "Pro Tools",
    Daw.ARDOUR: "Ardour",
    Daw.LMMS: "LMMS",
    Daw.REASON: "Reason",
}
_NICKNAMES: Mapping[Daw, tuple[str, ...]] = {
    Daw.ABLETON_LIVE: ("live", "ableton"),
    Daw.LOGIC: ("logicprox",),
    Daw.FL_STUDIO: ("fl", "fruityloops", "fruity"),
    Daw.BITWIG: ("bitwig",),
    Daw.STUDIO_ONE: ("s1", "studiopro", "fenderstudiopro"),
    Daw.PRO_TOOLS: ("pt",),
    Daw.ARDOUR: ("mixbus", "harrisonmixbus"),
}


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _places_on(machine: Machine) -> Iterator[_Place]:
    match machine.system:
        case "windows":
            return _windows_places(machine)
        case "macos":
            return _macos_places(machine)
        case "linux":
            return _linux_places(machine)
        case _:
            assert_never(machine.system)


def _windows_places(machine: Machine) -> Iterator[_Place]:
    documents = machine.documents
    roaming = _folder_variable(machine, "APPDATA", machine.home / "AppData" / "Roaming")
    local = _folder_variable(machine, "LOCALAPPDATA", machine.home / "AppData" / "Local")
    yield from _live_places(_numbered(roaming / "Ableton", "Live *"), "Preferences/Library.cfg")
    yield _live_default(documents / "Ableton" / "User Library")
    yield from _reaper_places(roaming / "REAPER" / "reaper.ini", documents)
    shared = named_folder(machine.registry.get(FL_STUDIO_DATA, ""))
    if shared is not None:
        yield _fl_studio_place(shared / "FL Studio", "preferences: Image-Line user data folder")
    yield _fl_studio_place(documents / "Image-Line" / "FL Studio")
    yield _Place(Daw.BITWIG, documents / "Bitwig Studio", f"Library/Clips/{OUR_FOLDER}")
    yield from _ardour_places(local, machine.home, documents)
    yield from _lmms_places(machine)
    yield from _places_in_documents(documents)
    reason_traces = (
        roaming / "Propellerhead Software" / "Reason",
        roaming / "Reason Studios" / "Reason",
    )
    yield from _reason_places(reason_traces, documents)


def _macos_places(machine: Machine) -> Iterator[_Place]:
    documents, music = machine.documents, machine.home / "Music"
    library = machine.home / "Library"
    support = library / "Application Support"
    yield from _live_places(_numbered(library / "Preferences" / "Ableton", "Live *"), "Library.cfg")
    yield _live_default(music / "Ableton" / "User Library")
    yield _Place(Daw.LOGIC, music / "Logic", f"{OUR_FOLDER} MIDI")
    yield _Place(Daw.GARAGEBAND, music / "GarageBand", f"{OUR_FOLDER} MIDI")
    yield from _reaper_places(support / "REAPER" / "reaper.ini", documents)
    yield _fl_studio_place(documents / "Image-Line" / "FL Studio")
    yield _Place(Daw.BITWIG, documents / "Bitwig Studio", f"Library/Clips/{OUR_FOLDER}")
    yield from _ardour_places(library / "Preferences", machine.home, music)
    yield from _lmms_places(machine)
    yield from _places_in_documents(documents)
    yield from _reason_places((support / "Propellerhead Software" / "Reason",), documents)


def _linux_places(machine: Machine) -> Iterator[_Place]:
    documents, home = machine.documents, machine.home
    config = _folder_variable(machine, "XDG_CONFIG_HOME", home / ".config")
    yield from _reaper_places(config / "REAPER" / "reaper.ini", documents)
    flatpak_reaper = _flatpak_config(home, "fm.reaper.Reaper")
    yield from _reaper_places(flatpak_reaper / "REAPER" / "reaper.ini", documents)
    yield _Place(Daw.BITWIG, home / "Bitwig Studio", f"Library/Clips/{OUR_FOLDER}")
    yield _Place(Daw.BITWIG, documents / "Bitwig Studio", f"Library/Clips/{OUR_FOLDER}")
    yield from _studio_one_places(documents)
    yield from _ardour_places(config, home, home)
    yield from _ardour_places(_flatpak_config(home, "org.ardour.Ardour"), home, home)
    yield from _lmms_places(machine)


def _flatpak_config(home: Path, application: str) -> Path:
    return home / ".var" / "app" / application / "config"


def _places_in_documents(documents: Path) -> Iterator[_Place]:
    """Yield the DAWs whose project folder in Documents has the same name on Windows and macOS."""
    yield _Place(Daw.CUBASE, documents / "Cubase Projects", OUR_FOLDER)
    yield _Place(Daw.NUENDO, documents / "Nuendo Projects", OUR_FOLDER)
    yield _Place(Daw.PRO_TOOLS, documents / "Pro Tools", OUR_FOLDER)
    yield from _studio_one_places(documents)


def _live_places(version_folders: list[Path], library_cfg: str) -> Iterator[_Place]:
    for folder in version_folders:
        user_library = live_user_library(folder / library_cfg)
        if user_library is not None:
            reason = f"preferences: {folder.name}, Library.cfg"
            yield _Place(Daw.ABLETON_LIVE, user_library, f"Clips/{OUR_FOLDER}", reason)


def _live_default(user_library: Path) -> _Place:
    return _Place(Daw.ABLETON_LIVE, user_library, f"Clips/{OUR_FOLDER}")


def _reaper_places(reaper_ini: Path, documents: Path) -> Iterator[_Place]:
    """Yield the folders of Reaper; it makes its default one only for unsaved recordings."""
    for path in reaper_folders(reaper_ini):
        yield _Place(Daw.REAPER, path, OUR_FOLDER, "preferences: reaper.ini")
    yield _Place(Daw.REAPER, documents / "REAPER Media", OUR_FOLDER)
    if _is_file(reaper_ini):
        yield _Place(Daw.REAPER, documents, OUR_FOLDER, "its settings in reaper.ini")


def _fl_studio_place(user_data: Path, found_by: str = "default folder") -> _Place:
    return _Place(Daw.FL_STUDIO, user_data, f"Projects/{OUR_FOLDER}", found_by)


def _studio_one_places(documents: Path) -> Iterator[_Place]:
    yield _Place(Daw.STUDIO_ONE, documents / "Studio One", OUR_FOLDER)
    yield _Place(Daw.STUDIO_ONE, documents / "Studio Pro", OUR_FOLDER)  # its name from version 8


def _ardour_places(config: Path, home: Path, default: Path) -> Iterator[_Place]:
    """Yield Ardour's session folder: everybody has its default, so its settings must exist too."""
    for pattern in ("ardour*", "Ardour*", "mixbus*", "Mixbus*"):
        for folder in _numbered(config, pattern):
            chosen = ardour_session_folder(folder / "config", home)
            reason = f"preferences: {folder.name}, config"
            if chosen is not None:
                yield _Place(Daw.ARDOUR, chosen, OUR_FOLDER, reason)
            yield _Place(Daw.ARDOUR, default, OUR_FOLDER, f"default folder of {folder.name}")


def _lmms_places(machine: Machine) -> Iterator[_Place]:
    """Yield LMMS's working folder; its side bar lists the MIDI files below `projects`."""
    sub_folder = f"projects/{OUR_FOLDER}"
    chosen = lmms_working_folder(machine.home / ".lmmsrc.xml")
    if chosen is not None:
        yield _Place(Daw.LMMS, chosen, sub_folder, "preferences: .lmmsrc.xml")
    if _is_folder(machine.home / "lmms" / "projects"):  # its folder before version 1.2
        yield _Place(Daw.LMMS, machine.home / "lmms", sub_folder)
    yield _Place(Daw.LMMS, machine.documents / "lmms", sub_folder)


def _reason_places(traces: tuple[Path, ...], documents: Path) -> Iterator[_Place]:
    """Yield Reason's folder; Reason itself opens files from anywhere in Documents."""
    yield _Place(Daw.REASON, documents / "Reason Studios", OUR_FOLDER)
    yield _Place(Daw.REASON, documents / "Propellerhead", OUR_FOLDER)
    for trace in traces:
        if _is_folder(trace):
            yield _Place(Daw.REASON, documents, OUR_FOLDER, f"its settings in {trace.name}")


def _numbered(parent: Path, pattern: str) -> list[Path]:
    """Return the version folders that match `pattern`, the newest version first."""
    try:
        matching = [path for path in parent.glob(pattern) if _is_folder(path)]
    except OSError:
        return []
    return sorted(matching, key=lambda path: _version_in(path.name), reverse=True)


def _version_in(name: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(r"\d{1,9}", name))


def _folder_variable(machine: Machine, name: str, default: Path) -> Path:
    """Return the folder that an environment variable names, if it names one absolutely."""
    value = machine.environment.get(name, "")
    return Path(value) if value and Path(value).is_absolute() else default


def _is_folder(path: Path) -> bool:
    """Like Path.is_dir, but a folder that may not be looked at is no folder for us."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _this_system() -> System:
    match sys.platform:
        case "win32":
            return "windows"
        case "darwin":
            return "macos"
        case _:
            return "linux"


def _registry() -> Mapping[str, str]:
    """Return the values we use of the Windows registry; other systems have none."""
    values: dict[str, str] = {}
    if sys.platform == "win32":
        root, _, path = FL_STUDIO_DATA.partition("\\")
        key, _, name = path.rpartition("\\")
        with suppress(OSError), winreg.OpenKey(getattr(winreg, root), key) as opened:
            values[FL_STUDIO_DATA] = str(winreg.QueryValueEx(opened, name)[0])
    return values
