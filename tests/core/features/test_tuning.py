"""How far music is tuned from 440 Hz."""

import numpy as np
import pytest
import torch

from core.features.tuning import Tuning, tuning_of
from core.features.vqt import SAMPLE_RATE_HZ, DualWindowVqt


def tuned(cents: float, pitches: tuple[int, ...] = (48, 55, 60, 64, 71)) -> Tuning:
    """The tuning heard in a chord of tones with four partials."""
    at_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    sound = np.zeros(SAMPLE_RATE_HZ)
    for pitch in pitches:
        hz = 440 * 2 ** ((pitch - 69 + cents / 100) / 12)
        sound += sum(np.sin(2 * np.pi * hz * order * at_s) / order for order in range(1, 5))
    audio = torch.from_numpy((0.1 * sound).astype(np.float32))[None]
    return tuning_of(DualWindowVqt()(audio)[0, 0].numpy())


@pytest.mark.parametrize("cents", [-45, -30, -10, 0, 5, 20, 40])
def test_the_tuning_of_a_chord_is_found(cents: float) -> None:
    found = tuned(cents)
    assert found.cents == pytest.approx(cents, abs=3)
    assert found.agreement > 0.6


def test_silence_has_no_tuning() -> None:
    assert tuning_of(np.zeros((50, 306), np.float32)) == Tuning(0.0, 0.0)


def test_a_glide_has_no_clear_tuning() -> None:
    at_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    sweep = 0.5 * np.sin(2 * np.pi * 220 * 2**at_s / np.log(2))
    audio = torch.from_numpy(sweep.astype(np.float32))[None]
    assert tuning_of(DualWindowVqt()(audio)[0, 0].numpy()).agreement < 0.25


def test_tuned_bins_hear_detuned_music_as_in_tune() -> None:
    at_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    hz = 440 * 2 ** (40 / 1200)
    audio = torch.from_numpy(np.sin(2 * np.pi * hz * at_s).astype(np.float32))[None]
    assert abs(tuning_of(DualWindowVqt(40.0)(audio)[0, 0].numpy()).cents) < 2
