"""Train the network that tells who plays a note by a close look at its partials."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.features.note_patches import ROW_BINS
from core.features.vqt import BINS, BINS_PER_SEMITONE
from core.models.note_families import NoteFamilies
from core.models.stem_net import LOWEST_PITCH
from core.training.note_stock import STEPS_PER_LEVEL, NoteStock, stock_of

MOST_SHARDS = 36  # 0.4 GB of notes at once
JOINED_CLIPS_PER_SHARD = 85
NOTES_PER_BATCH = 512
PEAK_RATE, LAST_RATE_SHARE, WARM_UP_STEPS = 2e-3, 0.02, 50
AVERAGED_SHARE, AVERAGE_WEIGHT = 0.4, 0.01  # the last steps are averaged
EVENNESS = 0.5  # families are drawn by this power of how often they play
LEVEL_CHANGE = (-0.3, 0.1)
BLENDED_SHARE, MOST_APART_SEMITONES, BLEND_REACH = 0.3, 6, 800
ROW_CHANGED_SHARE, ROW_DEVIATION = 0.6, 0.06
TILT_DEVIATION, TILT_TURNS = 0.09, (0.5, 3.0)
MOST_GRAIN, FLOORED_SHARE, HIGHEST_FLOOR = 0.05, 0.5, 0.5
PITCH_DEVIATION = 1.2  # semitones: registers overlap more than the composer's

_log = logging.getLogger(__name__)

Numbers = npt.NDArray[np.int64]
Network = TypeVar("Network", bound=nn.Module)
Loss = Callable[[Tensor, Tensor], Tensor]  # of logits, and who plays [note, family]


def train_families(levels: list[Path], *, steps: int, seed: int) -> NoteFamilies:
    """Train on the notes of level shards; a few minutes of one core."""
    rng = np.random.default_rng(seed)
    heard = levels[:MOST_SHARDS]
    stock = stock_of(heard, rng, joined_clips=JOINED_CLIPS_PER_SHARD * len(heard))
    _log.info("%d notes to tell families by", len(stock.pitches))
    return trained_on(stock, rng, steps=steps)


def trained_on(stock: NoteStock, rng: np.random.Generator, *, steps: int) -> NoteFamilies:
    """Train on a stock; returns the mean of the last networks."""
    torch.manual_seed(int(rng.integers(2**31)))
    return fitted(NoteFamilies(), NoteDraws(stock, rng), players_loss, steps=steps)


def players_loss(logits: Tensor, families: Tensor) -> Tensor:
    """Return the mean surprise [note, family] that it is one of those who play each note."""
    logs = torch.log_softmax(logits, 1).masked_fill(families == 0, -math.inf)
    return -torch.logsumexp(logs, 1).mean()


@dataclass(frozen=True, slots=True)
class NoteBatch:
    """Patches [note, window, row, moment], pitches [note], who may play each [note, family]."""

    patches: Tensor
    pitches: Tensor
    families: Tensor


class NoteDraws:
    """Draws notes evenly among families, each as another instrument and room might sound."""

    def __init__(self, stock: NoteStock, rng: np.random.Generator) -> None:
        self._stock, self._rng = stock, rng
        shares = np.maximum(stock.families.mean(0), 1e-9)
        wanted = (stock.families * shares ** (EVENNESS - 1)).sum(1) / stock.families.sum(1)
        self._reached = np.cumsum(wanted / wanted.sum())
        first_family = stock.families.argmax(1)
        self._by_family_and_pitch = np.lexsort((stock.pitches, first_family))
        self._rank = np.argsort(self._by_family_and_pitch)

    def batch(self) -> NoteBatch:
        """Draw NOTES_PER_BATCH notes."""
        stock = self._stock
        notes, pitches = self._drawn()
        return NoteBatch(
            torch.from_numpy(self._changed(self._blended(notes), stock.pitches[notes])),
            torch.from_numpy(pitches.astype(np.float32)),
            torch.from_numpy(stock.families[notes]),
        )

    def _drawn(self) -> tuple[Numbers, npt.NDArray[np.float64]]:
        """Return numbers of notes, and their pitches a little off."""
        drawn = np.searchsorted(self._reached, self._rng.random(NOTES_PER_BATCH))
        notes = np.minimum(drawn, len(self._stock.pitches) - 1).astype(np.int64)
        off = self._rng.normal(0, PITCH_DEVIATION, len(notes))
        return notes, self._stock.pitches[notes] + off

    def _blended(self, notes: Numbers) -> npt.NDArray[np.float32]:
        """Return patches between those of notes and of their likes: instruments of no SoundFont."""
        stock, rng, count = self._stock, self._rng, len(notes)
        reach = rng.integers(-BLEND_REACH, BLEND_REACH + 1, count)
        places = np.clip(self._rank[notes] + reach, 0, len(self._rank) - 1)
        others = self._by_family_and_pitch[places]
        is_alike = (stock.families[others] == stock.families[notes]).all(1)
        is_alike &= np.abs(stock.pitches[others] - stock.pitches[notes]) <= MOST_APART_SEMITONES
        others = np.where(is_alike, others, notes)
        own = np.where(rng.random(count) < BLENDED_SHARE, rng.random(count), 1.0)
        own = own.astype(np.float32)[:, None, None, None] / STEPS_PER_LEVEL
        rest = np.float32(1 / STEPS_PER_LEVEL) - own
        return np.asarray(own * stock.patches[notes] + rest * stock.patches[others], np.float32)

    def _changed(
        self, patches: npt.NDArray[np.float32], pitches: Numbers
    ) -> npt.NDArray[np.float32]:
        """Return patches louder or softer, through other rooms and microphones, in noise."""
        rng, count, rows = self._rng, len(patches), patches.shape[2]
        one_each = (count, 1, 1, 1)
        gain = rng.uniform(*LEVEL_CHANGE, one_each)
        strength = rng.random(one_each) * (rng.random(one_each) < ROW_CHANGED_SHARE)
        of_rows = rng.normal(0, ROW_DEVIATION, (count, 1, rows, 1)) * strength
        bins = BINS_PER_SEMITONE * (pitches - LOWEST_PITCH)[:, None] + np.array(ROW_BINS)
        turns = rng.uniform(*TILT_TURNS, (count, 1, 2)) * bins[..., None] / (1.3 * BINS)
        phases = 2 * np.pi * (turns + rng.random((count, 1, 2)))
        tilt = (rng.normal(0, TILT_DEVIATION, (count, 1, 2)) * np.cos(phases)).sum(2)
        grain = rng.standard_normal(patches.shape, np.float32) * np.float32(
            MOST_GRAIN * rng.random()
        )
        is_floored = rng.random(one_each) < FLOORED_SHARE
        floor = np.where(is_floored, HIGHEST_FLOOR * rng.random(one_each), 0.0)
        changes = (gain + of_rows + tilt[:, None, :, None]).astype(np.float32)
        changed = np.maximum(patches + changes + grain, floor)
        return np.asarray(changed, np.float32)


def fitted(network: Network, draws: NoteDraws, loss_of: Loss, *, steps: int) -> Network:
    """Fit a network of patches and pitches; return the mean of what it was in the last steps."""
    optimiser = torch.optim.AdamW(network.parameters(), PEAK_RATE, weight_decay=0.02)
    averaged: dict[str, Tensor] = {}
    smooth_loss = 0.0
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = _rate_at(step, steps)
        batch = draws.batch()
        loss = loss_of(network(batch.patches, batch.pitches), batch.families)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimiser.step()
        smooth_loss += max(0.01, 1 / (step + 1)) * (loss.item() - smooth_loss)
        if step % 500 == 0:
            _log.info("%s: step %d, loss %.3f", type(network).__name__, step, smooth_loss)
        if step >= (1 - AVERAGED_SHARE) * steps:
            for name, value in network.state_dict().items():
                kept = averaged.setdefault(name, value.clone())
                kept.lerp_(value, AVERAGE_WEIGHT)
    network.load_state_dict(averaged)
    return network.eval()


def _rate_at(step: int, steps: int) -> float:
    falling = LAST_RATE_SHARE + (1 - LAST_RATE_SHARE) * (1 + math.cos(math.pi * step / steps)) / 2
    return PEAK_RATE * min(1.0, step / WARM_UP_STEPS) * falling
