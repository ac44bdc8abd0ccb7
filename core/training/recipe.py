"""The recipe: from nothing to the weights files, resumable at every step."""

import logging
import math
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from core.models.checkpoint import learnt_tensors
from core.models.drum_net import DrumNet
from core.models.family_head import StemAndFamilies
from core.models.stem_net import LARGE, SMALL, WIDE, StemNet
from core.training.curves import plot_curve
from core.training.feature_shards import ShardPool
from core.training.growth import grown
from core.training.schedule import Effort, mean_of_states, replacing, soup_in
from core.training.shard_making import (
    Makers,
    ShardPlan,
    make_drum_shards,
    make_pitched_shards,
    make_stem_shards,
)
from core.training.sound_sources import ARRANGEMENTS, KITS, SNARES, Use, sources_for
from core.training.train_drums import DRUM_CHOICES, DrumChoices, train_drums
from core.training.train_families import train_families
from core.training.train_pitch import CHOICES, Choices, train_pitch
from core.training.train_unisons import train_unisons

VERSION = "8"
PITCH_FILE, DRUM_FILE = "pitch_v7.safetensors", "drums_v4.safetensors"
FAMILY_FILE, UNISON_FILE = "families_v5.safetensors", "unisons_v1.safetensors"

SMALL_RUN, LARGE_RUN, WIDE_RUN = "small_pitch_run", "large_pitch_run", "wide_pitch_run"
DRUM_RUN = "drum_run"
GENTLER = 0.8  # the rate of the last run, of those before

# Of the minutes; the rest is for starting and writing. Drums and families of notes are trained
# beside the pitches.
PITCHED_SHARE, DRUMS_SHARE, STEMS_SHARE = 0.32, 0.07, 0.03  # of making clips
SMALL_SHARE, LARGE_SHARE, WIDE_SHARE = 0.1, 0.15, 0.25

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is made and heard, and on what.

    With `minutes` by the clock for everything, clips are made for a share of them only, and
    runs end with their share or their hours of audio, whichever comes first.
    """

    name: str
    plan: ShardPlan
    small_pitch_hours: float = math.inf  # of the small network, the quicker one to learn
    large_pitch_hours: float = math.inf  # then of the one it grows into
    wide_pitch_hours: float = math.inf  # and of the one that grows into
    drum_hours: float = math.inf
    family_steps: int = 5500
    unison_steps: int = 4500
    minutes: float = math.inf
    device: str = "cpu"
    workers: int = 2  # processes that make clips
    pitch_drawers: int = 0  # processes that draw batches from them
    drum_drawers: int = 0
    pitch: Choices = CHOICES
    drums: DrumChoices = DRUM_CHOICES


BACKGROUND = Size(
    "background",
    ShardPlan(),
    small_pitch_hours=10.5,
    large_pitch_hours=9.5,
    wide_pitch_hours=15.0,
    drum_hours=28.0,
)

# Not timed on a GPU so far: time decides how much is made and heard. Estimates: 16 cores that make
# a clip in a third of a second each have 80 hours of clips after eight minutes. A clip costs the
# grown network 20 GFLOP forth and back, and such thin layers may get 5 per cent of the 790 TFLOP/s
# of an H200; that would be 2000 clips of 2.56 s in a second, 700 hours of audio in eight minutes.
# Steps of 8 times as many clips, which learn less from the same audio, then still are nearly three
# times as many as in the size above. Ten processes draw 7000 clips a second (1.4 ms each here).
GPU = Size(
    "gpu",
    ShardPlan(shards_per_stream=192, clips_per_shard=64, drum_shards=192, drum_clips_per_shard=96),
    minutes=25.0,
    device="cuda",
    workers=16,
    pitch_drawers=10,
    drum_drawers=4,
    pitch=replace(CHOICES, clips_per_batch=32),
    drums=replace(DRUM_CHOICES, clips_per_batch=48),
)
SIZES = {size.name: size for size in (BACKGROUND, GPU)}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what the weights become."""

    seed: int = 1
    size: Size = BACKGROUND

    def __str__(self) -> str:
        size = self.size
        timed = "" if math.isinf(size.minutes) else f" --minutes {size.minutes:g}"
        return f"core.training make --size {size.name}{timed} --seed {self.seed}"

    @property
    def plan(self) -> ShardPlan:
        """The size's plan; no two seeds share a stream."""
        plan, before = self.size.plan, self.seed - 1
        streams = tuple(stream + before * len(plan.streams) for stream in plan.streams)
        return replace(plan, streams=streams, drum_seed=self.seed, stem_seed=self.seed)

    def makers(self, share: float) -> Makers:
        return Makers(self.size.workers, share * self.size.minutes)

    def pitch_effort(self, hours: float, share: float) -> Effort:
        size = self.size
        return Effort(hours, share * size.minutes, size.device, size.pitch_drawers)

    @property
    def drum_effort(self) -> Effort:
        size, share = self.size, SMALL_SHARE + LARGE_SHARE + WIDE_SHARE
        return Effort(size.drum_hours, share * size.minutes, size.device, size.drum_drawers)


