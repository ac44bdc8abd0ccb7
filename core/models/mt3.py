"""MT3: log-mel frames of a segment in, note tokens out.

Gardner et al., "MT3: Multi-Task Multitrack Music Transcription", ICLR 2022. The same network serves
Magenta's checkpoints `mt3` and `ismir2021` and kunato's PyTorch port of the former; they differ in
vocabulary and in the frequencies of their positions, which come with the weights.
"""

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig

from core.models.blocks import Positions, magenta_frequencies
from core.models.decoding import Pack, StepDecoder, step_layer
from core.models.linear import Linear
from core.models.packing import pack_float32
from core.models.stacks import DecoderStack, EncoderStack

LONGEST = 2048  # positions the published tables have


class Mt3Config(PretrainedConfig):  # type: ignore[no-untyped-call]  # a hook of theirs has no types
    """The sizes of an MT3 network; the defaults are those of the published checkpoints."""

    model_type = "notewright_mt3"

    def __init__(  # noqa: PLR0913 (a configuration lists its sizes)
        self,
        *,
        vocab_size: int = 1536,
        d_model: int = 512,
        num_heads: int = 6,
        d_kv: int = 64,
        d_ff: int = 1024,
        num_encoder_layers: int = 8,
        num_decoder_layers: int = 8,
        input_bins: int = 512,
        input_frames: int = 256,
        max_steps: int = 1024,
        memory_length: int = 0,
        **kwargs: object,
    ) -> None:
        """Check the sizes; raises ValueError where they cannot belong to a network."""
        sizes = {
            "vocab_size": vocab_size, "d_model": d_model, "num_heads": num_heads, "d_kv": d_kv,
            "d_ff": d_ff, "num_encoder_layers": num_encoder_layers,
            "num_decoder_layers": num_decoder_layers, "input_bins": input_bins,
            "input_frames": input_frames, "max_steps": max_steps,
        }  # fmt: skip
        for name, size in sizes.items():
            if not isinstance(size, int) or size < 1:
                raise ValueError(f"{name} must be a positive whole number, not {size!r}")
        if d_model % 2:
            raise ValueError(f"d_model is {d_model}; sine and cosine halves need an even number")
        if max(input_frames, max_steps) > LONGEST:
            raise ValueError(f"the model knows {LONGEST} positions, not {input_frames, max_steps}")
        if not 0 <= memory_length <= max_steps:
            raise ValueError(f"memory_length {memory_length} is outside 0..{max_steps}")
        self.vocab_size = vocab_size
        self.d_model = d_model
        self.num_heads = num_heads
        self.d_kv = d_kv
        self.d_ff = d_ff
        self.num_encoder_layers = num_encoder_layers
        self.num_decoder_layers = num_decoder_layers
        self.input_bins = input_bins
        self.input_frames = input_frames
        self.max_steps = max_steps
        self.memory_length = memory_length
        super().__init__(**kwargs)  # type: ignore[arg-type]  # its own keywords, unknown here


class Mt3(nn.Module):
    """The network. To decode step by step, see `StepDecoder` and `step_decoder`."""

    def __init__(self, config: Mt3Config) -> None:
        super().__init__()
        self.config = config
        self.input_projection = Linear(config.input_bins, config.d_model, bias=False)
        self.encoder = EncoderStack(config, config.num_encoder_layers, positions_of(config))
        self.token_embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.decoder = DecoderStack(config, config.num_decoder_layers, positions_of(config))
        self.logits = Linear(config.d_model, config.vocab_size, bias=False)

    def encode(self, features: Tensor) -> Tensor:
        """Return [segment, frame, channel] of log-mel features [segment, frame, bin]."""
        projected = self.input_projection(features.to(self.input_projection.weight.dtype))
        encoded: Tensor = self.encoder(projected.float())
        return encoded

    def forward(self, features: Tensor, tokens: Tensor) -> Tensor:
        """Return logits [segment, step, token] after each of tokens [segment, step]."""
        return self.logits_of(tokens, self.encode(features))

    def logits_of(self, tokens: Tensor, encoded: Tensor) -> Tensor:
        """Return logits [row, step, token] after each of tokens [row, step], all at once."""
        logits: Tensor = self.logits(self.decoder(self.token_embedding(tokens), encoded))
        return logits

    def step_decoder(
        self,
        pack: Pack,
        *,
        pack_sound: Pack = pack_float32,
        cache_dtype: torch.dtype = torch.float32,
    ) -> StepDecoder:
        """Return the decoder for one token at a time, its matrices packed by `pack`.

        Those that meet the sound, once for every segment, are packed by `pack_sound`.
        """
        return StepDecoder(
            [step_layer(layer, pack, pack_sound) for layer in self.decoder.decoder_layers()],
            embedding=self.token_embedding.weight.detach().float(),
            positions=self.decoder.positions.table(self.config.max_steps),
            norm=self.decoder.norm.weight.detach(),
            logits=pack(self.logits.weight),
            heads=self.config.num_heads,
            head_channels=self.config.d_kv,
            cache_dtype=cache_dtype,
        )


def positions_of(config: Mt3Config) -> Positions:
    """Return positions of Magenta's frequencies, which those of the weights replace."""
    return Positions(magenta_frequencies(config.d_model), LONGEST)
