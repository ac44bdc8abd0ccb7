"""MR-MT3: MT3 with a memory of what it wrote for the segment before.

Tan et al., "MR-MT3: Memory Retaining Music Transcription to Mitigate Instrument Leakage", 2024. A
small encoder reads the row of tokens of the segment before; its first positions stand beside the
encoded sound, and every decoder layer looks at both.
"""

import torch
from torch import Tensor

from core.models.linear import Linear, multiplied
from core.models.mt3 import Mt3, Mt3Config, positions_of
from core.models.stacks import EncoderStack

FIRST_MEMORY = (1134, 1)  # before the first segment: a tie and the end, as if nothing sounded


class MrMt3(Mt3):
    """The network; `config.memory_length` positions are remembered, none makes it a plain MT3."""

    def __init__(self, config: Mt3Config) -> None:
        super().__init__(config)
        self.memory_projection = Linear(config.d_model, config.d_model, bias=False)
        self.memory_encoder = EncoderStack(config, layers=1, positions=positions_of(config))

    def memory(self, ids: Tensor) -> Tensor:
        """Return the memory [row, position, channel] of token ids [row, step] of full length.

        The padding behind the tokens takes part, as in the original: there is no mask.
        """
        embedded = multiplied(self.memory_projection, self.token_embedding(ids))
        remembered: Tensor = self.memory_encoder(embedded)
        return remembered[:, : self.config.memory_length]

    def encode_after(self, features: Tensor, ids: Tensor) -> Tensor:
        """Return encoded sound and memory [segment, frame + position, channel] side by side."""
        encoded = self.encode(features)
        if self.config.memory_length == 0:
            return encoded
        return torch.cat([encoded, self.memory(ids)], dim=1)


def memory_ids(tokens: list[int] | None, length: int) -> list[int]:
    """Return the ids that the next segment remembers: `length` of them, padded with zeros or cut.

    `tokens` are those written for the segment before, without the start token; None before the
    first segment. The start token is among the ids, although training had none: that is how the
    published code runs, and the results in the paper come from it.
    """
    ids = list(FIRST_MEMORY) if tokens is None else [0, *tokens]
    return (ids + [0] * length)[:length]
