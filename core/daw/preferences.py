"""What DAWs wrote in their own preference files about where the musician keeps things.

Preference files are other programs' property: they may be huge, damaged or hostile. Each reader
returns the paths it finds, in order of preference, or nothing; it never writes and never raises.
Whether a path exists is for `core.daw.folders` to find out.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

logger = logging.getLogger(__name__)

MAX_PREFERENCES_BYTES = 8 * 2**20  # the largest we met is below 1 MB
MAX_XML_DEPTH = 64

_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


@dataclass(frozen=True, slots=True)
class _Element:
    """One XML element: the tags from the root down to it, and its attributes."""

    tags: tuple[str, ...]
    attributes: Mapping[str, str]


class _UnsafeXmlError(Exception):
    """The document declares entities or nests absurdly deep."""


def named_folder(text: str, *, home: Path | None = None) -> Path | None:
    """Return the path if it can be meant as a folder on this machine.

    Relative paths depend on where the DAW was started. Looking into a network share or a device
    path (both start with two slashes) can hang for minutes, or hand a password hash to a stranger.
    """
    cleaned = text.strip()
    if not cleaned or any(ord(character) < 32 for character in cleaned):
        return None
    if home is not None and (cleaned == "~" or cleaned.startswith(("~/", "~\\"))):
        return home / cleaned[1:].replace("\\", "/").lstrip("/")
    if cleaned[:2].replace("\\", "/") == "//":
        return None
    path = Path(cleaned)
    return path if path.is_absolute() else None


def live_user_library(library_cfg: Path) -> Path | None:
    """Return the User Library that Ableton Live's `Library.cfg` names.

    The path stands as <ProjectPath> (the folder above) and <ProjectName> within <UserLibrary>;
    the file has other projects outside that block.
    """
    parent = name = None
    for element in _xml_elements(library_cfg):
        if "UserLibrary" not in element.tags:
            continue
        if element.tags[-1] == "ProjectPath" and parent is None:
            parent = named_folder(element.attributes.get("Value", ""))
        if element.tags[-1] == "ProjectName" and name is None:
            name = element.attributes.get("Value", "")
    if parent is None or not name or name != Path(name).name:
        return parent
    return parent / name


def lmms_working_folder(lmmsrc_xml: Path) -> Path | None:
    """Return <paths workingdir="..."/> of LMMS's `.lmmsrc.xml`."""
    for element in _xml_elements(lmmsrc_xml):
        if element.tags[-1] == "paths" and "workingdir" in element.attributes:
            return named_folder(element.attributes["workingdir"])
    return None


def ardour_session_folder(config: Path, home: Path) -> Path | None:
    """Return Ardour's (or Mixbus's) "Default folder for new sessions"; `~` stands for `home`."""
    for element in _xml_elements(config):
        if element.attributes.get("name") == "default-session-parent-dir":
            return named_folder(element.attributes.get("value", ""), home=home)
    return None


def reaper_folders(reaper_ini: Path) -> tuple[Path, ...]:
    """Return Reaper's default folders for projects and, after it, for unsaved recordings."""
    settings: dict[str, str] = {}
    section = ""
    for line in _text_of(reaper_ini).splitlines():
        stripped = line.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            section = stripped[1:-1].casefold()
        elif section == "reaper" and "=" in stripped:
            key, _, value = stripped.partition("=")
            settings.setdefault(key.strip().casefold(), value.strip().strip('"'))
    paths = (named_folder(settings.get(key, "")) for key in ("defsavepath", "defrecpath"))
    return tuple(path for path in paths if path is not None)


def _text_of(path: Path) -> str:
    """Return the file's text, or nothing where there is no such file or it is too large."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            raw = file.read(MAX_PREFERENCES_BYTES + 1)
    except OSError as error:
        logger.info("Preferences %s cannot be read: %s", path, error)
        return ""
    if len(raw) > MAX_PREFERENCES_BYTES:
        logger.info("Preferences %s are larger than %d bytes", path, MAX_PREFERENCES_BYTES)
        return ""
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if raw.startswith(mark)), "")
    return raw.decode(encoding or "utf-8", errors="replace")


def _xml_elements(path: Path) -> list[_Element]:
    """Return every element in document order; a damaged document's up to the damage."""
    elements: list[_Element] = []
    open_tags: list[str] = []

    def opened(tag: str, attributes: dict[str, str]) -> None:
        open_tags.append(tag)
        if len(open_tags) > MAX_XML_DEPTH:
            raise _UnsafeXmlError("it nests too deep")
        elements.append(_Element(tuple(open_tags), attributes))

    def closed(_tag: str) -> None:
        open_tags.pop()

    def declared_entity(*_declaration: object) -> None:
        raise _UnsafeXmlError("it declares entities")

    text = _text_of(path)
    if not text:
        return []
    parser = expat.ParserCreate(encoding="utf-8")
    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.EntityDeclHandler = declared_entity
    try:
        parser.Parse(text.encode("utf-8", errors="replace"), True)
    except _UnsafeXmlError as error:
        logger.info("Preferences %s are not used: %s", path, error)
        return []
    except expat.ExpatError as error:
        logger.info("Preferences %s are damaged: %s", path, error)
    return elements
