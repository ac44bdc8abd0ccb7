"""The network learns to tell who plays along."""

import numpy as np
import pytest
import torch

from core.models.note_families import FAMILIES
from core.models.note_unisons import MIDDLE, PATCH_SHAPE
from core.training.note_stock import STEPS_PER_LEVEL, NoteStock
from core.training.train_unisons import trained_on, unisons_loss

HOLLOW, BRIGHT = 9, 3
ODD, EVEN = slice(1, 13, 2), slice(2, 13, 2)


def stock(notes: int = 300) -> NoteStock:
    """Notes of a family with odd partials only, of one with even ones, and of both together."""
    rng = np.random.default_rng(0)
    kind = np.arange(notes) % 3
    patches = np.full((notes, *PATCH_SHAPE), 0.3) + rng.normal(0, 0.03, (notes, *PATCH_SHAPE))
    patches[kind != 1, :, ODD] += 0.8
    patches[kind != 0, :, EVEN] += 0.8
    families = np.zeros((notes, FAMILIES), np.uint8)
    families[kind != 1, HOLLOW] = families[kind != 0, BRIGHT] = 1
    in_bytes = (patches * STEPS_PER_LEVEL).clip(0, 255).astype(np.uint8)
    return NoteStock(in_bytes, rng.integers(50, 80, notes), families)


@pytest.mark.slow
def test_it_learns_who_plays_and_who_plays_along_in_stereo_and_in_mono() -> None:
    heard = stock()
    network = trained_on(heard, np.random.default_rng(1), steps=120)
    patches = torch.from_numpy(heard.patches.astype(np.float32) / STEPS_PER_LEVEL)
    mono = patches.clone()
    mono[:, MIDDLE.stop :] = 0.0
    for seen in (patches, mono):
        with torch.inference_mode():
            told = network(seen, torch.from_numpy(heard.pitches).float()).numpy() > 0
        assert (told == (heard.families > 0)).mean() > 0.97


def test_both_who_plays_and_whether_each_does_are_asked() -> None:
    both = torch.zeros(1, FAMILIES)
    both[0, :2] = 1
    sure = torch.full((1, 2 * FAMILIES), -20.0)
    sure[0, [0, 1, FAMILIES, FAMILIES + 1]] = 20.0
    assert unisons_loss(sure, both).item() == pytest.approx(0.0, abs=1e-6)
    for wrong in (0, FAMILIES):
        changed = sure.clone()
        changed[0, wrong : wrong + 2] = -20.0
        assert unisons_loss(changed, both).item() > 1.5
