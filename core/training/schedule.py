"""What both trainings share: learning rate, averaged weights, checkpoints that resume, the log."""

import csv
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

AVERAGE_DECAY = 0.998  # the averaged weights are the ones worth keeping: raw ones wander
LOG_EVERY_S = 20.0
SNAPSHOT_SHARES = (0.80, 0.85, 0.90, 0.95, 1.0)  # of the run; their mean is the model
WARM_UP_STEPS = 50


@dataclass(frozen=True, slots=True)
class Effort:
    """How long a network is trained, until the first of both is over, and on what."""

    hours: float = math.inf  # of audio heard
    minutes: float = math.inf  # by the clock, over all calls that continue a run
    device: str = "cpu"
    drawers: int = 0  # processes that draw batches ahead; without, each is drawn when needed

    def __post_init__(self) -> None:
        if math.isinf(min(self.hours, self.minutes)):
            raise ValueError("training would never end")

    def share_of(self, heard_hours: float, spent_minutes: float) -> float:
        """Return which share of the training is over; 1 and more is all of it."""
        return max(heard_hours / self.hours, spent_minutes / self.minutes)


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the learning rate falls over the shares of a training: flat, then half a cosine."""

    peak_rate: float
    flat_share: float
    floor_share: float = 0.02

    def rate_at(self, share: float, step: int) -> float:
        warm = min(1.0, step / WARM_UP_STEPS)
        if share < self.flat_share:
            return self.peak_rate * warm
        falling = min(1.0, (share - self.flat_share) / (1 - self.flat_share))
        cosine = 0.5 * (1 + float(np.cos(np.pi * falling)))
        return self.peak_rate * warm * (cosine * (1 - self.floor_share) + self.floor_share)


class TrainingRun:
    """One network on its way: optimiser, averaged weights, progress; resumes from its folder."""

    def __init__(
        self, network: nn.Module, folder: Path, *, effort: Effort, schedule: Schedule
    ) -> None:
        self.network = network
        self.folder = folder
        self.effort = effort
        self.schedule = schedule
        self.step = 0
        self.heard_hours = 0.0
        self.share = 0.0  # of the training that is over
        self.average = {name: value.clone() for name, value in network.state_dict().items()}
        matrices = [value for value in network.parameters() if value.ndim > 1]
        vectors = [value for value in network.parameters() if value.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": 1e-3},
                {"params": vectors, "weight_decay": 0.0},
            ],
            lr=schedule.peak_rate,
        )
        self._smooth: dict[str, float] = {}
        self._unread: list[Mapping[str, Tensor]] = []  # a device need not wait until it has them
        self._logged_at_s = self._started_at_s = time.monotonic()
        self._hours_at_start = self._minutes_at_start = 0.0
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def is_finished(self) -> bool:
        return self.share >= 1.0

    @property
    def spent_minutes(self) -> float:
        return self._minutes_at_start + (time.monotonic() - self._started_at_s) / 60

    def resume(self, rng: np.random.Generator) -> bool:
        """Continue from the folder's last checkpoint if there is one; restores `rng` too."""
        path = self.folder / "last.pt"
        if not path.exists():
            return False
        kept = torch.load(path, map_location="cpu", weights_only=True)
        self.network.load_state_dict(kept["network"])
        self.optimiser.load_state_dict(kept["optimiser"])
        for name, value in kept["average"].items():
            self.average[name].copy_(value)
        self.step, self.heard_hours = kept["step"], kept["heard_hours"]
        rng.bit_generator.state = kept["rng"]
        self._hours_at_start = self.heard_hours
        self._minutes_at_start = kept.get("spent_minutes", 0.0)
        self.share = self.effort.share_of(self.heard_hours, self._minutes_at_start)
        return True

    def learn(self, loss: Tensor, *, heard_s: float, losses: Mapping[str, Tensor]) -> None:
        """Take one step down the gradient of `loss`; `losses` are its parts, for the log."""
        rate = self.schedule.rate_at(self.share, self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        nn.utils.clip_grad_norm_(self.network.parameters(), 3.0)
        self.optimiser.step()
        self.step += 1
        self.heard_hours += heard_s / 3600
        before, self.share = self.share, self.effort.share_of(self.heard_hours, self.spent_minutes)
        self._update_average()
        self._unread.append(losses)
        for share in SNAPSHOT_SHARES:
            if before < share <= self.share:
                torch.save(self.average, self.folder / f"snapshot_{round(share * 100)}.pt")

    def log_now_and_then(self, rng: np.random.Generator) -> None:
        """Every LOG_EVERY_S seconds add a line to curve.csv and save a checkpoint."""
        now_s = time.monotonic()
        if now_s - self._logged_at_s < LOG_EVERY_S and not self.is_finished:
            return
        self._logged_at_s = now_s
        self._read_losses()
        path = self.folder / "curve.csv"
        elapsed_s = now_s - self._started_at_s
        speed = (self.heard_hours - self._hours_at_start) * 3600 / elapsed_s
        row = {"step": self.step, "heard_hours": self.heard_hours, "times_real_time": speed}
        is_new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.writer(file)
            if is_new:
                writer.writerow([*row, *self._smooth])
            writer.writerow([f"{value:.4f}" for value in (*row.values(), *self._smooth.values())])
        with replacing(self.folder / "last.pt") as partial:
            torch.save(
                {
                    "network": self.network.state_dict(),
                    "optimiser": self.optimiser.state_dict(),
                    "average": self.average,
                    "step": self.step,
                    "heard_hours": self.heard_hours,
                    "spent_minutes": self.spent_minutes,
                    "rng": rng.bit_generator.state,
                },
                partial,
            )

    def _read_losses(self) -> None:
        for name in self._unread[0] if self._unread else ():
            for value in torch.stack([losses[name] for losses in self._unread]).tolist():
                self._smooth[name] = 0.98 * self._smooth.get(name, value) + 0.02 * value
        self._unread.clear()

    def _update_average(self) -> None:
        decay = min(AVERAGE_DECAY, self.step / (self.step + 50))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                if value.dtype.is_floating_point:
                    self.average[name].lerp_(value, 1 - decay)
                else:
                    self.average[name].copy_(value)


def soup_in(run: Path) -> dict[str, Tensor]:
    """Return the mean of a run's last snapshots: a little better than any one of them."""
    paths = sorted(run.glob("snapshot_*.pt"))
    if not paths:
        raise FileNotFoundError(f"no snapshots in {run}")
    return mean_of_states(
        [torch.load(path, map_location="cpu", weights_only=True) for path in paths]
    )


def mean_of_states(states: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of several state dicts of one network; counters are taken from the last."""
    mean = dict(states[-1])
    for name, value in mean.items():
        if value.dtype.is_floating_point:
            mean[name] = torch.stack([state[name] for state in states]).mean(0)
    return mean


def has_bfloat16(device: torch.device) -> bool:
    """Tell whether bf16 convolutions run in hardware; on other CPUs they are slower than f32."""
    if device.type != "cpu":
        return True
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary neighbour that takes the place of `path` when all went well."""
    partial = path.with_name(f".{path.name}.partial")
    yield partial
    partial.replace(path)
