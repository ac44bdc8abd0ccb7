"""The dual-window log-mel of the drum network."""

import torch

from core.features.logmel import BANDS, HOP_SAMPLES, DualWindowMel


def test_one_frame_per_whole_hop() -> None:
    levels = DualWindowMel()(torch.zeros(2, 10 * HOP_SAMPLES + 7))
    assert levels.shape == (2, 2, 10, BANDS)


def test_silence_is_level_zero() -> None:
    assert DualWindowMel()(torch.zeros(1, 5000)).abs().max() < 1e-3


def test_a_click_lies_in_its_frame() -> None:
    audio = torch.zeros(1, 100 * HOP_SAMPLES)
    audio[0, 50 * HOP_SAMPLES] = 1.0
    short_window = DualWindowMel()(audio)[0, 1].mean(1)
    assert int(short_window.argmax()) == 50


def test_padded_levels_equal_those_of_the_whole() -> None:
    audio = torch.randn(1, 40 * HOP_SAMPLES, generator=torch.Generator().manual_seed(1))
    mel = DualWindowMel()
    padded = torch.nn.functional.pad(audio, (1024, 1024))
    part = mel.levels_of_padded(padded[:, 10 * HOP_SAMPLES : 20 * HOP_SAMPLES + 2048], 10)
    assert torch.allclose(part, mel(audio)[:, :, 10:20], atol=1e-4)
