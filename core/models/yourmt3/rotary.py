"""Rotary positions: pairs of dimensions of a query turn with its position."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Angles:
    """How far queries turn, in radians [position, pair]; None where they do not.

    `spectral` and `local` have a position for each latent, `temporal` one for each frame.
    """

    spectral: Tensor | None = None
    local: Tensor | None = None
    temporal: Tensor | None = None


class RotaryPositions(nn.Module):
    """Frequencies that come with the weights, one for each pair of dimensions."""

    def __init__(self, pairs: int) -> None:
        super().__init__()
        for name in ("spectral", "local", "temporal"):
            self.register_buffer(name, torch.ones(pairs))
        self.spectral: Tensor
        self.local: Tensor
        self.temporal: Tensor

    def forward(self, latents: int, frames: int) -> Angles:
        """Return the angles: latents lie evenly over -1..1, frames are counted from 0."""
        dtype, device = self.temporal.dtype, self.temporal.device
        across = torch.linspace(-1, 1, latents, dtype=dtype, device=device)[:, None]
        along = torch.arange(frames, dtype=dtype, device=device)[:, None]
        return Angles(across * self.spectral, across * self.local, along * self.temporal)


def rotated(query: Tensor, angles: Tensor) -> Tensor:
    """Turn the first pairs of query [row, head, position, dimension] by angles [position, pair].

    A pair is two neighbours; (a, b) becomes (a cos - b sin, b cos + a sin).
    """
    width = 2 * angles.shape[1]
    turned, rest = query[..., :width], query[..., width:]
    first, second = turned[..., ::2], turned[..., 1::2]
    cos, sin = angles.cos(), angles.sin()
    pairs = torch.stack([first * cos - second * sin, second * cos + first * sin], dim=-1)
    return torch.cat([pairs.flatten(-2).to(rest.dtype), rest], dim=-1)
