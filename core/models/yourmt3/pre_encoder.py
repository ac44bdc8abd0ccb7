"""The convolutions in front of the Perceiver: three residual blocks, each halving the bands."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NORM_EPSILON = 1e-5


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

    def forward(self, x: Tensor) -> Tensor:
        """Return [segment, output, frame, band] of x [segment, input, frame, band]."""
        factor = self.scale * (self.variance + NORM_EPSILON).rsqrt()
        weight = self.weight * factor[:, None, None, None]
        return F.conv2d(x, weight, self.shift - self.mean * factor, padding=1)


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut, then the mean of every two bands."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = ConvNorm(inputs, outputs)
        self.second = ConvNorm(outputs, outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return [segment, output, frame, band / 2] of x [segment, input, frame, band]."""
        y = self.second(self.first(x).relu_())
        y += self.shortcut(x)
        return F.avg_pool2d(y.relu_(), (1, 2))


class PreEncoder(nn.Module):
    """The three blocks."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            ResidualBlock(1 if index == 0 else channels, channels) for index in range(3)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return [segment, frame, channel, band / 8] of features [segment, frame, band].

        Segments go through one by one where there is no GPU: a segment takes 200 MB on the way.
        """
        if features.device.type == "cpu":
            return torch.cat([self._convolved(each[None]) for each in features])
        return self._convolved(features)

    def _convolved(self, features: Tensor) -> Tensor:
        x = features[:, None]
        for block in self.blocks:
            x = block(x)
        return x.transpose(1, 2)
