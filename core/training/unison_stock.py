"""Close looks at the notes of stereo mixes, which are made anew of their players."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from core.features.note_patches import note_patches
from core.features.vqt import FRAMES_PER_S
from core.models.stem_net import LOWEST_PITCH, PITCHES
from core.training.families import HEARD_FAMILIES, UNKNOWN_FAMILY, heard_family
from core.training.note_stock import LEVELS_PER_DECADE, STEPS_PER_LEVEL, UNISON_S, NoteStock
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
LEAST_HEARD_S = 0.2  # of a note before the clip ends
QUIETEST_POWER = 1e-4

Levels = npt.NDArray[np.float32]
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
            parts.append(_notes_in(_placed(rng, _drawn(rng, groups))))
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
    notes: Sequence[tuple[int, float, frozenset[int]]]  # pitch, onset in seconds, families


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
    return _Mix(np.maximum(levels, 0.0), _known(rng, notes, shape[1]))


def _side_of(rng: np.random.Generator, stem: Stem) -> npt.NDArray[np.float32]:
    way = rng.random()
    if way < OWN_WIDTH_SHARE:
        wider = rng.normal(0, WIDENED_DECADES) if rng.random() < WIDENED_SHARE else 0.0
        return _POWER[stem.side] * np.float32(10**wider)
    if way < OWN_WIDTH_SHARE + NO_WIDTH_SHARE:
        return np.zeros(stem.side.shape, np.float32)
    made = 10 ** rng.uniform(*MADE_WIDTH_DECADES)
    return _POWER[stem.middle] * np.float32(made)


def _known(
    rng: np.random.Generator, notes: Sequence[PlayedNote], frames: int
) -> list[tuple[int, float, frozenset[int]]]:
    """Return onsets whose players are all known; MOST_NOTES at most."""
    players: dict[tuple[int, float], set[int]] = {}
    latest: dict[int, float] = {}
    for note in sorted(notes):
        onset_s = latest.get(note.pitch, -np.inf)
        if note.onset_s - onset_s >= UNISON_S:
            onset_s = latest[note.pitch] = note.onset_s
        players.setdefault((note.pitch, onset_s), set()).add(heard_family(note.program))
    last_s = frames / FRAMES_PER_S - LEAST_HEARD_S
    known = [
        (pitch, onset_s, frozenset(families))
        for (pitch, onset_s), families in players.items()
        if UNKNOWN_FAMILY not in families
        and onset_s < last_s
        and LOWEST_PITCH <= pitch < LOWEST_PITCH + PITCHES
    ]
    if len(known) <= MOST_NOTES:
        return known
    return [known[number] for number in rng.choice(len(known), MOST_NOTES, replace=False)]


def _notes_in(mix: _Mix) -> NoteStock:
    pitches = np.array([pitch for pitch, _, _ in mix.notes], np.int64)
    frames = np.array([round(onset_s * FRAMES_PER_S) for _, onset_s, _ in mix.notes], np.int64)
    patches = note_patches(
        torch.from_numpy(mix.levels),
        torch.from_numpy(frames),
        torch.from_numpy(pitches - LOWEST_PITCH),
    )
    return NoteStock(
        np.rint(patches.numpy() * STEPS_PER_LEVEL).astype(np.uint8),
        pitches,
        np.array(
            [
                [family in families for family in range(HEARD_FAMILIES)]
                for *_, families in mix.notes
            ],
            np.uint8,
        ).reshape(-1, HEARD_FAMILIES),
    )
