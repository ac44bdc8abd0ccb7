"""The dual-window variable-Q transform."""

import numpy as np
import pytest
import torch

from core.features.vqt import BINS, HOP_SAMPLES, SAMPLE_RATE_HZ, DualWindowVqt

A4_BIN = (69 - 21) * 3 + 1  # the middle one of the semitone's three bins


def tone(pitch_hz: float, length_s: float = 1.0, peak: float = 0.5) -> torch.Tensor:
    at_s = torch.arange(int(length_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (peak * torch.sin(2 * np.pi * pitch_hz * at_s))[None]


def test_one_frame_per_whole_hop() -> None:
    levels = DualWindowVqt()(torch.zeros(2, 10 * HOP_SAMPLES + 7))
    assert levels.shape == (2, 2, 10, BINS)


def test_silence_is_level_zero() -> None:
    levels = DualWindowVqt()(torch.zeros(1, 5000))
    assert levels.abs().max() < 5e-3  # a tenth of a decibel above -80 dB


def test_a_tone_peaks_in_the_middle_bin_of_its_semitone() -> None:
    levels = DualWindowVqt()(tone(440.0))[0, 0, 25]
    assert int(levels.argmax()) == A4_BIN


@pytest.mark.parametrize("window", [0, 1])
def test_level_is_twenty_decibels_per_half(window: int) -> None:
    loud = DualWindowVqt()(tone(440.0, peak=0.5))[0, window, 25, A4_BIN]
    soft = DualWindowVqt()(tone(440.0, peak=0.05))[0, window, 25, A4_BIN]
    assert loud - soft == pytest.approx(0.5, abs=0.01)


def test_short_windows_hear_a_bass_onset_later_than_long_ones() -> None:
    silence = torch.zeros(1, SAMPLE_RATE_HZ)
    levels = DualWindowVqt()(torch.cat([silence, tone(55.0)], 1))[0]
    a1_bin = (33 - 21) * 3 + 1
    long_start, short_start = ((levels[w, :, a1_bin] > 0.5).int().argmax() for w in (0, 1))
    assert long_start < short_start <= 52


def test_padded_levels_equal_those_of_the_whole() -> None:
    audio = torch.randn(1, 40 * HOP_SAMPLES, generator=torch.Generator().manual_seed(1))
    vqt = DualWindowVqt()
    whole = vqt(audio)
    padded = torch.nn.functional.pad(audio, (4096, 4096))
    part = vqt.levels_of_padded(padded[:, 10 * HOP_SAMPLES : 20 * HOP_SAMPLES + 8192], 10)
    assert torch.allclose(part, whole[:, :, 10:20], atol=1e-4)
