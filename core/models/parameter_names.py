"""What the published checkpoints call the tensors that we call otherwise, and their shapes.

Three spellings of one network: ours, that of the PyTorch files (kunato's port of MT3, MR-MT3,
YourMT3+), and Magenta's T5X tree, whose kernels are [in, out] where ours are [out, in].
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.models.stored_parameter import Shape

TRAINER_PREFIXES = ("", "model.")  # Lightning holds the network as `self.model`

_ATTENTION = {"query": "q", "key": "k", "value": "v", "output": "o"}
_FEED_FORWARD = {"gate": "wi_0", "up": "wi_1", "down": "wo"}
_BATCH_NORM = {
    "scale": "weight", "shift": "bias", "mean": "running_mean", "variance": "running_var",
}  # fmt: skip
_ROTARY = {"spectral": "sca", "local": "latent", "temporal": "temporal"}
_EXPERT = {"gate": "w1", "up": "gate", "down": "w2"}
_T5X_ATTENTION = {"query": "query", "key": "key", "value": "value", "output": "out"}


@dataclass(frozen=True, slots=True)
class Spelling:
    """One tensor, its shape as we keep it ([out, in] for matrices) and its names elsewhere.

    `t5x` is None where T5X has no such tensor. `alias` is a second name of the same tensor in
    PyTorch files; where both are there, the first counts.
    """

    ours: str
    shape: Shape
    torch: str
    t5x: str | None = None
    t5x_is_transposed: bool = False
    alias: str | None = None

    @property
    def is_computed(self) -> bool:
        """Tell whether T5X computes it by formula instead of keeping it."""
        return self.t5x is None and self.ours.endswith("positions.frequencies")


@dataclass(frozen=True, slots=True)
class ModelFamily:
    """What a network's checkpoint must hold, in every spelling.

    Names that begin with one of `ignored` belong to the trainer's other parts, those that end with
    one of `repeated` hold what other tensors say as well, or count steps of training.
    """

    name: str
    spellings: tuple[Spelling, ...]
    ignored: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()

    def names_in_t5x(self) -> Mapping[str, Spelling]:
        """Return the name of every parameter in a T5X tree, computed ones excepted."""
        return {
            spelling.t5x or spelling.torch: spelling
            for spelling in self.spellings
            if not spelling.is_computed
        }

    def names_among(self, present: Collection[str]) -> Mapping[str, Spelling]:
        """Return the name of every parameter in the spelling that most of `present` is in."""
        candidates = [self._torch_names(prefix, present) for prefix in TRAINER_PREFIXES]
        candidates.append({spelling.ours: spelling for spelling in self.spellings})
        return max(candidates, key=lambda names: sum(name in present for name in names))

    def is_expected(self, name: str) -> bool:
        """Tell whether a name that no parameter has belongs in such files nevertheless."""
        bare = [name.removeprefix(prefix) for prefix in TRAINER_PREFIXES]
        aliases = {spelling.alias for spelling in self.spellings}
        return name.endswith(self.repeated) or any(
            each in aliases or each.startswith(self.ignored) for each in bare
        )

    def _torch_names(self, prefix: str, present: Collection[str]) -> dict[str, Spelling]:
        names = {}
        for spelling in self.spellings:
            name, alias = prefix + spelling.torch, prefix + (spelling.alias or spelling.torch)
            names[alias if name not in present and alias in present else name] = spelling
        return names


@dataclass(frozen=True, slots=True)
class Mt3Sizes:
    """The sizes that shapes follow from; the defaults are those of Magenta's `mt3`."""

    tokens: int = 1536
    bins: int = 512
    channels: int = 512
    inner: int = 384  # heads times channels of a head
    hidden: int = 1024
    layers: int = 8


def mt3_spellings(sizes: Mt3Sizes) -> tuple[Spelling, ...]:
    """Return every tensor of MT3."""
    tokens = (sizes.tokens, sizes.channels)
    return (
        Spelling("input_projection.weight", (sizes.channels, sizes.bins), "proj.weight",
                 "encoder/continuous_inputs_projection/kernel", True,
                 "encoder.embed_tokens.weight"),
        *_stack("encoder", "encoder", sizes),
        Spelling("token_embedding.weight", tokens, "decoder_embed_tokens.weight",
                 "decoder/token_embedder/embedding", False, "decoder.embed_tokens.weight"),
        *_stack("decoder", "decoder", sizes, is_decoder=True),
        Spelling("logits.weight", tokens, "lm_head.weight", "decoder/logits_dense/kernel", True),
    )  # fmt: skip


