"""A feed-forward of several experts, of which each position asks the few that suit it best."""

import torch
from torch import Tensor, nn

from core.models.linear import Linear
from core.models.yourmt3.config import YourMt3Config


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
        """Return [..., channel] of the same; each expert computes only what it was asked.

        Positions are sorted by expert, so that each expert multiplies one matrix.
        """
        rows = x.flatten(0, -2)
        odds, chosen = torch.softmax(self.router(rows), dim=1).topk(self.chosen, dim=1)
        shares = odds / odds.sum(dim=1, keepdim=True)
        order = chosen.flatten().argsort(stable=True)
        asking = order // self.chosen
        counts = chosen.flatten().bincount(minlength=len(self.experts)).tolist()
        asked = torch.split(rows.to(self.dtype)[asking], counts)
        answers = torch.cat(
            [expert(part) for expert, part in zip(self.experts, asked, strict=True)]
        )
        answers = answers * shares.flatten()[order, None]
        return torch.zeros_like(rows).index_add_(0, asking, answers).view_as(x)
