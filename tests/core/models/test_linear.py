"""Products by oneDNN, with what follows them, against PyTorch's own."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from core.models.linear import Linear

TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 0.03}


def layer(dtype: torch.dtype, *, bias: bool) -> Linear:
    torch.manual_seed(1)
    return Linear(6, 4, bias=bias).to(dtype).requires_grad_(False)


def noise(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(2)).to(dtype)


def plain(linear: Linear, x: Tensor) -> Tensor:
    bias = None if linear.bias is None else linear.bias.float()
    return F.linear(x.float(), linear.weight.float(), bias)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(6,), (0, 6), (3, 6), (2, 3, 6), (2, 1, 3, 6)])
def test_what_follows_a_product_is_done_to_it(dtype, bias, shape):
    linear, x = layer(dtype, bias=bias), noise(*shape, dtype=dtype)
    expected, factor = plain(linear, x), noise(*shape[:-1], 4, dtype=dtype)
    pairs = [
        (linear(x), expected),
        (linear.silu(x), F.silu(expected)),
        (linear.times(x, factor), expected * factor.float()),
    ]
    for found, wanted in pairs:
        assert found.dtype is dtype
        assert found.shape == wanted.shape
        assert torch.allclose(found.float(), wanted, atol=TOLERANCE[dtype])


def test_gradients_reach_the_weights():
    linear = layer(torch.float32, bias=False).requires_grad_(True)
    linear.times(noise(3, 6), linear.silu(noise(3, 6))).sum().backward()
    assert linear.weight.grad is not None
    assert linear.weight.grad.abs().max() > 0
