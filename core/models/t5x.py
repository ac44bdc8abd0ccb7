"""T5X checkpoints: a folder with one msgpack file and a zarr array per matrix, read without JAX.

The file `checkpoint` (flax.serialization) holds a tree whose leaves are small arrays themselves or
the TensorStore specification of an array in a folder beside it. Only the last component of a
specification's path is used and links are refused, so that nothing outside the folder is read.
"""

import json
import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]  # it ships no types
import numpy as np

from core.errors import ModelMissingError, printable_name
from core.models.stored_parameter import (
    FLOATING,
    Array,
    Parameter,
    Shape,
    broken_checkpoint,
    checked_shape,
    in_float32,
)

CHECKPOINT_FILE = "checkpoint"
LARGEST_TREE_BYTES = 1 << 24  # Magenta's has 0.9 MB
LARGEST_HEADER_BYTES = 1 << 16  # of one array; some 300 bytes in published folders
LONGEST_LIST = 4096  # in the tree: sizes and the like; msgpack allots them before it reads them
DEEPEST_TREE = 64
MOST_LEAVES = 4096
MOST_CHUNKS = 256  # of one array; T5X writes one for 64 MiB
FLAX_ARRAY = 1  # extension type of flax.serialization: shape, dtype name, bytes
UNFINISHED_SUFFIX = "_.gstmp"  # of files that gsutil was still downloading
COPY_AGAIN = "Download or copy the whole folder again."

_DTYPES = {
    "<f4": "float32", "<f8": "float64", "<f2": "float16", "bfloat16": "bfloat16",
    "float32": "float32", "float64": "float64", "float16": "float16",
}  # fmt: skip
_COMPRESSORS = (None, "gzip", "zlib")


def t5x_parameters(folder: Path) -> tuple[Parameter, ...]:
    """Return what a checkpoint holds, named as in its tree ("encoder/layers_0/mlp/wo/kernel").

    Raises:
        ModelMissingError: there is no such folder.
        ModelBrokenError: it is no T5X checkpoint, incomplete or damaged.
    """
    if not folder.is_dir():
        raise ModelMissingError(f"The folder '{printable_name(folder)}' is missing.", COPY_AGAIN)
    leaves = dict(islice(_leaves(folder, _tree(folder), "", 0), MOST_LEAVES + 1))
    if len(leaves) > MOST_LEAVES:
        raise broken_checkpoint(folder, "its tree of parameters is too large", COPY_AGAIN)
    places = {
        name: _place(folder, name, leaf) for name, leaf in leaves.items() if isinstance(leaf, dict)
    }
    _refuse_incomplete(folder, places, len(leaves))
    return tuple(
        _zarr_parameter(folder, name, places[name])
        if name in places
        else _inline_parameter(folder, name, leaf)
        for name, leaf in leaves.items()
    )


def _tree(folder: Path) -> Mapping[str, Any]:
    path = folder / CHECKPOINT_FILE
    if not path.is_file():
        raise broken_checkpoint(folder, f"it has no file '{CHECKPOINT_FILE}'", COPY_AGAIN)
    try:
        content = _content(folder, path, LARGEST_TREE_BYTES)
        root: Any = _unpacked(content)
    except OSError as error:
        what = f"'{CHECKPOINT_FILE}' in it cannot be read ({error.strerror})"
        raise broken_checkpoint(folder, what, COPY_AGAIN) from error
    except (ValueError, TypeError, msgpack.UnpackException, RecursionError) as error:
        raise broken_checkpoint(
            folder, f"'{CHECKPOINT_FILE}' in it is damaged", COPY_AGAIN
        ) from error
    if isinstance(root, dict) and isinstance(root.get("optimizer"), dict):
        root = root["optimizer"]
    target = root.get("target") if isinstance(root, dict) else None
    if not isinstance(target, dict) or not target:
        what = f"'{CHECKPOINT_FILE}' in it holds no parameters"
        raise broken_checkpoint(folder, what, COPY_AGAIN)
    return target


def _unpacked(content: bytes) -> Any:
    return msgpack.unpackb(
        content, raw=False, strict_map_key=True, max_array_len=LONGEST_LIST, max_map_len=MOST_LEAVES
    )


