"""The network that tells who else plays single notes, and its weights file."""

from pathlib import Path

import pytest
import torch

from core.models.checkpoint import learnt_tensors, load_safetensors, load_weights
from core.models.note_families import FAMILIES
from core.models.note_unisons import (
    AUDIBLE_LEVEL,
    MIDDLE,
    PATCH_SHAPE,
    NoteUnisons,
)

WEIGHTS = Path(__file__).resolve().parents[3] / "resources" / "models" / "unisons_v1.safetensors"


def released() -> NoteUnisons:
    network = NoteUnisons()
    load_weights(network, WEIGHTS)
    return network


def patches(notes: int = 5) -> torch.Tensor:
    return torch.rand(notes, *PATCH_SHAPE, generator=torch.Generator().manual_seed(3)) + 0.3


def test_the_weights_file_fits_the_network_exactly() -> None:
    wanted = {name: tuple(value.shape) for name, value in learnt_tensors(NoteUnisons()).items()}
    found = {name: tuple(value.shape) for name, value in load_safetensors(WEIGHTS).items()}
    assert found == wanted


def test_the_network_is_small() -> None:
    assert sum(value.numel() for value in NoteUnisons().parameters()) < 950_000


def test_each_note_gets_a_logit_per_family() -> None:
    with torch.inference_mode():
        assert released()(patches(), torch.full((5,), 60.0)).shape == (5, FAMILIES)


@pytest.mark.parametrize("louder", [-0.2, 0.5])
def test_louder_notes_are_of_the_same_family(louder: float) -> None:
    network, pitches = released(), torch.tensor([40.0, 50.0, 60.0, 70.0, 80.0])
    with torch.inference_mode():
        before, after = network(patches(), pitches), network(patches() + louder, pitches)
    assert (before - after).abs().max() < 1e-3


def test_a_note_is_judged_by_itself() -> None:
    network, pitches = released(), torch.tensor([40.0, 50.0, 60.0, 70.0, 80.0])
    with torch.inference_mode():
        together, alone = network(patches(), pitches), network(patches()[2:3], pitches[2:3])
    assert (together[2] - alone[0]).abs().max() < 1e-3


@pytest.mark.parametrize("faint", [0.0, 0.1, AUDIBLE_LEVEL])
def test_a_side_that_nobody_hears_is_none(faint: float) -> None:
    network, pitches = released(), torch.full((5,), 60.0)
    mono = patches()
    mono[:, MIDDLE.stop :] = 0.0
    nearly = mono.clone()
    nearly[:, MIDDLE.stop :] = faint
    with torch.inference_mode():
        assert torch.equal(network(mono, pitches), network(nearly, pitches))
        assert not torch.equal(network(mono, pitches), network(patches(), pitches))
