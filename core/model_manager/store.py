"""The store: one folder that holds the models of this machine, each in a folder by its id.

<root>/<id>/...            a whole, verified model and `installed.json`, what was verified
<root>/<id>.part/...       a download that is not done yet
<root>/pins.json           digests that no publisher named, from the first verified download
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from core.errors import AppError, ModelBrokenError, ModelMissingError
from core.model_manager.catalog import CatalogEntry, CatalogFile, the_catalog

ROOT_VARIABLE = "MT3_CHECKPOINT_DIR"
RECORD_NAME = "installed.json"
HASHED_BYTES = 1 << 20  # between two looks at whether the user has cancelled

ABANDONED_S = 6 * 3600  # a lock this old is taken over where its process cannot be asked

OnBytes = Callable[[int], None]


class ModelState(StrEnum):
    """Whether a model can be used."""

    INSTALLED = "installed"
    PARTLY = "partly downloaded"
    MISSING = "not installed"


class StoreBusyError(AppError):
    """Another process is at work on the same model."""


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of models; it need not exist before something is put into it."""

    root: Path

    def folder_of(self, entry: CatalogEntry) -> Path:
        return self.root / entry.id

    def staging_of(self, entry: CatalogEntry) -> Path:
        """Where a download grows until it is whole."""
        return self.root / f"{entry.id}.part"

    def path_of(self, entry: CatalogEntry) -> Path:
        """Return what the engine loads: the file of a model, or its folder."""
        folder = self.folder_of(entry)
        return folder if entry.is_folder else folder / entry.files[0].name

    def state_of(self, entry: CatalogEntry) -> ModelState:
        if entry.is_built_in or all(self._has(self.folder_of(entry), file) for file in entry.files):
            return ModelState.INSTALLED
        if self.staging_of(entry).is_dir():
            return ModelState.PARTLY
        return ModelState.MISSING

    def size_of(self, entry: CatalogEntry) -> int:
        """Return how many bytes a model takes up here, whole or in part."""
        folders = (self.folder_of(entry), self.staging_of(entry))
        return sum(
            file.stat().st_size
            for folder in folders
            for file in folder.rglob("*")
            if file.is_file() and not file.is_symlink()
        )

    def installed_checkpoints(self) -> dict[str, Path]:
        """Return what the engine loads of every installed model, by id."""
        return {
            entry.id: self.path_of(entry)
            for entry in the_catalog().entries
            if not entry.is_built_in and self.state_of(entry) is ModelState.INSTALLED
        }

    def verify(self, entry: CatalogEntry, on_bytes: OnBytes | None = None) -> None:
        """Compare every file with its digest; what `on_bytes` raises ends it.

        Raises:
            ModelMissingError: it is not installed.
            ModelBrokenError: a file is not what was published or first verified.
        """
        if entry.is_built_in:
            return
        if self.state_of(entry) is not ModelState.INSTALLED:
            raise ModelMissingError(
                f"The model '{entry.id}' is not installed in {self.root}.",
                f"Get it with 'notewright models download {entry.id}'.",
            )
        recorded = self._record(entry)
        for file in entry.files:
            wanted = file.sha256 or recorded.get(file.name) or self.pins(entry).get(file.name)
            found = sha256_of(self.folder_of(entry) / file.name, on_bytes)
            if wanted is not None and found != wanted:
                raise ModelBrokenError(
                    f"'{file.name}' of the model '{entry.id}' is damaged: its SHA-256 is "
                    f"{found[:12]}… instead of {wanted[:12]}….",
                    f"Remove it and get it again: 'notewright models remove {entry.id}'.",
                )

    def remove(self, entry: CatalogEntry) -> None:
        """Delete a model and what was begun of it; links in it are removed, not followed.

        Raises:
            ModelMissingError: there is nothing to remove.
        """
        if entry.is_built_in:
            raise ModelMissingError(
                "The built-in model belongs to the program.", "It takes hardly any room."
            )
        with self.locked(entry):
            folders = (self.folder_of(entry), self.staging_of(entry))
            there = [folder for folder in folders if folder.is_dir() and not folder.is_symlink()]
            if not there:
                raise ModelMissingError(
                    f"The model '{entry.id}' is not installed in {self.root}.",
                    "There is nothing to remove.",
                )
            for folder in there:
                shutil.rmtree(folder)

    def place(self, entry: CatalogEntry, digests: Mapping[str, str], origin: str) -> None:
        """Put a verified staging folder into its place and remember what was verified."""
        staging, folder = self.staging_of(entry), self.folder_of(entry)
        record = {"model": entry.id, "origin": origin, "sha256": dict(digests)}
        (staging / RECORD_NAME).write_text(json.dumps(record, indent=1), encoding="utf-8")
        self._pin(entry, digests)
        if folder.is_dir():
            shutil.rmtree(folder)
        staging.replace(folder)

    def pins(self, entry: CatalogEntry) -> dict[str, str]:
        """Return digests by file name that an earlier verified copy of the model had."""
        pinned = _json(self.root / "pins.json").get(entry.id, {})
        return dict(pinned) if isinstance(pinned, dict) else {}

    @contextmanager
    def locked(self, entry: CatalogEntry) -> Iterator[None]:
        """Keep other processes away from one model; a lock whose process died is taken over.

        Raises:
            StoreBusyError: another process is at work on it.
            ModelMissingError: the store cannot be written.
        """
        lock = self.root / f"{entry.id}.lock"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            _claim(lock, entry)
        except OSError as error:
            raise ModelMissingError(
                f"The folder for models {self.root} cannot be written ({error.strerror}).",
                f"Free it, or set {ROOT_VARIABLE} to another folder.",
            ) from error
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)

    def _has(self, folder: Path, file: CatalogFile) -> bool:
        path = folder / file.name
        try:
            size = path.stat().st_size
        except OSError:
            return False
        return size > 0 and file.size_bytes in (None, size)

    def _record(self, entry: CatalogEntry) -> dict[str, str]:
        digests = _json(self.folder_of(entry) / RECORD_NAME).get("sha256", {})
        return digests if isinstance(digests, dict) else {}

    def _pin(self, entry: CatalogEntry, digests: Mapping[str, str]) -> None:
        unnamed = {file.name for file in entry.files if file.sha256 is None}
        if not unnamed or self.pins(entry):
            return
        path = self.root / "pins.json"
        pinned = _json(path) | {entry.id: {name: digests[name] for name in sorted(unnamed)}}
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(pinned, indent=1), encoding="utf-8")
        draft.replace(path)


