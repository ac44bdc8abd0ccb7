"""What a decoder layer keeps of earlier positions, and how one query of each row looks at it.

A key or a value is used once per step: how long a look takes is how long it takes to read them.
"""

import math
import mmap
import sys
from contextlib import suppress
from functools import lru_cache

import torch
from torch import Tensor

# Products of a part of the room copy it first, which costs as much again and more: to look at all
# of the room, the unseen part included, takes less time unless the part is small.
COPY_COST = 3

LINE_BYTES = 8  # after each line of a table in 8 bits: its scale and its smallest, in float32

ROOM_STEPS = 32  # room for steps grows by this many; half of all segments need two of them


class KeptRows:
    """Keys and values of one layer for rows side by side, with room for so many positions.

    On CPU plain products take half the time of fused attention for a single query. Of bfloat16
    FBGEMM adds up the rows of tables, each with its weight, in half the time again: values are such
    tables, and so are keys once they are turned. To turn them as they come, step by step, takes
    longer than is won. In 8 bits each line has a scale of its own; keys that grow are products'
    and stay in bfloat16.

    What grows as tables lies in blocks of positions one after the other: the system gives memory to
    those that have been written, and nothing is copied to make room.
    """

    def __init__(
        self,
        shape: tuple[int, int, int, int],
        *,
        is_written_once: bool,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        """`shape` is [row, head, position, channel]; what is `is_written_once` does not grow.

        A `dtype` of uint8 is for CPUs whose build `has_fbgemm`.
        """
        rows, heads, self.positions, channels = shape
        self._are_tables = _are_tables(dtype, device)
        self._keys_are_turned = self._are_tables and is_written_once
        in_blocks = self._are_tables and not is_written_once
        self._height = min(ROOM_STEPS, self.positions) if in_blocks else self.positions
        blocks = -(-self.positions // self._height)
        blocked = (blocks, rows, heads, self._height, channels)
        turned = (1, rows, heads, channels, self.positions)
        self._values = _zeros(blocked, dtype, device)
        if self._keys_are_turned:
            self._keys = _zeros(turned, dtype, device)
        else:
            multiplied = torch.bfloat16 if dtype is torch.uint8 else dtype
            self._keys = _zeros(blocked, multiplied, device)

    def write_all(self, first_row: int, keys: Tensor, values: Tensor) -> None:
        """Write all positions of rows from one on: [row, head, position, channel]."""
        end = first_row + len(keys)
        keys = keys.transpose(2, 3) if self._keys_are_turned else keys
        for kept, new in ((self._keys, keys), (self._values, values)):
            kept[0, first_row:end] = _as_kept(new, kept.dtype)

    def places(self, steps: Tensor) -> Tensor:
        """Return where `write` puts each head of the first rows, at the steps [row] they are at."""
        rows, heads = self._values.shape[1:3]
        tables = torch.arange(len(steps) * heads, device=steps.device).view(-1, heads)
        block, line = steps // self._height, steps % self._height
        lines = (block[:, None] * (rows * heads) + tables) * self._height + line[:, None]
        return lines.flatten()

    def write(self, places: Tensor, keys: Tensor, values: Tensor) -> None:
        """Write one position of each of the first rows: [row, head, channel]."""
        for kept, new in ((self._keys, keys), (self._values, values)):
            kept.flatten(0, 3).index_copy_(0, places, _as_kept(new.flatten(0, 1), kept.dtype))

    def grown(self, positions: int) -> "KeptRows":
        """Return the same, which are no tables, with room for more positions."""
        rows, heads, before, channels = self._values.shape[1:]
        more = KeptRows(
            (rows, heads, positions, channels),
            is_written_once=False,
            dtype=self._values.dtype,
            device=self._values.device,
        )
        more._keys[:, :, :, :before] = self._keys
        more._values[:, :, :, :before] = self._values
        return more

    def move(self, sources: Tensor, targets: Tensor, seen: int) -> None:
        """Copy the first `seen` positions of rows over others, of which none is a source."""
        for kept in (self._keys, self._values):
            written = kept[: -(-seen // self._height)]
            written[:, targets] = written[:, sources]

    def looked_at(self, seen: int) -> int:
        """Return at how many positions to look in order to see the first `seen`."""
        return seen if self._are_tables else self._multiplied(seen)

    def look(self, query: Tensor, mask: Tensor | None, looked_at: int) -> Tensor:
        """Return [row, head * channel] for queries [row, head, channel] of the first rows.

        `mask` [row, position] is added to the scores of the first `looked_at` positions. Shares are
        computed in float32.
        """
        rows = len(query)
        if self._keys_are_turned:
            scores = _weighted_sums(query, self._keys)
        else:
            scores = self._scores(query.to(self._keys.dtype), looked_at)
        scores = scores[..., :looked_at]
        scores = scores.float() if mask is None else scores + mask[:, None]
        shares = torch.softmax(scores, dim=-1)
        if self._are_tables:
            found = _weighted_sums(shares, self._values)
        else:
            values = self._values[0, :rows, :, :looked_at]
            found = (shares[:, :, None].to(values.dtype) @ values)[:, :, 0]
        return found.flatten(1).to(query.dtype)

    def _scores(self, asked: Tensor, looked_at: int) -> Tensor:
        """Return [row, head, position] of at least as many positions as are looked at."""
        width = self._height if self._are_tables else looked_at
        blocks = self._keys[: -(-looked_at // self._height), : len(asked), :, :width]
        scores = [(asked[:, :, None] @ keys.transpose(2, 3))[:, :, 0] for keys in blocks]
        return scores[0] if len(scores) == 1 else torch.cat(scores, dim=-1)

    def _multiplied(self, seen: int) -> int:
        """Return how many positions a product takes in that has to have the first `seen`."""
        return self.positions if COPY_COST * seen > self.positions else seen


def room_for(steps: int, most_steps: int, dtype: torch.dtype, device: torch.device) -> int:
    """Return how many positions to make room for; that of tables costs nothing until written."""
    if _are_tables(dtype, device):
        return most_steps
    return min(-(-steps // ROOM_STEPS) * ROOM_STEPS, most_steps)


def _are_tables(dtype: torch.dtype, device: torch.device) -> bool:
    return device.type == "cpu" and dtype in (torch.bfloat16, torch.uint8) and has_fbgemm()


def has_fbgemm() -> bool:
    """Tell whether this build of PyTorch has FBGEMM, which is for x86 alone."""
    return "fbgemm" in torch.backends.quantized.supported_engines


def _zeros(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return zeros; on CPU in memory straight from the system, which takes it back when it is free.

    In 8 bits each line has room for its scale as well. What grows leaves gaps in a heap, which came
    to as much as what was kept. Linux is asked for pages of 2 MB: a few hundred are taken in, and
    looked up when they are read, in less time than a hundred thousand of 4 kB.
    """
    if device.type != "cpu":
        return torch.zeros(shape, dtype=dtype, device=device)
    if dtype is torch.uint8:
        shape = (*shape[:-1], shape[-1] + LINE_BYTES)
    size_bytes = math.prod(shape) * dtype.itemsize
    if sys.platform == "win32":
        mapped = mmap.mmap(-1, size_bytes)
    else:  # pages that could be shared, which is the default, take twice as long to be taken in
        mapped = mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANON)
    if sys.platform == "linux":
        with suppress(OSError):  # a kernel that has none
            mapped.madvise(mmap.MADV_HUGEPAGE)
    return torch.frombuffer(mapped, dtype=dtype).view(shape)


def _as_kept(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Return lines x [..., column] in another format, in 8 bits each with its scale behind it."""
    if dtype is not torch.uint8:
        return x.to(dtype)
    in_bytes: Tensor = torch.ops.quantized.embedding_bag_byte_prepack(x.float())
    return in_bytes


def _weighted_sums(weights: Tensor, tables: Tensor) -> Tensor:
    """Return [row, head, column] of tables, a weight [row, head, line] for each line.

    Tables are [block, row, head, line of the block, column]. Weights may be those of the first
    rows, and of the first lines.
    """
    rows, heads, lines = weights.shape
    indices, starts = _lines(rows * heads, lines, len(tables[0]) * heads, tables.shape[3])
    lines_of_all, weight_of_each = tables.flatten(0, 3), weights.flatten()
    found: Tensor
    if tables.dtype is torch.uint8:
        found = torch.ops.quantized.embedding_bag_byte_rowwise_offsets(
            lines_of_all, indices, starts, per_sample_weights=weight_of_each
        )
    else:
        weight_of_each = weight_of_each.to(tables.dtype)
        found = torch.embedding_bag(
            lines_of_all, indices, starts, mode=0, per_sample_weights=weight_of_each
        )[0]
    return found.view(rows, heads, -1)


@lru_cache(maxsize=16)
def _lines(tables: int, lines: int, tables_side_by_side: int, height: int) -> tuple[Tensor, Tensor]:
    """Return where the first lines of the first tables are, and where in that each table starts."""
    line, table = torch.arange(lines, dtype=torch.int32), torch.arange(tables, dtype=torch.int32)
    in_first = line // height * (tables_side_by_side * height) + line % height
    return (table[:, None] * height + in_first).flatten(), table * lines
