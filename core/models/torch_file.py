"""Files written by `torch.save`: which tensors they hold, without torch and without unpickling.

Such a file is a zip with a pickle that describes tensors and one entry of bytes per storage,
nothing of it compressed. What a trainer left in it besides (YourMT3's task manager, OmegaConf, the
moments of an optimiser) is neither made nor read.
"""

import io
import math
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from core.errors import ModelBrokenError, ModelMissingError, printable_name
from core.models.inert_pickle import (
    DamagedPickleError,
    Made,
    Named,
    Stored,
    UnsafePickleError,
    read_pickle,
)
from core.models.stored_parameter import (
    DOWNLOAD_AGAIN,
    FLOATING,
    MOST_VALUES,
    Array,
    Parameter,
    Shape,
    broken_checkpoint,
    checked_shape,
    in_float32,
)

LARGEST_PICKLE_BYTES = 1 << 26
LARGEST_TABLE_BYTES = 1 << 22  # of contents; published files have some 70 kB
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")  # of a zip entry; the name and an extra field follow
_IS_ENCRYPTED = 1  # a flag of a zip entry

_DTYPES: Mapping[str, str] = MappingProxyType(
    {
        "FloatStorage": "float32", "HalfStorage": "float16", "DoubleStorage": "float64",
        "BFloat16Storage": "bfloat16", "LongStorage": "int64", "IntStorage": "int32",
        "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8",
        "BoolStorage": "bool", "ComplexFloatStorage": "complex64",
    }
)  # fmt: skip
_ITEM_BYTES: Mapping[str, int] = MappingProxyType(
    {name: dtype.itemsize for name, dtype in FLOATING.items()}
    | {"int64": 8, "int32": 4, "int16": 2, "int8": 1, "uint8": 1, "bool": 1,
       "complex64": 8}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TorchFile:
    """What a file holds; `others` are the names in its state dict that stand for no tensor."""

    is_lightning: bool
    parameters: tuple[Parameter, ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Storage:
    """Bytes in the file; a checksum of 0 says that it was saved without one."""

    start: int
    length: int
    checksum: int


@dataclass(frozen=True, slots=True)
class _StoredTensor:
    """Where a tensor lies in its storage; `strides` and `offset` count values, not bytes."""

    name: str
    shape: Shape
    dtype: str
    storage: str
    offset: int
    strides: Shape

    @property
    def span(self) -> int:
        """How many values of the storage lie from its first to its last."""
        if math.prod(self.shape) == 0:
            return 0
        steps = zip(self.shape, self.strides, strict=True)
        return 1 + sum((size - 1) * stride for size, stride in steps)


def open_torch_file(path: Path) -> TorchFile:
    """Return what a file of `torch.save` holds: a state dict, or a Lightning checkpoint's.

    Raises:
        ModelMissingError: there is no such file.
        ModelBrokenError: it is damaged, no such file, or not safe.
    """
    if not path.is_file():
        raise ModelMissingError(f"The file '{printable_name(path)}' is missing.", DOWNLOAD_AGAIN)
    try:
        entries = _entries(path)
        content = _described(path, _bytes_of(path, "data.pkl", entries, LARGEST_PICKLE_BYTES))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise broken_checkpoint(
            path, "it is damaged or was not written by PyTorch 1.6 or later"
        ) from error
    whole = _items(content) or {}
    inner = _items(whole.get("state_dict"))
    state = whole if inner is None else inner
    tensors = {
        name: _tensor(path, name, value) for name, value in state.items() if isinstance(name, str)
    }
    parameters = []
    for name, tensor in tensors.items():
        if tensor is not None:
            storage = _storage_of(path, tensor, entries)
            read = partial(_read, path, tensor, storage)
            parameters.append(Parameter(name, tensor.shape, tensor.dtype, read))
    if not parameters:
        raise broken_checkpoint(path, "it holds no parameters by name")
    others = tuple(name for name, tensor in tensors.items() if tensor is None)
    return TorchFile(inner is not None, tuple(parameters), others)


class _TableFile(io.FileIO):
    """A file whose table of contents is not read when it claims to be huge."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > LARGEST_TABLE_BYTES:
            raise zipfile.BadZipFile("a table of contents beyond all measure")
        return super().read(size) or b""


def _entries(path: Path) -> dict[str, _Storage]:
    """Return where the entries of the archive lie, by name within its one folder."""
    with _TableFile(path) as file, zipfile.ZipFile(file) as archive:
        table = archive.infolist()
        pickles = [entry.filename for entry in table if entry.filename.endswith("/data.pkl")]
        if len(pickles) != 1 or pickles[0].count("/") != 1:
            raise broken_checkpoint(path, "it is an archive, but not one of PyTorch")
        root = pickles[0].removesuffix("data.pkl")
        entries = {}
        for entry in table:
            if not entry.filename.startswith(root):
                continue
            if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & _IS_ENCRYPTED:
                raise broken_checkpoint(path, "it is compressed, which PyTorch never does")
            name = entry.filename.removeprefix(root)
            if name in entries:
                raise broken_checkpoint(path, "its table of contents names an entry twice")
            entries[name] = _located(path, file, entry)
    order = _bytes_of(path, "byteorder", entries, 16) if "byteorder" in entries else b"little"
    if order != b"little":  # files before PyTorch 2.0 do not say
        raise broken_checkpoint(path, "it was written on a machine with another byte order")
    return entries


def _located(path: Path, file: io.FileIO, entry: zipfile.ZipInfo) -> _Storage:
    file.seek(entry.header_offset)
    header = file.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size or header[:4] != b"PK\x03\x04":
        raise broken_checkpoint(path, "its table of contents does not fit its content")
    *_, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(header)
    start = entry.header_offset + _LOCAL_HEADER.size + name_bytes + extra_bytes
    if entry.file_size != entry.compress_size or start + entry.file_size > path.stat().st_size:
        raise broken_checkpoint(path, "it breaks off")
    return _Storage(start, entry.file_size, entry.CRC)


def _bytes_of(path: Path, name: str, entries: Mapping[str, _Storage], most: int) -> bytes:
    place = entries[name]
    if place.length > most:
        raise broken_checkpoint(path, f"'{name}' in it is far too large")
    with path.open("rb") as file:
        file.seek(place.start)
        content = file.read(place.length)
    if len(content) != place.length or _is_altered(content, place):
        raise broken_checkpoint(path, f"'{name}' in it is damaged")
    return content


def _is_altered(content: bytes | memoryview, storage: _Storage) -> bool:
    return storage.checksum != 0 and zlib.crc32(content) != storage.checksum


def _described(path: Path, content: bytes) -> object:
    try:
        return read_pickle(content)
    except UnsafePickleError as error:
        raise ModelBrokenError(
            f"The file '{printable_name(path)}' is not safe: it names '{error}', which could run "
            "a program. Nothing of it was run.",
            "Delete it, and get the model from where it was published.",
        ) from error
    except DamagedPickleError as error:
        raise broken_checkpoint(path, f"its list of tensors is damaged ({error})") from error


def _items(value: object) -> Mapping[Any, object] | None:
    """Return the items of a dict, None for anything else."""
    if isinstance(value, Made) and _is_named(value.maker, "collections", "OrderedDict"):
        return value.items
    return value if isinstance(value, dict) else None


def _is_named(value: object, module: str, *names: str) -> bool:
    return isinstance(value, Named) and value.module == module and value.name in names


def _tensor(path: Path, name: str, value: object) -> _StoredTensor | None:
    """Return where a described tensor lies, None for what is no tensor."""
    while isinstance(value, Made) and _is_named(
        value.maker, "torch._utils", "_rebuild_parameter", "_rebuild_parameter_with_state"
    ):
        value = _first(value.arguments)
    if not isinstance(value, Made) or not _is_named(
        value.maker, "torch._utils", "_rebuild_tensor_v2", "_rebuild_tensor"
    ):
        return None
    try:
        match value.arguments:
            case (Stored(("storage", Named("torch", kind), str(key), *_)), offset, sizes, steps,
                  *_) if kind in _DTYPES:  # fmt: skip
                shape, strides = checked_shape(sizes), tuple(map(_whole, _listed(steps)))
                if len(shape) != len(strides):
                    raise ValueError("as many strides as sizes are wanted")
                return _StoredTensor(name, shape, _DTYPES[kind], key, _whole(offset), strides)
    except ValueError as error:
        raise broken_checkpoint(path, f"'{name[:80]}' in it has {error}") from error
    return None


def _first(values: object) -> object:
    return values[0] if isinstance(values, tuple) and values else None


def _listed(value: object) -> tuple[object, ...]:
    if not isinstance(value, tuple):
        raise ValueError("a layout that is none")
    return value


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MOST_VALUES:
        raise ValueError("a layout that is none")
    return value


def _storage_of(path: Path, tensor: _StoredTensor, entries: Mapping[str, _Storage]) -> _Storage:
    """Return the bytes of a tensor; refuse one that is not in the file, or reaches out of them."""
    storage = entries.get(f"data/{tensor.storage}")
    if storage is None:
        raise broken_checkpoint(path, f"the values of '{tensor.name[:80]}' are not in it")
    values = storage.length // _ITEM_BYTES[tensor.dtype]
    if math.prod(tensor.shape) > values or tensor.offset + tensor.span > values:
        raise broken_checkpoint(path, f"'{tensor.name[:80]}' is larger than what is stored of it")
    return storage


def _read(path: Path, tensor: _StoredTensor, storage: _Storage) -> Array:
    """Return one tensor in float32; only its bytes are read."""
    dtype = FLOATING[tensor.dtype]
    with path.open("rb") as file:
        file.seek(storage.start + tensor.offset * dtype.itemsize)
        raw = np.fromfile(file, dtype, tensor.span)
    is_whole = raw.nbytes == storage.length
    if len(raw) != tensor.span or (is_whole and _is_altered(raw.data, storage)):
        raise broken_checkpoint(path, f"the values of '{tensor.name[:80]}' are damaged")
    strides = [stride * dtype.itemsize for stride in tensor.strides]
    # Within `raw` for any strides: they are not negative, and the span was computed from them.
    values = np.lib.stride_tricks.as_strided(raw, tensor.shape, strides)
    return in_float32(values, tensor.dtype)
