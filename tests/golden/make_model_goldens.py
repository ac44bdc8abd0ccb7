"""Regenerate the golden logits: `python tests/golden/make_model_goldens.py`, from the root.

Needed whenever the weights in resources/models are remade.
"""

import sys
from pathlib import Path

import numpy as np
import torch  # noqa: TID253 (a script about networks)
from torch import nn  # noqa: TID253

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.models.checkpoint import load_weights  # noqa: E402 (needs the path)
from core.models.drum_net import DrumNet  # noqa: E402
from core.models.family_head import StemAndFamilies  # noqa: E402

FRAMES = 12


def main() -> None:
    networks: tuple[tuple[str, nn.Module, int], ...] = (
        ("pitch_v7", StemAndFamilies(), 306),
        ("drums_v4", DrumNet(), 96),
    )
    for name, network, bins in networks:
        load_weights(network, ROOT / "resources" / "models" / f"{name}.safetensors")
        levels = torch.rand(1, 2, FRAMES, bins, generator=torch.Generator().manual_seed(7))
        with torch.inference_mode():
            logits = network(levels)
        path = ROOT / "tests" / "golden" / f"{name}_logits.npz"
        np.savez_compressed(path, levels=levels.numpy(), logits=logits.numpy())


if __name__ == "__main__":
    main()
