"""Names of exported files: `<source stem> - <track>.mid`, fit for Windows, macOS and Linux."""

import os
import unicodedata
from itertools import count
from pathlib import Path

MAX_NAME_CHARACTERS = 120
MAX_NAME_BYTES = 240  # file systems allow 255 bytes; the rest is for a suffix such as " (12)"
EXTENSION = ".mid"
UNNAMED = "Untitled"

_FORBIDDEN = frozenset('<>:"/\\|?*')
_RESERVED = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"]
)


def midi_file_name(source_stem: str, track_name: str | None = None) -> str:
    """Return the file name of a track's MIDI, or of the combined file without a track name.

    A name that would be too long loses the end of its source part first.
    """
    source = _cleaned(source_stem) or UNNAMED
    ending = f" - {_cleaned(track_name)}" if track_name and _cleaned(track_name) else ""
    ending = _shortened(ending, MAX_NAME_CHARACTERS // 2, MAX_NAME_BYTES // 2).rstrip(" .")
    room = MAX_NAME_CHARACTERS - len(ending) - len(EXTENSION)
    room_bytes = MAX_NAME_BYTES - len(os.fsencode(ending)) - len(EXTENSION)
    source = _shortened(source, room, room_bytes).rstrip(" .")
    return _not_reserved(source + ending) + EXTENSION


def safe_name(text: str) -> str:
    """Return `text` as a folder or file name without extension that every system accepts."""
    shortened = _shortened(_cleaned(text), MAX_NAME_CHARACTERS, MAX_NAME_BYTES).rstrip(" .")
    return _not_reserved(shortened or UNNAMED)


def free_path(folder: Path, name: str) -> Path:
    """Return the path of `name` in `folder`, or of "name (2)", "name (3)" ... where it is taken."""
    wanted = folder / name
    if not os.path.lexists(wanted):
        return wanted
    for number in count(2):
        numbered = folder / f"{wanted.stem} ({number}){wanted.suffix}"
        if not os.path.lexists(numbered):
            return numbered
    raise AssertionError("counting never ends")


def _cleaned(text: str) -> str:
    """Replace what some system forbids by '_'; drop control characters and outer dots, spaces."""
    composed = unicodedata.normalize("NFC", text)
    characters = (
        "_" if character in _FORBIDDEN else " " if character.isspace() else character
        for character in composed
        if character.isspace() or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co")
    )
    return " ".join("".join(characters).split()).strip(" .")


def _shortened(text: str, characters: int, in_bytes: int) -> str:
    text = text[:characters]
    return text.encode()[:in_bytes].decode(errors="ignore")


def _not_reserved(name: str) -> str:
    """Return `name`, prefixed if Windows takes it for a device: "CON", "con.mid", "LPT1.x"."""
    return f"_{name}" if name.split(".")[0].strip().upper() in _RESERVED else name
