"""The T5 stacks of YourMT3+: as those of MT3, with their positions in a table of the file."""

import torch
from torch import Tensor, nn

from core.models.blocks import DecoderLayer, EncoderLayer, Norm
from core.models.yourmt3.config import STEPS_KNOWN, YourMt3Config


class StoredPositions(nn.Module):
    """Sinusoids [position, channel] that come with the weights."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("sinusoids", torch.zeros(STEPS_KNOWN, channels))
        self.sinusoids: Tensor

    def table(self, length: int) -> Tensor:
        """Return those of the first positions."""
        if length > STEPS_KNOWN:
            raise ValueError(f"{length} positions are wanted, the model knows {STEPS_KNOWN}")
        return self.sinusoids[:length]


class EncoderStack(nn.Module):
    """Layers over all frames of a segment."""

    def __init__(self, config: YourMt3Config) -> None:
        super().__init__()
        self.positions = StoredPositions(config.d_model)
        self.layers = nn.ModuleList(
            EncoderLayer(config.d_model, config.num_heads, config.d_kv, config.d_ff)
            for _ in range(config.num_encoder_layers)
        )
        self.norm = Norm(config.d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Return [segment, frame, channel] of the same."""
        x = x + self.positions.table(x.shape[1])
        for layer in self.layers:
            x = layer(x)
        normed: Tensor = self.norm(x)
        return normed


class DecoderStack(nn.Module):
    """Layers over the tokens so far and the encoded sound."""

    def __init__(self, config: YourMt3Config) -> None:
        super().__init__()
        self.positions = StoredPositions(config.d_model)
        self.layers = nn.ModuleList(
            DecoderLayer(config.d_model, config.num_heads, config.d_kv, config.d_ff)
            for _ in range(config.num_decoder_layers)
        )
        self.norm = Norm(config.d_model)

    def decoder_layers(self) -> list[DecoderLayer]:
        return [layer for layer in self.layers if isinstance(layer, DecoderLayer)]

    def forward(self, x: Tensor, encoded: Tensor) -> Tensor:
        """Return [row, step, channel] of embeddings [row, step, channel]."""
        x = x + self.positions.table(x.shape[1])
        for layer in self.layers:
            x = layer(x, encoded)
        normed: Tensor = self.norm(x)
        return normed
