"""Put a song's MIDI files into a folder: all of them or none, and never over anything else.

Every file is first written completely under a temporary name in the same folder, then renamed in a
way that fails if the name is taken.
"""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from core.daw.folders import is_in_bundle
from core.daw.profiles import Layout, Profile
from core.daw.sidecar import notes_json
from core.errors import DeliveryError
from core.midi.file_name import file_name
from core.midi.write import midi_bytes, split_tracks
from core.score.transcription import Transcription

MAX_NEW_FOLDERS = 3  # Bitwig's Library/Clips/Notewright; more missing means that the drive is gone
MAX_COLLISIONS = 1000
_WINDOWS_NAME_TOO_LONG = 206  # ERROR_FILENAME_EXCED_RANGE


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was written where; `hint` tells how to bring it into the DAW.

    `digests` are the SHA-256 of `files`, and `new_folders` the folders made for them, outermost
    first: what `undo_delivery` needs to take back exactly this.
    """

    folder: Path
    files: tuple[Path, ...]
    hint: str
    digests: tuple[str, ...]
    new_folders: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class _File:
    """A file to write: the parts of its name, and what is in it."""

    name_parts: tuple[str, ...]
    content: bytes
    suffix: str = ".mid"


def deliver(
    song: Transcription,
    song_name: str,
    folder: Path,
    profile: Profile,
    *,
    layout: Layout | None = None,
    root: Path | None = None,
) -> Delivery:
    """Write the MIDI files of `song` into `folder`, laid out as the DAW likes it.

    Names that are taken get " (2)", " (3)", ..., the same for all files of one delivery. `folder`
    is made if it does not exist, at most `MAX_NEW_FOLDERS` deep; `root`, the DAW's own folder, is
    never made.

    Raises:
        DeliveryError: there is nothing to write, or the folder cannot take the files; no file of
            this delivery is left behind.
    """
    layout = layout or profile.layout
    folder = folder.absolute()
    files = _rendered(song, song_name, profile, layout)
    with _readable_errors(folder), _removed_on_failure() as made:
        _refuse_unsuitable(folder, root)
        new_folders = _missing_folders(folder)
        for new_folder in new_folders:
            new_folder.mkdir()
            made.append(new_folder)
        paths = _write_all(files, folder, made)
    digests = tuple(_digest(file.content) for file in files)
    hint = profile.hint(song, file_count=len(paths))
    return Delivery(folder, paths, hint, digests, new_folders)


def undo_delivery(delivery: Delivery) -> tuple[Path, ...]:
    """Remove the delivery's files, and its folders once they are empty.

    Returns the files that stay because they were changed since: they are the musician's now.

    Raises:
        DeliveryError: a file cannot be removed.
    """
    changed = []
    with _readable_errors(delivery.folder):
        for file, digest in zip(delivery.files, delivery.digests, strict=True):
            if not file.exists():
                continue
            if _digest(file.read_bytes()) == digest:
                file.unlink()
            else:
                changed.append(file)
    _remove_empty(delivery.new_folders)
    return tuple(changed)


def _rendered(song: Transcription, song_name: str, profile: Profile, layout: Layout) -> list[_File]:
    """Return the files of the layout; tracks without notes get none."""
    sounding = replace(song, tracks=tuple(track for track in song.tracks if track.notes))
    if not sounding.tracks:
        raise DeliveryError(
            f"'{song_name}' has no notes to deliver.",
            "Raise the sensitivity or choose another model, then transcribe it again.",
        )
    files = []
    if layout is not Layout.PER_TRACK:
        parts = split_tracks(sounding, profile.combined)
        for number, part in enumerate(parts, start=1):
            extra = (f"part {number} of {len(parts)}",) if len(parts) > 1 else ()
            content = midi_bytes(part, profile.combined, title=song_name)
            files.append(_File((song_name, *extra), content))
    if layout is not Layout.COMBINED:
        for track in sounding.tracks:
            content = midi_bytes(sounding.only(track), profile.per_track, title=song_name)
            files.append(_File((song_name, track.name), content))
    if profile.has_notes_json:
        notes = notes_json(sounding, song_name, profile.combined)
        files.append(_File((song_name,), notes.encode(), suffix=".json"))
    return files


def _refuse_unsuitable(folder: Path, root: Path | None) -> None:
    if is_in_bundle(folder):
        raise DeliveryError(
            f"'{folder}' lies inside a project that only its DAW may change.",
            "Choose a folder beside the project.",
        )
    if folder.exists() and not folder.is_dir():
        raise DeliveryError(f"'{folder}' is a file.", "Choose a folder.")
    if root is not None and not root.is_dir():
        raise _folder_is_gone(root)


def _folder_is_gone(folder: Path) -> DeliveryError:
    return DeliveryError(
        f"The folder '{folder}' does not exist.",
        "Connect its drive, start the DAW once, or choose another folder.",
    )


def _missing_folders(folder: Path) -> tuple[Path, ...]:
    """Return the folders to make, outermost first."""
    missing: list[Path] = []
    for candidate in (folder, *folder.parents):
        if candidate.is_dir():
            break
        missing.append(candidate)
    if len(missing) > MAX_NEW_FOLDERS:
        raise _folder_is_gone(folder)
    return tuple(reversed(missing))


def _write_all(files: Sequence[_File], folder: Path, made: list[Path]) -> tuple[Path, ...]:
    """Write every file under a free name; `made` holds at any moment what exists because of us."""
    paths = _free_paths(files, folder)
    parts = [_write_temporary(folder, file.content, made) for file in files]
    for part, path in zip(parts, paths, strict=True):
        _move_to_free_name(part, path, made)
        made.remove(part)
    return paths


def _move_to_free_name(part: Path, path: Path, made: list[Path]) -> None:
    """Rename `part` to `path`, or raise FileExistsError if that name is taken.

    Windows refuses such a rename by itself. Elsewhere the name is claimed with an empty file; on
    Windows a virus scanner that opens the claim would block the rename.
    """
    if os.name == "nt":
        part.rename(path)
        made.append(path)
        return
    path.open("xb").close()
    made.append(path)
    part.replace(path)


def _free_paths(files: Sequence[_File], folder: Path) -> tuple[Path, ...]:
    for number in range(1, MAX_COLLISIONS):
        paths = tuple(folder / name for name in _names(files, number))
        if not any(path.exists() or path.is_symlink() for path in paths):
            return paths
    raise DeliveryError(
        f"'{folder}' holds {MAX_COLLISIONS} deliveries of this song.",
        "Move them away or rename the song.",
    )


def _write_temporary(folder: Path, content: bytes, made: list[Path]) -> Path:
    part = folder / f".{secrets.token_hex(8)}.part"
    with part.open("xb") as file:
        made.append(part)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return part


def _names(files: Sequence[_File], number: int) -> list[str]:
    """Return one name per file; tracks whose names become equal are counted: "Piano 2"."""
    names: list[str] = []
    taken: set[str] = set()
    for file in files:
        spellings = _spellings(file, number)
        name = next(spelling for spelling in spellings if spelling.casefold() not in taken)
        taken.add(name.casefold())
        names.append(name)
    return names


def _spellings(file: _File, number: int) -> Iterator[str]:
    *first, last = file.name_parts
    yield file_name(file.name_parts, number=number, suffix=file.suffix)
    for copy in count(2):
        yield file_name((*first, f"{last} {copy}"), number=number, suffix=file.suffix)


@contextmanager
def _removed_on_failure() -> Iterator[list[Path]]:
    """Yield a list of paths that are removed again, last first, if the block raises."""
    made: list[Path] = []
    try:
        yield made
    except BaseException:
        for path in reversed(made):
            with suppress(OSError):  # the first failure is the one to report
                path.rmdir() if path.is_dir() else path.unlink()
        raise


def _remove_empty(folders: Sequence[Path]) -> None:
    """Remove the folders, innermost first, that hold nothing."""
    for folder in reversed(folders):
        with suppress(OSError):  # the musician, or the DAW, keeps something in it
            folder.rmdir()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextmanager
def _readable_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _delivery_error(folder, error) from error


def _delivery_error(folder: Path, error: OSError) -> DeliveryError:
    problem = f"Cannot write to '{folder}':"
    if getattr(error, "winerror", None) == _WINDOWS_NAME_TOO_LONG:
        return DeliveryError(f"{problem} the path is too long.", "Shorten the song's name.")
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return DeliveryError(f"{problem} the disk is full.", "Free some space and try again.")
        case errno.EACCES | errno.EPERM:
            return DeliveryError(
                f"{problem} you may not write there, or another program holds the file.",
                "Choose another folder, or allow it in the system's privacy settings.",
            )
        case errno.EROFS:
            return DeliveryError(f"{problem} it is read-only.", "Choose another folder.")
        case errno.ENAMETOOLONG:
            return DeliveryError(f"{problem} the path is too long.", "Shorten the song's name.")
        case errno.ENOENT | errno.ENOTDIR:
            return _folder_is_gone(folder)
        case errno.EEXIST:
            return DeliveryError(
                f"{problem} a file of that name has just appeared.", "Deliver again."
            )
        case _:
            reason = error.strerror or type(error).__name__
            return DeliveryError(f"{problem} {reason}.", "Choose another folder and try again.")
