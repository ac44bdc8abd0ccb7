"""Learning rate, averages, resuming."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.training.schedule import Schedule, TrainingRun, mean_of_states, replacing, soup_in

SCHEDULE = Schedule(hours=10, peak_rate=1.0, flat_share=0.5, floor_share=0.1)


@pytest.mark.parametrize(
    ("heard_hours", "rate"), [(0.0, 1.0), (4.9, 1.0), (7.5, 0.55), (10.0, 0.1), (11.0, 0.1)]
)
def test_the_rate_is_flat_then_half_a_cosine(heard_hours: float, rate: float) -> None:
    assert SCHEDULE.rate_at(heard_hours, step=100) == pytest.approx(rate)


def test_the_rate_warms_up() -> None:
    assert SCHEDULE.rate_at(0.0, step=25) == pytest.approx(0.5)


def test_the_mean_of_states_leaves_counters_alone() -> None:
    states = [{"w": torch.tensor([1.0]), "n": torch.tensor(1)}]
    states.append({"w": torch.tensor([3.0]), "n": torch.tensor(2)})
    mean = mean_of_states(states)
    assert (mean["w"].item(), mean["n"].item()) == (2.0, 2)


def trained(folder: Path, hours: float, steps: int) -> TrainingRun:
    torch.manual_seed(0)
    network = torch.nn.Linear(2, 1)
    run = TrainingRun(network, Schedule(hours, 0.1, 0.5), folder)
    run.resume(np.random.default_rng(0))
    for _ in range(steps):
        loss = network(torch.ones(1, 2)).pow(2).sum()
        run.learn(loss, heard_s=360.0, losses={"fit": loss.item()})
    return run


def test_a_run_resumes_where_it_stopped(tmp_path: Path) -> None:
    first = trained(tmp_path, hours=0.3, steps=3)
    first.log_now_and_then(np.random.default_rng(0))
    second = trained(tmp_path, hours=0.5, steps=0)
    assert (second.step, second.heard_hours) == (3, pytest.approx(0.3))
    assert torch.equal(second.average["weight"], first.average["weight"])


def test_a_finished_run_leaves_snapshots_for_the_soup(tmp_path: Path) -> None:
    run = trained(tmp_path, hours=1.0, steps=11)
    assert run.is_finished
    assert soup_in(tmp_path).keys() == run.network.state_dict().keys()


def write_half(path: Path) -> None:
    with replacing(path) as partial:
        partial.write_text("half")
        raise InterruptedError


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_text("old")
    with pytest.raises(InterruptedError):
        write_half(path)
    assert path.read_text() == "old"
