"""Steps through a cache against all tokens at once, in a small network."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from core.models.decoding import DecoderCache, StepDecoder
from core.models.kept_rows import ROOM_STEPS, has_fbgemm
from core.models.packing import pack_bfloat16, pack_float32, pack_int8
from core.models.yourmt3.network import YourMt3
from tests.core.models.yourmt3.small import small_network

STEPS = 3 * ROOM_STEPS
FRAMES = 5
BYTES = pytest.param(
    torch.uint8, marks=pytest.mark.skipif(not has_fbgemm(), reason="this build has no FBGEMM")
)


@pytest.fixture
def network() -> YourMt3:
    return small_network(max_steps=STEPS)


def sound(rows: int) -> Tensor:
    return torch.randn(rows, FRAMES, 16, generator=torch.Generator().manual_seed(2))


def tokens(rows: int) -> Tensor:
    return torch.randint(12, (rows, STEPS), generator=torch.Generator().manual_seed(3))


def logits_step_by_step(decoder: StepDecoder, cache: DecoderCache, written: Tensor) -> Tensor:
    """Return logits [row, step, token] of tokens [row, step], each row from its first step on."""
    rows, steps = written.shape
    return torch.stack(
        [decoder.step(written[:, step], torch.full((rows,), step), cache) for step in range(steps)],
        dim=1,
    )


@torch.inference_mode()
def test_room_grows_without_a_trace(network: YourMt3) -> None:
    decoder, written = network.step_decoder(pack_float32), tokens(2)
    cache = DecoderCache(decoder, 2, FRAMES, STEPS)
    decoder.open_rows(cache, 0, sound(2))
    ours = logits_step_by_step(decoder, cache, written)
    assert torch.allclose(ours, network.logits_of(written, sound(2)), atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("steps", [2, ROOM_STEPS + 2])
def test_what_a_row_left_behind_is_not_heard_by_the_next(network: YourMt3, steps: int) -> None:
    decoder, written = network.step_decoder(pack_float32), tokens(2)
    cache = DecoderCache(decoder, 1, FRAMES, STEPS)
    decoder.open_rows(cache, 0, sound(2)[:1])
    logits_step_by_step(decoder, cache, written[:1])
    decoder.open_rows(cache, 0, sound(2)[1:])
    ours = logits_step_by_step(decoder, cache, written[1:, :steps])
    theirs = network.logits_of(written[1:, :steps], sound(2)[1:])
    assert torch.allclose(ours, theirs, atol=1e-5)


@torch.inference_mode()
def test_each_row_stands_at_its_own_step(network: YourMt3) -> None:
    decoder, written = network.step_decoder(pack_float32), tokens(2)
    cache = DecoderCache(decoder, 2, FRAMES, STEPS)
    decoder.open_rows(cache, 0, sound(2))
    logits_step_by_step(decoder, cache, written[:1, :4])
    both = decoder.step(torch.stack([written[0, 4], written[1, 0]]), torch.tensor([4, 0]), cache)
    theirs = network.logits_of(written[:, :5], sound(2))
    assert torch.allclose(both, torch.stack([theirs[0, 4], theirs[1, 0]]), atol=1e-5)


@torch.inference_mode()
def test_a_row_that_moves_takes_its_past_along(network: YourMt3) -> None:
    decoder, written = network.step_decoder(pack_float32), tokens(2)
    cache = DecoderCache(decoder, 2, FRAMES, STEPS)
    decoder.open_rows(cache, 0, sound(2))
    logits_step_by_step(decoder, cache, written[:, :4])
    cache.move([1], [0])
    ours = decoder.step(written[1:, 4], torch.tensor([4]), cache)
    assert torch.allclose(ours, network.logits_of(written[1:, :5], sound(2)[1:])[:, 4], atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("pack", [pack_float32, pack_bfloat16, pack_int8])
@pytest.mark.parametrize("kept_in", [torch.bfloat16, BYTES])
def test_the_cache_may_be_kept_in_fewer_bits_than_the_matrices(
    network: YourMt3, pack: Callable, kept_in: torch.dtype
) -> None:
    decoder, written = network.step_decoder(pack, cache_dtype=kept_in), tokens(2)
    cache = DecoderCache(decoder, 2, FRAMES, STEPS)
    decoder.open_rows(cache, 0, sound(2))
    ours = logits_step_by_step(decoder, cache, written)
    theirs = network.logits_of(written, sound(2))
    assert (ours - theirs).abs().max() < 0.03 * theirs.abs().max()


def test_more_steps_than_were_agreed_are_refused(network: YourMt3) -> None:
    decoder = network.step_decoder(pack_float32)
    with pytest.raises(ValueError, match="97 steps are wanted, at most 96 were agreed"):
        DecoderCache(decoder, 1, FRAMES, STEPS).make_room(STEPS + 1)
