"""T5X checkpoints: a folder with one msgpack file and a zarr array per matrix, read without JAX.

The file `checkpoint` (flax.serialization) holds a tree whose leaves are small arrays themselves or
the TensorStore specification of an array in a folder beside it. Only the last component of a
specification's path is used, so that nothing outside the folder is ever read.
"""

import json
import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]  # it ships no types
import numpy as np
import numpy.typing as npt

from core.errors import ModelBrokenError, ModelMissingError, printable_name

CHECKPOINT_FILE = "checkpoint"
MOST_VALUES = 1 << 28  # of one array: four times the largest of any model of the family
LARGEST_TREE_BYTES = 1 << 26
FLAX_ARRAY = 1  # extension type of flax.serialization: shape, dtype name, bytes

_REMEDY = "Download or copy the whole folder again."
_TYPES: Mapping[str, np.dtype[Any]] = {
    "float32": np.dtype("<f4"),
    "float64": np.dtype("<f8"),
    "float16": np.dtype("<f2"),
    "bfloat16": np.dtype("<u2"),
    "<f4": np.dtype("<f4"),
    "<f8": np.dtype("<f8"),
    "<f2": np.dtype("<f2"),
}

_NAMES = {"<f4": "float32", "<f8": "float64", "<f2": "float16"}

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class T5xArray:
    """One parameter: its shape and number format, and where its values are."""

    path: str  # in the tree, as "encoder/layers_0/mlp/wo/kernel"
    shape: tuple[int, ...]
    dtype: str
    inline: bytes | None
    folder: Path | None


def t5x_arrays(folder: Path) -> tuple[T5xArray, ...]:
    """Return what parameters a checkpoint holds, from its headers alone.

    Raises:
        ModelMissingError: there is no such folder.
        ModelBrokenError: it is no T5X checkpoint, or incomplete.
    """
    if not folder.is_dir():
        raise ModelMissingError(f"The folder '{printable_name(folder)}' is missing.", _REMEDY)
    tree = _tree(folder)
    arrays = tuple(_arrays(folder, tree, ""))
    missing = [array.path for array in arrays if array.folder and not _is_complete(array.folder)]
    if missing:
        raise _broken(
            folder,
            f"it is incomplete: {len(missing)} of {len(arrays)} parameters are not there, the "
            f"first is '{missing[0]}'",
        )
    return tuple(
        _measured(folder, array) if array.folder is not None else array for array in arrays
    )


def read_t5x(folder: Path, array: T5xArray) -> Array:
    """Return the values of one parameter in float32.

    Raises:
        ModelBrokenError: they are damaged.
    """
    if array.inline is not None:
        return _values(folder, array, array.inline, array.dtype)
    assert array.folder is not None
    header = _zarr_header(folder, array.folder)
    chunks = tuple(header["chunks"])
    joined = np.empty(array.shape, np.float32)
    for index in np.ndindex(*_grid(array.shape, chunks)):
        block = _chunk(folder, array, header, index, chunks)
        place = tuple(
            slice(at * size, min((at + 1) * size, whole))
            for at, size, whole in zip(index, chunks, array.shape, strict=True)
        )
        part = joined[place]
        part[...] = block[tuple(slice(0, size) for size in part.shape)]
    return joined


