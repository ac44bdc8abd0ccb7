"""Which audio files make a song: stems that belong together by folder and name.

Apart from core.song, because the window sorts files without loading a model.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.score.instruments import StemKind, kind_from_name, without_stem_words


@dataclass(frozen=True, slots=True)
class SongFiles:
    """The audio files of one song: its stems in the order given, or a single file."""

    name: str
    files: tuple[Path, ...]


def songs_in(files: Iterable[Path]) -> tuple[SongFiles, ...]:
    """Sort files into songs: stems of one folder that share a name are one song.

    "Blue - drums.wav" and "Blue - bass.wav" belong together, and so do "drums.wav" and "bass.wav".
    A mix is a song of its own, because it holds the notes of the stems a second time.
    """
    groups: dict[tuple[Path, str], list[Path]] = {}
    for file in files:
        kind = kind_from_name(file.stem)
        is_stem = kind is not None and kind is not StemKind.MIX
        name = without_stem_words(file.stem) if is_stem else f"/{file.name}"
        groups.setdefault((file.parent, name), []).append(file)
    return tuple(_song(folder, members) for (folder, _), members in groups.items())


def one_song_of(files: Sequence[Path]) -> SongFiles:
    """Treat all files as stems of one song, named after what their names share."""
    return _song(files[0].parent, list(files))


def _song(folder: Path, files: list[Path]) -> SongFiles:
    if len(files) == 1:
        return SongFiles(files[0].stem, tuple(files))
    shared = _shared_start([file.stem for file in files])
    return SongFiles(shared or folder.resolve().name or "Song", tuple(files))


def _shared_start(names: Sequence[str]) -> str:
    """Return the words that all names begin with: "Blue - drums", "Blue - bass" -> "Blue"."""
    split = [re.split(r"(?<=[\s_\-.])", name) for name in names]
    shared = []
    for parts in zip(*split, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return "".join(shared).strip(" _-.")
