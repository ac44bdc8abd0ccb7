import math

import pytest
import torch

from core.models.yourmt3.rotary import RotaryPositions, rotated


def test_a_quarter_turn_takes_the_first_of_a_pair_to_the_second() -> None:
    query = torch.arange(1.0, 9.0).view(1, 1, 8)
    turned = rotated(query, torch.tensor([[math.pi / 2, 0.0]]), heads=2)
    assert turned.flatten().tolist() == pytest.approx([-2, 1, 3, 4, -6, 5, 7, 8], abs=1e-6)


def test_dimensions_behind_the_pairs_stay_as_they_are() -> None:
    query = torch.rand(2, 5, 24)
    turned = rotated(query, torch.rand(5, 2), heads=3).unflatten(2, (3, 8))
    assert torch.equal(turned[..., 4:], query.unflatten(2, (3, 8))[..., 4:])
    assert not torch.equal(turned[..., :4], query.unflatten(2, (3, 8))[..., :4])


def test_turning_keeps_lengths() -> None:
    query = torch.rand(2, 5, 24)
    turned = rotated(query, 10 * torch.rand(5, 4), heads=3)
    assert torch.allclose(turned.norm(dim=-1), query.norm(dim=-1))


def test_each_position_turns_by_its_own_angle() -> None:
    query = torch.tensor([1.0, 0.0]).expand(1, 3, 2)
    turned = rotated(query, torch.tensor([[0.0], [0.1], [0.2]]), heads=1)
    assert torch.atan2(turned[0, :, 1], turned[0, :, 0]).tolist() == pytest.approx([0, 0.1, 0.2])


def test_latents_span_minus_one_to_one_and_frames_are_counted() -> None:
    positions = RotaryPositions(2)
    positions.spectral = torch.tensor([math.pi, 5 * math.pi])
    positions.temporal = torch.tensor([1.0, 0.01])
    angles = positions(latents=3, frames=4)
    assert angles.spectral is not None
    assert angles.temporal is not None
    assert (angles.spectral[:, 0] / math.pi).tolist() == pytest.approx([-1, 0, 1])
    assert (angles.spectral[:, 1] / math.pi).tolist() == pytest.approx([-5, 0, 5])
    assert angles.temporal[:, 0].tolist() == [0, 1, 2, 3]
    assert angles.temporal[:, 1].tolist() == pytest.approx([0, 0.01, 0.02, 0.03])
