"""Safetensors files without torch: the header of any, and writing one tensor after the other.

The file is the length of a header, the header in JSON (names, number formats, shapes, places), and
the values.
"""

import json
import math
import os
import struct
import zlib
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from core.models.stored_parameter import (
    FLOATING,
    Array,
    Parameter,
    Shape,
    broken_checkpoint,
    checked_shape,
    in_float32,
)

LARGEST_HEADER_BYTES = 1 << 22
BLOCK_BYTES = 1 << 22
CHECKSUM = "crc32"  # of all values, in the metadata of files written here

_LENGTH = struct.Struct("<Q")
_DTYPES: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "F32": ("float32", 4), "F64": ("float64", 8), "F16": ("float16", 2),
        "BF16": ("bfloat16", 2), "I64": ("int64", 8), "I32": ("int32", 4), "I16": ("int16", 2),
        "I8": ("int8", 1), "U64": ("uint64", 8), "U32": ("uint32", 4), "U16": ("uint16", 2),
        "U8": ("uint8", 1), "BOOL": ("bool", 1), "F8_E4M3": ("float8", 1), "F8_E5M2": ("float8", 1),
    }
)  # fmt: skip
_WRITTEN = {np.dtype("<f4"): "F32", np.dtype("<f8"): "F64"}


def safetensors_parameters(path: Path) -> tuple[Parameter, ...]:
    """Return what a file holds, from its header.

    Raises:
        ModelBrokenError: it is damaged.
    """
    try:
        header, first = _header(path)
        values_bytes = path.stat().st_size - first
        return tuple(
            _parameter(path, name, entry, first, values_bytes)
            for name, entry in header.items()
            if name != "__metadata__"
        )
    except (OSError, ValueError) as error:
        raise broken_checkpoint(path, "it is damaged or breaks off") from error


def safetensors_metadata(path: Path) -> Mapping[str, str]:
    """Return what a header says besides the tensors; ValueError or OSError for a damaged file."""
    metadata = _header(path)[0].get("__metadata__", {})
    return metadata if isinstance(metadata, dict) else {}


def write_safetensors(
    path: Path,
    tensors: Iterable[tuple[str, npt.NDArray[Any]]],
    shapes: Mapping[str, tuple[Shape, np.dtype[Any]]],
    metadata: Mapping[str, str],
) -> None:
    """Write tensors in the order of `shapes`; each is held only while it is written.

    The metadata gain a checksum of the values. The file is safe on the disk when this returns.
    """
    header: dict[str, object] = {"__metadata__": {**metadata, CHECKSUM: "0" * 8}}
    end = 0
    for name, (shape, dtype) in shapes.items():
        start, end = end, end + math.prod(shape) * dtype.itemsize
        header[name] = {
            "dtype": _WRITTEN[dtype], "shape": list(shape), "data_offsets": [start, end],
        }  # fmt: skip
    written = json.dumps(header, separators=(",", ":")).encode()
    written += b" " * (-len(written) % 64)  # so that what is mapped from the file lies evenly
    checksum = 0
    with path.open("wb") as file:
        file.write(_LENGTH.pack(len(written)) + written)
        for (name, values), expected in zip(tensors, shapes, strict=True):
            if name != expected or (values.shape, values.dtype) != shapes[name]:
                raise ValueError(f"{name} {values.shape} is not {expected} {shapes[expected]}")
            content = np.ascontiguousarray(values).data.cast("B") if values.size else b""
            checksum = zlib.crc32(content, checksum)
            file.write(content)
        file.seek(_LENGTH.size + written.index(b"0" * 8, written.index(CHECKSUM.encode())))
        file.write(f"{checksum:08x}".encode())
        file.flush()
        os.fsync(file.fileno())


def is_as_written(path: Path) -> bool:
    """Tell whether the values of a file written here are those that were written."""
    header, first = _header(path)
    checksum = 0
    with path.open("rb") as file:
        file.seek(first)
        while block := file.read(BLOCK_BYTES):
            checksum = zlib.crc32(block, checksum)
    metadata = header.get("__metadata__")
    return isinstance(metadata, dict) and metadata.get(CHECKSUM) == f"{checksum:08x}"


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """Return the header and where the values begin; ValueError where there is none."""
    with path.open("rb") as file:
        length = file.read(_LENGTH.size)
        header_bytes = int.from_bytes(length, "little")
        if len(length) < _LENGTH.size or header_bytes > LARGEST_HEADER_BYTES:
            raise ValueError("no length of a header")
        try:
            header = json.loads(file.read(header_bytes))
        except RecursionError as error:
            raise ValueError("a header nested deep") from error
    if not isinstance(header, dict):
        raise ValueError("a header that is no mapping")
    return header, _LENGTH.size + header_bytes


def _parameter(path: Path, name: str, entry: object, first: int, values_bytes: int) -> Parameter:
    match entry:
        case {"dtype": str(written), "shape": sizes, "data_offsets": [int(start), int(end)]}:
            dtype, item_bytes = _DTYPES.get(written, (written[:20], 0))
            shape = checked_shape(sizes)
        case _:
            raise ValueError("a tensor that is not described")
    if not 0 <= start <= end <= values_bytes:
        raise ValueError("values outside the file")
    if item_bytes and end - start != math.prod(shape) * item_bytes:
        raise ValueError("values that do not fit their shape")
    return Parameter(name, shape, dtype, partial(_read, path, name, shape, dtype, first + start))


def _read(path: Path, name: str, shape: Shape, dtype: str, start: int) -> Array:
    if dtype not in FLOATING:
        raise broken_checkpoint(path, f"'{name[:80]}' in it is no weights but {dtype}")
    with path.open("rb") as file:
        file.seek(start)
        raw = np.fromfile(file, FLOATING[dtype], math.prod(shape))
    if len(raw) != math.prod(shape):
        raise broken_checkpoint(path, "it breaks off")
    return in_float32(raw.reshape(shape), dtype)
