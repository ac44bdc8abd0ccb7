"""Shards of training clips: features and labels of many clips in one file, kept in memory."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.training.part import PlayedNote


@dataclass(frozen=True, slots=True)
class PitchShard:
    """Clips of one length with their labels."""

    levels: npt.NDArray[np.float16]  # [clip, window, frame, bin]
    notes: tuple[tuple[PlayedNote, ...], ...]  # per clip
    recipes: tuple[str, ...]  # per clip: what plays


def read_pitch_shard(path: Path) -> PitchShard:
    """Read one shard file."""
    with np.load(path, allow_pickle=False) as file:
        levels, rows, recipes = file["vqt"], file["notes"], json.loads(str(file["meta"]))
    notes: list[list[PlayedNote]] = [[] for _ in range(len(levels))]
    for clip, onset_s, offset_s, pitch, velocity in rows.tolist():
        notes[int(clip)].append(PlayedNote(onset_s, offset_s, int(pitch), int(velocity)))
    return PitchShard(levels, tuple(tuple(clip) for clip in notes), tuple(recipes))


class ShardPool:
    """The shards of a folder in name order, each read once when first wanted."""

    def __init__(self, paths: list[Path]) -> None:
        if not paths:
            raise ValueError("no shards to train from")
        self._paths = sorted(paths)
        self._read: dict[int, PitchShard] = {}

    def draw(self, rng: np.random.Generator) -> PitchShard:
        number = int(rng.integers(len(self._paths)))
        if number not in self._read:
            self._read[number] = read_pitch_shard(self._paths[number])
        return self._read[number]
