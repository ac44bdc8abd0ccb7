"""The pitch network and its weights file."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.models.checkpoint import fold_norms, learnt_tensors, load_safetensors, load_weights
from core.models.family_head import StemAndFamilies
from core.models.stem_net import (
    CONTEXT_FRAMES,
    HARMONICS_BELOW,
    LARGE,
    SMALL,
    StemNet,
    StemSize,
    gather_pitches,
)

ROOT = Path(__file__).resolve().parents[3]
WEIGHTS = ROOT / "resources" / "models" / "pitch_v7.safetensors"
GOLDEN = ROOT / "tests" / "golden" / "pitch_v7_logits.npz"


def levels(frames: int = 60) -> torch.Tensor:
    return torch.rand(1, 2, frames, 306, generator=torch.Generator().manual_seed(3))


def test_the_weights_file_fits_the_network_exactly() -> None:
    wanted = {name: tuple(value.shape) for name, value in learnt_tensors(StemAndFamilies()).items()}
    found = {name: tuple(value.shape) for name, value in load_safetensors(WEIGHTS).items()}
    assert found == wanted


def test_logits_agree_with_the_golden_ones() -> None:
    network = StemAndFamilies()
    load_weights(network, WEIGHTS)
    with np.load(GOLDEN) as golden, torch.inference_mode():
        logits = network(torch.from_numpy(golden["levels"]))
        assert np.abs(logits.numpy() - golden["logits"]).max() < 2e-3


def test_folding_the_norms_changes_nothing() -> None:
    network = StemAndFamilies()
    load_weights(network, WEIGHTS)
    with torch.inference_mode():
        before = network(levels())
        after = fold_norms(network)(levels())
    assert (before - after).abs().max() < 1e-3


def test_a_posterior_sees_no_further_than_its_context() -> None:
    network = StemNet().eval()
    heard = levels()
    changed = heard.clone()
    changed[:, :, 30 + CONTEXT_FRAMES + 1 :] = 0
    with torch.inference_mode():
        difference = (network(heard) - network(changed))[0, :, 30].abs().max()
    assert difference == 0


def test_gathering_shifts_pitches_and_pads_with_silence() -> None:
    rows = torch.arange(102.0)[None, None, None]
    down, same, up = gather_pitches(rows, (-12, 0, 36))[0, :, 0]
    assert (down[11], down[12]) == (0, 0)
    assert (same[0], same[87]) == (0, 87)
    assert (up[0], up[65], up[66]) == (36, 101, 0)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("rows", [88, 102])
def test_gathering_is_the_same_with_and_without_gradients(
    rows: int, memory_format: torch.memory_format
) -> None:
    heard = torch.rand(2, 20, 7, rows).contiguous(memory_format=memory_format)
    quickly = gather_pitches(heard, HARMONICS_BELOW)
    assert torch.equal(gather_pitches(heard.requires_grad_(), HARMONICS_BELOW), quickly)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_logits_are_the_same_with_and_without_gradients(size: StemSize) -> None:
    network = StemAndFamilies(size).eval()
    learning = network(levels())
    with torch.inference_mode():
        assert (network(levels()) - learning).abs().max() < 1e-5


def test_logits_do_not_depend_on_what_else_is_in_the_batch() -> None:
    network = StemAndFamilies().eval().to(memory_format=torch.channels_last)
    both = torch.cat([levels(), levels().flip(2)]).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        assert (network(both)[:1] - network(levels())).abs().max() < 1e-5


@pytest.mark.parametrize("frames", [1, 17, 100])
def test_every_frame_of_levels_gets_logits(frames: int) -> None:
    assert StemNet().eval()(levels(frames)).shape == (1, 3, frames, 88)
