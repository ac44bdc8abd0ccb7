"""Taking over a model that is on a disk already: a file, a T5X folder, another machine's store."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import ModelBrokenError, ModelMissingError, printable_name
from core.model_manager.catalog import CatalogEntry, the_catalog
from core.model_manager.download import Cancellation
from core.model_manager.record import HASHED_BYTES, OnBytes, sha256_of
from core.model_manager.store import ModelState, Store
from core.model_manager.verification import check_fits, compare
from core.models.checkpoint_report import CACHE_SUFFIX, CheckpointReport, inspect_checkpoint
from core.models.t5x import CHECKPOINT_FILE

OnFraction = Callable[[float], None]

DEEPEST = 8  # folders below the one that was named; other toolkits nest them six deep
ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar")
WEIGHTS = (".pth", ".pt", ".ckpt", ".safetensors")


def import_model(
    path: Path,
    store: Store,
    *,
    model: str | None = None,
    on_fraction: OnFraction | None = None,
    cancel: Cancellation | None = None,
) -> CatalogEntry:
    """Copy a model into the store, verified as a download is, and return which one it is.

    It is recognised by its digest, else by its network and name. `model` is needed only where
    several could be meant. What is installed already and the same is left as it is.

    Raises:
        ModelMissingError: there is no model at `path`, or which one it is cannot be told.
        ModelBrokenError: it is damaged, or not the model that was named.
        StoreBusyError: another process is at work on it.
        StoreUnusableError: the disk is full or cannot be written.
        CancelledError: `cancel` was set.
    """
    source = _source_at(path, store)
    wanted = None if model is None else the_catalog().entry(model)
    candidates = _candidates(source, wanted)
    if not candidates:
        raise _stranger(source, wanted, cancel)
    work = _Work(source, _files_of(source, candidates[0]), on_fraction, cancel)
    with store.locked_as("import", "an import"):
        staging = store.root / "import.part"
        shutil.rmtree(staging, ignore_errors=True)  # of an import that was killed
        try:
            store.check_space(work.size_bytes, f"'{printable_name(source)}'")
            digests = work.copied_to(staging)
            entry = _recognised(source, candidates, digests, wanted)
            return _placed(entry, store, staging, digests, f"imported from {source}")
        except OSError as error:
            raise _failed(error, source, store) from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def importable_in(path: Path) -> Iterator[Path]:
    """Yield what can be imported at `path`: itself, or the models that lie in or below a folder.

    Stores of other machines and of other toolkits are such folders. A file is taken for a model if
    it has the name of one, or if it is the only file of weights there is.
    """
    if path.name == CHECKPOINT_FILE and path.is_file():
        path = path.parent
    if not path.is_dir() or _is_t5x(path):
        yield path
        return
    known = {file.name for entry in _every_entry() for file in entry.files if not entry.is_folder}
    found = list(_weights_below(path))
    named = [each for each in found if each.is_dir() or each.name in known]
    yield from named or (found if len(found) == 1 else ())


@dataclass(frozen=True, slots=True)
class _Work:
    """Copying the files of a model, by name within its folder, and hashing them on the way."""

    source: Path
    files: dict[str, Path]
    on_fraction: OnFraction | None
    cancel: Cancellation | None

    @property
    def size_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.files.values())

    def copied_to(self, folder: Path) -> dict[str, str]:
        """Copy all files; return their digests by name."""
        whole, done = max(1, self.size_bytes), 0

        def count(size: int) -> None:
            nonlocal done
            done += size
            if self.cancel is not None:
                self.cancel.raise_if_set()
            if self.on_fraction is not None:
                self.on_fraction(min(1.0, done / whole))

        return {name: _copy(path, folder / name, count) for name, path in self.files.items()}


def _copy(source: Path, target: Path, count: OnBytes) -> str:
    """Copy a file; return the digest of what was read."""
    digest = hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as reading, target.open("xb") as writing:
        while block := reading.read(HASHED_BYTES):
            writing.write(block)
            digest.update(block)
            count(len(block))
        writing.flush()
        os.fsync(writing.fileno())
    return digest.hexdigest()


def _source_at(path: Path, store: Store) -> Path:
    """Return the file or T5X folder that is meant, or the one model in a folder."""
    if not path.exists():
        raise ModelMissingError(
            f"There is no '{printable_name(path)}'.", "Check whether it was moved or renamed."
        )
    if path.suffix.lower() in ARCHIVES:
        raise ModelMissingError(
            f"'{printable_name(path)}' is an archive.", "Unpack it and import what is in it."
        )
    found = list(importable_in(path))
    if len(found) != 1:
        raise ModelMissingError(
            f"The folder '{printable_name(path)}' holds no single model.",
            f"Choose the model's file, or the folder with the file '{CHECKPOINT_FILE}' in it.",
        )
    for entry in the_catalog().entries:
        if not entry.is_built_in and found[0].resolve().is_relative_to(
            store.folder_of(entry).resolve()
        ):
            raise ModelMissingError(
                f"'{printable_name(found[0])}' is in the store already, as '{entry.id}'.",
                f"Check it with 'notewright models verify {entry.id}'.",
            )
    return found[0]


def _candidates(source: Path, wanted: CatalogEntry | None) -> list[CatalogEntry]:
    """Return the models that a file can be by its network, the wanted one first."""
    report = inspect_checkpoint(source)
    fitting = [entry for entry in the_catalog().entries if _can_be(entry, report, source)]
    if wanted is not None and wanted not in fitting and source.is_dir():
        return []
    return sorted(fitting, key=lambda entry: entry != wanted)


def _can_be(entry: CatalogEntry, report: CheckpointReport, source: Path) -> bool:
    is_of_family = report.can_be(entry.family)
    return is_of_family and not entry.is_built_in and entry.is_folder == source.is_dir()


def _recognised(
    source: Path,
    candidates: list[CatalogEntry],
    digests: dict[str, str],
    wanted: CatalogEntry | None,
) -> CatalogEntry:
    """Return which of the candidates it is: by digest, then as named, then by file name."""
    for entry in candidates:
        if entry.has_published_digests and _digests_match(entry, digests):
            if wanted not in (None, entry):
                raise _other_model(source, wanted, entry)
            return entry
    if wanted is not None:
        if wanted not in candidates:
            raise _other_network(source, wanted)
        return wanted
    named = [entry for entry in candidates if entry.files[0].name == source.name]
    possible = named or candidates
    if len(possible) == 1:
        return possible[0]
    ids = ", ".join(entry.id for entry in possible)
    raise ModelMissingError(
        f"'{printable_name(source)}' could be one of {ids}.", "Say which one with --as ID."
    )


def _digests_match(entry: CatalogEntry, digests: dict[str, str]) -> bool:
    if not entry.is_folder:  # whatever the file is called
        return list(digests.values()) == [entry.files[0].sha256]
    return all(digests.get(file.name) == file.sha256 for file in entry.files)


def _placed(
    entry: CatalogEntry, store: Store, staging: Path, digests: dict[str, str], origin: str
) -> CatalogEntry:
    """Verify a copy and put it into its place."""
    if not entry.is_folder:
        ((name, digest),) = digests.items()
        if entry.files[0].sha256 not in (None, digest):
            raise _unpublished(name, entry, digest)
        digests = {entry.files[0].name: digest}
        (staging / name).replace(staging / entry.files[0].name)
    compare(entry, digests, store.pins_of(entry))
    check_fits(entry, staging if entry.is_folder else staging / entry.files[0].name)
    with store.locked(entry):
        if store.state_of(entry) is ModelState.INSTALLED and store.digests_of(entry) == digests:
            return entry
        store.place_from(staging, entry, digests, origin)
        shutil.rmtree(store.staging_of(entry), ignore_errors=True)  # there is nothing left to fetch
    return entry


def _files_of(source: Path, entry: CatalogEntry) -> dict[str, Path]:
    """Return where the files of a model are, by name."""
    if not entry.is_folder:
        return {source.name: source}
    files = {file.name: source / file.name for file in entry.files}
    for name, path in files.items():
        if not path.is_file():
            raise ModelBrokenError(
                f"The folder '{printable_name(source)}' is incomplete: '{name}' is missing.",
                "Copy the whole folder again.",
            )
    return files


def _stranger(
    source: Path, wanted: CatalogEntry | None, cancel: Cancellation | None
) -> ModelBrokenError | ModelMissingError:
    """Return the error for what none of our networks can load; its digest may tell what it is."""
    known = _known_by_digest(source, cancel)
    if known is not None:
        return ModelMissingError(
            f"'{printable_name(source)}' is {known.title}, which this version of Notewright cannot "
            "run yet.",
            "Look for a newer version of Notewright.",
        )
    if wanted is not None:
        return _other_network(source, wanted)
    return ModelMissingError(
        f"'{printable_name(source)}' is none of the models that Notewright knows.",
        "Look what it is with 'notewright models inspect'.",
    )


def _known_by_digest(source: Path, cancel: Cancellation | None) -> CatalogEntry | None:
    if source.is_dir():
        return None
    size = source.stat().st_size
    possible = [entry for entry in _every_entry() if entry.size_bytes == size]
    if not possible:
        return None
    digest = sha256_of(source, lambda _: cancel.raise_if_set() if cancel is not None else None)
    return next((entry for entry in possible if entry.files[0].sha256 == digest), None)


def _other_model(
    source: Path, wanted: CatalogEntry | None, entry: CatalogEntry
) -> ModelBrokenError:
    named = f"'{wanted.id}'" if wanted is not None else "that"
    return ModelBrokenError(
        f"'{printable_name(source)}' is not {named} but '{entry.id}': {entry.title}. {entry.note}",
        f"Import it as '{entry.id}'.",
    )


def _unpublished(name: str, entry: CatalogEntry, digest: str) -> ModelBrokenError:
    return ModelBrokenError(
        f"'{printable_name(Path(name))}' has the network of '{entry.id}', but it is damaged or not "
        f"the published file: its SHA-256 is {digest[:12]}….",
        f"Get that one with 'notewright models download {entry.id}'. Weights of your own can be "
        "used from Python, with load_model(..., checkpoint_path=...).",
    )


def _other_network(source: Path, wanted: CatalogEntry) -> ModelBrokenError:
    return ModelBrokenError(
        f"'{printable_name(source)}' is no checkpoint of '{wanted.id}'.",
        "Look what it is with 'notewright models inspect'.",
    )


def _failed(error: OSError, source: Path, store: Store) -> Exception:
    """Return what to tell when a disk refuses: the one that is read, or the store's."""
    if error.filename is not None and Path(str(error.filename)).is_relative_to(source):
        return ModelMissingError(
            f"'{printable_name(source)}' cannot be read: {error.strerror or error}.",
            "Check the disk it is on.",
        )
    return store.unusable(error)


def _weights_below(folder: Path) -> Iterator[Path]:
    """Yield T5X folders and files of weights below a folder, in order; links are not followed."""
    for root, folders, files in os.walk(folder):
        here = Path(root)
        if _is_t5x(here):
            folders.clear()
            yield here
            continue
        is_deep = len(here.relative_to(folder).parts) >= DEEPEST
        folders[:] = [] if is_deep else sorted(n for n in folders if not n.endswith(".part"))
        for name in sorted(files):
            if name.lower().endswith(WEIGHTS) and CACHE_SUFFIX not in name:
                yield here / name


def _is_t5x(folder: Path) -> bool:
    return (folder / CHECKPOINT_FILE).is_file()


def _every_entry() -> tuple[CatalogEntry, ...]:
    catalog = the_catalog()
    return (*catalog.entries, *catalog.planned)
