"""A linear layer that is multiplied by oneDNN on CPU, with what follows it in the same pass.

MKL, which PyTorch takes for float32, has kernels for Intel's CPUs; on others oneDNN's take up to a
third less time.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Linear(nn.Linear):
    """As that of PyTorch; without gradients by oneDNN, where this build and the device have it."""

    def forward(self, x: Tensor) -> Tensor:
        """Return [..., out] of x [..., in]."""
        return self._product(x, "none") if self._is_by_onednn(x) else super().forward(x)

    def silu(self, x: Tensor) -> Tensor:
        """Return silu of the product."""
        return self._product(x, "swish") if self._is_by_onednn(x) else F.silu(super().forward(x))

    def times(self, x: Tensor, factor: Tensor) -> Tensor:
        """Return the product times a factor [..., out]."""
        if not self._is_by_onednn(x):
            return super().forward(x) * factor
        found: Tensor = torch.ops.mkldnn._linear_pointwise.binary(
            x, factor, self.weight, self.bias, "mul"
        )
        return found

    def _product(self, x: Tensor, follows: str) -> Tensor:
        found: Tensor = torch.ops.mkldnn._linear_pointwise(
            x, self.weight, self.bias, follows, [], ""
        )
        return found

    def _is_by_onednn(self, x: Tensor) -> bool:
        needs_gradient = torch.is_grad_enabled() and self.weight.requires_grad
        return has_onednn(x.device, x.dtype) and not needs_gradient


def multiplied(linear: nn.Linear, x: Tensor) -> Tensor:
    """Return x [..., channel] through a linear layer, in float32 whatever that is kept in."""
    product: Tensor = linear(x.to(linear.weight.dtype)).float()
    return product


def has_onednn(device: torch.device, dtype: torch.dtype = torch.float32) -> bool:
    """Tell whether oneDNN multiplies such numbers on a device; not every CPU has bfloat16."""
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]  # it has no types
        return False
    has_it: bool = dtype is not torch.bfloat16 or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return has_it
