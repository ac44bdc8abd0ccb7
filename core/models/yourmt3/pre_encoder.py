"""The convolutions in front of the Perceiver: three residual blocks, each halving the bands.

They are two thirds of the work of the encoder. NNPACK multiplies a fifth as often as a direct
convolution (Winograd, "Arithmetic Complexity of Computations", 1980, here with tiles of 6 x 6). On
music the three blocks differ by 5e-6 from the original then, and by 3e-6 with direct convolutions.
"""

from dataclasses import dataclass
from enum import StrEnum

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NORM_EPSILON = 1e-5
STRIP_VALUES = 17 * 1024  # of a channel, convolved at a time on CPU: 8 MB stay in the cache
TILE_FRAMES = 6  # of Winograd's convolution
GPU_SEGMENTS = 8  # convolved at a time: each takes 250 MB
MARGIN = 2  # frames that two convolutions see on either side


class Convolution(StrEnum):
    """How convolutions are computed on CPU."""

    WINOGRAD = "winograd"  # where the build of PyTorch and the CPU have it
    DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class Kernel:
    """A 3 x 3 convolution: weight [output, input, 3, 3], bias [output]."""

    weight: Tensor
    bias: Tensor

    def over(self, x: Tensor, convolution: Convolution) -> Tensor:
        """Return [segment, output, frame - 2, band] of x [segment, input, frame, band]."""
        is_large = self.weight.shape[1] > 1
        if is_large and convolution is Convolution.WINOGRAD and _has_winograd(x):
            return torch._nnpack_spatial_convolution(x, self.weight, self.bias, padding=(0, 1))
        return F.conv2d(x, self.weight, self.bias, padding=(0, 1))


class ConvNorm(nn.Module):
    """A 3 x 3 convolution whose outputs are scaled and shifted by the statistics of training."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 3, 3))
        self.scale = nn.Parameter(torch.ones(outputs))
        self.shift = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("mean", torch.zeros(outputs))
        self.register_buffer("variance", torch.ones(outputs))
        self.mean: Tensor
        self.variance: Tensor
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)

    def folded(self) -> Kernel:
        """Return one convolution that does both."""
        factor = self.scale * (self.variance + NORM_EPSILON).rsqrt()
        weight = self.weight * factor[:, None, None, None]
        return Kernel(weight, self.shift - self.mean * factor)


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut, then the mean of every two bands.

    `inputs` are as many as `outputs`, or 1.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = ConvNorm(inputs, outputs)
        self.second = ConvNorm(outputs, outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, convolution: Convolution) -> Tensor:
        """Return [segment, output, frame, band / 2] of x [segment, input, frame, band].

        Both have margins of two silent frames at either end.
        """
        first, second = self.first.folded(), self._second()
        segments, frames = len(x), x.shape[2] - 2 * MARGIN
        strip_frames = self._strip_frames(x.shape[3]) if x.device.type == "cpu" else frames
        out = x.new_zeros(segments, len(second.bias), x.shape[2], x.shape[3] // 2)
        for start in range(0, frames, strip_frames):
            end = min(start + strip_frames, frames)
            inner = first.over(x[:, :, start : end + 2 * MARGIN], convolution).relu_()
            if start == 0:
                inner[:, :, 0] = 0  # outside of the segment the second convolution sees nothing
            if end == frames:
                inner[:, :, -1] = 0
            y = second.over(inner, convolution)
            beside = x[:, :, start + MARGIN : end + MARGIN]
            if isinstance(self.shortcut, nn.Conv2d):
                y.addcmul_(beside, self.shortcut.weight[:, 0], value=0.5)
            else:
                y.add_(beside, alpha=0.5)
            y.relu_()
            means = out[:, :, start + MARGIN : end + MARGIN]
            torch.add(y[..., ::2], y[..., 1::2], out=means)
        return out

    def _second(self) -> Kernel:
        """Return half of the second convolution and of the shortcut's bias: sums are means then."""
        kernel = self.second.folded()
        beside = getattr(self.shortcut, "bias", None)
        bias = kernel.bias if beside is None else kernel.bias + beside
        return Kernel(kernel.weight * 0.5, bias * 0.5)

    def _strip_frames(self, bands: int) -> int:
        """Return how many frames make a strip, so that whole tiles are filled.

        Those are of the first convolution, which sees two frames more; one of a single channel is
        computed without tiles, then they are of the second.
        """
        tiles = max(1, (STRIP_VALUES // bands + 2) // TILE_FRAMES)
        return tiles * TILE_FRAMES - (0 if isinstance(self.shortcut, nn.Conv2d) else MARGIN)


class PreEncoder(nn.Module):
    """The three blocks."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution = Convolution.WINOGRAD
        self.blocks = nn.ModuleList(
            ResidualBlock(1 if index == 0 else channels, channels) for index in range(3)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return [segment, frame, channel, band / 8] of features [segment, frame, band].

        On CPU each segment goes through alone, in strips: 60 MB on the way rather than 230.
        """
        at_a_time = 1 if features.device.type == "cpu" else GPU_SEGMENTS
        return torch.cat([self._convolved(each) for each in torch.split(features, at_a_time)])

    def _convolved(self, features: Tensor) -> Tensor:
        x = F.pad(features[:, None], (0, 0, MARGIN, MARGIN))
        for block in self.blocks:
            x = block(x, self.convolution)
        return x[:, :, MARGIN:-MARGIN].transpose(1, 2)


def _has_winograd(x: Tensor) -> bool:
    is_float_on_cpu = x.device.type == "cpu" and x.dtype is torch.float32
    return is_float_on_cpu and torch._nnpack_available()
