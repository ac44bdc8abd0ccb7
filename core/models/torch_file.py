"""Files written by `torch.save`: which tensors they hold, without torch and without unpickling.

Such a file is a zip with a pickle that describes tensors and one entry of bytes per storage. The
pickle is read by an unpickler that knows tensors and plain containers only. Any other class that a
trainer left in it (YourMT3's task manager, OmegaConf) becomes an inert stand-in; nothing of it ever
runs. A pickle that names a function of the system is refused outright.
"""

import math
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from core.errors import ModelBrokenError, ModelMissingError, printable_name

LARGEST_PICKLE_BYTES = 1 << 26
MOST_DIMENSIONS = 8
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")  # of a zip entry; the name and an extra field follow

_REMEDY = "Download it again from where it was published."
_DTYPES = {
    "FloatStorage": "float32", "HalfStorage": "float16", "DoubleStorage": "float64",
    "BFloat16Storage": "bfloat16", "LongStorage": "int64", "IntStorage": "int32",
    "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8", "BoolStorage": "bool",
}  # fmt: skip
_NUMPY: Mapping[str, np.dtype[Any]] = {
    "float32": np.dtype("<f4"), "float16": np.dtype("<f2"), "float64": np.dtype("<f8"),
    "bfloat16": np.dtype("<u2"), "int64": np.dtype("<i8"), "int32": np.dtype("<i4"),
    "int16": np.dtype("<i2"), "int8": np.dtype("i1"), "uint8": np.dtype("u1"),
    "bool": np.dtype("u1"),
}  # fmt: skip
# Plain values of the standard library that trainers leave in their files; its rest is refused.
_HARMLESS = {
    ("builtins", "set"), ("builtins", "frozenset"), ("builtins", "dict"), ("builtins", "list"),
    ("builtins", "tuple"), ("builtins", "int"), ("builtins", "float"), ("builtins", "str"),
    ("builtins", "bool"), ("builtins", "bytes"), ("builtins", "bytearray"), ("builtins", "complex"),
    ("builtins", "slice"), ("builtins", "object"), ("collections", "OrderedDict"),
    ("collections", "defaultdict"), ("argparse", "Namespace"), ("pathlib", "PosixPath"),
    ("pathlib", "WindowsPath"), ("pathlib", "PurePosixPath"), ("pathlib", "Path"),
    ("pathlib._local", "PosixPath"), ("datetime", "datetime"), ("datetime", "timedelta"),
    ("typing", "Any"), ("typing", "Union"), ("typing", "Dict"), ("typing", "List"),
    ("uuid", "UUID"), ("fractions", "Fraction"), ("decimal", "Decimal"),
    ("copyreg", "_reconstructor"),
}  # fmt: skip

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """Where a tensor lies in its file; `strides` and `offset` count values, not bytes."""

    shape: tuple[int, ...]
    dtype: str
    storage: str
    offset: int
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TorchFile:
    """The tensors of a file by name, in its order, and where each storage's bytes start."""

    path: Path
    is_lightning: bool
    tensors: Mapping[str, StoredTensor]
    starts: Mapping[str, tuple[int, int]]  # first byte and length by storage

    def read(self, name: str) -> Array:
        """Return one tensor in float32; only its bytes are read."""
        tensor = self.tensors[name]
        start, size = self.starts[tensor.storage]
        dtype = _NUMPY[tensor.dtype]
        raw = np.memmap(self.path, dtype, "r", start, (size // dtype.itemsize,))
        values: npt.NDArray[Any] = np.lib.stride_tricks.as_strided(
            raw[tensor.offset :],
            tensor.shape,
            [stride * dtype.itemsize for stride in tensor.strides],
            writeable=False,
        )
        if tensor.dtype == "bfloat16":  # the upper half of a float32
            return (values.astype(np.uint32) << 16).view(np.float32)
        return np.array(values, np.float32)


def open_torch_file(path: Path) -> TorchFile:
    """Return what a file of `torch.save` holds: a state dict, or a Lightning checkpoint's.

    Raises:
        ModelMissingError: there is no such file.
        ModelBrokenError: it is damaged, no such file, or not safe.
    """
    if not path.is_file():
        raise ModelMissingError(f"The file '{printable_name(path)}' is missing.", _REMEDY)
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            root = _root_of(path, archive)
            content = _unpickled(path, archive, root)
            starts = _starts(path, file, archive, root)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        raise _broken(path, "it is damaged or was not written by PyTorch 1.6 or later") from error
    is_lightning = isinstance(content, dict) and isinstance(content.get("state_dict"), dict)
    state = content["state_dict"] if is_lightning else content
    if not isinstance(state, dict) or not state:
        raise _broken(path, "it holds no parameters by name")
    tensors: dict[str, StoredTensor] = {}
    for name, tensor in state.items():
        if not isinstance(name, str) or not isinstance(tensor, StoredTensor):
            raise _broken(path, f"'{str(name)[:80]}' in it is no tensor")
        _check_within(path, name, tensor, starts)
        tensors[name] = tensor
    return TorchFile(path, is_lightning, tensors, starts)


def _root_of(path: Path, archive: zipfile.ZipFile) -> str:
    """Return the folder in the archive that everything lies in."""
    pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(pickles) != 1 or pickles[0].count("/") != 1:
        raise _broken(path, "it is an archive, but not one of PyTorch")
    root = pickles[0].removesuffix("data.pkl")
    try:
        order = archive.read(f"{root}byteorder")[:16]
    except KeyError:
        order = b"little"  # files before PyTorch 2.0 do not say
    if order != b"little":
        raise _broken(path, "it was written on a machine with another byte order")
    return root


def _unpickled(path: Path, archive: zipfile.ZipFile, root: str) -> Any:
    entry = archive.getinfo(f"{root}data.pkl")
    if entry.file_size > LARGEST_PICKLE_BYTES:
        raise _broken(path, "its list of tensors is far too large")
    try:
        with archive.open(entry) as stream:
            return _TensorUnpickler(stream).load()
    except _RefusedError as error:
        raise ModelBrokenError(
            f"The file '{printable_name(path)}' is not safe: it names '{error}', which could run "
            "a program. Nothing of it was run.",
            "Delete it, and get the model from where it was published.",
        ) from error
    except (zipfile.BadZipFile, OSError):
        raise
    except Exception as error:  # a damaged pickle may raise anything at all
        raise _broken(path, f"its list of tensors is damaged ({type(error).__name__})") from error


def _starts(
    path: Path, file: BinaryIO, archive: zipfile.ZipFile, root: str
) -> dict[str, tuple[int, int]]:
    """Return first byte and length of every storage; they lie in the file as they are."""
    whole = path.stat().st_size
    starts = {}
    for entry in archive.infolist():
        if not entry.filename.startswith(f"{root}data/"):
            continue
        if entry.compress_type != zipfile.ZIP_STORED:
            raise _broken(path, "its tensors are compressed, which PyTorch never does")
        file.seek(entry.header_offset)
        header = file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or header[:4] != b"PK\x03\x04":
            raise _broken(path, "its table of contents does not fit its content")
        *_, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(header)
        start = entry.header_offset + _LOCAL_HEADER.size + name_bytes + extra_bytes
        if start + entry.file_size > whole:
            raise _broken(path, "it breaks off")
        starts[entry.filename.removeprefix(f"{root}data/")] = (start, entry.file_size)
    return starts


def _check_within(
    path: Path, name: str, tensor: StoredTensor, starts: Mapping[str, tuple[int, int]]
) -> None:
    """Refuse a tensor that reaches out of its storage."""
    if tensor.storage not in starts:
        raise _broken(path, f"the values of '{name}' are not in it")
    values = starts[tensor.storage][1] // _NUMPY[tensor.dtype].itemsize
    last = tensor.offset + sum(
        (size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True)
    )
    count = math.prod(tensor.shape)
    if count > values or (count > 0 and last >= values):
        raise _broken(path, f"'{name}' is larger than what is stored of it")


class _RefusedError(Exception):
    """A pickle names something that is not to be named."""


class _Inert:
    """Stands for an object of any class; takes whatever a pickle does to it and does nothing."""

    def __init__(self, *_args: object, **_named: object) -> None:
        pass

    def __setstate__(self, _state: object) -> None:
        pass

    def __setitem__(self, _key: object, _item: object) -> None:
        pass

    def append(self, _item: object) -> None:
        pass

    def extend(self, _items: object) -> None:
        pass

    def add(self, _item: object) -> None:
        pass


@dataclass(frozen=True, slots=True)
class _StorageType:
    dtype: str


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    dtype: str


def _tensor(
    storage: object, offset: object, shape: object, strides: object, *_rest: object
) -> StoredTensor:
    """Stand in for torch._utils._rebuild_tensor_v2."""
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("a tensor without storage")
    sizes, steps = _whole_numbers(shape), _whole_numbers(strides)
    (start,) = _whole_numbers((offset,))
    if len(sizes) != len(steps) or len(sizes) > MOST_DIMENSIONS:
        raise pickle.UnpicklingError("a tensor with odd dimensions")
    return StoredTensor(sizes, storage.dtype, storage.key, start, steps)


def _parameter(tensor: object, *_rest: object) -> object:
    """Stand in for torch._utils._rebuild_parameter."""
    return tensor


def _whole_numbers(values: object) -> tuple[int, ...]:
    if not isinstance(values, tuple) or not all(
        type(value) is int and 0 <= value < 1 << 40 for value in values
    ):
        raise pickle.UnpicklingError("a size that is no whole number")
    return values


class _TensorUnpickler(pickle.Unpickler):  # every name it can reach is listed here
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _parameter
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in _DTYPES:
            return _StorageType(_DTYPES[name])
        if module.split(".")[0] in sys.stdlib_module_names and (module, name) not in _HARMLESS:
            raise _RefusedError(f"{module}.{name}")
        return _Inert

    def persistent_load(self, pid: Any) -> _Storage:
        match pid:
            case ("storage", _StorageType(dtype), str(key), _, _):
                return _Storage(key, dtype)
            case _:
                raise pickle.UnpicklingError("a storage of an unknown kind")


def _broken(path: Path, what: str) -> ModelBrokenError:
    return ModelBrokenError(f"Cannot use '{printable_name(path)}': {what}.", _REMEDY)
