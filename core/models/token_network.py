"""What MT3 and YourMT3+ share: sizes of T5's stacks, and the half that writes tokens."""

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig

from core.models.decoding import Pack, StepDecoder, step_layer
from core.models.linear import Linear
from core.models.packing import pack_float32
from core.models.stacks import AnyPositions, DecoderStack


class TokenConfig(PretrainedConfig):  # type: ignore[no-untyped-call]  # a hook of theirs has no types
    """The sizes of the stacks; the defaults are those of the published networks."""

    def __init__(  # noqa: PLR0913 (a configuration lists its sizes)
        self,
        *,
        vocab_size: int,
        max_steps: int,
        d_model: int = 512,
        num_heads: int = 6,
        d_kv: int = 64,
        d_ff: int = 1024,
        num_encoder_layers: int = 8,
        num_decoder_layers: int = 8,
        **kwargs: object,
    ) -> None:
        """Take these sizes; `max_steps` is how many tokens a row has at most.

        `kwargs` are keywords of `PretrainedConfig`.

        Raises:
            ValueError: a size is no positive whole number.
        """
        self.vocab_size = vocab_size
        self.max_steps = max_steps
        self.d_model = d_model
        self.num_heads = num_heads
        self.d_kv = d_kv
        self.d_ff = d_ff
        self.num_encoder_layers = num_encoder_layers
        self.num_decoder_layers = num_decoder_layers
        self.check_positive(
            "vocab_size", "max_steps", "d_model", "num_heads", "d_kv", "d_ff",
            "num_encoder_layers", "num_decoder_layers",
        )  # fmt: skip
        super().__init__(**kwargs)  # type: ignore[arg-type]  # its own keywords, unknown here

    def check_positive(self, *names: str) -> None:
        """Raise ValueError for sizes that are no positive whole numbers."""
        for name in names:
            size = getattr(self, name)
            if not isinstance(size, int) or size < 1:
                raise ValueError(f"{name} must be a positive whole number, not {size!r}")


class TokenNetwork(nn.Module):
    """The half that writes tokens. To decode step by step, see `StepDecoder` and `step_decoder`."""

    def __init__(
        self, config: TokenConfig, positions: AnyPositions, *, logits_gain: float = 1.0
    ) -> None:
        """`logits_gain` multiplies what logits are made of."""
        super().__init__()
        self._sizes = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.decoder = DecoderStack(config, config.num_decoder_layers, positions)
        self.logits = Linear(config.d_model, config.vocab_size, bias=False)
        self._logits_gain = logits_gain

    def logits_of(self, tokens: Tensor, encoded: Tensor) -> Tensor:
        """Return logits [row, step, token] after each of tokens [row, step], all at once."""
        decoded = self.decoder(self.token_embedding(tokens), encoded)
        logits: Tensor = self.logits(decoded * self._logits_gain)
        return logits

    def use_bfloat16(self) -> None:
        """Keep the matrices that meet sound in bfloat16, but for those that choose experts.

        Sums, norms and convolutions stay in float32, and so does what writes tokens: see `Pack`.
        """
        for name, module in self.named_modules():
            is_heard = not name.startswith(("decoder.", "logits")) and not name.endswith(".router")
            if is_heard and isinstance(module, nn.Linear):
                module.to(torch.bfloat16)

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
            positions=self.decoder.positions.table(self._sizes.max_steps),
            norm=self.decoder.norm.weight.detach() * self._logits_gain,
            logits=pack(self.logits.weight),
            heads=self._sizes.num_heads,
            head_channels=self._sizes.d_kv,
            cache_dtype=cache_dtype,
        )
