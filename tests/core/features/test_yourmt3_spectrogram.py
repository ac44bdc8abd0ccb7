"""The front ends of YourMT3+; against the original they are tried in test_yourmt3_parity.py."""

import pytest
import torch

from core.features.yourmt3_spectrogram import (
    LINEAR_BINS,
    LINEAR_FRAMES,
    MEL_BANDS,
    MEL_FRAMES,
    SAMPLE_RATE_HZ,
    SEGMENT_SAMPLES,
    LinearMagnitude,
    MelPower,
    segment_count,
    segment_start_s,
)

WINDOW = torch.hann_window(2048)
BANK = torch.rand(1025, MEL_BANDS, generator=torch.Generator().manual_seed(1))
FRONT_ENDS = [MelPower(WINDOW, BANK), LinearMagnitude(WINDOW)]


def tone(hertz: float) -> torch.Tensor:
    return torch.sin(2 * torch.pi * hertz * torch.arange(SEGMENT_SAMPLES) / SAMPLE_RATE_HZ)[None]


@pytest.mark.parametrize(
    ("samples", "segments"),
    [(0, 0), (1, 1), (32_766, 1), (32_767, 1), (32_768, 2), (65_534, 2), (65_535, 3)],
)
def test_the_last_segment_is_filled_up(samples: int, segments: int) -> None:
    assert segment_count(samples) == segments


def test_segments_follow_each_other_without_a_gap() -> None:
    assert [segment_start_s(index) for index in range(3)] == [0.0, 2.0479375, 4.095875]


def test_mel_frames_are_as_many_as_the_network_hears() -> None:
    assert MelPower(WINDOW, BANK)(tone(440)).shape == (1, 256, 512) == (1, MEL_FRAMES, MEL_BANDS)


def test_linear_frames_are_as_many_as_the_network_hears() -> None:
    features = LinearMagnitude(WINDOW)(tone(440))
    assert features.shape == (1, 110, 1024) == (1, LINEAR_FRAMES, LINEAR_BINS)


@pytest.mark.parametrize("front_end", FRONT_ENDS, ids=["mel", "linear"])
def test_silence_stays_silent(front_end: torch.nn.Module) -> None:
    assert front_end(torch.zeros(1, SEGMENT_SAMPLES)).abs().max() == 0


@pytest.mark.parametrize("front_end", FRONT_ENDS, ids=["mel", "linear"])
def test_a_sample_that_is_no_number_silences_its_segment_alone(
    front_end: torch.nn.Module,
) -> None:
    both = torch.cat([tone(440), tone(440)])
    both[0, 100] = torch.nan
    features = front_end(both)
    assert features[0].abs().max() == 0
    assert torch.equal(features[1:], front_end(tone(440)))


@pytest.mark.parametrize("front_end", FRONT_ENDS, ids=["mel", "linear"])
def test_each_segment_is_scaled_by_itself(front_end: torch.nn.Module) -> None:
    both = torch.cat([tone(440), 0.01 * tone(3000)])
    features = front_end(both)
    assert torch.equal(features[1:], front_end(both[1:]))
    assert features.amin(dim=(1, 2)).tolist() == [0, 0]
    assert (features.amax(dim=(1, 2)) > 0.99).all()


def test_the_bin_of_a_tone_is_counted_without_that_of_0_hz() -> None:
    features = LinearMagnitude(WINDOW)(tone(16_000 * 100 / 2048))
    assert int(features[0, 55].argmax()) == 99


def test_mel_bands_take_the_power_that_the_bank_gives_them() -> None:
    bank = torch.zeros(1025, MEL_BANDS)
    bank[100, 7] = 1.0
    features = MelPower(WINDOW, bank)(tone(16_000 * 100 / 2048))
    assert features[0, 128].argmax() == 7
    assert (features[0, 128] > 0).sum() == 1
