"""Getting models: the model manager's download and import, loaded when they are first needed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.engine.progress import CancelToken
from core.errors import ModelMissingError, printable_name
from core.model_manager.catalog import CatalogEntry
from core.model_manager.store import Store


class HasBytes(Protocol):
    """The progress of a download or an import."""

    @property
    def done_bytes(self) -> int: ...
    @property
    def total_bytes(self) -> int | None: ...
    @property
    def bytes_per_s(self) -> float: ...
    @property
    def left_s(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Counted:
    """Bytes counted by ourselves."""

    done_bytes: int
    total_bytes: int | None
    bytes_per_s: float

    @property
    def left_s(self) -> float | None:
        if not self.total_bytes or self.bytes_per_s <= 0:
            return None
        return (self.total_bytes - self.done_bytes) / self.bytes_per_s


Tell = Callable[[HasBytes], None]
Download = Callable[[CatalogEntry, Store, Tell, CancelToken], object]


class ImportInto(Protocol):
    """Takes what lies at a path into the store and returns the ids of the models that came in.

    `model_id` says which model it is, where that is known.
    """

    def __call__(
        self, path: Path, store: Store, model_id: str | None, tell: Tell, cancel: CancelToken
    ) -> tuple[str, ...]: ...


def download_into(entry: CatalogEntry, store: Store, tell: Tell, cancel: CancelToken) -> object:
    """Download with the model manager, which is loaded when it is first needed."""
    from core.model_manager.download import download_model

    return download_model(entry, store, on_progress=tell, cancel=cancel)


def import_into(
    path: Path, store: Store, model_id: str | None, tell: Tell, cancel: CancelToken
) -> tuple[str, ...]:
    """Import a file, a folder, or all models of another store with the model manager."""
    from core.model_manager.importing import import_model, importable_in

    sources = tuple(importable_in(path))
    if not sources:
        raise ModelMissingError(
            f"There is no model in the folder '{printable_name(path)}'.",
            "Choose a model's file, the folder with the file 'checkpoint' in it, "
            "or the folder of models of another machine.",
        )
    size_bytes = sum(_bytes_at(source) for source in sources)
    started_s = time.monotonic()
    ids = []
    for number, source in enumerate(sources):

        def told(fraction: float, number: int = number) -> None:
            done_bytes = round((number + fraction) / len(sources) * size_bytes)
            rate = done_bytes / max(1e-3, time.monotonic() - started_s)
            tell(Counted(done_bytes, size_bytes, rate))

        entry = import_model(source, store, model=model_id, on_fraction=told, cancel=cancel)
        ids.append(entry.id)
    return tuple(ids)


def _bytes_at(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(file.stat().st_size for file in files if file.is_file())
