"""MT3: log-mel frames of a segment in, note tokens out.

Gardner et al., "MT3: Multi-Task Multitrack Music Transcription", ICLR 2022. The same network serves
Magenta's checkpoints `mt3` and `ismir2021` and kunato's PyTorch port of the former; they differ in
vocabulary and in the frequencies of their positions, which come with the weights.
"""

from typing import Any

from torch import Tensor

from core.models.blocks import Positions, magenta_frequencies
from core.models.linear import Linear, multiplied
from core.models.stacks import EncoderStack
from core.models.token_network import TokenConfig, TokenNetwork

LONGEST = 2048  # positions the published tables have


class Mt3Config(TokenConfig):  # type: ignore[no-untyped-call]  # a hook of theirs has no types
    """The sizes of an MT3 network; the defaults are those of the published checkpoints."""

    model_type = "notewright_mt3"

    def __init__(
        self,
        *,
        vocab_size: int = 1536,
        input_bins: int = 512,
        input_frames: int = 256,
        max_steps: int = 1024,
        memory_length: int = 0,
        **kwargs: Any,
    ) -> None:
        """Check the sizes; raises ValueError where they cannot belong to a network.

        `kwargs` are those of `TokenConfig`.
        """
        self.input_bins = input_bins
        self.input_frames = input_frames
        self.memory_length = memory_length
        super().__init__(vocab_size=vocab_size, max_steps=max_steps, **kwargs)
        self.check_positive("input_bins", "input_frames")
        if self.d_model % 2:
            raise ValueError(
                f"d_model is {self.d_model}; sine and cosine halves need an even number"
            )
        if max(input_frames, max_steps) > LONGEST:
            raise ValueError(f"the model knows {LONGEST} positions, not {input_frames, max_steps}")
        if not 0 <= memory_length <= max_steps:
            raise ValueError(f"memory_length {memory_length} is outside 0..{max_steps}")


class Mt3(TokenNetwork):
    """The network. To decode step by step, see `StepDecoder` and `step_decoder`."""

    def __init__(self, config: Mt3Config) -> None:
        super().__init__(config, positions_of(config))
        self.config = config
        self.input_projection = Linear(config.input_bins, config.d_model, bias=False)
        self.encoder = EncoderStack(config, config.num_encoder_layers, positions_of(config))

    def encode(self, features: Tensor) -> Tensor:
        """Return [segment, frame, channel] of log-mel features [segment, frame, bin]."""
        encoded: Tensor = self.encoder(multiplied(self.input_projection, features))
        return encoded

    def forward(self, features: Tensor, tokens: Tensor) -> Tensor:
        """Return logits [segment, step, token] after each of tokens [segment, step]."""
        return self.logits_of(tokens, self.encode(features))


def positions_of(config: Mt3Config) -> Positions:
    """Return positions of Magenta's frequencies, which those of the weights replace."""
    return Positions(magenta_frequencies(config.d_model), LONGEST)
