"""What reads the spectra of a segment: a T5 encoder, or convolutions and a Perceiver."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.models.blocks import StoredPositions
from core.models.linear import Linear, multiplied
from core.models.stacks import EncoderStack
from core.models.yourmt3.config import STEPS_KNOWN, YourMt3Config
from core.models.yourmt3.perceiver import Perceiver
from core.models.yourmt3.pre_encoder import PreEncoder


class MelEncoder(nn.Module):
    """That of YMT3+: layers over mel frames as they are, for one decoding channel."""

    def __init__(self, config: YourMt3Config) -> None:
        super().__init__()
        positions = StoredPositions(STEPS_KNOWN, config.d_model)
        self.stack = EncoderStack(config, config.num_encoder_layers, positions)

    def forward(self, features: Tensor, channels: Sequence[int]) -> Tensor:
        """Return [segment, decoding channel, frame, channel] of features [segment, frame, band]."""
        encoded: Tensor = self.stack(features)
        return encoded[:, None].expand(-1, len(channels), -1, -1)


class LatentEncoder(nn.Module):
    """That of YPTF: each decoding channel hears latents of its own."""

    def __init__(self, config: YourMt3Config) -> None:
        super().__init__()
        self.latents_per_channel = config.latents_per_channel
        self.pre_encoder = PreEncoder(config.conv_channels)
        self.perceiver = Perceiver(config)
        heard = config.latents_per_channel * config.d_latent
        self.projection = Linear(heard, config.d_model, bias=False)

    def forward(self, features: Tensor, channels: Sequence[int]) -> Tensor:
        """Return [segment, decoding channel, frame, channel] of features [segment, frame, band]."""
        latents = self.perceiver(self.pre_encoder(features), self._latents_of(channels))
        return self.heard(latents)

    def heard(self, latents: Tensor) -> Tensor:
        """Return what decoders hear, of latents [segment, frame, latent, dimension]."""
        segments, frames = latents.shape[:2]
        grouped = latents.reshape(segments, frames, -1, self.projection.in_features)
        return multiplied(self.projection, grouped.transpose(1, 2))

    def _latents_of(self, channels: Sequence[int]) -> Tensor | None:
        """Return the latents that decoding channels hear, None for all."""
        each, all_latents = self.latents_per_channel, range(self.perceiver.config.latents)
        wanted = [each * channel + index for channel in channels for index in range(each)]
        if wanted == list(all_latents):
            return None
        return torch.tensor(wanted, device=self.projection.weight.device)
