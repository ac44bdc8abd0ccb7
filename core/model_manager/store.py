"""The store: one folder that holds the models of this machine, each in a folder by its id.

<root>/<id>/...            a model, and `installed.json`: what was verified, when, where it is from
<root>/<id>.part/...       a download that is not done yet
<root>/<id>.digests.json   digests that no publisher named, from the first verified download
"""

import errno
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from platformdirs import user_data_path

from core.errors import AppError, ModelBrokenError, ModelMissingError
from core.model_manager.catalog import CatalogEntry, the_catalog
from core.model_manager.lock import LockHeldError, held
from core.model_manager.record import (
    OnBytes,
    read_record,
    sha256_of,
    write_record,
)
from core.model_manager.verification import Assurance, check_fits, compare, remember
from core.models.checkpoint_report import CACHE_SUFFIX

ROOT_VARIABLE = "MT3_CHECKPOINT_DIR"
RECORD_NAME = "installed.json"
SPARE_BYTES = 50_000_000  # left free on the disk

_log = logging.getLogger(__name__)


class ModelState(StrEnum):
    """Whether a model can be used."""

    INSTALLED = "installed"
    UNVERIFIED = "not verified"  # all files are there, but nobody has compared their digests
    DAMAGED = "damaged"  # files are missing or have another size than they should
    PARTLY = "partly downloaded"
    MISSING = "not installed"


class StoreBusyError(AppError):
    """Another process is at work on the same model."""


