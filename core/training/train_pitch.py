"""Train the pitch network from shards of synthesised clips."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.features.vqt import BINS_PER_SEMITONE, FRAMES_PER_S
from core.models.stem_net import LOWEST_PITCH, PITCHES, StemNet
from core.training.feature_shards import PitchShard, ShardPool
from core.training.part import PlayedNote
from core.training.schedule import Schedule, TrainingRun, cpu_has_bfloat16

CLIPS_PER_BATCH = 4  # small batches win: more steps for the same audio
SEGMENT_FRAMES = 128
ONSET_HALF_WIDTH_FRAMES = 2.0  # onset targets are triangles: a label is right within 40 ms
ONSET_WEIGHT = 2.0
MOST_SHIFT_SEMITONES = 4
FLOOR_LEVEL = 0.05  # what bins shifted in from outside hear
PEAK_RATE, FLAT_SHARE = 3e-3, 0.3

Levels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PitchTargets:
    """Targets [frame, pitch]: onset triangles, sounding keys, velocity/127 around onsets."""

    onset: Levels
    frame: Levels
    velocity: Levels


@dataclass(frozen=True, slots=True)
class PitchBatch:
    """Levels [clip, window, frame, bin] and targets [clip, frame, pitch]."""

    levels: Tensor
    onset: Tensor
    frame: Tensor
    velocity: Tensor


def train_pitch(
    network: StemNet, shards: list[Path], folder: Path, *, hours: float, seed: int
) -> None:
    """Train until `hours` of audio were heard; continues where the folder's last run stopped."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # stub
    run = TrainingRun(network, Schedule(hours, PEAK_RATE, FLAT_SHARE), folder)
    run.resume(rng)
    pool = ShardPool(shards)
    has_bfloat16 = cpu_has_bfloat16()
    while not run.is_finished:
        batch = draw_batch(rng, pool)
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16):
            logits = network(batch.levels)
        loss, losses = pitch_loss(logits.float(), batch)
        heard_s = CLIPS_PER_BATCH * SEGMENT_FRAMES / FRAMES_PER_S
        run.learn(loss, heard_s=heard_s, losses=losses)
        run.log_now_and_then(rng)


def pitch_loss(logits: Tensor, batch: PitchBatch) -> tuple[Tensor, dict[str, float]]:
    """Return the loss and its parts; sums over keys, means over frames."""
    entropy = nn.functional.binary_cross_entropy_with_logits
    frames = logits.shape[0] * logits.shape[2]
    onset = entropy(logits[:, 0], batch.onset, weight=1 + ONSET_WEIGHT * batch.onset)
    onset = onset * (logits[:, 0].numel() / frames)
    frame = entropy(logits[:, 1], batch.frame) * (logits[:, 1].numel() / frames)
    at_onset = (batch.onset > 0.3).float()
    miss = (torch.sigmoid(logits[:, 2]) - batch.velocity) ** 2 * at_onset
    velocity = miss.sum() / (at_onset.sum() + 1)
    parts = {"onset": onset.item(), "frame": frame.item(), "velocity": velocity.item()}
    return onset + 0.5 * frame + 0.5 * velocity, parts


def draw_batch(rng: np.random.Generator, pool: ShardPool) -> PitchBatch:
    """Draw segments from two shards, each shifted, tilted and roughened at random."""
    shards = (pool.draw(rng), pool.draw(rng))
    drawn = [_draw_segment(rng, shards[clip % 2]) for clip in range(CLIPS_PER_BATCH)]
    levels = torch.from_numpy(np.stack([levels for levels, _ in drawn]))
    return PitchBatch(
        levels.contiguous(memory_format=torch.channels_last),
        torch.from_numpy(np.stack([targets.onset for _, targets in drawn])),
        torch.from_numpy(np.stack([targets.frame for _, targets in drawn])),
        torch.from_numpy(np.stack([targets.velocity for _, targets in drawn])),
    )


def targets_of(
    notes: tuple[PlayedNote, ...], *, first_frame: int, frames: int, shift: int
) -> PitchTargets:
    """Return targets of the notes that sound within a segment, `shift` semitones up."""
    onset, frame, velocity = (np.zeros((frames, PITCHES), np.float32) for _ in range(3))
    width = ONSET_HALF_WIDTH_FRAMES
    for note in notes:
        key = note.pitch - LOWEST_PITCH + shift
        start = note.onset_s * FRAMES_PER_S - first_frame
        end = note.offset_s * FRAMES_PER_S - first_frame
        if not 0 <= key < PITCHES or end < 0 or start > frames:
            continue
        first = max(0, round(start))
        frame[first : min(frames, max(round(start) + 1, round(end))), key] = 1
        for at in range(max(0, int(start - width) + 1), min(frames, int(np.ceil(start + width)))):
            onset[at, key] = max(onset[at, key], 1 - abs(at - start) / width)
            velocity[at, key] = note.velocity / 127
    return PitchTargets(onset, frame, velocity)


def _draw_segment(rng: np.random.Generator, shard: PitchShard) -> tuple[Levels, PitchTargets]:
    clip = int(rng.integers(len(shard.notes)))
    first_frame = int(rng.integers(0, shard.levels.shape[2] - SEGMENT_FRAMES))
    levels = shard.levels[clip, :, first_frame : first_frame + SEGMENT_FRAMES].astype(np.float32)
    shift = 0
    if rng.random() < 0.5:
        shift = int(rng.integers(-MOST_SHIFT_SEMITONES, MOST_SHIFT_SEMITONES + 1))
        levels = _shifted(levels, BINS_PER_SEMITONE * shift)
    bins = levels.shape[-1]
    tilt = np.interp(np.arange(bins), np.linspace(0, bins, 6), rng.normal(0, 0.08, 6))
    tilt = tilt * (rng.random() < 0.5) + rng.uniform(-0.3, 0.1)
    if rng.random() < 0.4:
        levels = _roughened(rng, levels, rng.uniform(0.2, 1.0))
    levels = np.maximum(levels + tilt.astype(np.float32), 0.0)
    targets = targets_of(
        shard.notes[clip], first_frame=first_frame, frames=SEGMENT_FRAMES, shift=shift
    )
    return levels, targets


def _shifted(levels: Levels, bins: int) -> Levels:
    """Move all bins up; the wrapped ones fall silent."""
    moved = np.roll(levels, bins, 2)
    if bins > 0:
        moved[..., :bins] = FLOOR_LEVEL
    elif bins < 0:
        moved[..., bins:] = FLOOR_LEVEL
    return moved


def _roughened(rng: np.random.Generator, levels: Levels, strength: float) -> Levels:
    """Return levels as through another room and microphone: resonances, gain drift, noise floor."""
    _, frames, bins = levels.shape
    corners = np.sort(rng.uniform(0, bins, 14))
    ripple = np.interp(np.arange(bins), corners, rng.normal(0, 0.12 * strength, 14))
    gain = np.interp(
        np.arange(frames), np.linspace(0, frames, 10), rng.normal(0, 0.06 * strength, 10)
    )
    grain = rng.normal(0, 0.05 * strength * rng.random(), levels.shape)
    rough = levels + grain + ripple + gain[:, None]
    if rng.random() < 0.5:
        rough = np.maximum(rough, rng.uniform(0, 0.45))
    for _ in range(rng.integers(0, 3)):
        first_bin = rng.integers(0, bins - 4)
        rough[:, :, first_bin : first_bin + rng.integers(3, 24)] *= rng.uniform(0.2, 0.8)
    return rough.astype(np.float32)
