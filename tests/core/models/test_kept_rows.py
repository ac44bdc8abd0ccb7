"""Looks of one query per row at what a layer keeps, against attention as PyTorch has it."""

import mmap
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from core.models.kept_rows import COPY_COST, ROOM_STEPS, KeptRows, has_fbgemm, room_for

CPU = torch.device("cpu")
ROWS, HEADS, ROOM, CHANNELS = 3, 2, 40, 8
BYTES = pytest.param(
    torch.uint8, marks=pytest.mark.skipif(not has_fbgemm(), reason="this build has no FBGEMM")
)
FORMATS = [torch.float32, torch.bfloat16, BYTES]


def noise(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def empty(dtype: torch.dtype, *, is_written_once: bool, positions: int = ROOM) -> KeptRows:
    return KeptRows(
        (ROWS, HEADS, positions, CHANNELS), is_written_once=is_written_once, dtype=dtype, device=CPU
    )


def sounds(positions: int = ROOM) -> tuple[Tensor, Tensor]:
    """Return keys and values [row, head, position, channel]."""
    shape = ROWS, HEADS, positions, CHANNELS
    return noise(*shape, seed=1), noise(*shape, seed=2)


def filled(dtype: torch.dtype, *, is_written_once: bool, positions: int = ROOM) -> KeptRows:
    kept = empty(dtype, is_written_once=is_written_once, positions=positions)
    keys, values = sounds(positions)
    if is_written_once:
        kept.write_all(0, keys[:1], values[:1])
        kept.write_all(1, keys[1:], values[1:])
        return kept
    for step in range(positions):
        places = kept.places(torch.full((ROWS,), step))
        kept.write(places, keys[:, :, step], values[:, :, step])
    return kept


def expected(query: Tensor, seen: int) -> Tensor:
    keys, values = (kept[: len(query), :, :seen] for kept in sounds())
    found = F.scaled_dot_product_attention(query[:, :, None], keys, values, scale=1.0)
    return found[:, :, 0].flatten(1)


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("is_written_once", [True, False])
@pytest.mark.parametrize("seen", [ROOM // COPY_COST - 2, ROOM - 3, ROOM])
@pytest.mark.parametrize("rows", [1, ROWS])
def test_a_look_is_attention_to_what_is_seen(dtype, is_written_once, seen, rows):
    kept = filled(dtype, is_written_once=is_written_once)
    query = noise(rows, HEADS, CHANNELS, seed=3)
    looked_at = kept.looked_at(seen)
    mask = torch.zeros(rows, looked_at)
    mask[:, seen:] = -torch.inf
    found = kept.look(query, mask, looked_at)
    tolerance = 1e-5 if dtype is torch.float32 else 0.03
    assert torch.allclose(found, expected(query, seen), atol=tolerance)


@pytest.mark.parametrize("dtype", FORMATS)
def test_rows_write_each_at_its_own_step(dtype):
    kept = empty(dtype, is_written_once=False)
    keys, values = noise(2, HEADS, CHANNELS, seed=4), noise(2, HEADS, CHANNELS, seed=5)
    kept.write(kept.places(torch.tensor([ROOM - 1, 2])), keys, values)
    mask = torch.full((2, ROOM), -torch.inf)
    mask[[0, 1], [ROOM - 1, 2]] = 0
    found = kept.look(torch.zeros(2, HEADS, CHANNELS), mask, ROOM)
    assert torch.allclose(found, values.flatten(1), atol=1e-5 if dtype is torch.float32 else 0.02)


def test_what_grows_keeps_what_it_has():
    query, mask = noise(ROWS, HEADS, CHANNELS, seed=3), torch.zeros(ROWS, 9)
    mask[:, 4:] = -torch.inf
    small = filled(torch.float32, is_written_once=False, positions=4)
    large = small.grown(9)
    assert large.positions == 9
    assert torch.allclose(large.look(query, mask, 9), small.look(query, None, 4))


@pytest.mark.parametrize(("dtype", "room"), [(torch.float32, 2 * ROOM_STEPS), (torch.bfloat16, 90)])
def test_tables_get_all_of_their_room_at_once(dtype, room):
    assert room_for(ROOM_STEPS + 1, 90, dtype, CPU) == room
    assert room_for(80, 90, dtype, CPU) == 90


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("is_written_once", [True, False])
def test_a_row_that_moves_is_looked_at_in_its_place(dtype, is_written_once):
    kept = filled(dtype, is_written_once=is_written_once)
    query = noise(ROWS, HEADS, CHANNELS, seed=3)
    before = kept.look(query[2:].expand(3, -1, -1), None, ROOM)[2]
    kept.move(torch.tensor([2]), torch.tensor([0]), ROOM)
    assert torch.equal(kept.look(query[2:], None, ROOM)[0], before)


@pytest.mark.skipif(sys.platform != "linux", reason="others are not asked for large pages")
def test_rows_are_kept_where_the_kernel_has_no_large_pages(monkeypatch):
    monkeypatch.setattr(mmap, "MADV_HUGEPAGE", 1 << 20)  # refused, as unknown advice is
    kept = filled(torch.bfloat16, is_written_once=True)
    query = noise(ROWS, HEADS, CHANNELS, seed=3)
    assert torch.allclose(kept.look(query, None, ROOM), expected(query, ROOM), atol=0.03)
