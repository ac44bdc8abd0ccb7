"""Looks of one query per row at what a layer keeps, against attention as PyTorch has it."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from core.models.kept_rows import COPY_COST, KeptRows

CPU = torch.device("cpu")
ROWS, HEADS, ROOM, CHANNELS = 3, 2, 40, 8
FORMATS = [torch.float32, torch.bfloat16]


def noise(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def filled(dtype: torch.dtype, *, is_written_once: bool, positions: int = ROOM) -> KeptRows:
    kept = KeptRows(
        (ROWS, HEADS, positions, CHANNELS), is_written_once=is_written_once, dtype=dtype, device=CPU
    )
    kept.keys[:] = noise(*kept.keys.shape, seed=1)
    kept.values[:] = noise(*kept.keys.shape, seed=2)
    return kept


def expected(kept: KeptRows, query: Tensor, seen: int) -> Tensor:
    keys, values = kept.keys[: len(query), :, :seen], kept.values[: len(query), :, :seen]
    found = F.scaled_dot_product_attention(
        query[:, :, None], keys.float(), values.float(), scale=1.0
    )
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
    assert torch.allclose(found, expected(kept, query, seen), atol=tolerance)


@pytest.mark.parametrize("dtype", FORMATS)
def test_what_grows_keeps_what_it_has(dtype):
    small = filled(dtype, is_written_once=False, positions=4)
    large = small.grown(9)
    assert large.positions == 9
    assert torch.equal(large.keys[:, :, :4], small.keys)
    assert torch.equal(large.values[:, :, :4], small.values)


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("is_written_once", [True, False])
def test_a_row_that_moves_is_looked_at_in_its_place(dtype, is_written_once):
    kept = filled(dtype, is_written_once=is_written_once)
    query = noise(ROWS, HEADS, CHANNELS, seed=3)
    before = kept.look(query[2:].expand(3, -1, -1), None, ROOM)[2]
    kept.move(torch.tensor([2]), torch.tensor([0]))
    assert torch.equal(kept.look(query[2:], None, ROOM)[0], before)
