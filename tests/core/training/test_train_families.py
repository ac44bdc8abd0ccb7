"""The network learns to tell notes apart that differ."""

import numpy as np
import pytest
import torch

from core.features.note_patches import PATCH_SHAPE
from core.training.note_stock import STEPS_PER_LEVEL, NoteStock
from core.training.train_families import players_loss, trained_on

HOLLOW, BRIGHT = 9, 3


def stock(notes: int = 200) -> NoteStock:
    """Notes of two families: one without even partials, one with all of them."""
    rng = np.random.default_rng(0)
    is_hollow = np.arange(notes) % 2 == 0
    patches = np.full((notes, *PATCH_SHAPE), 1.0) + rng.normal(0, 0.05, (notes, *PATCH_SHAPE))
    patches[is_hollow, :, 2:13:2] -= 0.6
    families = np.zeros((notes, 12), np.uint8)
    families[np.arange(notes), np.where(is_hollow, HOLLOW, BRIGHT)] = 1
    in_bytes = (patches * STEPS_PER_LEVEL).clip(0, 255).astype(np.uint8)
    return NoteStock(in_bytes, rng.integers(50, 80, notes), families)


@pytest.mark.slow
def test_it_learns_what_tells_two_families_apart() -> None:
    heard = stock()
    network = trained_on(heard, np.random.default_rng(1), steps=60)
    patches = torch.from_numpy(heard.patches.astype(np.float32) / STEPS_PER_LEVEL)
    with torch.inference_mode():
        told = network(patches, torch.from_numpy(heard.pitches).float()).argmax(1).numpy()
    assert (told == heard.families.argmax(1)).mean() > 0.95


def test_any_of_several_players_is_right() -> None:
    logits = torch.zeros(1, 12)
    one, three = torch.zeros(1, 12), torch.zeros(1, 12)
    one[0, 0] = three[0, :3] = 1
    assert players_loss(logits, one).item() == pytest.approx(np.log(12))
    assert players_loss(logits, three).item() == pytest.approx(np.log(4))
