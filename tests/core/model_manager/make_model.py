"""Models for tests of the store: small files that pass for checkpoints, and what must hold."""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from core.model_manager.catalog import CatalogEntry, CatalogFile
from core.model_manager.download import Patience
from core.model_manager.store import ModelState, Store

QUICK = Patience(
    connect_s=2.0,
    silence_s=0.5,
    answer_s=0.5,
    stall_s=0.3,
    first_pause_s=0.01,
    most_failures=4,
    lock_s=0.0,
)


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def entry_of(url: str, body: bytes, **changes: Any) -> CatalogEntry:
    """Return a model of one file that lies at `url`; `changes` are those of the file."""
    file = replace(CatalogFile("model.bin", url + "model.bin", len(body), sha256(body)), **changes)
    return _entry(False, (file,))


def folder_entry_of(url: str, bodies: Mapping[str, bytes], **changes: Any) -> CatalogEntry:
    """Return a model of several files."""
    files = (CatalogFile(name, url + name, len(b), sha256(b)) for name, b in bodies.items())
    return _entry(True, tuple(replace(file, **changes) for file in files))


def _entry(is_folder: bool, files: tuple[CatalogFile, ...]) -> CatalogEntry:
    return CatalogEntry("demo", "Demo", "mt3", "", "MIT", "", "", "", is_folder, files)


def laid_by_hand(store: Store, entry: CatalogEntry, bodies: Mapping[str, bytes]) -> None:
    """Put files where the store looks for a model, as a user with a file manager does."""
    for name, body in bodies.items():
        path = store.folder_of(entry) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)


def assert_whole(store: Store, entry: CatalogEntry, body: bytes) -> None:
    assert store.state_of(entry) is ModelState.INSTALLED
    assert store.path_of(entry).read_bytes() == body
    assert_tidy(store, entry)


def assert_folder_whole(store: Store, entry: CatalogEntry, bodies: Mapping[str, bytes]) -> None:
    assert store.state_of(entry) is ModelState.INSTALLED
    assert {name: (store.path_of(entry) / name).read_bytes() for name in bodies} == bodies
    assert_tidy(store, entry)


def assert_tidy(store: Store, entry: CatalogEntry) -> None:
    assert not store.staging_of(entry).exists()
    assert not list(store.root.glob("*.lock"))


def assert_nothing_taken(store: Store, entry: CatalogEntry) -> None:
    assert store.state_of(entry) is not ModelState.INSTALLED
    assert not store.folder_of(entry).exists()
    assert not list(store.root.glob("*.lock"))


def wait_for(is_so: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < until_s
        time.sleep(0.01)
