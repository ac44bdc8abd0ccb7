"""Parts of the T5-like networks: norm, positions, attention over cached keys, gated feed-forward.

No layer has a bias and attention is not scaled by the head size: the published weights hold the
scale. Shapes: `row` is one sequence being decoded, `step` a position in it.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.models.linear import Linear

NORM_EPSILON = 1e-6
GELU_SLOPE, GELU_CUBIC = (8 / math.pi) ** 0.5, 0.044715  # of gelu in its tanh form


class Norm(nn.Module):
    """Root-mean-square norm without mean or bias, in float32 whatever the matrices are kept in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return x [..., channel] at unit RMS, times the learnt scale."""
        return F.rms_norm(x.float(), (x.shape[-1],), self.weight, NORM_EPSILON)


def magenta_frequencies(channels: int) -> Tensor:
    """Return the frequencies of T5X checkpoints in float64: exp(-ln(10000) i / (half - 1))."""
    half = channels // 2
    exponents = torch.arange(half, dtype=torch.float64) / (half - 1)
    return torch.exp(-torch.log(torch.tensor(10_000.0, dtype=torch.float64)) * exponents)


class Positions(nn.Module):
    """Fixed sinusoids added to the inputs: halves [sin | cos] of position times frequency.

    Products are taken in the number format of `frequencies`: float32 as MT3's PyTorch port does
    with the frequencies in its file, float64 as Magenta does with those of its formula.
    """

    def __init__(self, frequencies: Tensor, longest: int) -> None:
        super().__init__()
        self.longest = longest
        self.register_buffer("frequencies", frequencies)
        self.frequencies: Tensor

    def table(self, length: int) -> Tensor:
        """Return the sinusoids [position, channel] of the first positions, in float32."""
        if length > self.longest:
            raise ValueError(f"{length} positions are wanted, the model knows {self.longest}")
        positions = torch.arange(
            length, dtype=self.frequencies.dtype, device=self.frequencies.device
        )
        angles = positions[:, None] * self.frequencies[None, :]
        return torch.cat([angles.sin(), angles.cos()], dim=1).float()


class StoredPositions(nn.Module):
    """Sinusoids [position, channel] that come with the weights as they are."""

    def __init__(self, longest: int, channels: int) -> None:
        super().__init__()
        self.register_buffer("sinusoids", torch.zeros(longest, channels))
        self.sinusoids: Tensor

    def table(self, length: int) -> Tensor:
        """Return the sinusoids [position, channel] of the first positions."""
        if length > len(self.sinusoids):
            raise ValueError(
                f"{length} positions are wanted, the model knows {len(self.sinusoids)}"
            )
        return self.sinusoids[:length]


class Attention(nn.Module):
    """Multi-head attention, unscaled; heads lie side by side in the channels."""

    def __init__(self, channels: int, heads: int, head_channels: int) -> None:
        super().__init__()
        inner = heads * head_channels
        self.heads = heads
        self.query = Linear(channels, inner, bias=False)
        self.key = Linear(channels, inner, bias=False)
        self.value = Linear(channels, inner, bias=False)
        self.output = Linear(inner, channels, bias=False)

    def keys_and_values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values [row, head, position, channel] of x [row, position, channel]."""
        x = x.to(self.key.weight.dtype)
        return self._in_heads(self.key(x)), self._in_heads(self.value(x))

    def forward(
        self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """Look from x [row, position, channel] at keys and values [row, head, key, channel].

        `mask` is True where a key may be seen, and must broadcast to [row, head, position, key].
        """
        x = x.to(self.query.weight.dtype)
        seen = F.scaled_dot_product_attention(
            self._in_heads(self.query(x)), keys, values, attn_mask=mask, scale=1.0
        )
        joined: Tensor = self.output(seen.transpose(1, 2).flatten(2))
        return joined

    def _in_heads(self, x: Tensor) -> Tensor:
        rows, positions, channels = x.shape
        return x.view(rows, positions, self.heads, channels // self.heads).transpose(1, 2)


def tanh_gelu(x: Tensor) -> Tensor:
    """Return gelu in its tanh form, which is x * sigmoid(slope * (x + cubic * x ** 3)).

    PyTorch has a sigmoid for float32 on CPU that takes a sixth of the time of its tanh.
    """
    if x.device.type != "cpu" or x.dtype is not torch.float32:
        return F.gelu(x, approximate="tanh")
    slope = (x * x).mul_(GELU_SLOPE * GELU_CUBIC).add_(GELU_SLOPE)
    return slope.mul_(x).sigmoid_().mul_(x)


class FeedForward(nn.Module):
    """Gated feed-forward: down(gelu(gate x) * up x), gelu in its tanh form."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.gate = Linear(channels, hidden, bias=False)
        self.up = Linear(channels, hidden, bias=False)
        self.down = Linear(hidden, channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return [..., channel] of x [..., channel]."""
        x = x.to(self.gate.weight.dtype)
        hidden = tanh_gelu(self.gate(x)) * self.up(x)
        out: Tensor = self.down(hidden)
        return out


class EncoderLayer(nn.Module):
    """Self-attention over all positions, then feed-forward, each on a norm and added."""

    def __init__(self, channels: int, heads: int, head_channels: int, hidden: int) -> None:
        super().__init__()
        self.attention_norm = Norm(channels)
        self.attention = Attention(channels, heads, head_channels)
        self.feed_forward_norm = Norm(channels)
        self.feed_forward = FeedForward(channels, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Return [row, position, channel] of the same."""
        normed = self.attention_norm(x)
        x = x + self.attention(normed, *self.attention.keys_and_values(normed))
        fed: Tensor = self.feed_forward(self.feed_forward_norm(x))
        return x + fed


class DecoderLayer(nn.Module):
    """Self-attention, attention to the encoded sound, feed-forward, each on a norm and added."""

    def __init__(self, channels: int, heads: int, head_channels: int, hidden: int) -> None:
        super().__init__()
        self.self_attention_norm = Norm(channels)
        self.self_attention = Attention(channels, heads, head_channels)
        self.cross_attention_norm = Norm(channels)
        self.cross_attention = Attention(channels, heads, head_channels)
        self.feed_forward_norm = Norm(channels)
        self.feed_forward = FeedForward(channels, hidden)

    def forward(self, x: Tensor, encoded: Tensor) -> Tensor:
        """Return [row, step, channel]; each step sees itself and those before it."""
        length = x.shape[1]
        mask = torch.ones(length, length, dtype=torch.bool, device=x.device).tril()
        normed = self.self_attention_norm(x)
        keys, values = self.self_attention.keys_and_values(normed)
        x = x + self.self_attention(normed, keys, values, mask)
        crossed = self.cross_attention.keys_and_values(encoded)
        x = x + self.cross_attention(self.cross_attention_norm(x), *crossed)
        fed: Tensor = self.feed_forward(self.feed_forward_norm(x))
        return x + fed
