"""DrumNet: the built-in drum network: which of seven drums is struck, and how hard.

Shapes are [batch, channel, frame, band], later [batch, channel, frame].
"""

import torch
from torch import Tensor, nn

DRUM_CLASSES = 7
BANDS = 96
BAND_POOLS = (3, 2, 2)
CHANNELS, HIDDEN = 24, 128
DILATIONS_FRAMES = (1, 2, 4, 8, 16)
CONTEXT_FRAMES = 35  # how far a posterior looks into past and future


class DrumNet(nn.Module):
    """Levels [batch, 2, frame, 96] to logits [batch, 14, frame]: 7 onsets, then 7 velocities."""

    def __init__(self) -> None:
        super().__init__()
        self.level_norm = nn.BatchNorm2d(2)
        self.spectral = nn.Sequential(
            _ConvNorm2d(2, CHANNELS),
            _ConvNorm2d(CHANNELS, CHANNELS),
            nn.MaxPool2d((1, BAND_POOLS[0])),
            _ConvNorm2d(CHANNELS, 2 * CHANNELS),
            nn.MaxPool2d((1, BAND_POOLS[1])),
            _ConvNorm2d(2 * CHANNELS, 2 * CHANNELS),
            nn.MaxPool2d((1, BAND_POOLS[2])),
        )
        pooled_bands = BANDS // (BAND_POOLS[0] * BAND_POOLS[1] * BAND_POOLS[2])
        self.merge_bands = nn.Conv1d(2 * CHANNELS * pooled_bands, HIDDEN, 1)
        self.temporal = nn.ModuleList(_TimeBlock(dilation) for dilation in DILATIONS_FRAMES)
        self.logits = nn.Conv1d(HIDDEN, 2 * DRUM_CLASSES, 1)
        with torch.no_grad():
            assert self.logits.bias is not None
            self.logits.bias[:DRUM_CLASSES] = -3.0  # hits are rare

    def forward(self, levels: Tensor) -> Tensor:
        spectral = self.spectral(self.level_norm(levels))
        batch, channels, frames, bands = spectral.shape
        rows = spectral.permute(0, 1, 3, 2).reshape(batch, channels * bands, frames)
        hidden = nn.functional.relu(self.merge_bands(rows))
        for block in self.temporal:
            hidden = block(hidden)
        logits: Tensor = self.logits(hidden)
        return logits


class _ConvNorm2d(nn.Sequential):
    """3x3 convolution, batch normalisation, ReLU."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(
            nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
        )


class _TimeBlock(nn.Module):
    """Look along time, further with each block."""

    def __init__(self, dilation_frames: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv1d(HIDDEN, HIDDEN, 3, padding=dilation_frames, dilation=dilation_frames),
            nn.BatchNorm1d(HIDDEN),
        )

    def forward(self, hidden: Tensor) -> Tensor:
        return nn.functional.relu(hidden + self.conv(hidden))
