"""What MT3 hears: log-mel frames, each segment on its own.

Equal to Magenta's recipe (`mt3.spectrograms` and `spectral_ops`): magnitudes of a periodic Hann
window, not centred, 512 mel bands whose triangles are drawn on the mel axis, natural logarithm.
The window of the last 15 frames of a segment reaches past its end, where there is silence.
"""

import torch
from torch import Tensor, nn

SAMPLE_RATE_HZ = 16_000
HOP_SAMPLES = 128
WINDOW_SAMPLES = 2048
BINS = 512
LOWEST_HZ, HIGHEST_HZ = 20.0, 7600.0
FRAMES_PER_S = SAMPLE_RATE_HZ // HOP_SAMPLES
SILENT_MEL = 1e-5  # stands in for exact zeros only; smaller levels keep their logarithm

MR_MT3_LOWEST, MR_MT3_HIGHEST = -12.0, 5.0  # MR-MT3 clips here and scales to 0..1


def frame_count(samples: int) -> int:
    """Return how many frames a file has: at least one sample of padding completes the last one.

    Where its length is a multiple of the hop already, a whole frame of silence follows (upstream
    pads by hop - length % hop).
    """
    return samples // HOP_SAMPLES + 1


class Mt3LogMel(nn.Module):
    """Log-mel features of segments."""

    def __init__(self) -> None:
        super().__init__()
        window = torch.hann_window(WINDOW_SAMPLES, periodic=True, dtype=torch.float64)
        self.register_buffer("window", window.float(), persistent=False)
        self.register_buffer("mel_weights", mel_weights(), persistent=False)
        self.window: Tensor
        self.mel_weights: Tensor

    def forward(self, audio: Tensor, frames: Tensor | None = None) -> Tensor:
        """Return features [segment, frame, bin] of audio [segment, sample], whole frames long.

        `frames` [segment] says how many frames of each segment belong to the file; the rest are
        zero, as upstream fills up its batches.
        """
        count = audio.shape[1] // HOP_SAMPLES
        padded = nn.functional.pad(audio, (0, WINDOW_SAMPLES - HOP_SAMPLES))
        windowed = padded.unfold(1, WINDOW_SAMPLES, HOP_SAMPLES)[:, :count] * self.window
        magnitudes = torch.fft.rfft(windowed).abs()[..., 1 : WINDOW_SAMPLES // 2 + 1]
        mel = magnitudes @ self.mel_weights
        features = torch.where(mel > 0, mel, SILENT_MEL).log()
        if frames is None:
            return features
        is_heard = torch.arange(count, device=audio.device) < frames[:, None]
        return features * is_heard[:, :, None]


def scaled_for_mr_mt3(features: Tensor, frames: Tensor) -> Tensor:
    """Clip log-mel features to -12..5, scale them to 0..1, and zero what lies past the end."""
    span = MR_MT3_HIGHEST - MR_MT3_LOWEST
    scaled = (features.clamp(MR_MT3_LOWEST, MR_MT3_HIGHEST) - MR_MT3_LOWEST) / span
    is_heard = torch.arange(features.shape[1], device=features.device) < frames[:, None]
    return scaled * is_heard[:, :, None]


def mel_weights() -> Tensor:
    """Return the triangles [spectrum bin 1..1024, mel band], in float32.

    Mel is 1127 ln(1 + f / 700) (HTK). The edges are equally spaced in mel, and so are the slopes:
    a bin's weight is linear in its mel, not in its frequency.
    """
    nyquist_hz = SAMPLE_RATE_HZ / 2
    hertz = torch.linspace(0.0, nyquist_hz, WINDOW_SAMPLES // 2 + 1, dtype=torch.float64)[1:]
    bins_mel = _mel(hertz)[:, None]
    lowest, highest = (
        _mel(torch.tensor(hz, dtype=torch.float64)) for hz in (LOWEST_HZ, HIGHEST_HZ)
    )
    edges = torch.linspace(float(lowest), float(highest), BINS + 2, dtype=torch.float64)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins_mel - lower) / (centre - lower)
    falling = (upper - bins_mel) / (upper - centre)
    return torch.minimum(rising, falling).clamp(min=0.0).float()


def _mel(hertz: Tensor) -> Tensor:
    return 1127.0 * torch.log1p(hertz / 700.0)
