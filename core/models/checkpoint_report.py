"""What a checkpoint file is, from its headers alone: format, model, and what does not fit.

No torch here: the model manager and the terminal look at files with it before anything is loaded.
"""

import math
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.errors import ModelMissingError, printable_name
from core.models.parameter_names import FAMILIES, ModelFamily, Spelling
from core.models.safetensors_file import safetensors_parameters
from core.models.stored_parameter import DOWNLOAD_AGAIN, Parameter, broken_checkpoint
from core.models.t5x import CHECKPOINT_FILE, t5x_parameters
from core.models.torch_file import open_torch_file

CACHE_SUFFIX = ".notewright.safetensors"  # of the copies that make loading faster
PLAIN_NORMS = "_rms"  # ends the name of a family that is another one but for the biases of norms

_TAR_MARK = slice(257, 262)


class FileFormat(StrEnum):
    """How a checkpoint is stored."""

    TORCH = "PyTorch"
    LIGHTNING = "Lightning"
    SAFETENSORS = "safetensors"
    T5X = "T5X"


@dataclass(frozen=True, slots=True)
class OpenCheckpoint:
    """A checkpoint whose headers were read; `others` are names that stand for no tensor."""

    path: Path
    format: FileFormat
    parameters: tuple[Parameter, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckpointReport:
    """What a file is and what it fits; names are those in the file.

    `family` is the model it fits or comes nearest to, None if it resembles none. `missing`,
    `unexpected` and `misshapen` (wrong shape, or a number format that weights do not have) compare
    it with that one. What optimisers keep is not counted.
    """

    path: Path
    format: FileFormat
    family: str | None
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshapen: tuple[str, ...]
    parameter_count: int
    dtypes: tuple[str, ...]
    size_bytes: int

    @property
    def fits(self) -> bool:
        """Tell whether the file can be loaded as its family."""
        return self.family is not None and not self.missing and not self.misshapen

    def can_be(self, family: str) -> bool:
        """Tell whether the file can be loaded as `family`, with or without biases in its norms."""
        return self.fits and self.family in (family, family + PLAIN_NORMS)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a checkpoint differs from a family; `names` are where its parameters should be."""

    family: ModelFamily
    names: Mapping[str, Spelling]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshapen: tuple[str, ...]


def inspect_checkpoint(path: Path) -> CheckpointReport:
    """Return what a file or T5X folder holds without loading it.

    Raises:
        ModelMissingError: there is nothing at `path`.
        ModelBrokenError: it is damaged, incomplete, unsafe, or no checkpoint.
    """
    checkpoint = open_checkpoint(path)
    comparisons = [compared(checkpoint, family) for family in FAMILIES.values()]
    nearest = min(
        comparisons,
        key=lambda found: len(found.missing) + len(found.misshapen) + len(found.unexpected),
    )
    resembles = len(nearest.missing) < len(nearest.names) // 2
    shapes = {
        parameter.name: parameter.shape
        for parameter in checkpoint.parameters
        if parameter.name in nearest.names or not nearest.family.is_expected(parameter.name)
    }
    return CheckpointReport(
        path=path,
        format=checkpoint.format,
        family=nearest.family.name if resembles else None,
        missing=nearest.missing if resembles else (),
        unexpected=nearest.unexpected if resembles else (),
        misshapen=nearest.misshapen if resembles else (),
        parameter_count=sum(math.prod(shape) for shape in shapes.values()),
        dtypes=tuple(sorted({parameter.dtype for parameter in checkpoint.parameters})),
        size_bytes=sum(file.stat().st_size for file in checkpoint_files(path)),
    )


def open_checkpoint(path: Path) -> OpenCheckpoint:
    """Read the headers of a file or folder; the parameters are read only when asked for.

    Raises:
        ModelMissingError: there is nothing at `path`.
        ModelBrokenError: it is damaged, incomplete, unsafe, or no checkpoint.
    """
    match _format_of(path):
        case FileFormat.T5X:
            folder = path if path.is_dir() else path.parent
            return OpenCheckpoint(path, FileFormat.T5X, t5x_parameters(folder))
        case FileFormat.SAFETENSORS:
            return OpenCheckpoint(path, FileFormat.SAFETENSORS, safetensors_parameters(path))
        case _:
            file = open_torch_file(path)
            kind = FileFormat.LIGHTNING if file.is_lightning else FileFormat.TORCH
            return OpenCheckpoint(path, kind, file.parameters, file.others)


def compared(checkpoint: OpenCheckpoint, family: ModelFamily) -> Comparison:
    """Return how a checkpoint differs from what a family needs."""
    found = {parameter.name: parameter for parameter in checkpoint.parameters}
    is_t5x = checkpoint.format is FileFormat.T5X
    names = family.names_in_t5x() if is_t5x else family.names_among(found)
    misshapen = []
    for name, spelling in names.items():
        turned = is_t5x and spelling.t5x_is_transposed
        shape = spelling.shape[::-1] if turned else spelling.shape
        if name in found and (found[name].shape != shape or not found[name].is_floating):
            misshapen.append(name)
    return Comparison(
        family,
        names,
        missing=tuple(name for name in names if name not in found),
        unexpected=tuple(
            name
            for name in (*found, *checkpoint.others)
            if name not in names and not family.is_expected(name)
        ),
        misshapen=tuple(misshapen),
    )


def checkpoint_files(path: Path) -> tuple[Path, ...]:
    """Return the files a checkpoint consists of, sorted; the copies made of it are none of them."""
    if path.name == CHECKPOINT_FILE and path.is_file():
        path = path.parent
    if not path.is_dir():
        return (path,)
    return tuple(
        sorted(file for file in path.rglob("*") if file.is_file() and CACHE_SUFFIX not in file.name)
    )


def _format_of(path: Path) -> FileFormat:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode) or path.name == CHECKPOINT_FILE:
            return FileFormat.T5X
        if not stat.S_ISREG(mode):
            raise broken_checkpoint(path, "it is no file", "Choose the file of a model.")
        with path.open("rb") as file:
            start = file.read(512)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelMissingError(
            f"There is no file '{printable_name(path)}'.", "Check whether it was moved or renamed."
        ) from error
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise broken_checkpoint(path, f"the system says: {said}", "Check the file.") from error
    if start[:4] == b"PK\x03\x04":
        return FileFormat.TORCH
    if start[8:9] == b"{":
        return FileFormat.SAFETENSORS
    raise broken_checkpoint(path, *_what_it_is(start))


def _what_it_is(start: bytes) -> tuple[str, str]:
    """Return what a file is that cannot be read, and the next step."""
    if not start:
        return "it is empty", DOWNLOAD_AGAIN
    if start.startswith(b"version https://git-lfs"):
        return "it is only a pointer to the file (git LFS), not the file", "Download the file."
    if start[:1] == b"\x80" or start[_TAR_MARK] == b"ustar":
        what = "it is in PyTorch's format from before version 1.6, which is not read here"
        return what, "Load it with PyTorch and save its weights again, or get a newer file."
    if start.lstrip()[:1] == b"<":
        return "it is a web page, not the file", DOWNLOAD_AGAIN
    return "it is no checkpoint of a known format", "Choose the file that the model's page offers."