def default_store() -> Store:
    """Return the store of this user, or the one that MT3_CHECKPOINT_DIR names."""
    named = os.environ.get(ROOT_VARIABLE)
    if named:
        return Store(Path(named).expanduser())
    return Store(user_data_path("notewright", appauthor=False) / "models")


def sha256_of(path: Path, on_bytes: OnBytes | None = None) -> str:
    """Return the hexadecimal SHA-256 of a file; `on_bytes` hears how many bytes are new."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(HASHED_BYTES):
            digest.update(block)
            if on_bytes is not None:
                on_bytes(len(block))
    return digest.hexdigest()


def _claim(lock: Path, entry: CatalogEntry) -> None:
    for _ in range(2):
        try:
            with lock.open("x") as file:
                file.write(str(os.getpid()))
            return
        except FileExistsError:
            if _is_held(lock):
                break
            lock.unlink(missing_ok=True)
    raise StoreBusyError(
        f"Another program is at work on the model '{entry.id}'.", "Wait until it is done."
    )


def _is_held(lock: Path) -> bool:
    try:
        holder = int(lock.read_text())
    except (OSError, ValueError):
        return False
    if holder == os.getpid():
        return True
    if os.name == "nt":  # there is no signal that asks only whether a process lives
        return time.time() - lock.stat().st_mtime < ABANDONED_S
    with suppress(PermissionError):  # it lives, but belongs to another user
        try:
            os.kill(holder, 0)
        except (ProcessLookupError, OverflowError):
            return False
    return True


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
