"""One tensor of a checkpoint, whatever the format: where it is described, and its values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ModelBrokenError, printable_name

Array = npt.NDArray[np.float32]
Shape = tuple[int, ...]

FLOATING: Mapping[str, np.dtype[Any]] = MappingProxyType(
    {
        "float32": np.dtype("<f4"),
        "float64": np.dtype("<f8"),
        "float16": np.dtype("<f2"),
        "bfloat16": np.dtype("<u2"),  # the upper half of a float32, which NumPy does not know
    }
)
"""Number formats that weights come in, with what NumPy reads them as."""

MOST_DIMENSIONS = 8
MOST_VALUES = 1 << 40  # of one tensor; keeps products of sizes from growing without end
DOWNLOAD_AGAIN = "Download it again from where it was published."


@dataclass(frozen=True, slots=True)
class Parameter:
    """A tensor under the name that it has in the file.

    `read` gives its values in float32 and raises ModelBrokenError where they are damaged.
    """

    name: str
    shape: Shape
    dtype: str  # as "float32"
    read: Callable[[], Array]

    @property
    def is_floating(self) -> bool:
        """Tell whether weights may be stored so."""
        return self.dtype in FLOATING


def in_float32(raw: npt.NDArray[Any], dtype: str) -> Array:
    """Return values in float32, of what was read as `FLOATING[dtype]`; others raise ValueError."""
    if dtype not in FLOATING:
        raise ValueError(f"weights are not stored as {dtype}")
    if dtype == "bfloat16":
        return (raw.astype(np.uint32, order="C") << 16).view(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # the caller refuses what comes of it
        return np.asarray(raw, np.float32, order="C")


def checked_shape(sizes: object) -> Shape:
    """Return a shape out of a file; ValueError for what is none."""
    if not isinstance(sizes, (tuple, list)) or len(sizes) > MOST_DIMENSIONS:
        raise ValueError("a shape that is none")
    values = 1
    for size in sizes:
        if type(size) is not int or not 0 <= size <= MOST_VALUES:
            raise ValueError("a size that is none")
        values *= size
    if values > MOST_VALUES:
        raise ValueError("a size beyond all measure")
    return tuple(sizes)


def broken_checkpoint(path: Path, what: str, remedy: str = DOWNLOAD_AGAIN) -> ModelBrokenError:
    """Word what is wrong with a file or folder; `what` has neither capital nor full stop."""
    return ModelBrokenError(f"Cannot use '{printable_name(path)}': {what}.", remedy)
