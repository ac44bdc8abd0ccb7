"""Train the pitch network, with or without its family head, from shards of synthesised clips."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.features.vqt import BINS_PER_SEMITONE, FRAMES_PER_S
from core.models.family_head import StemAndFamilies
from core.models.stem_net import LOWEST_PITCH, PITCHES, StemNet
from core.training.batches import batches
from core.training.families import heard_family
from core.training.feature_shards import PitchShard, ShardPool
from core.training.part import PlayedNote
from core.training.schedule import Effort, Schedule, TrainingRun, has_bfloat16

SEGMENT_FRAMES = 128
FAMILY_WEIGHT = 0.8
FAMILY_LOOK_S = 0.4  # of a note: a player is told by the first part of it
NOBODY, SEVERAL = -1, -2
FLOOR_LEVEL = 0.05  # what bins shifted in from outside hear
FLAT_SHARE = 0.3

Levels = npt.NDArray[np.float32]
Families = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Choices:
    """What training does with clips; `ablations` tells what each of these is worth."""

    clips_per_batch: int = 4  # small batches win: more steps for the same audio
    onset_half_width_frames: float = 2.0  # targets are triangles: a label is right within 40 ms
    onset_weight: float = 2.0  # how much more a frame at an onset counts
    most_shift_semitones: int = 4
    tilted_share: float = 0.5
    roughened_share: float = 0.4
    level_change: tuple[float, float] = (-0.3, 0.1)  # from .. to
    peak_rate: float = 3e-3


CHOICES = Choices()


@dataclass(frozen=True, slots=True)
class PitchTargets:
    """Targets [frame, pitch]: onset triangles, sounding keys, velocity/127 around onsets.

    `family` is the number of the family that plays, in the first part of each note; elsewhere, and
    where it is unknown or several hold the key, it is negative.
    """

    onset: Levels
    frame: Levels
    velocity: Levels
    family: Families


class PitchBatch(NamedTuple):
    """Levels [clip, window, frame, bin] and targets [clip, frame, pitch]."""

    levels: Tensor
    onset: Tensor
    frame: Tensor
    velocity: Tensor
    family: Tensor


def train_pitch(
    network: StemNet | StemAndFamilies,
    shards: list[Path] | ShardPool,
    folder: Path,
    *,
    effort: Effort,
    seed: int,
    choices: Choices = CHOICES,
) -> None:
    """Train for as long as `effort` says; continues where the folder's last run stopped.

    Families are learnt together with the notes where the network has a head for them. The network
    is left on the device.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    device = torch.device(effort.device)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # stub
    notes = network.network if isinstance(network, StemAndFamilies) else network
    schedule = Schedule(choices.peak_rate, FLAT_SHARE)
    run = TrainingRun(network, folder, effort=effort, schedule=schedule)
    run.resume(rng)
    pool = shards if isinstance(shards, ShardPool) else ShardPool(shards)
    if effort.drawers:
        pool.read_all()
    draw = partial(draw_batch, pool=pool, choices=choices)
    drawn = batches(draw, rng, effort, seed=seed, first=run.step)
    while not run.is_finished:
        batch = PitchBatch._make(part.to(device, non_blocking=True) for part in next(drawn))
        with torch.autocast(device.type, torch.bfloat16, enabled=has_bfloat16(device)):
            hearing = notes.hear(batch.levels)
            logits = notes.answers(hearing)
            told = network.families(hearing) if isinstance(network, StemAndFamilies) else None
        loss, losses = pitch_loss(logits.float(), batch, choices)
        if told is not None:
            miss = family_loss(told.float(), batch)
            losses["family"] = miss.detach()
            loss = loss + FAMILY_WEIGHT * miss
        heard_s = choices.clips_per_batch * SEGMENT_FRAMES / FRAMES_PER_S
        run.learn(loss, heard_s=heard_s, losses=losses)
        run.log_now_and_then(rng)


