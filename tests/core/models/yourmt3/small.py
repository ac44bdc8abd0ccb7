"""A small YourMT3+ with weights made of noise."""

from typing import Any

import torch

from core.models.yourmt3.config import YourMt3Config
from core.models.yourmt3.network import YourMt3

SIZES = {
    "channels": 3, "max_steps": 20, "input_frames": 9, "input_bins": 64, "conv_channels": 4,
    "latents": 6, "d_latent": 8, "latent_heads": 2, "blocks": 2, "rotated_pairs": 1,
    "experts": 4, "chosen_experts": 2, "latent_d_ff": 16, "vocab_size": 12, "d_model": 16,
    "num_heads": 2, "d_kv": 4, "d_ff": 8, "num_encoder_layers": 1, "num_decoder_layers": 2,
}  # fmt: skip
PLAIN = {"positions": "trainable", "experts": 0, "chosen_experts": 0, "adds_latents": False}
MEL = {"encoder": "t5", "channels": 1, "input_bins": 16}


def small_config(**sizes: Any) -> YourMt3Config:
    return YourMt3Config(**{**SIZES, **sizes})


def small_network(**sizes: Any) -> YourMt3:
    torch.manual_seed(0)
    return YourMt3(small_config(**sizes)).eval().requires_grad_(requires_grad=False)


def features(network: YourMt3, segments: int = 2) -> torch.Tensor:
    """Return noise [segment, frame, band] that the network can hear."""
    noise = torch.Generator().manual_seed(1)
    config = network.config
    return torch.rand(segments, config.input_frames, config.input_bins, generator=noise)
