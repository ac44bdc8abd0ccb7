"""The Perceiver over time and frequency: a few latents per frame look at its spectrum, at each
other, and each along time.

Lu et al., "Multitrack Music Transcription with a Time-Frequency Perceiver", ICASSP 2023; Chang et
al., "YourMT3+", 2024. Shapes: the latents are [segment, frame, latent, dimension] throughout.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.models.linear import Linear, multiplied
from core.models.yourmt3.config import FRAMES_KNOWN, YourMt3Config
from core.models.yourmt3.experts import Experts
from core.models.yourmt3.rotary import Angles, RotaryPositions, rotated

NORM_EPSILON = 1e-5


def latent_norm(config: YourMt3Config) -> nn.Module:
    """Return the norm of the Perceiver: with mean and bias, or root-mean-square alone."""
    if config.norm == "rms":
        return nn.RMSNorm(config.d_latent, NORM_EPSILON)
    return nn.LayerNorm(config.d_latent, NORM_EPSILON)


class LatentAttention(nn.Module):
    """Multi-head attention with biases; positions, where given, turn the queries alone."""

    def __init__(self, config: YourMt3Config) -> None:
        super().__init__()
        self.heads = config.latent_heads
        self.query = Linear(config.d_latent, config.d_latent)
        self.key = Linear(config.d_latent, config.d_latent)
        self.value = Linear(config.d_latent, config.d_latent)
        self.output = Linear(config.d_latent, config.d_latent)

    def forward(self, x: Tensor, seen: Tensor, angles: Tensor | None) -> Tensor:
        """Look from x [row, position, dimension] at `seen` [row, key, dimension].

        `angles` is [position, pair], in radians.
        """
        dtype = self.query.weight.dtype
        asking = x.to(dtype)
        seen = asking if seen is x else seen.to(dtype)
        query = self.query(asking)
        if angles is not None:
            query = rotated(query, angles, self.heads)
        found = _attended(*(self._in_heads(y) for y in (query, self.key(seen), self.value(seen))))
        return multiplied(self.output, found.transpose(1, 2).flatten(2))

    def _in_heads(self, x: Tensor) -> Tensor:
        rows, positions, dimensions = x.shape
        return x.view(rows, positions, self.heads, dimensions // self.heads).transpose(1, 2)


def _attended(query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Return [row, head, position, channel] of attention; shares are computed in float32.

    Heads have 16 channels: on CPU plain products in bfloat16 take two thirds of the time of fused
    attention.
    """
    if query.dtype is not torch.bfloat16 or query.device.type != "cpu":
        return F.scaled_dot_product_attention(query, keys, values)
    scores = (query * query.shape[-1] ** -0.5) @ keys.transpose(2, 3)
    return torch.softmax(scores, dim=-1, dtype=torch.float32).to(values.dtype) @ values


class SpectralAttention(nn.Module):
    """Latents look at the spectrum of their frame."""

    def __init__(self, config: YourMt3Config) -> None:
        super().__init__()
        self.adds_latents = config.adds_latents
        self.latent_norm = latent_norm(config)
        self.spectrum_norm = latent_norm(config)
        self.attention = LatentAttention(config)

    def forward(self, latents: Tensor, spectra: Tensor, angles: Tensor | None) -> Tensor:
        """Return latents of the same, and of spectra [segment, frame, channel, band]."""
        rows = self.latent_norm(latents).flatten(0, 1)
        found: Tensor = self.attention(rows, self.spectrum_norm(spectra).flatten(0, 1), angles)
        found = found.view(latents.shape)
        return found + latents if self.adds_latents else found


class PlainFeedForward(nn.Module):
    """Two layers with the exact gelu between them."""

    def __init__(self, config: YourMt3Config) -> None:
        super().__init__()
        self.up = Linear(config.d_latent, config.latent_d_ff)
        self.down = Linear(config.latent_d_ff, config.d_latent)

    def forward(self, x: Tensor) -> Tensor:
        """Return [..., dimension] of the same."""
        return multiplied(self.down, F.gelu(multiplied(self.up, x)))


class LatentLayer(nn.Module):
    """Self-attention, then feed-forward, each on a norm and added."""

    def __init__(self, config: YourMt3Config) -> None:
        super().__init__()
        self.attention_norm = latent_norm(config)
        self.attention = LatentAttention(config)
        self.feed_forward_norm = latent_norm(config)
        self.feed_forward = Experts(config) if config.has_experts else PlainFeedForward(config)

    def forward(self, x: Tensor, angles: Tensor | None, wanted: Tensor | None = None) -> Tensor:
        """Return [row, position, dimension] of the same, or of its `wanted` positions alone."""
        normed = asking = self.attention_norm(x)
        if wanted is not None:
            x, asking = x[:, wanted], normed[:, wanted]
            angles = angles[wanted] if angles is not None else None
        x = x + self.attention(asking, normed, angles)
        fed: Tensor = self.feed_forward(self.feed_forward_norm(x))
        return x + fed


class PerceiverBlock(nn.Module):
    """Latents look at the spectrum, then at each other, then along time."""

    def __init__(self, config: YourMt3Config) -> None:
        super().__init__()
        self.spectral = SpectralAttention(config)
        self.local = nn.ModuleList(LatentLayer(config) for _ in range(config.local_layers))
        self.temporal = nn.ModuleList(LatentLayer(config) for _ in range(config.temporal_layers))

    def forward(
        self, latents: Tensor, spectra: Tensor, angles: Angles, wanted: Tensor | None = None
    ) -> Tensor:
        """Return latents of the same, or the `wanted` ones alone.

        Those are all that is left once latents have looked at each other for the last time: along
        time each goes by itself.
        """
        latents = self.spectral(latents, spectra, angles.spectral)
        segments, frames = latents.shape[:2]
        rows = latents.flatten(0, 1)
        last = len(self.local) - 1
        for index, layer in enumerate(self.local):
            rows = layer(rows, angles.local, wanted if index == last else None)
        rows = rows.view(segments, frames, *rows.shape[1:]).transpose(1, 2).flatten(0, 1)
        for layer in self.temporal:
            rows = layer(rows, angles.temporal)
        return rows.view(segments, -1, *rows.shape[1:]).transpose(1, 2)


class Perceiver(nn.Module):
    """The blocks; all of them look at the same spectra."""

    def __init__(self, config: YourMt3Config) -> None:
        super().__init__()
        self.config = config
        self.latents = nn.Parameter(torch.randn(config.latents, config.d_latent))
        self.blocks = nn.ModuleList(PerceiverBlock(config) for _ in range(config.blocks))
        if config.positions == "trainable":
            table = torch.randn(FRAMES_KNOWN, config.latents, config.d_latent)
            self.positions = nn.Parameter(table)
        else:
            self.rotary = RotaryPositions(config.rotated_pairs)

    def forward(self, spectra: Tensor, wanted: Tensor | None = None) -> Tensor:
        """Return latents of spectra [segment, frame, channel, band], or the `wanted` ones alone."""
        segments, frames = spectra.shape[:2]
        latents = self.latents.expand(segments, frames, -1, -1)
        if self.config.positions == "trainable":
            latents = latents + self.positions[:frames]
            angles = Angles()
        else:
            angles = self.rotary(self.config.latents, frames)
        last = len(self.blocks) - 1
        for index, block in enumerate(self.blocks):
            latents = block(latents, spectra, angles, wanted if index == last else None)
        return latents
