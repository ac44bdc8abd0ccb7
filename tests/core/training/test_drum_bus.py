"""Effects on whole drum kits."""

import numpy as np
import pytest

from core.training.drum_bus import mastered, on_the_drum_bus
from core.training.effects import SAMPLE_RATE_HZ

STRUCK_AT_S = 0.5


@pytest.mark.parametrize("seed", range(16))
def test_no_effect_moves_a_stroke(seed: int) -> None:
    sound = on_the_drum_bus(np.random.default_rng(seed), one_stroke())
    loud = np.abs(sound) > 0.2 * np.abs(sound).max()
    assert len(sound) == SAMPLE_RATE_HZ
    assert np.argmax(loud) / SAMPLE_RATE_HZ == pytest.approx(STRUCK_AT_S, abs=0.01)


@pytest.mark.parametrize("seed", range(16))
def test_what_is_mastered_stays_as_long_and_finite(seed: int) -> None:
    sound = mastered(np.random.default_rng(seed), one_stroke())
    assert len(sound) == SAMPLE_RATE_HZ
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() > 0


def test_busses_differ() -> None:
    made = [on_the_drum_bus(np.random.default_rng(seed), one_stroke()) for seed in range(8)]
    assert len({round(float(np.abs(sound).sum()), 3) for sound in made}) >= 7


def one_stroke() -> np.ndarray:
    start = int(STRUCK_AT_S * SAMPLE_RATE_HZ)
    after = np.arange(SAMPLE_RATE_HZ - start)
    sound = np.zeros(SAMPLE_RATE_HZ, np.float32)
    sound[start:] = np.exp(-after / 2000) * np.sin(after * 0.4 + 1)
    return sound