def _tree(folder: Path) -> Mapping[str, Any]:
    path = folder / CHECKPOINT_FILE
    try:
        if path.stat().st_size > LARGEST_TREE_BYTES:
            raise _broken(folder, f"its file '{CHECKPOINT_FILE}' is far too large")
        content = path.read_bytes()
        root = msgpack.unpackb(
            content, raw=False, strict_map_key=True, ext_hook=msgpack.ExtType,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise _broken(folder, f"it has no file '{CHECKPOINT_FILE}'") from error
    except OSError as error:
        raise _broken(folder, f"'{CHECKPOINT_FILE}' cannot be read ({error.strerror})") from error
    except (ValueError, msgpack.UnpackException, RecursionError, MemoryError) as error:
        raise _broken(folder, f"its file '{CHECKPOINT_FILE}' is damaged") from error
    for key in ("optimizer", "target"):
        root = root.get(key) if isinstance(root, dict) else None
    if not isinstance(root, dict) or not root:
        raise _broken(folder, f"its file '{CHECKPOINT_FILE}' holds no parameters")
    return root


def _arrays(folder: Path, tree: Mapping[str, Any], path: str) -> Iterator[T5xArray]:
    for name, leaf in tree.items():
        here = f"{path}/{name}" if path else str(name)
        if isinstance(leaf, msgpack.ExtType):
            yield _inline_array(folder, here, leaf)
        elif isinstance(leaf, dict) and "driver" in leaf:
            yield T5xArray(here, (), "", None, _spec_folder(folder, here, leaf))
        elif isinstance(leaf, dict):
            yield from _arrays(folder, leaf, here)
        else:
            raise _broken(folder, f"'{here}' is neither an array nor the place of one")


def _inline_array(folder: Path, path: str, leaf: Any) -> T5xArray:
    try:
        shape, dtype, values = msgpack.unpackb(leaf.data, raw=False)
        shape = _checked_shape(shape)
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise _broken(folder, f"the array '{path}' is damaged") from error
    if leaf.code != FLAX_ARRAY or dtype not in _TYPES or not isinstance(values, bytes):
        raise _broken(folder, f"the array '{path}' is of an unknown kind")
    if len(values) != math.prod(shape) * _TYPES[dtype].itemsize:
        raise _broken(folder, f"the array '{path}' breaks off")
    return T5xArray(path, shape, dtype, values, None)


def _spec_folder(folder: Path, path: str, spec: Mapping[str, Any]) -> Path:
    store = spec.get("kvstore")
    written = spec.get("path") or (store.get("path") if isinstance(store, dict) else None)
    name = written.rstrip("/").replace("\\", "/").rsplit("/", 1)[-1] if isinstance(
        written, str) else ""  # fmt: skip
    if not name or name in (".", "..") or "\0" in name:
        raise _broken(folder, f"the place of '{path}' is not said")
    place = folder / name
    if place.is_symlink():
        raise _broken(folder, f"'{name}' is a link; only real folders are read")
    return place


def _is_complete(place: Path) -> bool:
    """Tell whether an array's header and all its chunks are there; what they hold is not read."""
    try:
        header = json.loads((place / ".zarray").read_bytes())
        shape, chunks = _checked_shape(header["shape"]), _checked_shape(header["chunks"])
        between = header.get("dimension_separator", ".")
        return all(
            (place / _chunk_name(index, between)).is_file()
            for index in np.ndindex(*_grid(shape, chunks))
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError, AttributeError):
        return False


def _measured(folder: Path, array: T5xArray) -> T5xArray:
    assert array.folder is not None
    header = _zarr_header(folder, array.folder)
    dtype = _NAMES.get(header["dtype"], header["dtype"])
    return T5xArray(array.path, tuple(header["shape"]), dtype, None, array.folder)


def _zarr_header(folder: Path, place: Path) -> dict[str, Any]:
    try:
        header = json.loads((place / ".zarray").read_bytes())
        shape, chunks = _checked_shape(header["shape"]), _checked_shape(header["chunks"])
        compressor = header.get("compressor")
        kind = compressor["id"] if compressor else None
        is_known = (
            header["zarr_format"] == 2
            and header["dtype"] in _TYPES
            and header.get("order", "C") == "C"
            and not header.get("filters")
            and kind in (None, "gzip", "zlib")
            and len(chunks) == len(shape)
            and header.get("dimension_separator", ".") in (".", "/")
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _broken(folder, f"the header of '{place.name}' is damaged") from error
    if not is_known:
        raise _broken(folder, f"'{place.name}' is stored in a way that is not known here")
    return {**header, "shape": shape, "chunks": chunks, "compressor": kind}


def _checked_shape(shape: Any) -> tuple[int, ...]:
    """Return a shape; raise ValueError for one that no parameter of the family has."""
    sizes = tuple(shape)
    if len(sizes) > 4 or not all(type(size) is int and size > 0 for size in sizes):
        raise ValueError(f"not a shape: {shape}")
    if math.prod(sizes) > MOST_VALUES:
        raise ValueError(f"too large: {shape}")
    return sizes


def _grid(shape: tuple[int, ...], chunks: tuple[int, ...]) -> tuple[int, ...]:
    grid = tuple(-(-whole // size) for whole, size in zip(shape, chunks, strict=True))
    if math.prod(grid) > 65_536:
        raise ValueError("too many chunks")
    return grid


def _chunk_name(index: tuple[int, ...], between: str) -> str:
    return between.join(map(str, index)) or "0"


def _chunk(
    folder: Path,
    array: T5xArray,
    header: Mapping[str, Any],
    index: tuple[int, ...],
    chunks: tuple[int, ...],
) -> Array:
    assert array.folder is not None
    name = _chunk_name(index, header.get("dimension_separator", "."))
    size = math.prod(chunks) * _TYPES[array.dtype].itemsize
    try:
        content = (array.folder / name).read_bytes()
        if header["compressor"] is not None:
            # Never more than the header promises: what swells beyond it is no array of ours.
            inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
            content = inflater.decompress(content, size + 1)
    except (OSError, zlib.error) as error:
        raise _broken(folder, f"'{array.folder.name}/{name}' is damaged") from error
    if len(content) != size:
        raise _broken(folder, f"'{array.folder.name}/{name}' breaks off or is too long")
    return _values(folder, array, content, array.dtype).reshape(chunks)


def _values(folder: Path, array: T5xArray, content: bytes, dtype: str) -> Array:
    raw = np.frombuffer(content, _TYPES[dtype])
    values: Array
    if dtype == "bfloat16":  # the upper half of a float32
        values = (raw.astype(np.uint32) << 16).view(np.float32)
    else:
        values = raw.astype(np.float32)
    if not np.isfinite(values).all():
        raise _broken(folder, f"'{array.path}' holds values that are no numbers")
    return values.reshape(array.shape) if array.inline is not None else values


def _broken(folder: Path, what: str) -> ModelBrokenError:
    return ModelBrokenError(
        f"The checkpoint folder '{printable_name(folder)}' cannot be used: {what}.", _REMEDY
    )
