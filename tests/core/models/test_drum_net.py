"""The drum network and its weights file."""

from pathlib import Path

import numpy as np
import torch

from core.models.checkpoint import fold_norms, learnt_tensors, load_safetensors, load_weights
from core.models.drum_net import CONTEXT_FRAMES, DrumNet

ROOT = Path(__file__).resolve().parents[3]
WEIGHTS = ROOT / "resources" / "models" / "drums_v4.safetensors"
GOLDEN = ROOT / "tests" / "golden" / "drums_v4_logits.npz"


def levels(frames: int = 100) -> torch.Tensor:
    return torch.rand(1, 2, frames, 96, generator=torch.Generator().manual_seed(3))


def test_the_weights_file_fits_the_network_exactly() -> None:
    wanted = {name: tuple(value.shape) for name, value in learnt_tensors(DrumNet()).items()}
    found = {name: tuple(value.shape) for name, value in load_safetensors(WEIGHTS).items()}
    assert found == wanted


def test_logits_agree_with_the_golden_ones() -> None:
    network = DrumNet()
    load_weights(network, WEIGHTS)
    with np.load(GOLDEN) as golden, torch.inference_mode():
        logits = network(torch.from_numpy(golden["levels"]))
        assert np.abs(logits.numpy() - golden["logits"]).max() < 2e-3


def test_folding_the_norms_changes_nothing() -> None:
    network = DrumNet()
    load_weights(network, WEIGHTS)
    with torch.inference_mode():
        before = network(levels())
        after = fold_norms(network)(levels())
    assert (before - after).abs().max() < 1e-3


def test_a_posterior_sees_no_further_than_its_context() -> None:
    network = DrumNet().eval()
    heard = levels()
    changed = heard.clone()
    changed[:, :, 50 + CONTEXT_FRAMES + 1 :] = 0
    with torch.inference_mode():
        difference = (network(heard) - network(changed))[0, :, 50].abs().max()
    assert difference == 0
