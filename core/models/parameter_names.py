"""What the published checkpoints call the tensors that we call otherwise, and their shapes.

Three spellings of one network: ours, that of the PyTorch files (kunato's port of MT3, MR-MT3), and
Magenta's T5X tree, whose kernels are [in, out] where ours are [out, in].
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.models.stored_parameter import Shape

TRAINER_PREFIXES = ("", "model.")  # Lightning holds the network as `self.model`

_ATTENTION = {"query": "q", "key": "k", "value": "v", "output": "o"}
_FEED_FORWARD = {"gate": "wi_0", "up": "wi_1", "down": "wo"}
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

    Names that begin with one of `ignored` belong to the trainer's other parts.
    """

    name: str
    spellings: tuple[Spelling, ...]
    ignored: tuple[str, ...] = ()

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
        return any(each in aliases or each.startswith(self.ignored) for each in bare)

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
        *_stack("decoder", "decoder", sizes),
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


def _stack(ours: str, torch: str, sizes: Mt3Sizes) -> list[Spelling]:
    is_decoder = ours == "decoder"
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


FAMILIES: Mapping[str, ModelFamily] = MappingProxyType(
    {
        family.name: family
        for family in (
            ModelFamily("mt3", mt3_spellings(Mt3Sizes())),
            ModelFamily("ismir2021", mt3_spellings(Mt3Sizes(tokens=1664))),
            ModelFamily("mr_mt3", mr_mt3_spellings(Mt3Sizes())),
        )
    }
)
"""Every network that checkpoints can be read for."""
