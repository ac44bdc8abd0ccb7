"""File names that every file system takes, made from the names of songs and tracks."""

import os
import re
import unicodedata
from collections.abc import Sequence
from itertools import count
from pathlib import Path

MAX_NAME_CHARACTERS = 120  # with suffix; leaves room for deep folders under Windows' 260
MAX_NAME_BYTES = 240  # Linux and network drives count bytes and stop at 255
UNNAMED = "Untitled"

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\ud800-\udfff]+')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(\..*)?", re.IGNORECASE)
_INVISIBLE = ("Cf", "Zl", "Zp", "Co", "Cn")  # joiners, direction marks, private characters


def file_name(parts: Sequence[str], *, number: int = 1, suffix: str = ".mid") -> str:
    """Join `parts` with dashes into a safe name; from `number` 2 on it is added as " (2)".

    What is too long is cut from the longest part, so that song and track both stay readable.
    """
    ending = (f" ({number})" if number > 1 else "") + suffix
    cleaned = [part for part in map(_cleaned, parts) if part] or [UNNAMED]
    while not _fits(" - ".join(cleaned) + ending):
        longest = max(range(len(cleaned)), key=lambda index: len(cleaned[index]))
        cleaned[longest] = cleaned[longest][:-1].rstrip(" .") or "_"
    stem = " - ".join(cleaned)
    return f"_{stem}{ending}" if _RESERVED.fullmatch(stem) else stem + ending


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


def _cleaned(part: str) -> str:
    visible = "".join(
        character
        for character in unicodedata.normalize("NFC", part)
        if unicodedata.category(character) not in _INVISIBLE
    )
    replaced = _FORBIDDEN.sub("_", visible)
    return re.sub(r"\s+", " ", replaced).strip(" .")


def _fits(name: str) -> bool:
    has_room_for_underscore = len(name) < MAX_NAME_CHARACTERS
    return has_room_for_underscore and len(name.encode()) < MAX_NAME_BYTES