class StoreUnusableError(ModelMissingError):
    """The folder for models cannot be written, or has no room."""


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of models; it need not exist before something is put into it.

    Looking into it writes nothing, so that it may lie on a medium that cannot be written.
    """

    root: Path

    def folder_of(self, entry: CatalogEntry) -> Path:
        return self.root / entry.id

    def staging_of(self, entry: CatalogEntry) -> Path:
        """Where a download grows until it is whole."""
        return self.root / f"{entry.id}.part"

    def pins_of(self, entry: CatalogEntry) -> Path:
        """Where digests are remembered that no publisher names; they outlive the model."""
        return self.root / f"{entry.id}.digests.json"

    def path_of(self, entry: CatalogEntry) -> Path:
        """Return what the engine loads: the file of a model, or its folder."""
        folder = self.folder_of(entry)
        return folder if entry.is_folder else folder / entry.files[0].name

    def state_of(self, entry: CatalogEntry) -> ModelState:
        """Tell from names and sizes whether a model can be used; contents are not read."""
        if entry.is_built_in:
            return ModelState.INSTALLED
        sizes = _sizes(self.folder_of(entry), entry)
        if not sizes:
            staging = self.staging_of(entry)
            is_begun = staging.is_dir() and any(staging.iterdir())
            return ModelState.PARTLY if is_begun else ModelState.MISSING
        if any(sizes.get(file.name, 0) < 1 for file in entry.files) or any(
            file.size_bytes not in (None, sizes[file.name]) for file in entry.files
        ):
            return ModelState.DAMAGED
        return self._verified_state(entry, sizes)

    def size_of(self, entry: CatalogEntry) -> int:
        """Return how many bytes a model takes up here, whole or in part."""
        return _bytes_in(self.folder_of(entry)) + self.staged_bytes(entry)

    def staged_bytes(self, entry: CatalogEntry) -> int:
        """Return how many bytes of a download are here that is not done yet."""
        return _bytes_in(self.staging_of(entry))

    def installed_checkpoints(self) -> dict[str, Path]:
        """Return what the engine loads of every usable model, by id.

        A model that was copied into the store by hand is verified first, which reads it once.
        """
        found = {}
        for entry in the_catalog().entries:
            state = self.state_of(entry)
            if state is ModelState.UNVERIFIED:
                try:
                    self.verify(entry)
                    state = ModelState.INSTALLED
                except AppError as error:
                    _log.warning("%s", error)
            if not entry.is_built_in and state is ModelState.INSTALLED:
                found[entry.id] = self.path_of(entry)
        return found

    def verify(self, entry: CatalogEntry, on_bytes: OnBytes | None = None) -> Assurance:
        """Compare every file with its digest; what was copied here by hand is on record from then.

        What `on_bytes` raises ends it. Where a digest is neither published nor remembered, the
        checkpoint must fit the network, and its digests are remembered.

        Raises:
            ModelMissingError: it is not installed.
            ModelBrokenError: a file is not what was published or first verified.
        """
        state = self.state_of(entry)
        if entry.is_built_in:
            return Assurance.PUBLISHED
        if state in (ModelState.MISSING, ModelState.PARTLY):
            raise ModelMissingError(
                f"The model '{entry.id}' is not installed in {self.root}.",
                f"Get it with 'notewright models download {entry.id}'.",
            )
        if state is ModelState.DAMAGED:
            raise self._damaged(entry)
        folder = self.folder_of(entry)
        digests = {file.name: sha256_of(folder / file.name, on_bytes) for file in entry.files}
        assurance = compare(entry, digests, self.pins_of(entry))
        if state is ModelState.UNVERIFIED:
            check_fits(entry, self.path_of(entry))
            self._adopt(entry, digests)
        return assurance

    def digests_of(self, entry: CatalogEntry) -> dict[str, str]:
        """Return the digests on record of an installed model, by file name."""
        record = read_record(self.folder_of(entry) / RECORD_NAME)
        return dict(record.sha256) if record is not None else {}

    def remove(self, entry: CatalogEntry) -> int:
        """Delete a model and what was begun of it; return how many bytes that frees.

        Only files of the model are deleted: others that lie in its folder stay, and links are not
        followed. Digests that are remembered stay too.

        Raises:
            ModelMissingError: there is nothing to remove.
            StoreBusyError: something uses it.
        """
        if entry.is_built_in:
            raise ModelMissingError(
                "The built-in model belongs to the program.", "It takes hardly any room."
            )
        with self.locked(entry):
            before_bytes = self.size_of(entry)
            try:
                has_folder = self._clear(entry)
                has_staging = self._discard(entry)
            except OSError as error:
                raise StoreBusyError(
                    f"The model '{entry.id}' could not be deleted: {error.strerror or error}.",
                    "Close what uses it and try again.",
                ) from error
            if not has_folder and not has_staging:
                raise ModelMissingError(
                    f"The model '{entry.id}' is not installed in {self.root}.",
                    "There is nothing to remove.",
                )
            return before_bytes - self.size_of(entry)

    def discard(self, entry: CatalogEntry) -> None:
        """Delete what was begun of a download; a model that is installed stays."""
        with self.locked(entry):
            self._discard(entry)

    def place(self, entry: CatalogEntry, digests: Mapping[str, str], origin: str) -> None:
        """Put a verified staging folder into its place; whoever looks sees all of it or nothing.

        The caller holds the lock.
        """
        self.place_from(self.staging_of(entry), entry, digests, origin)

    def place_from(
        self, staging: Path, entry: CatalogEntry, digests: Mapping[str, str], origin: str
    ) -> None:
        """As `place`, from any folder on the same disk that holds just the model's files."""
        folder = self.folder_of(entry)
        remember(entry, digests, self.pins_of(entry))
        write_record(staging / RECORD_NAME, entry.id, digests, origin)
        if folder.is_symlink() or folder.exists():
            self._clear(entry)
        if not folder.exists():
            staging.replace(folder)
            return
        for name in [*digests, RECORD_NAME]:  # files of somebody else lie there; the record is last
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (staging / name).replace(folder / name)
        shutil.rmtree(staging, ignore_errors=True)

    def record(self, entry: CatalogEntry, digests: Mapping[str, str], origin: str) -> None:
        """Write down that the files in a model's folder were verified and had these digests."""
        write_record(self.folder_of(entry) / RECORD_NAME, entry.id, digests, origin)

    def take_back(self, entry: CatalogEntry) -> None:
        """Move the files of a damaged model to where downloads grow, so that good ones are used."""
        folder, staging = self.folder_of(entry), self.staging_of(entry)
        for name in _sizes(folder, entry):
            target = staging / name
            if not target.exists() and not (folder / name).is_symlink():
                target.parent.mkdir(parents=True, exist_ok=True)
                (folder / name).replace(target)
        self._clear(entry)

    def check_space(self, needed_bytes: int, what: str) -> None:
        """Raise StoreUnusableError unless the disk has room for this and a little more."""
        free_bytes = shutil.disk_usage(self.root).free
        if needed_bytes + SPARE_BYTES > free_bytes:
            raise StoreUnusableError(
                f"{what} needs {needed_bytes / 1e6:.0f} MB more in {self.root}, but only "
                f"{free_bytes / 1e6:.0f} MB are free there.",
                f"Free some space, or set {ROOT_VARIABLE} to a folder on another disk.",
            )

    @contextmanager
    def locked(self, entry: CatalogEntry, *, wait_s: float = 0.0) -> Iterator[None]:
        """Keep other processes away from one model; a lock whose process died holds no one up.

        Raises:
            StoreBusyError: another process is at work on it, after `wait_s` still.
            StoreUnusableError: the store cannot be written.
        """
        with self.locked_as(entry.id, f"the model '{entry.id}'", wait_s=wait_s):
            yield

    @contextmanager
    def locked_as(self, name: str, what: str, *, wait_s: float = 0.0) -> Iterator[None]:
        """As `locked`, for whatever `what` calls it."""
        is_held = False
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with held(self.root / f"{name}.lock", wait_s=wait_s):
                is_held = True
                yield
        except LockHeldError as error:
            raise StoreBusyError(
                f"Another program is at work on {what}.", "Wait until it is done."
            ) from error
        except OSError as error:
            if is_held:
                raise
            raise self.unusable(error) from error

    def unusable(self, error: OSError) -> StoreUnusableError:
        """Return what to tell when the disk refuses to write."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return StoreUnusableError(
                f"The disk is full: no more can be written to {self.root}.",
                f"Free some space, or set {ROOT_VARIABLE} to a folder on another disk.",
            )
        return StoreUnusableError(
            f"The folder for models {self.root} cannot be written ({error.strerror or error}).",
            f"Change its rights, or set {ROOT_VARIABLE} to another folder.",
        )

    def _verified_state(self, entry: CatalogEntry, sizes: Mapping[str, int]) -> ModelState:
        record = read_record(self.folder_of(entry) / RECORD_NAME)
        if record is None:
            return ModelState.UNVERIFIED
        for file in entry.files:
            found = record.sha256.get(file.name)
            if found is None or file.sha256 not in (None, found):
                return ModelState.UNVERIFIED  # on record is another version of the model
            if record.size_bytes.get(file.name) != sizes[file.name]:
                return ModelState.DAMAGED
        return ModelState.INSTALLED

    def _damaged(self, entry: CatalogEntry) -> ModelBrokenError:
        folder = self.folder_of(entry)
        sizes = _sizes(folder, entry)
        record = read_record(folder / RECORD_NAME)
        known = record.size_bytes if record is not None else {}
        problems = []
        for file in entry.files:
            wanted = file.size_bytes or known.get(file.name)
            if file.name not in sizes:
                problems.append(f"'{file.name}' is missing")
            elif wanted not in (None, sizes[file.name]):
                problems.append(f"'{file.name}' has {sizes[file.name]} bytes instead of {wanted}")
            elif not sizes[file.name]:
                problems.append(f"'{file.name}' is empty")
        more = f" ({len(problems) - 1} more files are wrong)" if len(problems) > 1 else ""
        return ModelBrokenError(
            f"The model '{entry.id}' in {folder} is damaged: {problems[0]}{more}.",
            f"Get what is wrong again: 'notewright models download {entry.id}'.",
        )

    def _adopt(self, entry: CatalogEntry, digests: Mapping[str, str]) -> None:
        """Put a model on record that lies here already, where anything can be written."""
        try:
            with self.locked(entry):
                remember(entry, digests, self.pins_of(entry))
                self.record(entry, digests, "found in the store")
        except (StoreUnusableError, OSError) as error:
            _log.info("%s was verified, but that cannot be written down: %s", entry.id, error)

    def _clear(self, entry: CatalogEntry) -> bool:
        """Delete the files of a model; tell whether there was anything of it."""
        folder = self.folder_of(entry)
        if folder.is_symlink():
            folder.unlink()
            return True
        record = read_record(folder / RECORD_NAME)
        names = {file.name for file in entry.files} | {RECORD_NAME}
        names |= set(record.sha256 if record is not None else ())
        caches = {path.name for path in folder.glob(f"*{CACHE_SUFFIX}*")}
        doomed = [folder / name for name in names | caches if _is_within(folder, folder / name)]
        there = [path for path in doomed if path.is_symlink() or path.is_file()]
        for path in there:
            path.unlink()
        for parent in sorted({path.parent for path in there}, reverse=True):
            with suppress(OSError):  # files that are not ours keep their folder
                parent.rmdir()
        with suppress(OSError):
            folder.rmdir()
        return bool(there)

    def _discard(self, entry: CatalogEntry) -> bool:
        staging = self.staging_of(entry)
        if staging.is_symlink():
            staging.unlink()
        elif staging.is_dir():
            shutil.rmtree(staging)
        else:
            return False
        return True


def default_store() -> Store:
    """Return the store of this user, or the one that MT3_CHECKPOINT_DIR names."""
    named = os.environ.get(ROOT_VARIABLE)
    if named:
        return Store(Path(named).expanduser())
    return Store(user_data_path("notewright", appauthor=False) / "models")


def _sizes(folder: Path, entry: CatalogEntry) -> dict[str, int]:
    """Return the sizes of the files of a model that are there."""
    sizes = {}
    for file in entry.files:
        with suppress(OSError):
            path = folder / file.name
            if path.is_file():
                sizes[file.name] = path.stat().st_size
    return sizes


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # it may be gone by now
            if path.name != RECORD_NAME and path.is_file() and not path.is_symlink():
                total += path.stat().st_size
    return total


def _is_within(folder: Path, path: Path) -> bool:
    """Tell whether a path lies in a folder when the links on the way are followed."""
    return path.parent.resolve().is_relative_to(folder.resolve())
