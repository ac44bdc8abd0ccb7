from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from core.models.yourmt3 import pre_encoder as module
from core.models.yourmt3.pre_encoder import ConvNorm, Convolution, PreEncoder


@pytest.fixture
def pre_encoder() -> PreEncoder:
    torch.manual_seed(0)
    network = PreEncoder(8)
    for each in network.modules():
        if isinstance(each, ConvNorm):
            each.scale.data = 1 + 0.1 * torch.randn(8)
            each.shift.data = 0.1 * torch.randn(8)
            each.mean.copy_(0.1 * torch.randn(8))
            each.variance.copy_(1 + 0.2 * torch.rand(8))
    return network.requires_grad_(requires_grad=False)


def step_by_step(pre_encoder: PreEncoder, features: Tensor) -> Tensor:
    """Return what the blocks give with norms of their own, over the whole segment."""

    def normed(layer: ConvNorm, x: Tensor) -> Tensor:
        y = F.conv2d(x, layer.weight, padding=1)
        return F.batch_norm(y, layer.mean, layer.variance, layer.scale, layer.shift, eps=1e-5)

    x = features[:, None]
    for block in pre_encoder.blocks:
        y = normed(block.second, normed(block.first, x).relu())
        x = F.avg_pool2d((y + block.shortcut(x)).relu(), (1, 2))
    return x.transpose(1, 2)


@pytest.mark.parametrize("convolution", Convolution)
@pytest.mark.parametrize("frames", [1, 3, 4, 5, 7, 13])
def test_strips_give_what_the_whole_segment_gives(
    pre_encoder: PreEncoder,
    monkeypatch: pytest.MonkeyPatch,
    frames: int,
    convolution: Convolution,
) -> None:
    monkeypatch.setattr(module, "STRIP_VALUES", 64)  # strips of six frames, then of four
    pre_encoder.convolution = convolution
    features = torch.rand(2, frames, 64)
    ours = pre_encoder(features)
    assert ours.shape == (2, frames, 8, 8)
    assert torch.allclose(ours, step_by_step(pre_encoder, features), atol=1e-5)


def test_segments_do_not_hear_each_other(pre_encoder: PreEncoder) -> None:
    features = torch.rand(3, 9, 64)
    assert torch.equal(pre_encoder(features)[1:2], pre_encoder(features[1:2]))


def test_without_nnpack_convolutions_are_direct(
    pre_encoder: PreEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = torch.rand(1, 9, 64)
    pre_encoder.convolution = Convolution.DIRECT
    direct = pre_encoder(features)
    monkeypatch.setattr(torch, "_nnpack_available", lambda: False)
    pre_encoder.convolution = Convolution.WINOGRAD
    assert torch.equal(pre_encoder(features), direct)


def test_threads_convolve_side_by_side(pre_encoder: PreEncoder) -> None:
    features = torch.rand(8, 9, 64)
    alone = pre_encoder(features)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda each: pre_encoder(each[None]), features))
    assert torch.equal(torch.cat(together), alone)
