"""Train the drum network from shards of synthesised clips."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.features.logmel import BANDS, FRAMES_PER_S
from core.models.drum_net import DRUM_CLASSES, DrumNet
from core.training.drum_patterns import Hit
from core.training.feature_shards import DrumShard, DrumShardPool
from core.training.schedule import Schedule, TrainingRun, cpu_has_bfloat16

CLIPS_PER_BATCH = 6
SEGMENT_FRAMES = 300
ONSET_HALF_WIDTH_FRAMES = 2.0
ONSET_WEIGHT = 2.0
VELOCITY_WEIGHT = 0.3
GHOST_STRENGTH, GHOST_WEIGHT = 0.2, 0.3  # who must hear every ghost note sees ghosts elsewhere
PEAK_RATE, FLAT_SHARE = 2e-3, 0.4

Levels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DrumBatch:
    """Levels [clip, window, frame, band] and targets [clip, drum, frame]."""

    levels: Tensor
    onset: Tensor
    velocity: Tensor


def train_drums(shards: list[Path], folder: Path, *, hours: float, seed: int) -> None:
    """Train until `hours` of audio were heard; continues where the folder's last run stopped."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = DrumNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # stub
    run = TrainingRun(network, Schedule(hours, PEAK_RATE, FLAT_SHARE), folder)
    run.resume(rng)
    pool = DrumShardPool(shards)
    has_bfloat16 = cpu_has_bfloat16()
    while not run.is_finished:
        batch = draw_batch(rng, pool)
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16):
            logits = network(batch.levels)
        loss, losses = drum_loss(logits.float(), batch)
        heard_s = CLIPS_PER_BATCH * SEGMENT_FRAMES / FRAMES_PER_S
        run.learn(loss, heard_s=heard_s, losses=losses)
        run.log_now_and_then(rng)


def drum_loss(logits: Tensor, batch: DrumBatch) -> tuple[Tensor, dict[str, float]]:
    """Return the loss and its parts; sums over drums, means over frames."""
    onset_logits, velocity_logits = logits[:, :DRUM_CLASSES], logits[:, DRUM_CLASSES:]
    weight = 1 + ONSET_WEIGHT * batch.onset
    is_ghost = (batch.velocity > 0) & (batch.velocity <= GHOST_STRENGTH)
    weight = torch.where(is_ghost, GHOST_WEIGHT * weight, weight)
    entropy = nn.functional.binary_cross_entropy_with_logits
    onset = entropy(onset_logits, batch.onset, weight=weight) * DRUM_CLASSES
    at_onset = (batch.onset > 0.3).float()
    miss = (torch.sigmoid(velocity_logits) - batch.velocity) ** 2 * at_onset
    velocity = miss.sum() / (at_onset.sum() + 1)
    parts = {"onset": onset.item(), "velocity": velocity.item()}
    return onset + VELOCITY_WEIGHT * velocity, parts


def draw_batch(rng: np.random.Generator, pool: DrumShardPool) -> DrumBatch:
    """Draw segments from two shards, each tilted and levelled at random."""
    shards = (pool.draw(rng), pool.draw(rng))
    drawn = [_draw_segment(rng, shards[clip % 2]) for clip in range(CLIPS_PER_BATCH)]
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


def _draw_segment(rng: np.random.Generator, shard: DrumShard) -> tuple[Levels, Levels, Levels]:
    clip = int(rng.integers(len(shard.hits)))
    first_frame = int(rng.integers(0, shard.levels.shape[2] - SEGMENT_FRAMES))
    levels = shard.levels[clip, :, first_frame : first_frame + SEGMENT_FRAMES].astype(np.float32)
    corners = np.linspace(0, BANDS, 5)
    tilt = np.interp(np.arange(BANDS), corners, rng.normal(0, 0.06, 5))
    levels = np.maximum(0, levels + (rng.uniform(-0.35, 0.05) + tilt).astype(np.float32))
    onset, velocity = targets_of(shard.hits[clip], first_frame=first_frame, frames=SEGMENT_FRAMES)
    return levels, onset, velocity
