"""The networks that look at single notes, and their weights files."""

from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from core.models import note_families, note_unisons
from core.models.checkpoint import learnt_tensors, load_safetensors, load_weights
from core.models.note_families import FAMILIES, NoteFamilies
from core.models.note_unisons import NoteUnisons

MODELS = Path(__file__).resolve().parents[3] / "resources" / "models"


class Released(NamedTuple):
    """A network, its weights file, the shape of its patches, how many weights it may have."""

    kind: type[NoteFamilies] | type[NoteUnisons]
    weights: Path
    patch_shape: tuple[int, int, int]
    most_weights: int

    def network(self) -> NoteFamilies | NoteUnisons:
        network = self.kind()
        load_weights(network, self.weights)
        return network

    def patches(self, notes: int = 5) -> torch.Tensor:
        noise = torch.Generator().manual_seed(3)
        return torch.rand(notes, *self.patch_shape, generator=noise) + 0.3


RELEASED = (
    Released(NoteFamilies, MODELS / "families_v5.safetensors", note_families.PATCH_SHAPE, 600_000),
    Released(NoteUnisons, MODELS / "unisons_v1.safetensors", note_unisons.PATCH_SHAPE, 950_000),
)
each_network = pytest.mark.parametrize("released", RELEASED, ids=lambda one: one.kind.__name__)


@each_network
def test_the_weights_file_fits_the_network_exactly(released: Released) -> None:
    wanted = {name: tuple(value.shape) for name, value in learnt_tensors(released.kind()).items()}
    found = {name: tuple(value.shape) for name, value in load_safetensors(released.weights).items()}
    assert found == wanted


@each_network
def test_the_network_is_small(released: Released) -> None:
    assert sum(value.numel() for value in released.kind().parameters()) < released.most_weights


@each_network
def test_each_note_gets_a_logit_per_family(released: Released) -> None:
    with torch.inference_mode():
        logits = released.network()(released.patches(), torch.full((5,), 60.0))
    assert logits.shape == (5, FAMILIES)


@each_network
@pytest.mark.parametrize("louder", [-0.2, 0.5])
def test_louder_notes_are_of_the_same_family(released: Released, louder: float) -> None:
    network, pitches = released.network(), torch.tensor([40.0, 50.0, 60.0, 70.0, 80.0])
    with torch.inference_mode():
        before = network(released.patches(), pitches)
        after = network(released.patches() + louder, pitches)
    assert (before - after).abs().max() < 1e-3


@each_network
def test_a_note_is_judged_by_itself(released: Released) -> None:
    network, pitches = released.network(), torch.tensor([40.0, 50.0, 60.0, 70.0, 80.0])
    with torch.inference_mode():
        together = network(released.patches(), pitches)
        alone = network(released.patches()[2:3], pitches[2:3])
    assert (together[2] - alone[0]).abs().max() < 1e-3
