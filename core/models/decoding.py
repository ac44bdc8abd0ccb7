"""Decoding step by step: one token per row and step, keys and values kept from the steps before.

Rows are independent and each stands at its own step, so that a row that is done can make room for
the next segment while the others go on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from core.models.blocks import NORM_EPSILON, DecoderLayer, tanh_gelu
from core.models.kept_rows import KeptRows, room_for

Multiply = Callable[[Tensor], Tensor]
"""Multiply [row, channel] by a weight matrix that is packed for it."""

Pack = Callable[[Tensor], Multiply]
"""Pack a weight matrix [out, in]."""


class DecoderCache:
    """Keys and values of `rows` sequences side by side, layer by layer.

    Memory for steps grows bit by bit up to `most_steps`, since few segments use all of it and a
    step of a row takes 25 kB in MT3.
    """

    def __init__(self, decoder: "StepDecoder", rows: int, frames: int, most_steps: int) -> None:
        self.rows = rows
        self.most_steps = most_steps
        self._decoder = decoder
        self._seen = 1
        self.own = [self._empty(self._room(1), is_written_once=False) for _ in decoder.layers]
        self.cross = [self._empty(frames, is_written_once=True) for _ in decoder.layers]

    def make_room(self, steps: int) -> None:
        """See to it that `steps` steps fit.

        Raises:
            ValueError: they are more than `most_steps`.
        """
        if steps > self.most_steps:
            raise ValueError(f"{steps} steps are wanted, at most {self.most_steps} were agreed")
        self._seen = max(self._seen, steps)
        if steps <= self.own[0].positions:
            return
        for index, kept in enumerate(self.own):
            self.own[index] = kept.grown(self._room(steps))

    def move(self, sources: Sequence[int], targets: Sequence[int]) -> None:
        """Copy what is kept of some rows over others, of which none is a source."""
        these, those = torch.tensor([sources, targets], device=self._decoder.device)
        for kept in (*self.own, *self.cross):
            kept.move(these, those, self._seen)

    def _room(self, steps: int) -> int:
        return room_for(steps, self.most_steps, self._decoder.cache_dtype, self._decoder.device)

    def _empty(self, positions: int, *, is_written_once: bool) -> KeptRows:
        decoder = self._decoder
        return KeptRows(
            (self.rows, decoder.heads, positions, decoder.head_channels),
            is_written_once=is_written_once,
            dtype=decoder.cache_dtype,
            device=decoder.device,
        )


@dataclass(frozen=True, slots=True)
class StepLayer:
    """One decoder layer with its matrices packed; those that share an input are one matrix."""

    self_norm: Tensor
    query_key_value: Multiply
    self_output: Multiply
    cross_norm: Tensor
    cross_query: Multiply
    cross_output: Multiply
    feed_forward_norm: Tensor
    gate_up: Multiply
    down: Multiply
    cross_key_value: Multiply


class StepDecoder:
    """A decoder whose matrices are packed for one row of activations per sequence.

    The residual stream stays in float32 whatever the matrices are kept in.
    """

    def __init__(  # noqa: PLR0913 (the parts of a decoder)
        self,
        layers: Sequence[StepLayer],
        *,
        embedding: Tensor,
        positions: Tensor,
        norm: Tensor,
        logits: Multiply,
        heads: int,
        head_channels: int,
        cache_dtype: torch.dtype,
    ) -> None:
        """`embedding` is [token, channel], `positions` [step, channel], both float32."""
        self.layers = tuple(layers)
        self.heads = heads
        self.head_channels = head_channels
        self.cache_dtype = cache_dtype
        self.device = embedding.device
        self._embedding = embedding
        self._positions = positions
        self._norm = norm
        self._logits = logits

    def open_rows(self, cache: DecoderCache, first_row: int, encoded: Tensor) -> None:
        """Let rows from `first_row` on hear `encoded` [row, frame, channel] from step 0 on."""
        rows, frames = encoded.shape[:2]
        for index, layer in enumerate(self.layers):
            fused = layer.cross_key_value(encoded.flatten(0, 1))
            keys, values = fused.view(rows, frames, 2, self.heads, -1).transpose(1, 3).unbind(2)
            cache.cross[index].write_all(first_row, keys, values)

    def step(self, tokens: Tensor, steps: Tensor, cache: DecoderCache) -> Tensor:
        """Return logits [row, token] after `tokens` [row], each the `steps`-th of its row.

        Takes the first rows of the cache, as many as there are tokens.
        """
        rows, longest = len(tokens), int(steps.max()) + 1
        cache.make_room(longest)
        looked_at = cache.own[0].looked_at(longest)
        x = self._embedding[tokens] + self._positions[steps]
        unseen = torch.arange(looked_at, device=self.device) > steps[:, None]
        mask = torch.zeros(unseen.shape, device=self.device).masked_fill_(unseen, float("-inf"))
        places = cache.own[0].places(steps)
        for layer, own, cross in zip(self.layers, cache.own, cache.cross, strict=True):
            fused = layer.query_key_value(_normed(x, layer.self_norm))
            query, key, value = fused.view(rows, 3, self.heads, -1).unbind(1)
            own.write(places, key, value)
            x += layer.self_output(own.look(query, mask, looked_at))
            query = layer.cross_query(_normed(x, layer.cross_norm)).view(rows, self.heads, -1)
            x += layer.cross_output(cross.look(query, None, cross.positions))
            gate, up = layer.gate_up(_normed(x, layer.feed_forward_norm)).chunk(2, dim=1)
            x += layer.down(tanh_gelu(gate).mul_(up))
        return self._logits(_normed(x, self._norm)).float()


def step_layer(layer: DecoderLayer, pack: Pack, pack_sound: Pack) -> StepLayer:
    """Pack one layer of a network: matrices that meet tokens, and the one that meets the sound."""
    own, cross, feed_forward = layer.self_attention, layer.cross_attention, layer.feed_forward
    fused = torch.cat([own.query.weight, own.key.weight, own.value.weight])
    return StepLayer(
        self_norm=layer.self_attention_norm.weight.float(),
        query_key_value=pack(fused),
        self_output=pack(own.output.weight),
        cross_norm=layer.cross_attention_norm.weight.float(),
        cross_query=pack(cross.query.weight),
        cross_output=pack(cross.output.weight),
        feed_forward_norm=layer.feed_forward_norm.weight.float(),
        gate_up=pack(torch.cat([feed_forward.gate.weight, feed_forward.up.weight])),
        down=pack(feed_forward.down.weight),
        cross_key_value=pack_sound(torch.cat([cross.key.weight, cross.value.weight])),
    )


def _normed(x: Tensor, scale: Tensor) -> Tensor:
    return F.rms_norm(x, (x.shape[-1],), scale, NORM_EPSILON)
