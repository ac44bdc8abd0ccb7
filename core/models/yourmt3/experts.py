"""A feed-forward of several experts, of which each position asks the few that suit it best."""

import torch
from torch import Tensor, nn

from core.models.linear import Linear
from core.models.yourmt3.config import YourMt3Config

# Positions of an expert are filled up to a multiple: oneDNN compiles for each size it meets.
ROUNDED_TO = 64


class Expert(nn.Module):
    """Gated feed-forward: down(silu(gate x) * up x), no biases."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.gate = Linear(channels, hidden, bias=False)
        self.up = Linear(channels, hidden, bias=False)
        self.down = Linear(hidden, channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return [position, channel] of the same."""
        out: Tensor = self.down(self.up.times(x, self.gate.silu(x)))
        return out


class Experts(nn.Module):
    """Several experts and the router between them; no position is ever turned away."""

    def __init__(self, config: YourMt3Config) -> None:
        super().__init__()
        self.chosen = config.chosen_experts
        self.router = nn.Linear(config.d_latent, config.experts, bias=False)
        self.experts = nn.ModuleList(
            Expert(config.d_latent, config.latent_d_ff) for _ in range(config.experts)
        )

    @property
    def dtype(self) -> torch.dtype:
        """What the experts' matrices are kept in; the router is kept in float32."""
        return next(self.experts.parameters()).dtype

    def forward(self, x: Tensor) -> Tensor:
        """Return [..., channel] of the same; each expert computes what it was asked, rounded up.

        Positions are sorted by expert, so that each expert multiplies one matrix.
        """
        rows = x.flatten(0, -2)
        odds, chosen = self.router(rows).topk(self.chosen, dim=1)
        experts, order = chosen.flatten().sort(stable=True)
        counts = chosen.flatten().bincount(minlength=len(self.experts))
        whole = (counts + ROUNDED_TO - 1) // ROUNDED_TO * ROUNDED_TO
        filled_up = (whole - counts).cumsum(0) - (whole - counts)
        places = torch.arange(len(order), device=x.device) + filled_up[experts]
        sizes = whole.tolist()
        asking = order.new_zeros(sum(sizes))  # what is filled up asks as the first position does
        asking[places] = order // self.chosen
        asked = rows.to(self.dtype).index_select(0, asking)
        answers = torch.cat(
            [
                expert(part)
                for expert, part in zip(self.experts, torch.split(asked, sizes), strict=True)
            ]
        )
        answered = torch.empty_like(order)
        answered[order] = places
        found = answers.index_select(0, answered).view(*chosen.shape, -1)
        return (found * torch.softmax(odds, dim=1)[..., None]).sum(dim=1).view_as(x)
