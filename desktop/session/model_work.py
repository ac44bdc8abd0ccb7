"""What the library tells of models: whether they are here, what is being done, what went wrong."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.model_manager.catalog import CatalogEntry
from core.model_manager.store import ModelState


class Doing(StrEnum):
    """What is done with a model."""

    DOWNLOADING = "downloading"
    IMPORTING = "importing"
    CHECKING = "checking"
    REMOVING = "removing"


class Remedy(StrEnum):
    """What can be done about a failure; a button each."""

    TRY_AGAIN = "try again"
    GET_AGAIN = "get it again"
    IMPORT = "import it instead"
    OPEN_FOLDER = "open the folder"


@dataclass(frozen=True, slots=True)
class ModelWork:
    """How far something is; sizes in bytes, None while they cannot be told."""

    doing: Doing
    done_bytes: int = 0
    total_bytes: int | None = None
    bytes_per_s: float = 0.0
    left_s: float | None = None

    @property
    def fraction(self) -> float | None:
        return min(1.0, self.done_bytes / self.total_bytes) if self.total_bytes else None


@dataclass(frozen=True, slots=True)
class ModelFailure:
    """Why something could not be done, in words for the user, and what can be done about it."""

    problem: str
    remedy: str
    remedies: tuple[Remedy, ...]


@dataclass(frozen=True, slots=True)
class LibraryModel:
    """A model that can be had: what it is, whether it is here, and what is being done with it.

    `here_bytes` is what it takes up on the disk, whole or in part.
    """

    entry: CatalogEntry
    state: ModelState
    here_bytes: int = 0
    work: ModelWork | None = None
    failure: ModelFailure | None = None
    was_checked: bool = False

    @property
    def model_id(self) -> str:
        return self.entry.id

    @property
    def is_installed(self) -> bool:
        return self.state is ModelState.INSTALLED

    @property
    def is_partly_here(self) -> bool:
        return self.state is ModelState.PARTLY and self.here_bytes > 0

    @property
    def is_downloading(self) -> bool:
        return self.work is not None and self.work.doing is Doing.DOWNLOADING


@dataclass(frozen=True, slots=True)
class Import:
    """A file or folder that is being taken into the store, or could not be.

    `model_id` is the model it was said to be, None if that has to be recognised.
    """

    path: Path
    model_id: str | None
    work: ModelWork | None = None
    failure: ModelFailure | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """The store's folder, what models take up in it, and what is free on its disk, in bytes."""

    folder: Path
    used_bytes: int = 0
    free_bytes: int | None = None