def pitch_loss(
    logits: Tensor, batch: PitchBatch, choices: Choices = CHOICES
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss and its parts; sums over keys, means over frames."""
    entropy = nn.functional.binary_cross_entropy_with_logits
    frames = logits.shape[0] * logits.shape[2]
    onset = entropy(logits[:, 0], batch.onset, weight=1 + choices.onset_weight * batch.onset)
    onset = onset * (logits[:, 0].numel() / frames)
    frame = entropy(logits[:, 1], batch.frame) * (logits[:, 1].numel() / frames)
    at_onset = (batch.onset > 0.3).float()
    miss = (torch.sigmoid(logits[:, 2]) - batch.velocity) ** 2 * at_onset
    velocity = miss.sum() / (at_onset.sum() + 1)
    parts = {"onset": onset, "frame": frame, "velocity": velocity}
    loss = onset + 0.5 * frame + 0.5 * velocity
    return loss, {name: part.detach() for name, part in parts.items()}


def family_loss(logits: Tensor, batch: PitchBatch) -> Tensor:
    """Return the mean cross entropy where one known player holds a key."""
    is_known = batch.family >= 0
    if not is_known.any():
        return logits.sum() * 0
    chosen = logits.permute(0, 2, 3, 1)[is_known]
    return nn.functional.cross_entropy(chosen, batch.family[is_known])


def draw_batch(rng: np.random.Generator, pool: ShardPool, choices: Choices = CHOICES) -> PitchBatch:
    """Draw segments from two shards, each shifted, tilted and roughened at random."""
    shards = (pool.draw(rng), pool.draw(rng))
    numbers = range(choices.clips_per_batch)
    drawn = [_draw_segment(rng, shards[number % 2], choices) for number in numbers]
    levels = torch.from_numpy(np.stack([levels for levels, _ in drawn]))
    return PitchBatch(
        levels.contiguous(memory_format=torch.channels_last),
        torch.from_numpy(np.stack([targets.onset for _, targets in drawn])),
        torch.from_numpy(np.stack([targets.frame for _, targets in drawn])),
        torch.from_numpy(np.stack([targets.velocity for _, targets in drawn])),
        torch.from_numpy(np.stack([targets.family for _, targets in drawn])),
    )


def targets_of(
    notes: tuple[PlayedNote, ...],
    *,
    first_frame: int,
    frames: int,
    shift: int,
    width: float = CHOICES.onset_half_width_frames,
) -> PitchTargets:
    """Return targets of the notes that sound within a segment, `shift` semitones up.

    Onsets are triangles of `width` frames to both sides.
    """
    onset, frame, velocity = (np.zeros((frames, PITCHES), np.float32) for _ in range(3))
    holder = np.full((frames, PITCHES), NOBODY, np.int64)
    is_looked_at = np.zeros((frames, PITCHES), bool)
    look = round(FAMILY_LOOK_S * FRAMES_PER_S)
    for note in notes:
        key = note.pitch - LOWEST_PITCH + shift
        start = note.onset_s * FRAMES_PER_S - first_frame
        end = note.offset_s * FRAMES_PER_S - first_frame
        if not 0 <= key < PITCHES or end < 0 or start > frames:
            continue
        first = max(0, round(start))
        last = min(frames, max(round(start) + 1, round(end)))
        frame[first:last, key] = 1
        family, held = heard_family(note.program), holder[first:last, key]
        is_alone = (held == NOBODY) | (held == family)
        held[:] = np.where(is_alone, family, SEVERAL) if family >= 0 else SEVERAL
        is_looked_at[first : max(0, min(last, round(start) + look)), key] = True
        for at in range(max(0, int(start - width) + 1), min(frames, int(np.ceil(start + width)))):
            onset[at, key] = max(onset[at, key], 1 - abs(at - start) / width)
            velocity[at, key] = note.velocity / 127
    return PitchTargets(onset, frame, velocity, np.where(is_looked_at, holder, NOBODY))


def _draw_segment(
    rng: np.random.Generator, shard: PitchShard, choices: Choices
) -> tuple[Levels, PitchTargets]:
    clip = int(rng.integers(len(shard.notes)))
    first_frame = int(rng.integers(0, shard.levels.shape[2] - SEGMENT_FRAMES))
    levels = shard.levels[clip, :, first_frame : first_frame + SEGMENT_FRAMES].astype(np.float32)
    shift = 0
    if rng.random() < 0.5:
        shift = int(rng.integers(-choices.most_shift_semitones, choices.most_shift_semitones + 1))
        levels = _shifted(levels, BINS_PER_SEMITONE * shift)
    bins = levels.shape[-1]
    tilt = np.interp(np.arange(bins), np.linspace(0, bins, 6), rng.normal(0, 0.08, 6))
    tilt = tilt * (rng.random() < choices.tilted_share) + rng.uniform(*choices.level_change)
    if rng.random() < choices.roughened_share:
        levels = _roughened(rng, levels, rng.uniform(0.2, 1.0))
    levels = np.maximum(levels + tilt.astype(np.float32), 0.0)
    targets = targets_of(
        shard.notes[clip],
        first_frame=first_frame,
        frames=SEGMENT_FRAMES,
        shift=shift,
        width=choices.onset_half_width_frames,
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
