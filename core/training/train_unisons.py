"""Train the network that tells who else plays a note, by a close look at its partials in stereo."""

import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.models.note_families import FAMILIES
from core.models.note_unisons import MIDDLE, NoteUnisons
from core.training.note_stock import LEVELS_PER_DECADE, STEPS_PER_LEVEL, NoteStock
from core.training.train_families import NoteBatch, NoteDraws, Numbers, fitted, players_loss
from core.training.unison_stock import unisons_of

MIXES_PER_SHARD = 95
MONO_SHARE = 0.4
# Of notes: another one of about the same pitch sounds at once, as loud as the first or softer.
DOUBLED_SHARE, DOUBLING_REACH, DOUBLING_SEMITONES = 0.4, 9000, 3
DOUBLING_LEVEL, DOUBLING_DEVIATION = -0.08, 0.12
EACH_WEIGHT = 4.0  # of whether each plays, beside who does

_log = logging.getLogger(__name__)


def train_unisons(stems: list[Path], *, steps: int, seed: int) -> NoteUnisons:
    """Train on the notes of stem shards; some ten minutes of one core."""
    rng = np.random.default_rng(seed)
    stock = unisons_of(stems, rng, mixes=MIXES_PER_SHARD * len(stems))
    _log.info("%d notes to tell unisons by", len(stock.pitches))
    return trained_on(stock, rng, steps=steps)


def trained_on(stock: NoteStock, rng: np.random.Generator, *, steps: int) -> NoteUnisons:
    """Train on a stock; in training the network is asked who plays as well, as NoteFamilies is."""
    torch.manual_seed(int(rng.integers(2**31)))
    taught = fitted(NoteUnisons(2 * FAMILIES), _UnisonDraws(stock, rng), unisons_loss, steps=steps)
    network = NoteUnisons()
    kept = {
        name: value[FAMILIES:] if name.startswith("logits.") else value
        for name, value in taught.state_dict().items()
    }
    network.load_state_dict(kept)
    return network.eval()


def unisons_loss(logits: Tensor, families: Tensor) -> Tensor:
    """Return the mean surprise at who plays [note, 12] and at whether each does [note, 12]."""
    each = nn.functional.binary_cross_entropy_with_logits(logits[:, FAMILIES:], families.float())
    return players_loss(logits[:, :FAMILIES], families) + EACH_WEIGHT * each


class _UnisonDraws(NoteDraws):
    """Draws notes that others double, in stereo and in mono."""

    def __init__(self, stock: NoteStock, rng: np.random.Generator) -> None:
        super().__init__(stock, rng)
        self._by_pitch = np.argsort(stock.pitches, kind="stable")
        self._pitch_rank = np.argsort(self._by_pitch)

    def batch(self) -> NoteBatch:
        notes, pitches = self._drawn()
        patches, families = self._doubled(notes, self._blended(notes))
        patches = self._changed(patches, self._stock.pitches[notes])
        patches[self._rng.random(len(notes)) < MONO_SHARE, MIDDLE.stop :] = 0.0
        return NoteBatch(
            torch.from_numpy(patches),
            torch.from_numpy(pitches.astype(np.float32)),
            torch.from_numpy(families),
        )

    def _doubled(
        self, notes: Numbers, patches: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
        """Return patches in which others play along, and who plays now [note, family]."""
        stock, rng = self._stock, self._rng
        reach = rng.integers(-DOUBLING_REACH, DOUBLING_REACH + 1, len(notes))
        places = np.clip(self._pitch_rank[notes] + reach, 0, len(self._by_pitch) - 1)
        others = self._by_pitch[places]
        is_near = np.abs(stock.pitches[others] - stock.pitches[notes]) <= DOUBLING_SEMITONES
        chosen = np.flatnonzero((rng.random(len(notes)) < DOUBLED_SHARE) & is_near)
        louder = rng.normal(DOUBLING_LEVEL, DOUBLING_DEVIATION, (len(chosen), 1, 1, 1))
        beside = stock.patches[others[chosen]] / np.float32(STEPS_PER_LEVEL) + louder
        power = 10.0 ** (LEVELS_PER_DECADE * patches[chosen]) + 10.0 ** (LEVELS_PER_DECADE * beside)
        patches[chosen] = np.log10(power) / LEVELS_PER_DECADE
        families = stock.families[notes]
        families[chosen] |= stock.families[others[chosen]]
        return patches, families
