"""Learning rate, averages, resuming."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from core.training.schedule import (
    Effort,
    Schedule,
    TrainingRun,
    mean_of_states,
    replacing,
    soup_in,
)

SCHEDULE = Schedule(peak_rate=1.0, flat_share=0.5, floor_share=0.1)


@pytest.mark.parametrize(
    ("share", "rate"), [(0.0, 1.0), (0.49, 1.0), (0.75, 0.55), (1.0, 0.1), (1.1, 0.1)]
)
def test_the_rate_is_flat_then_half_a_cosine(share: float, rate: float) -> None:
    assert SCHEDULE.rate_at(share, step=100) == pytest.approx(rate)


def test_the_rate_warms_up() -> None:
    assert SCHEDULE.rate_at(0.0, step=25) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("effort", "share"),
    [
        (Effort(hours=10), 0.2),
        (Effort(minutes=6), 0.5),
        (Effort(hours=10, minutes=6), 0.5),
        (Effort(hours=2.5, minutes=6), 0.8),
    ],
)
def test_training_is_over_with_its_hours_or_its_minutes(effort: Effort, share: float) -> None:
    assert effort.share_of(heard_hours=2.0, spent_minutes=3.0) == pytest.approx(share)


def test_training_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="never end"):
        Effort(hours=math.inf)


def test_the_mean_of_states_leaves_counters_alone() -> None:
    states = [{"w": torch.tensor([1.0]), "n": torch.tensor(1)}]
    states.append({"w": torch.tensor([3.0]), "n": torch.tensor(2)})
    mean = mean_of_states(states)
    assert (mean["w"].item(), mean["n"].item()) == (2.0, 2)


def trained(folder: Path, effort: Effort, steps: int) -> TrainingRun:
    torch.manual_seed(0)
    network = torch.nn.Linear(2, 1)
    run = TrainingRun(network, folder, effort=effort, schedule=Schedule(0.1, 0.5))
    run.resume(np.random.default_rng(0))
    for _ in range(steps):
        loss = network(torch.ones(1, 2)).pow(2).sum()
        run.learn(loss, heard_s=360.0, losses={"fit": loss.detach()})
    return run


def test_a_run_resumes_where_it_stopped(tmp_path: Path) -> None:
    first = trained(tmp_path, Effort(hours=0.3), steps=3)
    first.log_now_and_then(np.random.default_rng(0))
    second = trained(tmp_path, Effort(hours=0.5), steps=0)
    assert (second.step, second.heard_hours) == (3, pytest.approx(0.3))
    assert torch.equal(second.average["weight"], first.average["weight"])


def test_minutes_go_on_where_a_run_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = iter(range(0, 10_000, 60))
    monkeypatch.setattr("core.training.schedule.time.monotonic", lambda: next(now_s))
    effort = Effort(minutes=10)
    first = trained(tmp_path, effort, steps=4)
    assert first.share == pytest.approx(0.4)
    first.log_now_and_then(np.random.default_rng(0))
    second = trained(tmp_path, effort, steps=2)
    assert 0.6 < second.share < 1.0
    assert trained(tmp_path, effort, steps=12).is_finished
    assert len(list(tmp_path.glob("snapshot_*.pt"))) == 5


def test_the_log_holds_smoothed_losses(tmp_path: Path) -> None:
    run = trained(tmp_path, Effort(hours=0.2), steps=0)
    for fit in (1.0, 2.0):
        weight = run.network.get_parameter("weight")
        run.learn(weight.sum(), heard_s=360.0, losses={"fit": torch.tensor(fit)})
    run.log_now_and_then(np.random.default_rng(0))
    header, row = (tmp_path / "curve.csv").read_text().split()
    assert header == "step,heard_hours,times_real_time,fit"
    assert row.split(",")[-1] == "1.0200"


def test_a_finished_run_leaves_snapshots_for_the_soup(tmp_path: Path) -> None:
    run = trained(tmp_path, Effort(hours=1.0), steps=11)
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
