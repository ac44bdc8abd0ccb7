"""Parameter names: what the published checkpoints call the tensors that we call otherwise.

Three spellings of one network: ours, kunato's (`.pth`, and MR-MT3 with the prefix of its trainer),
and Magenta's T5X tree, whose kernels are [in, out] where ours are [out, in].
"""

from dataclasses import dataclass

LAYERS = 8

_ATTENTION = {"query": "q", "key": "k", "value": "v", "output": "o"}
_FEED_FORWARD = {"gate": "wi_0", "up": "wi_1", "down": "wo"}
_T5X_ATTENTION = {"query": "query", "key": "key", "value": "value", "output": "out"}


@dataclass(frozen=True, slots=True)
class Spelling:
    """One tensor in the three spellings; `t5x` is None where T5X computes it by formula."""

    ours: str
    kunato: str
    t5x: str | None
    t5x_is_transposed: bool = False


def mt3_spellings() -> tuple[Spelling, ...]:
    """Return every tensor of MT3."""
    return (
        Spelling("input_projection.weight", "proj.weight",
                 "encoder/continuous_inputs_projection/kernel", True),
        *_stack("encoder", "encoder", LAYERS),
        Spelling("token_embedding.weight", "decoder_embed_tokens.weight",
                 "decoder/token_embedder/embedding"),
        *_stack("decoder", "decoder", LAYERS),
        Spelling("logits.weight", "lm_head.weight", "decoder/logits_dense/kernel", True),
    )  # fmt: skip


def mr_mt3_spellings() -> tuple[Spelling, ...]:
    """Return every tensor of MR-MT3: MT3 and the encoder of its memory."""
    projection = Spelling("memory_projection.weight", "segmem_proj.weight", None)
    return (*mt3_spellings(), projection, *_stack("memory_encoder", "segmem_encoder", 1))


KUNATO_ALIASES = {
    "encoder.embed_tokens.weight": "proj.weight",
    "decoder.embed_tokens.weight": "decoder_embed_tokens.weight",
    "segmem_encoder.embed_tokens.weight": "segmem_proj.weight",
}
"""Second names of one tensor in kunato's spelling; the first name counts."""


def _stack(ours: str, kunato: str, layers: int) -> list[Spelling]:
    is_decoder = ours == "decoder"
    spellings = [
        Spelling(f"{ours}.positions.frequencies", f"{kunato}.pos_emb.inv_freq", None),
        Spelling(f"{ours}.norm.weight", f"{kunato}.final_layer_norm.weight",
                 f"{kunato}/{kunato}_norm/scale"),
    ]  # fmt: skip
    for index in range(layers):
        block, t5x = f"{kunato}.block.{index}.layer", f"{kunato}/layers_{index}"
        layer = f"{ours}.layers.{index}"
        own = "self_attention" if is_decoder else "attention"
        spellings += _attention(f"{layer}.{own}", f"{block}.0.SelfAttention", f"{t5x}/{own}")
        before = "pre_self_attention" if is_decoder else "pre_attention"
        spellings.append(_norm(f"{layer}.{own}", f"{block}.0", f"{t5x}/{before}"))
        if is_decoder:
            cross = f"{layer}.cross_attention"
            theirs = f"{block}.1.EncDecAttention"
            spellings += _attention(cross, theirs, f"{t5x}/encoder_decoder_attention")
            spellings.append(_norm(cross, f"{block}.1", f"{t5x}/pre_cross_attention"))
        last = 2 if is_decoder else 1
        spellings += [
            Spelling(f"{layer}.feed_forward.{name}.weight",
                     f"{block}.{last}.DenseReluDense.{theirs}.weight",
                     f"{t5x}/mlp/{theirs}/kernel", True)
            for name, theirs in _FEED_FORWARD.items()
        ]  # fmt: skip
        spellings.append(_norm(f"{layer}.feed_forward", f"{block}.{last}", f"{t5x}/pre_mlp"))
    return spellings


def _attention(ours: str, kunato: str, t5x: str) -> list[Spelling]:
    return [
        Spelling(f"{ours}.{name}.weight", f"{kunato}.{_ATTENTION[name]}.weight",
                 f"{t5x}/{_T5X_ATTENTION[name]}/kernel", True)
        for name in _ATTENTION
    ]  # fmt: skip


def _norm(ours: str, kunato: str, t5x: str) -> Spelling:
    return Spelling(f"{ours}_norm.weight", f"{kunato}.layer_norm.weight", f"{t5x}_layer_norm/scale")
