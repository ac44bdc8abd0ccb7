"""The catalogue: every model by id, with its files, addresses, digests, licence and paper."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from core.errors import ModelMissingError

CATALOG_PATH = Path(__file__).resolve().parents[2] / "resources" / "model_catalog.json"
BUILT_IN_ID = "built-in"
AUTO_ID = "auto"


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """One file of a model; size and digest are None where the publisher names none."""

    name: str  # within the model's folder, with / between folders
    url: str
    size_bytes: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A model that can be had. `is_folder` tells a T5X folder from a single file."""

    id: str
    title: str
    family: str
    good_at: str
    licence: str
    paper: str
    homepage: str
    note: str
    is_folder: bool
    files: tuple[CatalogFile, ...]

    @property
    def size_bytes(self) -> int | None:
        """The size of all files, None if one of them is not known before it is downloaded."""
        sizes = [file.size_bytes for file in self.files]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    @property
    def is_built_in(self) -> bool:
        return self.id == BUILT_IN_ID


@dataclass(frozen=True, slots=True)
class Catalog:
    """All models, the built-in one first, and other names for some."""

    entries: tuple[CatalogEntry, ...]
    aliases: Mapping[str, str]

    def __post_init__(self) -> None:
        ids = [entry.id for entry in self.entries]
        if len(set(ids)) < len(ids):
            raise ValueError("two models of the catalogue share an id")
        owners: dict[str, str] = {}
        for entry in self.entries:
            if len(entry.files) != 1:
                continue  # a folder may share small headers with another one
            digest = entry.files[0].sha256
            if digest is not None and owners.setdefault(digest, entry.id) != entry.id:
                raise ValueError(f"'{entry.id}' and '{owners[digest]}' are one and the same file")

    def model_id(self, name: str) -> str:
        """Return the id that an id or alias stands for, `auto` included.

        Raises:
            ModelMissingError: there is none.
        """
        found = self.aliases.get(name, name)
        if found != AUTO_ID and found not in {entry.id for entry in self.entries}:
            known = ", ".join([AUTO_ID, *(entry.id for entry in self.entries)])
            raise ModelMissingError(f"There is no model '{name}'.", f"Choose one of: {known}.")
        return found

    def entry(self, name: str) -> CatalogEntry:
        """Return the model of an id or alias; `auto` is no model of its own but always works.

        Raises:
            ModelMissingError: there is none.
        """
        wanted = self.model_id(name)
        wanted = BUILT_IN_ID if wanted == AUTO_ID else wanted
        return next(entry for entry in self.entries if entry.id == wanted)


@cache
def the_catalog() -> Catalog:
    """Return the catalogue that comes with the program."""
    return catalog_of(json.loads(CATALOG_PATH.read_text(encoding="utf-8")))


def catalog_of(content: Mapping[str, Any]) -> Catalog:
    """Return the catalogue in parsed JSON; ValueError or KeyError where it contradicts itself."""
    entries = tuple(_entry(model) for model in content["models"])
    return Catalog(entries, MappingProxyType(dict(content["aliases"])))


def _entry(model: Mapping[str, Any]) -> CatalogEntry:
    return CatalogEntry(
        id=model["id"],
        title=model["title"],
        family=model["family"],
        good_at=model["good_at"],
        licence=model["licence"],
        paper=model["paper"],
        homepage=model["homepage"],
        note=model.get("note", ""),
        is_folder=model["layout"] == "folder",
        files=tuple(_file(model["base_url"], file) for file in model["files"]),
    )


def _file(base_url: str, file: Mapping[str, Any]) -> CatalogFile:
    name = file["name"]
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise ValueError(f"'{name}' is no place within a model's folder")
    return CatalogFile(name, base_url + name, file.get("size_bytes"), file.get("sha256"))
