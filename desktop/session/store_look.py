"""A look at the store's disk: which models are there, and how much room is left."""

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from core.model_manager.catalog import CatalogEntry
from core.model_manager.store import ModelState, Store
from desktop.session.model_work import Room


@dataclass(frozen=True, slots=True)
class FoundModel:
    """What a look at the disk found of one model."""

    model_id: str
    state: ModelState
    here_bytes: int


@dataclass(frozen=True, slots=True)
class StoreLook:
    """What the look found of all models, and the room they share."""

    found: tuple[FoundModel, ...]
    room: Room


def look_at(store: Store, entries: Collection[CatalogEntry]) -> StoreLook:
    """Look at the disk, which may take its time."""
    found = tuple(
        FoundModel(
            entry.id, store.state_of(entry), 0 if entry.is_built_in else store.size_of(entry)
        )
        for entry in entries
    )
    room = Room(store.root, sum(model.here_bytes for model in found), _free_bytes(store.root))
    return StoreLook(found, room)


def _free_bytes(folder: Path) -> int | None:
    """Return what is free on the disk of a folder that need not exist yet."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return None
