"""What a decoder layer keeps of earlier positions, and how one query of each row looks at it.

A key or a value is used once per step: how long a look takes is how long it takes to read them.
"""

import math
import mmap
from functools import lru_cache

import torch
from torch import Tensor

# Products of a part of the room copy it first, which costs as much again and more: to look at all
# of the room, the unseen part included, takes less time unless the part is small.
COPY_COST = 3


class KeptRows:
    """Keys and values of one layer for rows side by side, with room for so many positions.

    On CPU plain products take half the time of fused attention for a single query. Of bfloat16
    FBGEMM adds up the rows of tables, each with its weight, in half the time again: values are such
    tables, and so are keys once they are turned. To turn them as they come, step by step, takes
    longer than is won.
    """

    def __init__(
        self,
        shape: tuple[int, int, int, int],
        *,
        is_written_once: bool,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        """`shape` is [row, head, position, channel]; what is `is_written_once` does not grow."""
        rows, heads, positions, channels = shape
        self._are_tables = device.type == "cpu" and dtype is torch.bfloat16 and has_fbgemm()
        self._keys_are_turned = self._are_tables and is_written_once
        turned = (rows, heads, channels, positions) if self._keys_are_turned else shape
        self._keys = _zeros(turned, dtype, device)
        self.values = _zeros(shape, dtype, device)

    @property
    def keys(self) -> Tensor:
        """[row, head, position, channel], for reading and writing."""
        return self._keys.transpose(2, 3) if self._keys_are_turned else self._keys

    @property
    def positions(self) -> int:
        return self.values.shape[2]

    def grown(self, positions: int) -> "KeptRows":
        """Return the same with room for more positions."""
        rows, heads, before, channels = self.values.shape
        more = KeptRows(
            (rows, heads, positions, channels),
            is_written_once=False,
            dtype=self.values.dtype,
            device=self.values.device,
        )
        more.keys[:, :, :before] = self.keys
        more.values[:, :, :before] = self.values
        return more

    def move(self, sources: Tensor, targets: Tensor) -> None:
        """Copy some rows over others, of which none is a source."""
        for kept in (self._keys, self.values):
            kept[targets] = kept[sources]

    def looked_at(self, seen: int) -> int:
        """Return at how many positions to look in order to see the first `seen`."""
        return seen if self._are_tables else self._multiplied(seen)

    def look(self, query: Tensor, mask: Tensor | None, looked_at: int) -> Tensor:
        """Return [row, head * channel] for queries [row, head, channel] of the first rows.

        `mask` [row, position] is added to the scores of the first `looked_at` positions. Shares are
        computed in float32.
        """
        rows = len(query)
        asked = query.to(self.values.dtype)
        if self._keys_are_turned:
            scores = _weighted_sums(asked, self._keys)
        else:
            keys = self._keys[:rows, :, : self._multiplied(looked_at)]
            scores = (asked[:, :, None] @ keys.transpose(2, 3))[:, :, 0]
        scores = scores[..., :looked_at].float()
        if mask is not None:
            scores = scores + mask[:, None]
        shares = torch.softmax(scores, dim=-1).to(asked.dtype)
        if self._are_tables:
            found = _weighted_sums(shares, self.values)
        else:
            found = (shares[:, :, None] @ self.values[:rows, :, :looked_at])[:, :, 0]
        return found.flatten(1).to(query.dtype)

    def _multiplied(self, seen: int) -> int:
        """Return how many positions a product takes in that has to have the first `seen`."""
        return self.positions if COPY_COST * seen > self.positions else seen


def has_fbgemm() -> bool:
    """Tell whether this build of PyTorch has FBGEMM, which is for x86 alone."""
    return "fbgemm" in torch.backends.quantized.supported_engines


def _zeros(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return zeros; on CPU in memory straight from the system, which takes it back when it is free.

    What grows leaves gaps in a heap, which came to as much as what was kept.
    """
    if device.type != "cpu":
        return torch.zeros(shape, dtype=dtype, device=device)
    size_bytes = math.prod(shape) * dtype.itemsize
    return torch.frombuffer(mmap.mmap(-1, size_bytes), dtype=dtype).view(shape)


def _weighted_sums(weights: Tensor, tables: Tensor) -> Tensor:
    """Return [row, head, column] of tables [row, head, line, column], a weight for each line.

    Weights [row, head, line] may be those of the first rows, and of the first lines.
    """
    rows, heads, lines = weights.shape
    indices, starts = _lines(rows * heads, lines, tables.shape[2])
    found = torch.embedding_bag(
        tables.flatten(0, 2), indices, starts, mode=0, per_sample_weights=weights.flatten()
    )[0]
    return found.view(rows, heads, -1)


@lru_cache(maxsize=16)
def _lines(tables: int, lines: int, height: int) -> tuple[Tensor, Tensor]:
    """Return the numbers of the first lines of tables of a height, and where each table starts."""
    starts = torch.arange(tables, dtype=torch.int32)
    return (starts[:, None] * height + torch.arange(lines)).int().flatten(), starts * lines
