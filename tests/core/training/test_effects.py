"""What happens between instrument and file moves no note."""

import numpy as np
import pytest

from core.training.effects import FINAL_PEAK, SAMPLE_RATE_HZ, coded, produced

CLICK_AT = SAMPLE_RATE_HZ // 2


def tone_from_half_a_second_on() -> np.ndarray:
    at_s = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    return np.sin(2 * np.pi * 440 * at_s) * (at_s >= 0.5)


@pytest.mark.parametrize("seed", range(20))
def test_a_sound_stays_as_long_and_peaks_at_the_agreed_level(seed: int) -> None:
    sound = produced(np.random.default_rng(seed), tone_from_half_a_second_on())
    assert sound.dtype == np.float32
    assert len(sound) == 2 * SAMPLE_RATE_HZ
    assert np.abs(sound).max() == pytest.approx(FINAL_PEAK, rel=1e-3)


@pytest.mark.parametrize("seed", range(20))
def test_an_onset_stays_where_it_was(seed: int) -> None:
    sound = produced(np.random.default_rng(seed), tone_from_half_a_second_on())
    block = SAMPLE_RATE_HZ // 200
    power = (sound[: len(sound) // block * block].reshape(-1, block).astype(np.float64) ** 2).mean(
        1
    )
    rise = np.diff(power[:110])
    assert np.argmax(rise) * block == pytest.approx(CLICK_AT, abs=3 * block)


@pytest.mark.parametrize(("frequency_hz", "is_kept"), [(5000.0, True), (570.0, False)])
def test_the_codec_loses_what_a_loud_neighbour_masks(frequency_hz: float, is_kept: bool) -> None:
    at_s = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    quiet = np.sin(2 * np.pi * frequency_hz * at_s)
    decoded = coded(np.random.default_rng(0), tone_from_half_a_second_on() + 0.01 * quiet)
    share = 2 * (decoded * quiet)[SAMPLE_RATE_HZ:].mean() / 0.01
    assert (share > 0.8) == is_kept
    assert (share < 0.4) != is_kept
