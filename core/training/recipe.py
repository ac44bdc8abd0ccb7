"""The recipe: from nothing to both weights files, resumable at every step."""

import csv
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from core.models.checkpoint import learnt_tensors
from core.models.drum_net import DrumNet
from core.models.family_head import StemAndFamilies
from core.models.stem_net import RELEASED, SMALL, StemNet
from core.training.growth import grown
from core.training.schedule import replacing, soup_in
from core.training.shard_making import ShardPlan, make_drum_shards, make_pitched_shards
from core.training.sound_sources import Use, sources_for
from core.training.train_drums import train_drums
from core.training.train_families import train_families
from core.training.train_pitch import train_pitch

VERSION = "2"
PITCH_FILE, DRUM_FILE = "pitch_v2.safetensors", "drums_v1.safetensors"

FAMILY_SHARDS = 14  # enough players to tell families by

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what the weights become."""

    seed: int = 1
    small_pitch_hours: float = (
        10.5  # of the small network, which learns most of it in half the time
    )
    pitch_hours: float = 9.5  # then of the one it grows into
    drum_hours: float = 5.0
    plan: ShardPlan = field(default_factory=ShardPlan)

    def __str__(self) -> str:
        return (
            f"core.training make --seed {self.seed} --small-pitch-hours {self.small_pitch_hours} "
            f"--pitch-hours {self.pitch_hours} --drum-hours {self.drum_hours}"
        )


def make(folder: Path, recipe: Recipe) -> None:
    """Make both weights files in `folder`; started again, it continues where it stopped."""
    pitched, drums = folder / "pitched", folder / "drums"
    levels = make_pitched_shards(pitched, recipe.plan)
    write_weights(_trained_pitch(levels, folder, recipe), folder / PITCH_FILE, recipe)
    hits = make_drum_shards(drums, pitched, recipe.plan)
    train_drums(hits, folder / "drum_run", hours=recipe.drum_hours, seed=recipe.seed)
    drum_network = DrumNet()
    drum_network.load_state_dict(soup_in(folder / "drum_run"))
    write_weights(drum_network, folder / DRUM_FILE, recipe)
    for run in (folder / "small_pitch_run", folder / "pitch_run", folder / "drum_run"):
        plot_curve(run)


def _trained_pitch(levels: list[Path], folder: Path, recipe: Recipe) -> StemAndFamilies:
    """Train a small network, let it grow, train on, and teach it families."""
    small, run, seed = folder / "small_pitch_run", folder / "pitch_run", recipe.seed
    train_pitch(StemNet(SMALL), levels, small, hours=recipe.small_pitch_hours, seed=seed)
    torch.manual_seed(seed)
    network = StemNet(RELEASED)
    network.load_state_dict(grown(soup_in(small), RELEASED))
    train_pitch(network, levels, run, hours=recipe.pitch_hours, seed=seed + 1)
    model = StemAndFamilies()
    model.network.load_state_dict(soup_in(run))
    model.families = train_families(model.network, levels[:FAMILY_SHARDS], seed=seed)
    return model


def write_weights(network: nn.Module, path: Path, recipe: Recipe) -> None:
    """Write a network's weights, with what it heard in the header."""
    header = {
        "name": path.stem,
        "version": VERSION,
        "network": type(network).__name__,
        "recipe": str(recipe),
        "licence": "MIT",
        "heard": "; ".join(
            f"{source.attribution or source.name} ({source.licence})"
            for source in sources_for(Use.RELEASE)
        ),
    }
    with replacing(path) as partial:
        save_file(learnt_tensors(network), partial, metadata=header)
    _log.info("wrote %s", path)


def read_curve(run: Path) -> Mapping[str, list[float]]:
    """Return the columns of a run's curve.csv by name."""
    with (run / "curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def plot_curve(run: Path) -> None:
    """Draw curve.png beside curve.csv, where matplotlib is installed."""
    if find_spec("matplotlib") is None:  # no dependency of ours: only if it is there
        _log.info("no matplotlib, so no curve.png; the numbers are in curve.csv")
        return
    curve = read_curve(run)
    axes = import_module("matplotlib.figure").Figure(figsize=(7, 4)).add_subplot()
    for name, values in curve.items():
        if name not in ("step", "heard_hours", "times_real_time"):
            axes.plot(curve["heard_hours"], values, label=f"{name} loss")
    axes.set_xlabel("hours of audio heard")
    axes.set_yscale("log")
    axes.legend()
    axes.figure.savefig(run / "curve.png", dpi=110)