def _leaves(
    folder: Path, tree: Mapping[Any, object], path: str, depth: int
) -> Iterator[tuple[str, Any]]:
    """Yield path and leaf of the tree: a flax array, or the specification of a zarr array."""
    if depth > DEEPEST_TREE:
        raise broken_checkpoint(folder, "its tree of parameters is too deep", COPY_AGAIN)
    for name, leaf in tree.items():
        here = f"{path}/{name}" if path else str(name)
        if isinstance(leaf, msgpack.ExtType) or (isinstance(leaf, dict) and "driver" in leaf):
            yield here, leaf
        elif isinstance(leaf, dict):
            yield from _leaves(folder, leaf, here, depth + 1)
        else:
            what = f"'{here[:200]}' is neither an array nor the place of one"
            raise broken_checkpoint(folder, what, COPY_AGAIN)


def _place(folder: Path, name: str, specification: Mapping[object, object]) -> Path:
    """Return the folder of an array. T5X of 2021 wrote its path beside the store, later inside."""
    store = specification.get("kvstore")
    written = specification.get("path") or (store.get("path") if isinstance(store, dict) else None)
    last = ""
    if isinstance(written, str):
        last = written.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    if last in ("", ".", "..") or len(last) > 250 or not last.isprintable() or ":" in last:
        raise broken_checkpoint(folder, f"it does not say where '{name[:200]}' is", COPY_AGAIN)
    return folder / last


def _refuse_incomplete(folder: Path, places: Mapping[str, Path], leaves: int) -> None:
    missing = [name for name, place in places.items() if not (place / ".zarray").is_file()]
    chunks = {}
    for name, place in places.items():
        if name not in missing:
            header = _zarr_header(folder, place)
            chunks[name] = [
                index for index in header.chunk_names() if not (place / index).is_file()
            ]
    missing += [name for name, absent in chunks.items() if absent]
    if not missing:
        return
    first = missing[0]
    lacking = places[first].name + (f"/{chunks[first][0]}" if first in chunks else "")
    unfinished = sum(1 for _ in folder.rglob(f"*{UNFINISHED_SUFFIX}"))
    leftovers = f"; {unfinished} files of a broken-off download lie in it" if unfinished else ""
    what = (
        f"it is incomplete: {len(missing)} of {leaves} parameters are not there, "
        f"the first is '{lacking}'{leftovers}"
    )
    raise broken_checkpoint(folder, what, COPY_AGAIN)


def _inline_parameter(folder: Path, name: str, leaf: Any) -> Parameter:
    try:
        if leaf.code != FLAX_ARRAY:
            raise ValueError("an extension of another type")
        sizes, dtype, values = _unpacked(leaf.data)
        shape = checked_shape(sizes)
        if not isinstance(dtype, str) or not isinstance(values, bytes):
            raise ValueError("an array without number format or values")
        if dtype in FLOATING and len(values) != math.prod(shape) * FLOATING[dtype].itemsize:
            raise ValueError("more or fewer values than the shape says")
    except (ValueError, TypeError, msgpack.UnpackException, RecursionError) as error:
        raise broken_checkpoint(
            folder, f"the array '{name[:200]}' in it is damaged", COPY_AGAIN
        ) from error
    return Parameter(name, shape, dtype[:20], partial(_read_inline, folder, name, shape, dtype,
                                                      values))  # fmt: skip


def _read_inline(folder: Path, name: str, shape: Shape, dtype: str, values: bytes) -> Array:
    if dtype not in FLOATING:
        raise broken_checkpoint(folder, f"'{name[:200]}' in it is no weights", COPY_AGAIN)
    raw = np.frombuffer(values, FLOATING[dtype]).copy().reshape(shape)
    return in_float32(raw, dtype)


