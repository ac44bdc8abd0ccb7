"""Rotary positions: pairs of dimensions of a query turn with its position."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
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


def rotated(query: Tensor, angles: Tensor, heads: int) -> Tensor:
    """Turn the first pairs of each head of query [row, position, dimension] by its position.

    `angles` is [position, pair]. A pair is two neighbours; (a, b) becomes (a cos - b sin, b cos +
    a sin), which is a complex product. Pairs that stay take part: one product of all takes a fifth
    of the time of many of a few.
    """
    pairs = query.shape[2] // (2 * heads)
    whole = F.pad(angles, (0, pairs - angles.shape[1])).repeat(1, heads)
    turns = torch.polar(torch.ones_like(whole), whole)
    turned = torch.view_as_complex(query.float().view(*query.shape[:2], -1, 2)) * turns
    return torch.view_as_real(turned).flatten(2).to(query.dtype)
