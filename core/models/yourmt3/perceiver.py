"""The Perceiver over time and frequency: a few latents per frame look at its spectrum, at each
other, and each along time.

Lu et al., "Multitrack Music Transcription with a Time-Frequency Perceiver", ICASSP 2023; Chang et
al., "YourMT3+", 2024. Shapes: the latents are [segment, frame, latent, dimension] throughout.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

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
        self.query = nn.Linear(config.d_latent, config.d_latent)
        self.key = nn.Linear(config.d_latent, config.d_latent)
        self.value = nn.Linear(config.d_latent, config.d_latent)
        self.output = nn.Linear(config.d_latent, config.d_latent)

    def forward(self, x: Tensor, seen: Tensor, angles: Tensor | None) -> Tensor:
        """Look from x [row, position, dimension] at `seen` [row, key, dimension].

        `angles` is [position, pair], in radians.
        """
        query = self._in_heads(self.query(x))
        if angles is not None:
            query = rotated(query, angles)
        keys, values = self._in_heads(self.key(seen)), self._in_heads(self.value(seen))
        found = F.scaled_dot_product_attention(query, keys, values)
        joined: Tensor = self.output(found.transpose(1, 2).flatten(2))
        return joined

    def _in_heads(self, x: Tensor) -> Tensor:
        rows, positions, dimensions = x.shape
        return x.view(rows, positions, self.heads, dimensions // self.heads).transpose(1, 2)


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
        self.up = nn.Linear(config.d_latent, config.latent_d_ff)
        self.down = nn.Linear(config.latent_d_ff, config.d_latent)

    def forward(self, x: Tensor) -> Tensor:
        """Return [..., dimension] of the same."""
        fed: Tensor = self.down(F.gelu(self.up(x)))
        return fed


class LatentLayer(nn.Module):
    """Self-attention, then feed-forward, each on a norm and added."""

    def __init__(self, config: YourMt3Config) -> None:
        super().__init__()
        self.attention_norm = latent_norm(config)
        self.attention = LatentAttention(config)
        self.feed_forward_norm = latent_norm(config)
        self.feed_forward = Experts(config) if config.has_experts else PlainFeedForward(config)

    def forward(self, x: Tensor, angles: Tensor | None) -> Tensor:
        """Return [row, position, dimension] of the same."""
        normed = self.attention_norm(x)
        x = x + self.attention(normed, normed, angles)
        fed: Tensor = self.feed_forward(self.feed_forward_norm(x))
        return x + fed


class PerceiverBlock(nn.Module):
    """Latents look at the spectrum, then at each other, then along time."""

    def __init__(self, config: YourMt3Config) -> None:
        super().__init__()
        self.spectral = SpectralAttention(config)
        self.local = nn.ModuleList(LatentLayer(config) for _ in range(config.local_layers))
        self.temporal = nn.ModuleList(LatentLayer(config) for _ in range(config.temporal_layers))


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
        """Return latents of spectra [segment, frame, channel, band].

        Of the last block only the `wanted` latents are carried to the end: along time each goes
        by itself.
        """
        segments, frames = spectra.shape[:2]
        latents = self.latents.expand(segments, frames, -1, -1)
        if self.config.positions == "trainable":
            latents = latents + self.positions[:frames]
            angles = Angles()
        else:
            angles = self.rotary(self.config.latents, frames)
        last = len(self.blocks) - 1
        for index, block in enumerate(self.blocks):
            assert isinstance(block, PerceiverBlock)
            latents = block.spectral(latents, spectra, angles.spectral)
            rows = latents.flatten(0, 1)
            for layer in block.local:
                rows = layer(rows, angles.local)
            latents = rows.view_as(latents)
            if index == last and wanted is not None:
                latents = latents[:, :, wanted]
            rows = latents.transpose(1, 2).flatten(0, 1)
            for layer in block.temporal:
                rows = layer(rows, angles.temporal)
            latents = rows.view(segments, -1, frames, rows.shape[-1]).transpose(1, 2)
        return latents
