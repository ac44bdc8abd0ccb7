"""The recipe: from nothing to both weights files, resumable at every step."""

import logging
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from core.models.checkpoint import learnt_tensors
from core.models.drum_net import DrumNet
from core.models.family_head import StemAndFamilies
from core.models.stem_net import RELEASED, SMALL, StemNet
from core.training.curves import plot_curve
from core.training.growth import grown
from core.training.schedule import mean_of_states, replacing, soup_in
from core.training.shard_making import ShardPlan, make_drum_shards, make_pitched_shards
from core.training.sound_sources import Use, sources_for
from core.training.train_drums import train_drums
from core.training.train_pitch import Choices, train_pitch

VERSION = "3"
PITCH_FILE, DRUM_FILE = "pitch_v3.safetensors", "drums_v2.safetensors"

SMALL_RUN, GROWN_RUN, FURTHER_RUN = "small_pitch_run", "pitch_run", "further_pitch_run"
DRUM_RUN = "drum_run"
GENTLER = Choices(peak_rate=1.5e-3)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what the weights become."""

    seed: int = 1
    small_pitch_hours: float = (
        10.5  # of the small network, which learns most of it in half the time
    )
    pitch_hours: float = 9.5  # then of the one it grows into
    further_pitch_hours: float = 11.8  # once more, from there
    drum_hours: float = 23.0
    plan: ShardPlan = field(default_factory=ShardPlan)

    def __str__(self) -> str:
        return (
            f"core.training make --seed {self.seed} --small-pitch-hours {self.small_pitch_hours} "
            f"--pitch-hours {self.pitch_hours} "
            f"--further-pitch-hours {self.further_pitch_hours} --drum-hours {self.drum_hours}"
        )


def make(folder: Path, recipe: Recipe) -> None:
    """Make both weights files in `folder`; started again, it continues where it stopped."""
    pitched, drums = folder / "pitched", folder / "drums"
    levels = make_pitched_shards(pitched, recipe.plan)
    write_weights(_trained_pitch(levels, folder, recipe), folder / PITCH_FILE, recipe)
    hits = make_drum_shards(drums, pitched, recipe.plan)
    train_drums(hits, folder / DRUM_RUN, hours=recipe.drum_hours, seed=recipe.seed)
    drum_network = DrumNet()
    drum_network.load_state_dict(soup_in(folder / DRUM_RUN))
    write_weights(drum_network, folder / DRUM_FILE, recipe)
    for run in (SMALL_RUN, GROWN_RUN, FURTHER_RUN, DRUM_RUN):
        plot_curve(folder / run)


def _trained_pitch(levels: list[Path], folder: Path, recipe: Recipe) -> StemAndFamilies:
    """Train a small network, let it grow, and train on twice, together with families.

    The mean of both is better on recordings than either.
    """
    small, run, further = folder / SMALL_RUN, folder / GROWN_RUN, folder / FURTHER_RUN
    seed = recipe.seed
    train_pitch(StemNet(SMALL), levels, small, hours=recipe.small_pitch_hours, seed=seed)
    torch.manual_seed(seed)
    model = StemAndFamilies(RELEASED)
    model.network.load_state_dict(grown(soup_in(small), RELEASED))
    train_pitch(model, levels, run, hours=recipe.pitch_hours, seed=seed + 1)
    model.load_state_dict(soup_in(run))
    hours = recipe.further_pitch_hours
    train_pitch(model, levels, further, hours=hours, seed=seed + 2, choices=GENTLER)
    model.load_state_dict(mean_of_states([soup_in(run), soup_in(further)]))
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
