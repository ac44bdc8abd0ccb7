"""Close looks at the notes of stereo mixes, which are made anew of their players."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.training.note_stock import (
    LEVELS_PER_DECADE,
    STEPS_PER_LEVEL,
    Levels,
    NoteStock,
    Onset,
    known_onsets,
    looked_at,
)
from core.training.part import PlayedNote
from core.training.stem_shards import Stem, read_stem_shard

MOST_NOTES = 150  # of a mix
ALONE_SHARE, STRANGERS_SHARE = 0.1, 0.2  # of mixes: one player; with players of another mix
PLAYS_SHARE = 0.85  # of the players of a mix
MIX_LEVEL, PLAYER_DEVIATION = (-0.25, 0.1), 0.1
NARROW_SHARE, SPREADS = 0.25, (0.3, 0.7, 1.0)  # of mixes: all in the middle; how far apart, else
OFF_CENTRE_SHARE = 0.7  # of players
# Of players: heard in their own stereo, without any, or as wide as a doubler makes a mono sound.
OWN_WIDTH_SHARE, NO_WIDTH_SHARE, MADE_WIDTH_DECADES = 0.5, 0.2, (-3.0, -0.3)
WIDENED_SHARE, WIDENED_DECADES = 0.6, 0.5
QUIETEST_POWER = 1e-4

_POWER = (10.0 ** (LEVELS_PER_DECADE * (np.arange(256) / STEPS_PER_LEVEL - 1))).astype(np.float32)


def unisons_of(shards: Sequence[Path], rng: np.random.Generator, *, mixes: int) -> NoteStock:
    """Look at the notes of about as many mixes, each made anew of the players of a shard.

    In the stock's patches the windows of the middle come before those of the side.
    Raises ValueError where no note has a known player.
    """
    parts: list[NoteStock] = []
    for path in shards:
        groups = read_stem_shard(path)
        for _ in range(max(1, mixes // len(shards))):
            mix = _placed(rng, _drawn(rng, groups))
            parts.append(looked_at(mix.levels, mix.onsets))
    if not any(len(part.pitches) for part in parts):
        raise ValueError("nobody whose family is known plays in these shards")
    return NoteStock(
        np.concatenate([part.patches for part in parts]),
        np.concatenate([part.pitches for part in parts]),
        np.concatenate([part.families for part in parts]),
    )


@dataclass(frozen=True, slots=True)
class _Mix:
    """Levels [window, frame, bin] of the middle, then of the side."""

    levels: Levels
    onsets: Sequence[Onset]


def _drawn(rng: np.random.Generator, groups: Sequence[Sequence[Stem]]) -> list[Stem]:
    """Draw a mix, some of its players, and at times players of another."""
    group, way = groups[int(rng.integers(len(groups)))], rng.random()
    if way < ALONE_SHARE:
        return [group[int(rng.integers(len(group)))]]
    stems = [stem for stem in group if rng.random() < PLAYS_SHARE] or [group[0]]
    if way < ALONE_SHARE + STRANGERS_SHARE:
        other = groups[int(rng.integers(len(groups)))]
        stems += [other[int(rng.integers(len(other)))] for _ in range(int(rng.integers(1, 3)))]
    return stems


def _placed(rng: np.random.Generator, stems: Sequence[Stem]) -> _Mix:
    """Mix players that each stand somewhere and are as loud and as wide as it comes."""
    shape = stems[0].middle.shape
    middle, side = (np.full(shape, QUIETEST_POWER, np.float32) for _ in range(2))
    level = rng.uniform(*MIX_LEVEL)
    spread = 0.0 if rng.random() < NARROW_SHARE else rng.choice(SPREADS)
    notes: list[PlayedNote] = []
    for stem in stems:
        gain = np.float32(10 ** (LEVELS_PER_DECADE * (level + rng.normal(0, PLAYER_DEVIATION))))
        pan = spread * rng.uniform(-1, 1) if rng.random() < OFF_CENTRE_SHARE else 0.0
        # Of a sound at equal power, how much is common to left and right and how much is not.
        left, right = np.cos(np.pi / 4 * (1 + pan)), np.sin(np.pi / 4 * (1 + pan))
        common = np.float32((left + right) ** 2 / 2)
        apart = np.float32((left - right) ** 2 / 2)
        own, own_side = gain * _POWER[stem.middle], gain * _side_of(rng, stem)
        middle += common * own + apart * own_side
        side += apart * own + common * own_side
        notes += stem.notes
    levels = np.log10(np.concatenate([middle, side])) / LEVELS_PER_DECADE + 1
    return _Mix(np.maximum(levels, 0.0), _at_most(rng, known_onsets(notes, shape[1])))


def _side_of(rng: np.random.Generator, stem: Stem) -> npt.NDArray[np.float32]:
    way = rng.random()
    if way < OWN_WIDTH_SHARE:
        wider = rng.normal(0, WIDENED_DECADES) if rng.random() < WIDENED_SHARE else 0.0
        return _POWER[stem.side] * np.float32(10**wider)
    if way < OWN_WIDTH_SHARE + NO_WIDTH_SHARE:
        return np.zeros(stem.side.shape, np.float32)
    made = 10 ** rng.uniform(*MADE_WIDTH_DECADES)
    return _POWER[stem.middle] * np.float32(made)


def _at_most(rng: np.random.Generator, onsets: list[Onset]) -> list[Onset]:
    if len(onsets) <= MOST_NOTES:
        return onsets
    return [onsets[number] for number in rng.choice(len(onsets), MOST_NOTES, replace=False)]
