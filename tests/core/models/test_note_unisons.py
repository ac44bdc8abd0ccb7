"""What stands apart from the middle is heard where there is anything."""

from pathlib import Path

import pytest
import torch

from core.models.checkpoint import load_weights
from core.models.note_unisons import AUDIBLE_LEVEL, MIDDLE, PATCH_SHAPE, NoteUnisons

WEIGHTS = Path(__file__).resolve().parents[3] / "resources" / "models" / "unisons_v1.safetensors"
PITCHES = torch.full((5,), 60.0)


@pytest.fixture(scope="module")
def network() -> NoteUnisons:
    released = NoteUnisons()
    load_weights(released, WEIGHTS)
    return released


def patches(side: float | None = None) -> torch.Tensor:
    """Five notes; all of their side at one level, or as loud as the middle."""
    noise = torch.rand(5, *PATCH_SHAPE, generator=torch.Generator().manual_seed(3)) + 0.3
    if side is not None:
        noise[:, MIDDLE.stop :] = side
    return noise


@pytest.mark.parametrize("faint", [0.1, AUDIBLE_LEVEL])
@torch.inference_mode()
def test_a_side_that_nobody_hears_is_none(network: NoteUnisons, faint: float) -> None:
    assert torch.equal(network(patches(0.0), PITCHES), network(patches(faint), PITCHES))


@torch.inference_mode()
def test_a_side_that_is_heard_tells_more(network: NoteUnisons) -> None:
    mono, stereo = network(patches(0.0), PITCHES), network(patches(), PITCHES)
    assert (mono - stereo).abs().max() > 0.1
