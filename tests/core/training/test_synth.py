"""Procedural instruments."""

import numpy as np
import pytest

from core.training.part import PlayedNote
from core.training.synth import SAMPLE_RATE_HZ, PatchKind, labelled, random_patch, render_part

KINDS: tuple[PatchKind, ...] = ("pluck", "sustain", "wind", "voice")
NOTES = [PlayedNote(0.5, 1.0, 60, 90), PlayedNote(1.2, 1.7, 64, 90)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_a_patch_sounds_from_the_onset_on(kind: PatchKind, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sound = render_part(rng, NOTES, random_patch(rng, kind), duration_s=3.0)
    onset = int(0.5 * SAMPLE_RATE_HZ)
    before, after = np.abs(sound[: onset - 3000]), np.abs(sound[onset : onset + 8000])
    assert np.isfinite(sound).all()
    assert before.max() == 0
    assert after.max() > 0.01


def test_a_plucked_label_ends_when_the_sound_has_died() -> None:
    patch = random_patch(np.random.default_rng(0), "pluck")
    (heard,) = labelled([PlayedNote(0.0, 60.0, 60, 90)], patch)
    assert heard.offset_s < 6.0


def test_a_sustained_label_includes_some_release() -> None:
    patch = random_patch(np.random.default_rng(0), "voice")
    (heard,) = labelled([PlayedNote(0.0, 1.0, 60, 90)], patch)
    assert 1.02 < heard.offset_s <= 1.07
