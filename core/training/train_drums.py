"""Train the drum network from shards of synthesised clips."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.features.logmel import BANDS, FRAMES_PER_S
from core.models.drum_net import DRUM_CLASSES, DrumNet
from core.training.batches import batches
from core.training.drum_patterns import Hit
from core.training.feature_shards import DrumShard, DrumShardPool
from core.training.schedule import Effort, Schedule, TrainingRun, has_bfloat16

SEGMENT_FRAMES = 300
ONSET_HALF_WIDTH_FRAMES = 2.0
VELOCITY_WEIGHT = 0.3
GHOST_STRENGTH = 0.2
MOVED_SHARE = 0.5
FLAT_SHARE = 0.4

Levels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DrumChoices:
    """What training does with clips of drums; `ablations` tells what each of these is worth."""

    clips_per_batch: int = 6
    onset_weight: float = 2.0  # how much more a frame at an onset counts
    ghost_weight: float = 0.3  # who must hear every ghost note sees ghosts elsewhere
    tilt: float = 0.08
    moved_bands: float = 2.0  # by how many at most half of the segments are moved and stretched
    level_change: tuple[float, float] = (-0.35, 0.05)  # from .. to
    peak_rate: float = 2e-3


DRUM_CHOICES = DrumChoices()


class DrumBatch(NamedTuple):
    """Levels [clip, window, frame, band] and targets [clip, drum, frame]."""

    levels: Tensor
    onset: Tensor
    velocity: Tensor


def train_drums(
    network: DrumNet,
    shards: list[Path] | DrumShardPool,
    folder: Path,
    *,
    effort: Effort,
    seed: int,
    choices: DrumChoices = DRUM_CHOICES,
) -> None:
    """Train for as long as `effort` says; continues where the folder's last run stopped.

    The network is left on the device.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    device = torch.device(effort.device)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # stub
    schedule = Schedule(choices.peak_rate, FLAT_SHARE)
    run = TrainingRun(network, folder, effort=effort, schedule=schedule)
    run.resume(rng)
    pool = shards if isinstance(shards, DrumShardPool) else DrumShardPool(shards)
    if effort.drawers:
        pool.read_all()
    draw = partial(draw_batch, pool=pool, choices=choices)
    drawn = batches(draw, rng, effort, seed=seed, first=run.step)
    while not run.is_finished:
        batch = DrumBatch._make(part.to(device, non_blocking=True) for part in next(drawn))
        with torch.autocast(device.type, torch.bfloat16, enabled=has_bfloat16(device)):
            logits = network(batch.levels)
        loss, losses = drum_loss(logits.float(), batch, choices)
        heard_s = choices.clips_per_batch * SEGMENT_FRAMES / FRAMES_PER_S
        run.learn(loss, heard_s=heard_s, losses=losses)
        run.log_now_and_then(rng)


def drum_loss(
    logits: Tensor, batch: DrumBatch, choices: DrumChoices = DRUM_CHOICES
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss and its parts; sums over drums, means over frames."""
    onset_logits, velocity_logits = logits[:, :DRUM_CLASSES], logits[:, DRUM_CLASSES:]
    weight = 1 + choices.onset_weight * batch.onset
    is_ghost = (batch.velocity > 0) & (batch.velocity <= GHOST_STRENGTH)
    weight = torch.where(is_ghost, choices.ghost_weight * weight, weight)
    entropy = nn.functional.binary_cross_entropy_with_logits
    onset = entropy(onset_logits, batch.onset, weight=weight) * DRUM_CLASSES
    at_onset = (batch.onset > 0.3).float()
    miss = (torch.sigmoid(velocity_logits) - batch.velocity) ** 2 * at_onset
    velocity = miss.sum() / (at_onset.sum() + 1)
    parts = {"onset": onset.detach(), "velocity": velocity.detach()}
    return onset + VELOCITY_WEIGHT * velocity, parts


def draw_batch(
    rng: np.random.Generator, pool: DrumShardPool, choices: DrumChoices = DRUM_CHOICES
) -> DrumBatch:
    """Draw segments from two shards, each tilted and levelled at random."""
    shards = (pool.draw(rng), pool.draw(rng))
    numbers = range(choices.clips_per_batch)
    drawn = [_draw_segment(rng, shards[number % 2], choices) for number in numbers]
    levels = torch.from_numpy(np.stack([levels for levels, _, _ in drawn]))
    return DrumBatch(
        levels.contiguous(memory_format=torch.channels_last),
        torch.from_numpy(np.stack([onset for _, onset, _ in drawn])),
        torch.from_numpy(np.stack([velocity for _, _, velocity in drawn])),
    )


def targets_of(hits: tuple[Hit, ...], *, first_frame: int, frames: int) -> tuple[Levels, Levels]:
    """Return onset triangles and strengths around them [drum, frame] of a segment's hits."""
    onset = np.zeros((DRUM_CLASSES, frames), np.float32)
    velocity = np.zeros((DRUM_CLASSES, frames), np.float32)
    width = ONSET_HALF_WIDTH_FRAMES
    for hit in hits:
        start = hit.at_s * FRAMES_PER_S - first_frame
        for at in range(max(0, int(start) - 1), min(frames, int(start) + 3)):
            onset[hit.drum, at] = max(onset[hit.drum, at], 1 - abs(at - start) / width)
            velocity[hit.drum, at] = hit.strength
    return np.maximum(onset, 0), velocity


def _draw_segment(
    rng: np.random.Generator, shard: DrumShard, choices: DrumChoices
) -> tuple[Levels, Levels, Levels]:
    clip = int(rng.integers(len(shard.hits)))
    first_frame = int(rng.integers(0, shard.levels.shape[2] - SEGMENT_FRAMES))
    levels = shard.levels[clip, :, first_frame : first_frame + SEGMENT_FRAMES].astype(np.float32)
    if rng.random() < MOVED_SHARE:
        levels = _moved(rng, levels, choices.moved_bands)
    corners = np.linspace(0, BANDS, 5)
    tilt = np.interp(np.arange(BANDS), corners, rng.normal(0, choices.tilt, 5))
    change = rng.uniform(*choices.level_change) + tilt
    levels = np.maximum(0, levels + change.astype(np.float32))
    onset, velocity = targets_of(shard.hits[clip], first_frame=first_frame, frames=SEGMENT_FRAMES)
    return levels, onset, velocity


def _moved(rng: np.random.Generator, levels: Levels, bands: float) -> Levels:
    """Let the drums be larger or smaller: move all bands, the outer ones more or less."""
    outward = np.arange(BANDS) / (BANDS / 2) - 1
    origin = np.arange(BANDS) + rng.uniform(-bands, bands) + rng.uniform(-bands, bands) * outward
    origin = np.clip(origin, 0, BANDS - 1)
    below = np.minimum(origin.astype(np.intp), BANDS - 2)
    above_share = (origin - below).astype(np.float32)
    moved = levels[..., below] * (1 - above_share) + levels[..., below + 1] * above_share
    return np.asarray(moved, np.float32)
