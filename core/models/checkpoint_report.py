"""What a checkpoint file is, from its headers alone: format, model, and what does not fit.

No torch here: the model manager and the terminal look at files with it before anything is loaded.
"""

import json
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from core.errors import ModelBrokenError, ModelMissingError, printable_name
from core.models.parameter_names import (
    KUNATO_ALIASES,
    Spelling,
    mr_mt3_spellings,
    mt3_spellings,
)
from core.models.t5x import CHECKPOINT_FILE, read_t5x, t5x_arrays
from core.models.torch_file import open_torch_file

MT3_TOKENS, ISMIR2021_TOKENS = 1536, 1664
LIGHTNING_PREFIX = "model."  # of MR-MT3's trainer
LARGEST_HEADER_BYTES = 1 << 26

Array = npt.NDArray[np.float32]
Shape = tuple[int, ...]


class FileFormat(StrEnum):
    """How a checkpoint is stored."""

    TORCH = "PyTorch"
    LIGHTNING = "Lightning"
    SAFETENSORS = "safetensors"
    T5X = "T5X"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One tensor of a file, under the name it has there; `read` gives its values in float32."""

    name: str
    shape: Shape
    dtype: str
    read: Callable[[], Array]


@dataclass(frozen=True, slots=True)
class ModelFamily:
    """What a network's file must hold, in every spelling."""

    name: str
    spellings: tuple[Spelling, ...]
    tokens: int


FAMILIES: Mapping[str, ModelFamily] = MappingProxyType(
    {
        family.name: family
        for family in (
            ModelFamily("mt3", mt3_spellings(), MT3_TOKENS),
            ModelFamily("ismir2021", mt3_spellings(), ISMIR2021_TOKENS),
            ModelFamily("mr_mt3", mr_mt3_spellings(), MT3_TOKENS),
        )
    }
)


