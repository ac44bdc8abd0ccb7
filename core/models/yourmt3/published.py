"""The published networks with their weights."""

from pathlib import Path

import torch

from core.models.checkpoint import load_published
from core.models.checkpoint_report import compared, open_checkpoint
from core.models.parameter_names import FAMILIES
from core.models.yourmt3.config import CONFIGS
from core.models.yourmt3.network import YourMt3


def read_yourmt3(path: Path, family: str) -> YourMt3:
    """Return a network with its weights, ready for inference.

    `family` is a key of `CONFIGS`. The upstream names of the mixtures of experts promise another
    norm than their sizes speak for: which it is, the file decides.

    Raises:
        ModelMissingError: there is nothing at `path`.
        ModelBrokenError: it is damaged, unsafe, or of another network.
    """
    if family == "yptf_moe_multi" and _has_plain_norms(path):
        family = "yptf_moe_multi_rms"
    with torch.device("meta"):
        network = YourMt3(CONFIGS[family]())
    load_published(network, path, family)
    return network


def _has_plain_norms(path: Path) -> bool:
    """Tell whether a file is whole but for the biases of the Perceiver's norms."""
    checkpoint = open_checkpoint(path)
    with_biases, without = (
        compared(checkpoint, FAMILIES[name]) for name in ("yptf_moe_multi", "yptf_moe_multi_rms")
    )
    return bool(with_biases.missing) and not without.missing
