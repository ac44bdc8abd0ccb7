"""What YourMT3+ hears: logarithmic spectra of 2.05 s, each segment scaled to 0..1 by itself.

Two front ends with the same window and the same scale. YMT3+ hears the power of 512 mel bands at
frames 128 samples apart, the others the magnitudes of 1024 bins at frames 300 samples apart. The
window and the mel bank come with the weights and are used as they are.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SAMPLE_RATE_HZ = 16_000
SEGMENT_SAMPLES = 32_767  # one short of 256 mel frames: a centred transform adds the last one
SEGMENT_S = SEGMENT_SAMPLES / SAMPLE_RATE_HZ
WINDOW_SAMPLES = 2048
MEL_HOP_SAMPLES = 128
LINEAR_HOP_SAMPLES = 300
MEL_FRAMES = SEGMENT_SAMPLES // MEL_HOP_SAMPLES + 1
LINEAR_FRAMES = SEGMENT_SAMPLES // LINEAR_HOP_SAMPLES + 1
MEL_BANDS = 512
LINEAR_BINS = WINDOW_SAMPLES // 2  # without that of 0 Hz
QUIETEST = 1e-5  # added before the logarithm
NARROWEST = 0.008  # added to the span of a segment, so that silence stays silent


def segment_count(samples: int) -> int:
    """Return how many segments a file has; they follow each other, the last is filled up."""
    return -(-samples // SEGMENT_SAMPLES)


def segment_start_s(index: int) -> float:
    """Return when a segment starts."""
    return index * SEGMENT_SAMPLES / SAMPLE_RATE_HZ


class MelPower(nn.Module):
    """The front end of YMT3+."""

    def __init__(self, window: Tensor, mel_bank: Tensor) -> None:
        """`window` is [sample], `mel_bank` [spectrum bin, band]."""
        super().__init__()
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("mel_bank", mel_bank, persistent=False)
        self.window: Tensor
        self.mel_bank: Tensor

    def forward(self, audio: Tensor) -> Tensor:
        """Return features [segment, frame, band] of audio [segment, sample]."""
        power = _magnitudes(audio, self.window, MEL_HOP_SAMPLES).square()
        return _scaled(power @ self.mel_bank)


class LinearMagnitude(nn.Module):
    """The front end of the networks with a Perceiver."""

    def __init__(self, window: Tensor) -> None:
        """`window` is [sample]."""
        super().__init__()
        self.register_buffer("window", window, persistent=False)
        self.window: Tensor

    def forward(self, audio: Tensor) -> Tensor:
        """Return features [segment, frame, bin] of audio [segment, sample]."""
        return _scaled(_magnitudes(audio, self.window, LINEAR_HOP_SAMPLES)[..., 1:])


def _magnitudes(audio: Tensor, window: Tensor, hop_samples: int) -> Tensor:
    """Return magnitudes [segment, frame, spectrum bin] of frames centred on every hop."""
    half = WINDOW_SAMPLES // 2
    padded = F.pad(audio[:, None], (half, half), mode="reflect")[:, 0]
    windowed = padded.unfold(1, WINDOW_SAMPLES, hop_samples) * window
    magnitudes: Tensor = torch.fft.rfft(windowed).abs()
    return magnitudes


def _scaled(levels: Tensor) -> Tensor:
    """Take the logarithm and bring each segment [frame, band] of it to 0..1.

    A segment with samples that are no numbers is silent, as upstream.
    """
    logarithms = (levels + QUIETEST).log()
    quietest = logarithms.amin(dim=(1, 2), keepdim=True)
    span = logarithms.amax(dim=(1, 2), keepdim=True) - quietest
    return ((logarithms - quietest) / (span + NARROWEST)).nan_to_num(nan=0.0)
