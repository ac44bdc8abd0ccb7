"""Stacks of T5: layers over the frames of a segment, and layers over tokens that hear them."""

from typing import Protocol

from torch import Tensor, nn

from core.models.blocks import DecoderLayer, EncoderLayer, Norm, Positions, StoredPositions

AnyPositions = Positions | StoredPositions


class StackSizes(Protocol):
    """What a configuration says of a stack."""

    d_model: int
    num_heads: int
    d_kv: int
    d_ff: int


class EncoderStack(nn.Module):
    """Layers over all frames of a segment; zero-padded frames take part like any other."""

    def __init__(self, sizes: StackSizes, layers: int, positions: AnyPositions) -> None:
        super().__init__()
        self.positions = positions
        self.layers = nn.ModuleList(
            EncoderLayer(sizes.d_model, sizes.num_heads, sizes.d_kv, sizes.d_ff)
            for _ in range(layers)
        )
        self.norm = Norm(sizes.d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Return [row, position, channel] of embeddings [row, position, channel]."""
        x = x + self.positions.table(x.shape[1])
        for layer in self.layers:
            x = layer(x)
        normed: Tensor = self.norm(x)
        return normed


class DecoderStack(nn.Module):
    """Layers over the tokens so far and the encoded sound."""

    def __init__(self, sizes: StackSizes, layers: int, positions: AnyPositions) -> None:
        super().__init__()
        self.positions = positions
        self.layers = nn.ModuleList(
            DecoderLayer(sizes.d_model, sizes.num_heads, sizes.d_kv, sizes.d_ff)
            for _ in range(layers)
        )
        self.norm = Norm(sizes.d_model)

    def decoder_layers(self) -> list[DecoderLayer]:
        return [layer for layer in self.layers if isinstance(layer, DecoderLayer)]

    def forward(self, x: Tensor, encoded: Tensor) -> Tensor:
        """Return [row, step, channel] of embeddings [row, step, channel]."""
        x = x + self.positions.table(x.shape[1])
        for layer in self.layers:
            x = layer(x, encoded)
        normed: Tensor = self.norm(x)
        return normed
