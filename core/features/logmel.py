"""Dual-window log-mel: what the drum network hears.

The same 96 mel bands twice: long windows tell drums apart, short windows say when they are struck.
Levels are decibels scaled to about 0..2.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

SAMPLE_RATE_HZ = 22_050
HOP_SAMPLES = 220
FRAMES_PER_S = SAMPLE_RATE_HZ / HOP_SAMPLES
BANDS = 96
WINDOW_SAMPLES = (2048, 512)
LOWEST_HZ, HIGHEST_HZ = 30.0, 10_500.0
CONTEXT_SAMPLES = max(WINDOW_SAMPLES) // 2
QUIETEST = 1e-4  # amplitude that becomes level 0; -80 dB


class DualWindowMel(nn.Module):
    """Audio [batch, sample] at 22 050 Hz to levels [batch, window, frame, band].

    Frame f is centred on sample f * HOP_SAMPLES; audio is taken to be silent beyond its ends, and
    there are as many frames as whole hops.
    """

    def __init__(self) -> None:
        super().__init__()
        for size in WINDOW_SAMPLES:
            # Computed, never loaded: the transform is no part of the weights.
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)
            bands = torch.tensor(_mel_bands(size), dtype=torch.float32)
            self.register_buffer(f"bands_{size}", bands, persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """Return levels [batch, window, frame, band]."""
        frames = audio.shape[1] // HOP_SAMPLES
        padded = nn.functional.pad(audio, (CONTEXT_SAMPLES, CONTEXT_SAMPLES + HOP_SAMPLES))
        return self.levels_of_padded(padded, frames)

    def levels_of_padded(self, padded: Tensor, frames: int) -> Tensor:
        """Return levels [batch, window, frame, band] of audio that brings its own context.

        `padded` [batch, sample] starts CONTEXT_SAMPLES before the centre of the first frame and
        reaches as far past the centre of the last.
        """
        levels = []
        for size in WINDOW_SAMPLES:
            windows = padded[:, CONTEXT_SAMPLES - size // 2 :].unfold(1, size, HOP_SAMPLES)
            spectrum = torch.fft.rfft(windows[:, :frames] * self.get_buffer(f"window_{size}"))
            bands = (spectrum.abs() * (2 / size)) @ self.get_buffer(f"bands_{size}")
            levels.append((20 * torch.log10(bands + QUIETEST) + 80) / 40)
        return torch.stack(levels, 1)


def _mel_bands(window_samples: int) -> npt.NDArray[np.float64]:
    """Return triangular filters of equal width in mel, peak 1 [frequency, band]."""
    corners_mel = np.linspace(_hz_to_mel(LOWEST_HZ), _hz_to_mel(HIGHEST_HZ), BANDS + 2)
    corners_hz = 700 * (10 ** (corners_mel / 2595) - 1)
    frequencies_hz = np.linspace(0, SAMPLE_RATE_HZ / 2, window_samples // 2 + 1)[:, None]
    low_hz, centre_hz, high_hz = corners_hz[:-2], corners_hz[1:-1], corners_hz[2:]
    rising = (frequencies_hz - low_hz) / (centre_hz - low_hz)
    falling = (high_hz - frequencies_hz) / (high_hz - centre_hz)
    return np.asarray(np.maximum(0, np.minimum(rising, falling)), np.float64)


def _hz_to_mel(frequency_hz: float) -> float:
    return float(2595 * np.log10(1 + frequency_hz / 700))
