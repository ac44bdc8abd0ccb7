"""Taking over a model that is on a disk already: a file, a T5X folder, another machine's store."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from core.errors import ModelBrokenError, ModelMissingError, printable_name
from core.model_manager.catalog import CatalogEntry, the_catalog
from core.model_manager.download import Cancellation
from core.model_manager.store import HASHED_BYTES, Store, sha256_of
from core.models.checkpoint_report import inspect_checkpoint

OnFraction = Callable[[float], None]


def import_model(
    path: Path,
    store: Store,
    *,
    model: str | None = None,
    on_fraction: OnFraction | None = None,
    cancel: Cancellation | None = None,
) -> CatalogEntry:
    """Copy a model into the store, verified as a download is, and return which one it is.

    `model` is needed only where several models could be meant and no digest tells them apart.

    Raises:
        ModelMissingError: there is no model at `path`, or which one it is cannot be told.
        ModelBrokenError: it is damaged, or not the model that was named.
        StoreBusyError: another process is at work on it.
    """
    source = _source_within(path, store)
    entry = _recognised(source, model)
    files = {file.name: _place_of(source, entry, file.name) for file in entry.files}
    whole = sum(place.stat().st_size for place in files.values()) * 2  # copied, then read again
    done = 0

    def count(size: int) -> None:
        nonlocal done
        done += size
        if cancel is not None:
            cancel.raise_if_set()
        if on_fraction is not None:
            on_fraction(min(1.0, done / max(1, whole)))

    with store.locked(entry):
        staging = store.staging_of(entry)
        shutil.rmtree(staging, ignore_errors=True)
        try:
            for name, place in files.items():
                _copy(place, staging / name, count)
            digests = _verified(entry, store, staging, count)
            store.place(entry, digests, f"imported from {source}")
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return entry


def importable_in(path: Path) -> Iterator[Path]:
    """Yield what can be imported at `path`: itself, or the models of a whole store."""
    if path.is_dir() and not (path / "checkpoint").is_file():
        for entry in the_catalog().entries:
            other = Store(path)
            if not entry.is_built_in and other.folder_of(entry).is_dir():
                yield other.path_of(entry)
        return
    yield path


def _source_within(path: Path, store: Store) -> Path:
    """Return the file or T5X folder that is meant; a folder with one file in it means the file."""
    if not path.exists():
        raise ModelMissingError(
            f"There is no '{printable_name(path)}'.", "Check whether it was moved or renamed."
        )
    if path.resolve().is_relative_to(store.root.resolve()):
        raise ModelMissingError(
            f"'{printable_name(path)}' is in the store already.", "See 'notewright models list'."
        )
    if path.suffix.lower() in (".zip", ".gz", ".tar", ".tgz"):
        raise ModelMissingError(
            f"'{printable_name(path)}' is an archive.", "Unpack it and import what is in it."
        )
    if path.is_dir() and not (path / "checkpoint").exists():
        names = {file.name for entry in the_catalog().entries for file in entry.files}
        known = [file for file in sorted(path.iterdir()) if file.name in names]
        if len(known) != 1:
            raise ModelMissingError(
                f"The folder '{printable_name(path)}' holds no single model.",
                "Choose the model's file, or the folder with the file 'checkpoint' in it.",
            )
        return known[0]
    return path


def _recognised(source: Path, model: str | None) -> CatalogEntry:
    """Tell which model it is: by digest, then by name and network."""
    entries = [entry for entry in the_catalog().entries if not entry.is_built_in]
    digest = None if source.is_dir() else sha256_of(source)
    by_digest = [entry for entry in entries if digest and entry.files[0].sha256 == digest]
    wanted = None if model is None else the_catalog().entry(model)
    if by_digest:
        if wanted is not None and wanted != by_digest[0]:
            raise ModelBrokenError(
                f"'{printable_name(source)}' is not '{wanted.id}' but '{by_digest[0].id}'.",
                f"Import it as '{by_digest[0].id}'.",
            )
        return by_digest[0]
    report = inspect_checkpoint(source)
    fitting = [
        entry
        for entry in entries
        if report.fits and entry.family == report.family and entry.is_folder == source.is_dir()
    ]
    if wanted is not None:
        if wanted not in fitting:
            raise ModelBrokenError(
                f"'{printable_name(source)}' is no checkpoint of '{wanted.id}'.",
                "Look what it is with 'notewright models inspect'.",
            )
        return wanted
    named = [entry for entry in fitting if entry.files[0].name == source.name]
    if len(fitting) == 1 or len(named) == 1:
        return (named or fitting)[0]
    if not fitting:
        raise ModelMissingError(
            f"'{printable_name(source)}' is none of the models that Notewright knows.",
            "Look what it is with 'notewright models inspect'.",
        )
    ids = ", ".join(entry.id for entry in fitting)
    raise ModelMissingError(
        f"'{printable_name(source)}' could be one of {ids}.", "Say which one with --as ID."
    )


def _place_of(source: Path, entry: CatalogEntry, name: str) -> Path:
    place = source / name if entry.is_folder else source
    if place.is_symlink() and entry.is_folder:
        raise ModelBrokenError(
            f"'{name}' in '{printable_name(source)}' is a link.", "Copy the real files first."
        )
    if not place.is_file():
        raise ModelBrokenError(
            f"The folder '{printable_name(source)}' is incomplete: '{name}' is missing.",
            "Copy the whole folder again.",
        )
    return place


def _copy(source: Path, target: Path, count: Callable[[int], None]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as reading, target.open("wb") as writing:
        while block := reading.read(HASHED_BYTES):
            writing.write(block)
            count(len(block))
        writing.flush()
        os.fsync(writing.fileno())


def _verified(
    entry: CatalogEntry, store: Store, staging: Path, count: Callable[[int], None]
) -> dict[str, str]:
    pins, digests = store.pins(entry), {}
    for file in entry.files:
        digests[file.name] = found = sha256_of(staging / file.name, count)
        wanted = file.sha256 or pins.get(file.name)
        if wanted is not None and found != wanted:
            raise ModelBrokenError(
                f"'{file.name}' is not what was published as '{entry.id}': its SHA-256 is "
                f"{found[:12]}… instead of {wanted[:12]}….",
                f"Get it again: 'notewright models download {entry.id}'.",
            )
    copied = staging if entry.is_folder else staging / entry.files[0].name
    report = inspect_checkpoint(copied)
    if not report.fits or report.family != entry.family:
        raise ModelBrokenError(
            f"It is no checkpoint of '{entry.id}'.", "Choose another file or folder."
        )
    return digests
