from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from core.models.yourmt3.experts import ROUNDED_TO, Experts
from tests.core.models.yourmt3.small import small_config


@pytest.fixture
def experts() -> Experts:
    torch.manual_seed(0)
    return Experts(small_config()).requires_grad_(requires_grad=False)


def all_of_them(experts: Experts, rows: Tensor) -> Tensor:
    """Return what each of rows [row, channel] gets where every expert answers everything."""
    odds = torch.softmax(experts.router(rows), dim=1)
    least = odds.topk(2, dim=1).values[:, -1:]
    shares = torch.where(odds >= least, odds, 0.0)
    shares = shares / shares.sum(dim=1, keepdim=True)
    answers = torch.stack([expert(rows) for expert in experts.experts], dim=1)
    return (answers * shares[:, :, None]).sum(dim=1)


def test_each_position_gets_the_answers_of_its_two_best_experts(experts: Experts) -> None:
    x = torch.randn(3, 5, 8)
    assert torch.allclose(
        experts(x).flatten(0, 1), all_of_them(experts, x.flatten(0, 1)), atol=1e-6
    )


def asked(experts: Experts, x: Tensor) -> list[int]:
    """Return how many positions each expert computes."""
    counts = [0] * len(experts.experts)

    def counter(index: int) -> Callable[[nn.Module, tuple[Tensor]], None]:
        def count(_: nn.Module, inputs: tuple[Tensor]) -> None:
            counts[index] += len(inputs[0])

        return count

    for index, expert in enumerate(experts.experts):
        expert.register_forward_pre_hook(counter(index))
    experts(x)
    return counts


@pytest.mark.parametrize("positions", [30, 500])
def test_experts_compute_what_they_are_asked_rounded_up(experts: Experts, positions: int) -> None:
    counts = asked(experts, torch.randn(positions, 8))
    assert all(count % ROUNDED_TO == 0 for count in counts)
    assert 2 * positions <= sum(counts) < 2 * positions + len(counts) * ROUNDED_TO


def test_an_expert_that_nobody_asks_computes_nothing(experts: Experts) -> None:
    experts.router.weight[:] = torch.tensor([4.0, 3.0, 2.0, 1.0])[:, None]
    assert asked(experts, torch.ones(7, 8)) == [ROUNDED_TO, ROUNDED_TO, 0, 0]


def test_silu_is_on_the_gate_not_on_what_it_gates(experts: Experts) -> None:
    expert = experts.experts[0]
    x = torch.randn(4, 8)
    gate = x @ expert.gate.weight.T
    wanted = (gate * torch.sigmoid(gate) * (x @ expert.up.weight.T)) @ expert.down.weight.T
    assert torch.allclose(expert(x), wanted, atol=1e-6)
