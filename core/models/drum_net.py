"""DrumNet: the built-in drum network: which of ten drums is struck, and how hard.

Shapes are [batch, channel, frame, band], later [batch, channel, frame].
"""

import torch
from torch import Tensor, nn

DRUM_CLASSES = 10
BANDS = 96
WIDTHS = (32, 32, 64, 96)  # channels; bands are halved after each
HIDDEN = 192
DILATIONS_FRAMES = (1, 2, 4, 8, 16, 32)
PAST_FRAMES = 32  # a stroke is what stands out from the third of a second before
CONTEXT_FRAMES = PAST_FRAMES + 5 + sum(DILATIONS_FRAMES)  # how far a posterior can look back


class DrumNet(nn.Module):
    """Levels [batch, 2, frame, 96] to logits [batch, 20, frame]: 10 onsets, then 10 velocities."""

    def __init__(self) -> None:
        super().__init__()
        first, second, third, fourth = WIDTHS
        self.level_norm = nn.BatchNorm2d(4)
        self.spectral = nn.Sequential(
            _ConvNorm2d(4, first),
            nn.MaxPool2d((1, 2)),
            _ConvNorm2d(first, second),
            nn.MaxPool2d((1, 2)),
            _ConvNorm2d(second, third),
            _ConvNorm2d(third, third),
            nn.MaxPool2d((1, 2)),
            _ConvNorm2d(third, fourth),
            nn.MaxPool2d((1, 2)),
        )
        self.merge_bands = nn.Conv1d(fourth * (BANDS // 16), HIDDEN, 1)
        self.temporal = nn.ModuleList(_TimeBlock(dilation) for dilation in DILATIONS_FRAMES)
        self.logits = nn.Conv1d(HIDDEN, 2 * DRUM_CLASSES, 1)
        with torch.no_grad():
            assert self.logits.bias is not None
            self.logits.bias[:DRUM_CLASSES] = -3.0  # hits are rare

    def forward(self, levels: Tensor) -> Tensor:
        heard = torch.cat([levels, levels - _mean_of_past(levels)], 1)
        heard = heard.contiguous(memory_format=torch.channels_last)
        spectral = self.spectral(self.level_norm(heard))
        batch, channels, frames, bands = spectral.shape
        rows = spectral.permute(0, 1, 3, 2).reshape(batch, channels * bands, frames)
        hidden = nn.functional.relu(self.merge_bands(rows))
        for block in self.temporal:
            hidden = block(hidden)
        logits: Tensor = self.logits(hidden)
        return logits


def _mean_of_past(levels: Tensor) -> Tensor:
    """Return the mean level of each band over the PAST_FRAMES before each frame."""
    padded = nn.functional.pad(levels, (0, 0, PAST_FRAMES, 0))
    return nn.functional.avg_pool2d(padded, (PAST_FRAMES, 1), stride=1)[:, :, :-1]


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