def make(folder: Path, recipe: Recipe) -> None:
    """Make the weights files in `folder`; started again, it continues where it stopped.

    The size `gpu` has not been timed on a GPU. Pitches, drums and families are trained side by
    side.
    """
    pitched, drums, stems = folder / "pitched", folder / "drums", folder / "stems"
    levels = make_pitched_shards(pitched, recipe.plan, recipe.makers(PITCHED_SHARE))
    hits = make_drum_shards(drums, pitched, recipe.plan, recipe.makers(DRUMS_SHARE))
    players = make_stem_shards(stems, pitched, recipe.plan, recipe.makers(STEMS_SHARE))
    with ProcessPoolExecutor(
        2,
        mp_context=get_context("spawn"),
        initializer=torch.set_num_threads,
        initargs=(torch.get_num_threads(),),
    ) as beside:
        others = (
            beside.submit(_train_drums, hits, folder / DRUM_RUN, recipe),
            beside.submit(_make_note_weights, levels, players, folder, recipe),
        )
        write_weights(_trained_pitch(levels, folder, recipe), folder / PITCH_FILE, recipe)
        for other in others:
            other.result()
    drum_network = DrumNet()
    drum_network.load_state_dict(soup_in(folder / DRUM_RUN))
    write_weights(drum_network, folder / DRUM_FILE, recipe)
    for run in (SMALL_RUN, LARGE_RUN, WIDE_RUN, DRUM_RUN):
        plot_curve(folder / run)


def _train_drums(shards: list[Path], run: Path, recipe: Recipe) -> None:
    torch.manual_seed(recipe.seed)
    effort, choices = recipe.drum_effort, recipe.size.drums
    train_drums(DrumNet(), shards, run, effort=effort, seed=recipe.seed, choices=choices)


def _make_note_weights(
    levels: list[Path], players: list[Path], folder: Path, recipe: Recipe
) -> None:
    """Train who plays a note on level shards, who else on stem shards."""
    families, unisons, steps = folder / FAMILY_FILE, folder / UNISON_FILE, recipe.size.family_steps
    if not families.exists():
        network = train_families(levels, steps=steps, seed=recipe.seed)
        write_weights(network.half(), families, recipe)
    if not unisons.exists():
        doubled = train_unisons(players, steps=recipe.size.unison_steps, seed=recipe.seed)
        write_weights(doubled.half(), unisons, recipe)


def _trained_pitch(levels: list[Path], folder: Path, recipe: Recipe) -> StemAndFamilies:
    """Train a small network, let it grow twice, and train on, together with families.

    The mean of the last training and of where it started is better on recordings than either.
    """
    small, large, wide = folder / SMALL_RUN, folder / LARGE_RUN, folder / WIDE_RUN
    size, seed, pool = recipe.size, recipe.seed, ShardPool(levels)
    torch.manual_seed(seed)
    effort = recipe.pitch_effort(size.small_pitch_hours, SMALL_SHARE)
    train_pitch(StemNet(SMALL), pool, small, effort=effort, seed=seed, choices=size.pitch)
    torch.manual_seed(seed)
    model = StemAndFamilies(LARGE)
    model.network.load_state_dict(grown(soup_in(small), StemNet(LARGE)))
    effort = recipe.pitch_effort(size.large_pitch_hours, LARGE_SHARE)
    train_pitch(model, pool, large, effort=effort, seed=seed + 1, choices=size.pitch)
    torch.manual_seed(seed)
    model = StemAndFamilies(WIDE)
    start = grown(soup_in(large), model)
    model.load_state_dict(start)
    effort = recipe.pitch_effort(size.wide_pitch_hours, WIDE_SHARE)
    gentler = replace(size.pitch, peak_rate=GENTLER * size.pitch.peak_rate)
    train_pitch(model, pool, wide, effort=effort, seed=seed + 2, choices=gentler)
    model.load_state_dict(mean_of_states([start, soup_in(wide)]))
    return model


def _heard() -> Iterator[str]:
    for source in (*sources_for(Use.RELEASE), *SNARES, *KITS, *ARRANGEMENTS):
        if source.path is None or source.path.exists():
            yield f"{source.attribution or source.name} ({source.licence})"


def write_weights(network: nn.Module, path: Path, recipe: Recipe) -> None:
    """Write a network's weights, with what it heard in the header."""
    header = {
        "name": path.stem,
        "version": VERSION,
        "network": type(network).__name__,
        "recipe": str(recipe),
        "licence": "MIT",
        "heard": "; ".join(dict.fromkeys(_heard())),
    }
    with replacing(path) as partial:
        save_file(learnt_tensors(network.cpu()), partial, metadata=header)
    _log.info("wrote %s", path)
