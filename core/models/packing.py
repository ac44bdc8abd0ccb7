"""Packing: weight matrices in the number format and layout that multiply fastest on a device."""

import torch
import torch.nn.functional as F
from torch import Tensor

from core.models.decoding import Multiply
from core.models.linear import has_onednn


def pack_float32(weight: Tensor) -> Multiply:
    """Return multiplication by `weight` [out, in], in the layout of oneDNN where there is one.

    For the few rows of a step that takes two thirds of the time of the layout it comes in.
    """
    if not has_onednn(weight.device):
        return lambda x: F.linear(x, weight)
    return _in_layout(weight.float())


def pack_bfloat16(weight: Tensor) -> Multiply:
    """Return multiplication in bfloat16, in the layout of oneDNN where the CPU has the numbers."""
    halved = weight.to(torch.bfloat16)
    if not has_onednn(weight.device, torch.bfloat16):
        return lambda x: F.linear(x.to(torch.bfloat16), halved).float()
    multiply = _in_layout(halved)
    return lambda x: multiply(x.to(torch.bfloat16)).float()


def pack_int8(weight: Tensor) -> Multiply:
    """Return multiplication by 8-bit weights, one scale per output; inputs are scaled as they come.

    The largest error of a weight is 1/254 of the largest in its row.
    """
    scales = weight.abs().amax(dim=1).clamp(min=1e-12) / 127
    zeros = torch.zeros(len(weight), dtype=torch.long)
    quantised = torch.quantize_per_channel(weight.float(), scales, zeros, 0, torch.qint8)
    packed = torch.ops.quantized.linear_prepack(quantised, None)
    multiply = torch.ops.quantized.linear_dynamic
    # Without VNNI pairs of products are summed in 16 bits, which inputs of 8 bits overflow.
    reduces_range = not torch.cpu._is_vnni_supported()

    def product(x: Tensor) -> Tensor:
        y: Tensor = multiply(x, packed, reduces_range)
        return y

    return product


def _in_layout(weight: Tensor) -> Multiply:
    """Return multiplication by a matrix turned once into the layout of oneDNN."""
    packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous())
    multiply = torch.ops.mkldnn._linear_pointwise

    def product(x: Tensor) -> Tensor:
        y: Tensor = multiply(x, packed, None, "none", [], "")
        return y

    return product