@dataclass(frozen=True, slots=True)
class CheckpointReport:
    """What a file is and what it fits; names are those in the file.

    `family` is the model it fits or comes nearest to, None if it resembles none. `missing`,
    `unexpected` and `misshapen` compare it with that one. What optimisers keep is not counted.
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


def inspect_checkpoint(path: Path) -> CheckpointReport:
    """Return what a file or T5X folder holds without loading it.

    Raises:
        ModelMissingError: there is nothing at `path`.
        ModelBrokenError: it is damaged, unsafe, or no checkpoint.
    """
    file_format, parameters = open_checkpoint(path)
    shapes = {parameter.name: parameter.shape for parameter in parameters}
    comparisons = [_compared(family, file_format, shapes) for family in FAMILIES.values()]
    nearest = min(comparisons, key=lambda found: found.differences)
    resembles = len(nearest.missing) < len(nearest.family.spellings) // 2
    counted = {name: shape for name, shape in shapes.items() if not _is_alias(name)}
    return CheckpointReport(
        path=path,
        format=file_format,
        family=nearest.family.name if resembles else None,
        missing=nearest.missing if resembles else (),
        unexpected=nearest.unexpected if resembles else (),
        misshapen=nearest.misshapen if resembles else (),
        parameter_count=sum(math.prod(shape) for shape in counted.values()),
        dtypes=tuple(sorted({parameter.dtype for parameter in parameters})),
        size_bytes=_size_bytes(path),
    )


def open_checkpoint(path: Path) -> tuple[FileFormat, tuple[Parameter, ...]]:
    """Return the format of a file and its parameters, which are read only when asked for."""
    file_format = _format_of(path)
    if file_format is FileFormat.T5X:
        folder = path if path.is_dir() else path.parent
        return file_format, tuple(
            Parameter(array.path, array.shape, array.dtype, lambda a=array: read_t5x(folder, a))  # type: ignore[misc]  # the default binds the loop's value
            for array in t5x_arrays(folder)
        )
    if file_format is FileFormat.SAFETENSORS:
        return file_format, _safetensors_parameters(path)
    stored = open_torch_file(path)
    return (FileFormat.LIGHTNING if stored.is_lightning else FileFormat.TORCH), tuple(
        Parameter(name, tensor.shape, tensor.dtype, lambda n=name: stored.read(n))  # type: ignore[misc]  # the default binds the loop's value
        for name, tensor in stored.tensors.items()
    )


def file_names(
    family: ModelFamily, file_format: FileFormat, present: Sequence[str] | Mapping[str, Shape]
) -> dict[str, Spelling]:
    """Return the name in a file of every parameter of a family; T5X has none for some."""
    if file_format is FileFormat.T5X:
        return {spelling.t5x: spelling for spelling in family.spellings if spelling.t5x}
    if file_format is FileFormat.SAFETENSORS and family.spellings[0].ours in present:
        return {spelling.ours: spelling for spelling in family.spellings}
    prefix = LIGHTNING_PREFIX if LIGHTNING_PREFIX + family.spellings[0].kunato in present else ""
    return {prefix + spelling.kunato: spelling for spelling in family.spellings}


def expected_shape(spelling: Spelling, tokens: int) -> Shape:
    """Return the shape of a parameter in our spelling: [out, in] for matrices."""
    name = spelling.ours
    for ending, shape in _SHAPES.items():
        if name.endswith(ending):
            return shape
    return (tokens, 512)  # token embedding and logits


_SHAPES: Mapping[str, Shape] = {
    "positions.frequencies": (256,),
    "norm.weight": (512,),
    "projection.weight": (512, 512),
    "query.weight": (384, 512),
    "key.weight": (384, 512),
    "value.weight": (384, 512),
    "output.weight": (512, 384),
    "gate.weight": (1024, 512),
    "up.weight": (1024, 512),
    "down.weight": (512, 1024),
}


@dataclass(frozen=True, slots=True)
class _Comparison:
    family: ModelFamily
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshapen: tuple[str, ...]

    @property
    def differences(self) -> int:
        return len(self.missing) + len(self.misshapen) + len(self.unexpected)


def _compared(
    family: ModelFamily, file_format: FileFormat, shapes: Mapping[str, Shape]
) -> _Comparison:
    wanted = file_names(family, file_format, shapes)
    misshapen = []
    for name, spelling in wanted.items():
        shape = expected_shape(spelling, family.tokens)
        if file_format is FileFormat.T5X and spelling.t5x_is_transposed:
            shape = shape[::-1]
        if name in shapes and shapes[name] != shape:
            misshapen.append(name)
    return _Comparison(
        family,
        missing=tuple(name for name in wanted if name not in shapes),
        unexpected=tuple(name for name in shapes if name not in wanted and not _is_alias(name)),
        misshapen=tuple(misshapen),
    )


def _is_alias(name: str) -> bool:
    return name.removeprefix(LIGHTNING_PREFIX) in KUNATO_ALIASES


def _format_of(path: Path) -> FileFormat:
    if path.is_dir() or path.name == CHECKPOINT_FILE:
        return FileFormat.T5X
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except FileNotFoundError as error:
        raise ModelMissingError(
            f"There is no file '{printable_name(path)}'.", "Check whether it was moved or renamed."
        ) from error
    except OSError as error:
        raise _broken(path, f"the system says: {error.strerror}") from error
    if start[:4] == b"PK\x03\x04":
        return FileFormat.TORCH
    if len(start) > 8 and start[8:9] == b"{":
        return FileFormat.SAFETENSORS
    if start.startswith(b"version https://git-lfs"):
        raise _broken(path, "it is only a pointer to the file (git LFS), not the file")
    if start[:1] == b"\x80" or b"ustar" in start:
        raise _broken(path, "it is in PyTorch's old format, which cannot be read safely")
    raise _broken(path, "it is no checkpoint of a known format")


def _safetensors_parameters(path: Path) -> tuple[Parameter, ...]:
    """Read a header of safetensors: its length, then JSON of names, shapes and places."""
    whole = path.stat().st_size
    try:
        with path.open("rb") as file:
            (header_bytes,) = struct.unpack("<Q", file.read(8))
            if header_bytes > min(whole, LARGEST_HEADER_BYTES):
                raise ValueError("a header longer than the file")
            header = json.loads(file.read(header_bytes))
        first = 8 + header_bytes
        parameters = []
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            shape, (start, end) = tuple(entry["shape"]), entry["data_offsets"]
            dtype = _SAFETENSORS_TYPES[entry["dtype"]]
            if not all(type(size) is int and size >= 0 for size in shape):
                raise ValueError("a shape of no whole numbers")
            if not 0 <= start <= end <= whole - first:
                raise ValueError("values outside the file")
            if end - start != math.prod(shape) * dtype.itemsize:
                raise ValueError("values that do not fit their shape")
            parameters.append(_stored(path, name, entry["dtype"], shape, first + start))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _broken(path, f"it is damaged ({error})") from error
    return tuple(parameters)


_SAFETENSORS_TYPES: Mapping[str, "np.dtype[np.generic]"] = {
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
    "I64": np.dtype("<i8"),
}


def _stored(path: Path, name: str, dtype: str, shape: Shape, start: int) -> Parameter:
    def read() -> Array:
        raw = np.memmap(path, _SAFETENSORS_TYPES[dtype], "r", start, shape)
        if dtype == "BF16":
            return (raw.astype(np.uint32) << 16).view(np.float32)
        return np.array(raw, np.float32)

    return Parameter(name, shape, dtype, read)


def _size_bytes(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size


def _broken(path: Path, what: str) -> ModelBrokenError:
    return ModelBrokenError(
        f"Cannot use '{printable_name(path)}': {what}.",
        "Download it again from where it was published.",
    )
