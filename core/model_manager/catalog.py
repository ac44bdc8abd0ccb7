"""The catalogue: every model by id, with its files, addresses, digests, licence and paper."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from core.errors import ModelMissingError
from core.score.instruments import StemKind

CATALOG_PATH = Path(__file__).resolve().parents[2] / "resources" / "model_catalog.json"
BUILT_IN_ID = "built-in"
AUTO_ID = "auto"

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """One file of a model; size and digest are None where the publisher names none."""

    name: str  # within the model's folder, with / between folders
    url: str
    size_bytes: int | None
    sha256: str | None

    def __post_init__(self) -> None:
        path = PurePosixPath(self.name)
        if (
            not path.parts
            or path.is_absolute()
            or ".." in path.parts
            or {"\\", ":"} & set(self.name)
        ):
            raise ValueError(f"'{self.name}' is no place within a model's folder")
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            raise ValueError(f"'{self.sha256}' is no SHA-256 in hexadecimal")


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A model that can be had. `is_folder` tells a T5X folder from a single file.

    `about_bytes` is the size to expect where publishers do not name it. `memory_length` is how many
    positions of the segment before MR-MT3 remembers: it belongs to the weights, but no tensor tells
    it. `digests_from` says who vouches for the digests.
    """

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
    suits: tuple[StemKind, ...] = ()
    memory_length: int = 0
    about_bytes: int | None = None
    digests_from: str = ""

    @property
    def size_bytes(self) -> int | None:
        """The size of all files, None if one of them is not known before it is downloaded."""
        sizes = [file.size_bytes for file in self.files]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    @property
    def expected_bytes(self) -> int | None:
        """The size of all files as far as it can be told before the download."""
        return self.about_bytes if self.size_bytes is None else self.size_bytes

    @property
    def is_built_in(self) -> bool:
        return self.id == BUILT_IN_ID

    @property
    def has_published_digests(self) -> bool:
        """Whether every file has a digest to be compared with before it is used."""
        return all(file.sha256 is not None for file in self.files)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All models, the built-in one first, and other names for some.

    `planned` are models that are recognised, but that this version cannot run yet.
    """

    entries: tuple[CatalogEntry, ...]
    aliases: Mapping[str, str]
    planned: tuple[CatalogEntry, ...] = ()

    def __post_init__(self) -> None:
        _refuse_twins((*self.entries, *self.planned))
        for alias, model in self.aliases.items():
            if model != AUTO_ID and model not in {entry.id for entry in self.entries}:
                raise ValueError(f"the alias '{alias}' stands for '{model}', which is no model")

    def model_id(self, name: str) -> str:
        """Return the id that an id or alias stands for, `auto` included.

        Raises:
            ModelMissingError: there is none.
        """
        found = self.aliases.get(name, name)
        if found != AUTO_ID and found not in {entry.id for entry in self.entries}:
            if found in {entry.id for entry in self.planned}:
                raise ModelMissingError(
                    f"This version of Notewright cannot run '{name}' yet.",
                    "Look for a newer version of Notewright.",
                )
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
    models = content["models"]
    return Catalog(
        entries=tuple(_entry(model) for model in models if not model.get("is_planned")),
        aliases=MappingProxyType(dict(content["aliases"])),
        planned=tuple(_entry(model) for model in models if model.get("is_planned")),
    )


def _refuse_twins(entries: Iterable[CatalogEntry]) -> None:
    """Refuse two models of one id, and two ids for one and the same files.

    Other toolkits offer the weights of MT3 a second time as MR-MT3. Folders may share single small
    files (headers of matrices of one shape), so they are compared whole.
    """
    ids: set[str] = set()
    owners: dict[tuple[str, ...], str] = {}
    for entry in entries:
        if entry.id in ids:
            raise ValueError(f"two models of the catalogue share the id '{entry.id}'")
        ids.add(entry.id)
        digests = tuple(sorted(file.sha256 for file in entry.files if file.sha256 is not None))
        if not digests or not entry.has_published_digests:
            continue
        if owners.setdefault(digests, entry.id) != entry.id:
            raise ValueError(f"'{entry.id}' and '{owners[digests]}' are one and the same model")


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
        suits=tuple(StemKind(kind) for kind in model["suits"]),
        memory_length=model.get("memory_length", 0),
        about_bytes=model.get("about_bytes"),
        digests_from=model.get("digests_from", ""),
    )


def _file(base_url: str, file: Mapping[str, Any]) -> CatalogFile:
    """`at` is where below the address a file lies if not under its own name."""
    address = base_url + file.get("at", file["name"])
    return CatalogFile(file["name"], address, file.get("size_bytes"), file.get("sha256"))
