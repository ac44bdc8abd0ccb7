"""The numbers a network that writes tokens is computed in."""

import torch

from core.engine.options import Precision
from core.models.decoding import StepDecoder
from core.models.kept_rows import has_fbgemm
from core.models.packing import pack_bfloat16, pack_float32, pack_int8
from core.models.token_network import TokenNetwork


def decoder_in(precision: Precision, network: TokenNetwork) -> StepDecoder:
    """Return the decoder in the wanted numbers; those of what hears the sound go along.

    With bfloat16 all of the network is in them. With int8 the matrices of the decoder are, and what
    it keeps where it can be; the rest is in bfloat16 where the CPU multiplies such numbers, else in
    float32. 8 bits are for CPUs only: a GPU takes bfloat16 instead.
    """
    if precision in (Precision.AUTO, Precision.FLOAT32):
        return network.step_decoder(pack_float32)
    is_on_cpu = network.logits.weight.device.type == "cpu"
    is_int8 = precision is Precision.INT8 and is_on_cpu
    if is_int8 and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return network.step_decoder(pack_int8)
    pack = pack_int8 if is_int8 else pack_bfloat16
    kept_in = torch.uint8 if is_int8 and has_fbgemm() else torch.bfloat16
    decoder = network.step_decoder(pack, pack_sound=pack, cache_dtype=kept_in)
    network.use_bfloat16()
    return decoder
