"""Shards of training clips: features and labels of many clips in one file, kept in memory."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from core.training.drum_patterns import Hit
from core.training.drum_synth import Drum
from core.training.part import PlayedNote

Shard = TypeVar("Shard")


@dataclass(frozen=True, slots=True)
class PitchShard:
    """Clips of one length with their labels."""

    levels: npt.NDArray[np.float16]  # [clip, window, frame, bin]
    notes: tuple[tuple[PlayedNote, ...], ...]  # per clip
    recipes: tuple[str, ...]  # per clip: what plays


@dataclass(frozen=True, slots=True)
class DrumShard:
    """Drum clips of one length with their labels."""

    levels: npt.NDArray[np.float16]  # [clip, window, frame, band]
    hits: tuple[tuple[Hit, ...], ...]  # per clip


def read_pitch_shard(path: Path) -> PitchShard:
    """Read one shard file."""
    with np.load(path, allow_pickle=False) as file:
        levels, rows, recipes = file["vqt"], file["notes"], json.loads(str(file["meta"]))
    notes: list[list[PlayedNote]] = [[] for _ in range(len(levels))]
    for clip, onset_s, offset_s, *numbers in rows.tolist():
        notes[int(clip)].append(PlayedNote(onset_s, offset_s, *map(int, numbers)))
    return PitchShard(levels, tuple(tuple(clip) for clip in notes), tuple(recipes))


def read_drum_shard(path: Path) -> DrumShard:
    """Read one shard file."""
    with np.load(path, allow_pickle=False) as file:
        levels, rows = file["levels"], file["hits"]
    hits: list[list[Hit]] = [[] for _ in range(len(levels))]
    for clip, at_s, drum, strength in rows.tolist():
        hits[int(clip)].append(Hit(at_s, Drum(int(drum)), strength))
    return DrumShard(levels, tuple(tuple(clip) for clip in hits))


class _Pool(Generic[Shard]):
    """The shards of a folder in name order, each read once when first wanted."""

    def __init__(self, paths: list[Path], read: Callable[[Path], Shard]) -> None:
        if not paths:
            raise ValueError("no shards to train from")
        self._paths = sorted(paths)
        self._read = read
        self._held: dict[int, Shard] = {}

    def draw(self, rng: np.random.Generator) -> Shard:
        """Return one shard at random."""
        return self._shard(int(rng.integers(len(self._paths))))

    def read_all(self) -> None:
        """Read every shard, so that processes forked from this one need not."""
        for number in range(len(self._paths)):
            self._shard(number)

    def _shard(self, number: int) -> Shard:
        if number not in self._held:
            self._held[number] = self._read(self._paths[number])
        return self._held[number]


class ShardPool(_Pool[PitchShard]):
    """Shards of pitched clips, of those only whose recipe `is_wanted`."""

    def __init__(
        self, paths: list[Path], is_wanted: Callable[[str], bool] = lambda _recipe: True
    ) -> None:
        super().__init__(paths, lambda path: _only(read_pitch_shard(path), is_wanted))


class DrumShardPool(_Pool[DrumShard]):
    """Shards of drum clips."""

    def __init__(self, paths: list[Path]) -> None:
        super().__init__(paths, read_drum_shard)


def _only(shard: PitchShard, is_wanted: Callable[[str], bool]) -> PitchShard:
    wanted = [number for number, recipe in enumerate(shard.recipes) if is_wanted(recipe)]
    if len(wanted) == len(shard.recipes):
        return shard
    return PitchShard(
        shard.levels[wanted],
        tuple(shard.notes[number] for number in wanted),
        tuple(shard.recipes[number] for number in wanted),
    )
