"""A grown network starts where the small one stopped."""

import pytest
import torch

from core.models.family_head import StemAndFamilies
from core.models.stem_net import LARGE, SMALL, WIDE, StemNet
from core.training.growth import grown


@pytest.fixture
def small() -> StemNet:
    torch.manual_seed(1)
    network = StemNet(SMALL).eval()
    for value in network.state_dict().values():
        if value.dtype.is_floating_point:
            value.add_(0.02 * torch.randn_like(value).abs())
    return network


def levels() -> torch.Tensor:
    return torch.rand(1, 2, 60, 306, generator=torch.Generator().manual_seed(3))


def test_it_gives_the_same_answers(small: StemNet) -> None:
    large = StemNet(LARGE).eval()
    large.load_state_dict(grown(small.state_dict(), StemNet(LARGE)))
    with torch.inference_mode():
        wanted = small(levels())
        assert (large(levels()) - wanted).abs().max() < 1e-4 * wanted.abs().max()


def test_it_takes_players_for_the_same() -> None:
    torch.manual_seed(2)
    known = StemAndFamilies(LARGE).eval()
    wide = StemAndFamilies(WIDE).eval()
    wide.load_state_dict(grown(known.state_dict(), StemAndFamilies(WIDE)))
    with torch.inference_mode():
        assert (wide(levels()) - known(levels())).abs().max() < 1e-4


def test_its_new_parts_learn(small: StemNet) -> None:
    large = StemNet(LARGE)
    large.load_state_dict(grown(small.state_dict(), StemNet(LARGE)))
    large(levels()).square().sum().backward()
    new_stage = [value for name, value in large.named_parameters() if name.startswith("stages.8")]
    assert any(value.grad is not None and value.grad.abs().max() > 0 for value in new_stage)
    widened = large.get_parameter("head_conv.0.weight").grad
    assert widened is not None
    assert widened[:, SMALL.channels :].abs().max() > 0