def mr_mt3_spellings(sizes: Mt3Sizes) -> tuple[Spelling, ...]:
    """Return every tensor of MR-MT3: MT3 and the encoder of its memory, a layer in itself."""
    square = (sizes.channels, sizes.channels)
    memory = Mt3Sizes(sizes.tokens, sizes.bins, sizes.channels, sizes.inner, sizes.hidden, layers=1)
    return (
        *mt3_spellings(sizes),
        Spelling("memory_projection.weight", square, "segmem_proj.weight",
                 alias="segmem_encoder.embed_tokens.weight"),
        *_stack("memory_encoder", "segmem_encoder", memory),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class YourMt3Sizes:
    """The sizes that shapes of YourMT3+ follow from; the defaults are those of YPTF.MoE+Multi.

    `latents` of 0 means YMT3+, whose encoder is another stack of T5. `experts` of 0 means one
    plain feed-forward, and positions that were trained.
    """

    latents: int = 26
    heard: int = 256  # numbers that one decoding channel hears at a time
    experts: int = 8
    norm_has_bias: bool = True
    dimensions: int = 128  # of latents; channels of convolutions and bands behind them as well
    expert_hidden: int = 512
    window_samples: int = 2048
    positions: int = 1034
    frames: int = 120
    blocks: int = 3
    layers: int = 2  # in a block, along each axis
    stack: Mt3Sizes = Mt3Sizes(tokens=596)


def yourmt3_spellings(sizes: YourMt3Sizes) -> tuple[Spelling, ...]:
    """Return every tensor of YourMT3+."""
    stack = sizes.stack
    tokens = (stack.tokens, stack.channels)
    return (
        *(_latent_encoder(sizes) if sizes.latents else _mel_encoder(sizes)),
        Spelling("token_embedding.weight", tokens, "embed_tokens.weight"),
        *_stored_stack("decoder", "decoder", sizes),
        Spelling("logits.weight", tokens, "lm_head.lm_head.weight"),
    )


def _mel_encoder(sizes: YourMt3Sizes) -> list[Spelling]:
    window, theirs = sizes.window_samples, "spectrogram.mel_stft"
    return [
        Spelling("window", (window,), f"{theirs}.spectrogram.window"),
        Spelling("mel_bank", (window // 2 + 1, sizes.stack.bins), f"{theirs}.mel_scale.fb"),
        *_stored_stack("encoder", "encoder.stack", sizes),
    ]


def _latent_encoder(sizes: YourMt3Sizes) -> list[Spelling]:
    dimensions, perceiver = sizes.dimensions, "encoder.perceiver"
    is_single = sizes.heard == sizes.latents * dimensions
    projection = "projection_layer" if is_single else "linear"
    spellings = [
        Spelling("window", (sizes.window_samples,), "spectrogram.stft.window"),
        *(each for index in range(3) for each in _residual_block(index, dimensions)),
        Spelling("encoder.projection.weight", (sizes.stack.channels, sizes.heard),
                 f"pre_decoder.0.{projection}.weight"),
        Spelling(f"{perceiver}.latents", (sizes.latents, dimensions),
                 "encoder.latent_array.latents"),
        *_latent_positions(perceiver, sizes),
    ]  # fmt: skip
    for index in range(sizes.blocks):
        ours, theirs = f"{perceiver}.blocks.{index}", f"encoder.blocks.{index}"
        cross = f"{theirs}.spectral_cross_attention"
        spellings += _latent_attention(f"{ours}.spectral.attention", cross, sizes)
        spellings += _latent_norm(f"{ours}.spectral.latent_norm", f"{cross}.self.layernorm1", sizes)
        spellings += _latent_norm(
            f"{ours}.spectral.spectrum_norm", f"{cross}.self.layernorm2", sizes
        )
        for axis in ("local", "temporal"):
            for layer in range(sizes.layers):
                spellings += _latent_layer(
                    f"{ours}.{axis}.{layer}", f"{theirs}.{axis}_transformer.{layer}", sizes
                )
    return spellings


def _residual_block(index: int, channels: int) -> list[Spelling]:
    ours, theirs = f"encoder.pre_encoder.blocks.{index}", f"pre_encoder.0.blocks.{index}"
    inputs = 1 if index == 0 else channels
    spellings = []
    for name, number, heard in (("first", 1, inputs), ("second", 2, channels)):
        spellings.append(Spelling(f"{ours}.{name}.weight", (channels, heard, 3, 3),
                                  f"{theirs}.conv{number}.weight"))  # fmt: skip
        spellings += [
            Spelling(f"{ours}.{name}.{statistic}", (channels,), f"{theirs}.bn{number}.{theirs_too}")
            for statistic, theirs_too in _BATCH_NORM.items()
        ]
    if inputs != channels:
        spellings += [
            Spelling(f"{ours}.shortcut.weight", (channels, inputs, 1, 1),
                     f"{theirs}.shortcut.weight"),
            Spelling(f"{ours}.shortcut.bias", (channels,), f"{theirs}.shortcut.bias"),
        ]  # fmt: skip
    return spellings


def _latent_positions(ours: str, sizes: YourMt3Sizes) -> list[Spelling]:
    if not sizes.experts:
        table = (sizes.frames, sizes.latents, sizes.dimensions)
        return [Spelling(f"{ours}.positions", table, "encoder.pos_emb._pos_emb")]
    return [
        Spelling(f"{ours}.rotary.{name}", (2,), f"encoder.rotary_emb_{theirs}.freqs")
        for name, theirs in _ROTARY.items()
    ]


def _latent_layer(ours: str, theirs: str, sizes: YourMt3Sizes) -> list[Spelling]:
    attention = f"{theirs}.attention"
    return [
        *_latent_attention(f"{ours}.attention", attention, sizes),
        *_latent_norm(f"{ours}.attention_norm", f"{attention}.self.layernorm1", sizes),
        *_latent_norm(f"{ours}.feed_forward_norm", f"{theirs}.layernorm", sizes),
        *(_experts if sizes.experts else _plain)(f"{ours}.feed_forward", f"{theirs}.mlp", sizes),
    ]


def _latent_attention(ours: str, theirs: str, sizes: YourMt3Sizes) -> list[Spelling]:
    names = {name: f"{theirs}.self.{name}" for name in ("query", "key", "value")}
    names["output"] = f"{theirs}.output.dense"
    return [
        each
        for name, their_name in names.items()
        for each in _linear(f"{ours}.{name}", their_name, sizes)
    ]


def _linear(ours: str, theirs: str, sizes: YourMt3Sizes) -> list[Spelling]:
    square = (sizes.dimensions, sizes.dimensions)
    return [
        Spelling(f"{ours}.weight", square, f"{theirs}.weight"),
        Spelling(f"{ours}.bias", (sizes.dimensions,), f"{theirs}.bias"),
    ]


def _latent_norm(ours: str, theirs: str, sizes: YourMt3Sizes) -> list[Spelling]:
    return [
        Spelling(f"{ours}.{name}", (sizes.dimensions,), f"{theirs}.{name}")
        for name in (("weight", "bias") if sizes.norm_has_bias else ("weight",))
    ]


def _plain(ours: str, theirs: str, sizes: YourMt3Sizes) -> list[Spelling]:
    return [
        *_linear(f"{ours}.up", f"{theirs}.dense1", sizes),
        *_linear(f"{ours}.down", f"{theirs}.dense2", sizes),
    ]


def _experts(ours: str, theirs: str, sizes: YourMt3Sizes) -> list[Spelling]:
    wide = (sizes.expert_hidden, sizes.dimensions)
    router = (sizes.experts, sizes.dimensions)
    return [Spelling(f"{ours}.router.weight", router, f"{theirs}.gate.weight")] + [
        Spelling(f"{ours}.experts.{index}.{name}.weight", wide[::-1] if name == "down" else wide,
                 f"{theirs}.experts.{index}.{their_name}.weight")
        for index in range(sizes.experts)
        for name, their_name in _EXPERT.items()
    ]  # fmt: skip


def _stored_stack(torch: str, ours: str, sizes: YourMt3Sizes) -> list[Spelling]:
    """Return a stack of T5 whose positions are a table."""
    table = (sizes.positions, sizes.stack.channels)
    theirs = f"{torch}.{torch}"
    return [
        Spelling(f"{ours}.positions.sinusoids", table, f"{theirs}.additive_pe.weight"),
        *(
            _without_t5x(each)
            for each in _stack(ours, theirs, sizes.stack, is_decoder=torch == "decoder")
            if not each.is_computed
        ),
    ]


def _stack(ours: str, torch: str, sizes: Mt3Sizes, *, is_decoder: bool = False) -> list[Spelling]:
    spellings = [
        Spelling(f"{ours}.positions.frequencies", (sizes.channels // 2,),
                 f"{torch}.pos_emb.inv_freq"),
        Spelling(f"{ours}.norm.weight", (sizes.channels,), f"{torch}.final_layer_norm.weight",
                 f"{torch}/{torch}_norm/scale"),
    ]  # fmt: skip
    for index in range(sizes.layers):
        block, t5x = f"{torch}.block.{index}.layer", f"{torch}/layers_{index}"
        layer = f"{ours}.layers.{index}"
        own = "self_attention" if is_decoder else "attention"
        spellings += _attention(f"{layer}.{own}", f"{block}.0.SelfAttention", f"{t5x}/{own}", sizes)
        spellings.append(_norm(f"{layer}.{own}", f"{block}.0", f"{t5x}/pre_{own}", sizes))
        if is_decoder:
            cross, theirs = f"{layer}.cross_attention", f"{block}.1"
            spellings += _attention(
                cross, f"{theirs}.EncDecAttention", f"{t5x}/encoder_decoder_attention", sizes
            )
            spellings.append(_norm(cross, theirs, f"{t5x}/pre_cross_attention", sizes))
        last = f"{block}.{2 if is_decoder else 1}"
        spellings += _feed_forward(
            f"{layer}.feed_forward", f"{last}.DenseReluDense", f"{t5x}/mlp", sizes
        )
        spellings.append(_norm(f"{layer}.feed_forward", last, f"{t5x}/pre_mlp", sizes))
    return [_without_t5x(each) for each in spellings] if ours == "memory_encoder" else spellings


def _without_t5x(spelling: Spelling) -> Spelling:
    return Spelling(spelling.ours, spelling.shape, spelling.torch)


def _attention(ours: str, torch: str, t5x: str, sizes: Mt3Sizes) -> list[Spelling]:
    return [
        Spelling(f"{ours}.{name}.weight",
                 (sizes.channels, sizes.inner) if name == "output" else
                 (sizes.inner, sizes.channels),
                 f"{torch}.{_ATTENTION[name]}.weight",
                 f"{t5x}/{_T5X_ATTENTION[name]}/kernel", True)
        for name in _ATTENTION
    ]  # fmt: skip


def _feed_forward(ours: str, torch: str, t5x: str, sizes: Mt3Sizes) -> list[Spelling]:
    return [
        Spelling(f"{ours}.{name}.weight",
                 (sizes.channels, sizes.hidden) if name == "down" else
                 (sizes.hidden, sizes.channels),
                 f"{torch}.{theirs}.weight", f"{t5x}/{theirs}/kernel", True)
        for name, theirs in _FEED_FORWARD.items()
    ]  # fmt: skip


def _norm(ours: str, torch: str, t5x: str, sizes: Mt3Sizes) -> Spelling:
    return Spelling(
        f"{ours}_norm.weight", (sizes.channels,), f"{torch}.layer_norm.weight",
        f"{t5x}_layer_norm/scale",
    )  # fmt: skip


_AUGMENTATION = ("pitchshift.",)  # of the training
_REPEATED = (".num_batches_tracked", ".self.rotary_emb.freqs")
_YOURMT3 = {
    "ymt3plus": YourMt3Sizes(latents=0),
    "yptf_single": YourMt3Sizes(latents=24, heard=3072, experts=0),
    "yptf_multi": YourMt3Sizes(experts=0),
    "yptf_moe_multi": YourMt3Sizes(),
    # The names of the published files promise this norm, their sizes speak against it.
    "yptf_moe_multi_rms": YourMt3Sizes(norm_has_bias=False),
}

FAMILIES: Mapping[str, ModelFamily] = MappingProxyType(
    {
        family.name: family
        for family in (
            ModelFamily("mt3", mt3_spellings(Mt3Sizes())),
            ModelFamily("ismir2021", mt3_spellings(Mt3Sizes(tokens=1664))),
            ModelFamily("mr_mt3", mr_mt3_spellings(Mt3Sizes())),
            *(
                ModelFamily(name, yourmt3_spellings(sizes), _AUGMENTATION, _REPEATED)
                for name, sizes in _YOURMT3.items()
            ),
        )
    }
)
"""Every network that checkpoints can be read for."""