@dataclass(frozen=True, slots=True)
class _ZarrHeader:
    """How an array is cut into chunks [index, ...] and stored."""

    shape: Shape
    chunks: Shape
    dtype: str
    is_compressed: bool
    between: str

    @property
    def grid(self) -> Shape:
        return tuple(-(-whole // size) for whole, size in zip(self.shape, self.chunks, strict=True))

    def chunk_names(self) -> Iterator[str]:
        return (self.chunk_name(index) for index in np.ndindex(*self.grid))

    def chunk_name(self, index: tuple[int, ...]) -> str:
        return self.between.join(map(str, index)) or "0"


def _zarr_parameter(folder: Path, name: str, place: Path) -> Parameter:
    header = _zarr_header(folder, place)
    return Parameter(name, header.shape, header.dtype, partial(_read_zarr, folder, place))


def _zarr_header(folder: Path, place: Path) -> _ZarrHeader:
    try:
        written = json.loads(_content(folder, place / ".zarray", LARGEST_HEADER_BYTES))
        compressor = written.get("compressor")
        kind = compressor["id"] if compressor else None
        header = _ZarrHeader(
            shape=checked_shape(written["shape"]),
            chunks=checked_shape(written["chunks"]),
            dtype=_DTYPES.get(written["dtype"], str(written["dtype"])[:20]),
            is_compressed=kind is not None,
            between=written.get("dimension_separator", "."),
        )
        is_known = (
            written["zarr_format"] == 2
            and written.get("order", "C") == "C"
            and not written.get("filters")
            and kind in _COMPRESSORS
            and header.between in (".", "/")
        )
        _check_chunks(header)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, AttributeError) as error:
        raise broken_checkpoint(
            folder, f"the header of '{place.name}' in it is damaged", COPY_AGAIN
        ) from error
    if not is_known:
        what = f"'{place.name}' in it is stored in a way that is not known here"
        raise broken_checkpoint(folder, what, "Choose a checkpoint as T5X writes it.")
    return header


def _check_chunks(header: _ZarrHeader) -> None:
    """Raise ValueError for chunks that would be larger than their array, or too many."""
    if len(header.chunks) != len(header.shape):
        raise ValueError("chunks of other dimensions than the array")
    if any(not 0 < size <= whole for size, whole in zip(header.chunks, header.shape, strict=True)):
        raise ValueError("chunks that are larger than the array")
    if math.prod(header.grid) > MOST_CHUNKS:
        raise ValueError("too many chunks")


def _read_zarr(folder: Path, place: Path) -> Array:
    header = _zarr_header(folder, place)
    if header.dtype not in FLOATING:
        raise broken_checkpoint(folder, f"'{place.name}' in it is no weights", COPY_AGAIN)
    joined = np.empty(header.shape, np.float32)
    for index in np.ndindex(*header.grid):
        slices = [
            slice(at * size, (at + 1) * size) for at, size in zip(index, header.chunks, strict=True)
        ]
        part = joined[tuple(slices)]
        chunk = _chunk(folder, place / header.chunk_name(index), header)
        part[...] = chunk[tuple(slice(0, size) for size in part.shape)]
    return joined


def _chunk(folder: Path, path: Path, header: _ZarrHeader) -> Array:
    dtype = FLOATING[header.dtype]
    size = math.prod(header.chunks) * dtype.itemsize
    try:
        # Noise does not shrink: compressed weights are hardly larger than they are unpacked.
        content = _content(folder, path, size + size // 8 + 1024)
        if header.is_compressed:
            content = _inflated(content, size)
    except (OSError, ValueError, zlib.error) as error:
        content = b""
        cause: Exception | None = error
    else:
        cause = None
    if len(content) != size:
        what = f"'{path.parent.name}/{path.name}' in it is damaged or breaks off"
        raise broken_checkpoint(folder, what, COPY_AGAIN) from cause
    return in_float32(np.frombuffer(content, dtype).reshape(header.chunks), header.dtype)


def _inflated(content: bytes, size: int) -> bytes:
    """Return what was compressed, at most `size` bytes of it, its checksum compared."""
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # gzip or zlib, whichever it is
    inflated = inflater.decompress(content, size + 1)
    if not inflater.eof or inflater.unused_data:
        raise ValueError("the stream does not end where its file ends")
    return inflated


def _content(folder: Path, path: Path, most: int) -> bytes:
    """Return a file of the folder; OSError or ValueError for pipes and what is too large."""
    if not path.is_file():
        raise ValueError("no file")
    if not path.resolve().is_relative_to(folder.resolve()):
        what = f"'{path.parent.name}/{path.name}' is a link out of it"
        raise broken_checkpoint(folder, what, "Copy the real files into the folder.")
    if path.stat().st_size > most:
        raise ValueError("a file that is too large")
    return path.read_bytes()
