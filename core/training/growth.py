"""Growing a trained network: wider and deeper, and at first exactly as good as it was."""

from collections.abc import Mapping

import torch
from torch import Tensor

from core.models.stem_net import StemNet, StemSize

CLOSING_NORMS = (".conv.1.weight", ".mix.1.weight")  # what a residual block is scaled with


def grown(state: Mapping[str, Tensor], size: StemSize) -> dict[str, Tensor]:
    """Return the state of a StemNet of `size` that answers as the smaller one of `state` does.

    New channels start at random but nobody listens to them yet; new stages start closed. Draws
    from torch's global generator.
    """
    network = StemNet(size)
    larger = network.state_dict()
    return {name: _grown_tensor(name, state.get(name), larger[name]) for name in larger}


def _grown_tensor(name: str, known: Tensor | None, random: Tensor) -> Tensor:
    if known is None:
        return torch.zeros_like(random) if name.endswith(CLOSING_NORMS) else random.clone()
    if known.shape == random.shape:
        return known.clone()
    tensor = random.clone()
    if tensor.ndim < 2:
        tensor[: len(known)] = known
        return tensor
    outputs, inputs = known.shape[:2]
    tensor[:outputs, inputs:] = 0
    tensor[:outputs, :inputs] = known
    return tensor
