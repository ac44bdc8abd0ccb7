"""Growing a trained network: wider and deeper, and at first exactly as good as it was."""

from collections.abc import Mapping

import torch
from torch import Tensor

from core.models.family_head import StemAndFamilies
from core.models.stem_net import StemNet

HEARD_TWICE = "families.mix.weight"  # first the partials over each pitch, then what came of them
CLOSING_NORMS = (".conv.1.weight", ".mix.1.weight")  # what a residual block is scaled with


def grown(state: Mapping[str, Tensor], network: StemNet | StemAndFamilies) -> dict[str, Tensor]:
    """Return the state with which a larger network answers as the one of `state` does.

    New channels keep what `network` drew for them but nobody listens to them yet; new stages start
    closed.
    """
    larger = network.state_dict()
    return {name: _grown_tensor(name, state.get(name), larger[name]) for name in larger}


def _grown_tensor(name: str, known: Tensor | None, random: Tensor) -> Tensor:
    if known is None:
        return torch.zeros_like(random) if name.endswith(CLOSING_NORMS) else random.clone()
    if known.shape == random.shape:
        return known.clone()
    if name == HEARD_TWICE:
        halves = zip(known.chunk(2, 1), random.chunk(2, 1), strict=True)
        return torch.cat([_grown_tensor("", *half) for half in halves], 1)
    tensor = random.clone()
    if tensor.ndim < 2:
        tensor[: len(known)] = known
        return tensor
    outputs, inputs = known.shape[:2]
    tensor[:outputs, inputs:] = 0
    tensor[:outputs, :inputs] = known
    return tensor
