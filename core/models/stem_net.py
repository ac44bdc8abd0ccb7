"""StemNet: the built-in pitch network, small because it is the same at every pitch.

Convolutions and harmonic gathers shift with the music, so one octave teaches all. Shapes are
[batch, channel, frame, bin or pitch].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

PITCHES = 88
LOWEST_PITCH = 21
HARMONICS_ABOVE = (-24, -12, 0, 12, 19, 24, 28, 31, 34, 36)  # semitones of partials 1..8, and down
HARMONICS_BELOW = (-36, -31, -28, -24, -19, -12, 0, 12, 19, 24)
STEM_CHANNELS, PITCH_CHANNELS, HEAD_CHANNELS = 16, 20, 32
CONVOLVED_FRAMES = 3  # how far the undilated convolutions look, together


@dataclass(frozen=True, slots=True)
class StemSize:
    """How wide and deep the network is; each stage looks `dilations_frames` further in time.

    `above` and `below` are the semitones from which a pitch is heard: first over its partials,
    then among the pitches it may be a partial of.
    """

    channels: int
    dilations_frames: tuple[int, ...]
    above: tuple[int, ...] = HARMONICS_ABOVE
    below: tuple[int, ...] = HARMONICS_BELOW

    @property
    def context_frames(self) -> int:
        """How far a posterior looks into past and future."""
        return CONVOLVED_FRAMES + sum(self.dilations_frames)


SMALL = StemSize(48, (1, 2, 4, 8))  # where training starts
LARGE = StemSize(64, (1, 2, 4, 8, 16))
WIDE = StemSize(96, (1, 2, 4, 8, 16))
RELEASED = WIDE
CONTEXT_FRAMES = RELEASED.context_frames


class StemNet(nn.Module):
    """Levels [batch, 2, frame, 306] to onset, frame and velocity logits [batch, 3, frame, 88]."""

    def __init__(self, size: StemSize = RELEASED) -> None:
        super().__init__()
        self.size = size
        channels = size.channels
        self.level_norm = nn.BatchNorm2d(2)
        self.bin_conv = ConvNorm(2, STEM_CHANNELS, (3, 5))
        self.semitone_conv = ConvNorm(STEM_CHANNELS, PITCH_CHANNELS, (3, 5), bins_per_step=3)
        self.first_harmonics = ConvNorm(PITCH_CHANNELS * len(size.above), channels, (1, 1))
        self.stages = nn.ModuleList()
        for dilation_frames in size.dilations_frames:
            self.stages.append(TimeBlock(channels, dilation_frames))
            self.stages.append(HarmonicBlock(channels, PITCH_CHANNELS, size.below))
        self.head_conv = ConvNorm(channels, HEAD_CHANNELS, (3, 3))
        self.logits = nn.Conv2d(HEAD_CHANNELS, 3, 1)
        with torch.no_grad():
            # Silence is the rule: start with rare onsets, few sounding keys, medium velocity.
            assert self.logits.bias is not None
            self.logits.bias.copy_(torch.tensor([-4.0, -2.5, 0.0]))

    def forward(self, levels: Tensor) -> Tensor:
        return self.answers(self.hear(levels))

    def hear(self, levels: Tensor) -> "Hearing":
        """Return what is known of each pitch before the questions are asked."""
        hidden = self.semitone_conv(self.bin_conv(self.level_norm(levels)))
        harmonics = self.first_harmonics(gather_pitches(hidden, self.size.above))
        settled = harmonics
        for stage in self.stages:
            settled = stage(settled)
        return Hearing(harmonics, settled)

    def answers(self, hearing: "Hearing") -> Tensor:
        """Return onset, frame and velocity logits [batch, 3, frame, 88]."""
        logits: Tensor = self.logits(self.head_conv(hearing.settled))
        return logits


class Hearing(NamedTuple):
    """Both [batch, channel, frame, 88]: the partials over each pitch, and what came of them."""

    harmonics: Tensor
    settled: Tensor


def gather_pitches(rows: Tensor, shifts: Sequence[int]) -> Tensor:
    """Stack shifted copies: output pitch k hears rows k + shift, silence beyond the range.

    [batch, channel, frame, row] -> [batch, shift * channel, frame, 88]
    """
    below = -min(*shifts, 0)
    above = max(0, PITCHES + max(shifts) - rows.shape[-1])
    padded = nn.functional.pad(rows, (below, above))
    if rows.requires_grad:  # else learning would add up the gradients of rows in another order
        return torch.cat([padded[..., below + s : below + s + PITCHES] for s in shifts], 1)
    first_rows = torch.tensor(shifts, device=rows.device) + below
    return _gathered(padded, torch.arange(PITCHES, device=rows.device)[:, None] + first_rows)


def _gathered(padded: Tensor, heard_rows: Tensor) -> Tensor:
    """Stack the rows that `heard_rows` [pitch, shift] names, in one pass instead of one per shift.

    In the memory format channels_last all channels of a row are copied at once.
    """
    pitches, shifts = heard_rows.shape
    batch, channels, frames, _ = padded.shape
    by_frame = padded.permute(0, 2, 3, 1).flatten(0, 1)  # [batch * frame, row, channel]
    stacked = by_frame.index_select(1, heard_rows.flatten())
    return stacked.view(batch, frames, pitches, shifts * channels).permute(0, 3, 1, 2)


class ConvNorm(nn.Sequential):
    """Convolution, batch normalisation and, unless `is_linear`, ReLU; keeps the frame count."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: tuple[int, int],
        *,
        dilation_frames: int = 1,
        bins_per_step: int = 1,
        is_linear: bool = False,
    ) -> None:
        pad_bins = 1 if bins_per_step > 1 else kernel[1] // 2
        layers: list[nn.Module] = [
            nn.Conv2d(
                channels_in,
                channels_out,
                kernel,
                stride=(1, bins_per_step),
                padding=(dilation_frames * (kernel[0] // 2), pad_bins),
                dilation=(dilation_frames, 1),
                bias=False,
            ),
            nn.BatchNorm2d(channels_out),
        ]
        if not is_linear:
            layers.append(nn.ReLU(inplace=True))
        super().__init__(*layers)


class TimeBlock(nn.Module):
    """Look along time, further with each block."""

    def __init__(self, channels: int, dilation_frames: int) -> None:
        super().__init__()
        self.conv = ConvNorm(
            channels, channels, (3, 3), dilation_frames=dilation_frames, is_linear=True
        )

    def forward(self, hidden: Tensor) -> Tensor:
        answer: Tensor = self.conv(hidden)
        return answer.add_(hidden).relu_()


class HarmonicBlock(nn.Module):
    """Let octaves, fifths and other partial-sharing pitches argue about who is sounding."""

    def __init__(self, channels: int, squeezed_channels: int, shifts: Sequence[int]) -> None:
        super().__init__()
        self.shifts = tuple(shifts)
        self.squeeze = ConvNorm(channels, squeezed_channels, (1, 1))
        self.mix = ConvNorm(squeezed_channels * len(shifts), channels, (1, 1), is_linear=True)

    def forward(self, hidden: Tensor) -> Tensor:
        gathered = gather_pitches(self.squeeze(hidden), self.shifts)
        answer: Tensor = self.mix(gathered)
        return answer.add_(hidden).relu_()
