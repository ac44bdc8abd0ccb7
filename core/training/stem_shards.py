"""Stem shards: the players of mixes one by one, as levels of the middle and of the side.

Levels of players add up in power, so any number of mixes can be made of a few players: each louder
or softer, and standing elsewhere, every time.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from core.features.vqt import SAMPLE_RATE_HZ, DualWindowVqt
from core.training.note_stock import STEPS_PER_LEVEL
from core.training.part import PlayedNote
from core.training.pitched_clips import CLIP_S
from core.training.played_part import PlayedPart
from core.training.schedule import replacing

USUAL_RMS = 0.2  # of a player in the middle of its level

LevelBytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Stem:
    """One player: `middle` and `side` [window, frame, bin] in steps of a level, and its notes."""

    middle: LevelBytes
    side: LevelBytes
    notes: tuple[PlayedNote, ...]


def write_stem_shard(path: Path, mixes: Iterable[Sequence[PlayedPart]]) -> None:
    """Write the players of a few mixes; they sounded in rooms, so that each has a side."""
    vqt = DualWindowVqt()
    levels: list[LevelBytes] = []
    rows: list[tuple[float, ...]] = []
    sizes: list[int] = []
    for players in mixes:
        for player in players:
            rows += [(len(levels), *note) for note in player.notes]
            levels.append(_levels_of(player, vqt))
        sizes.append(len(players))
    table = np.array(rows, np.float32).reshape(-1, 1 + len(PlayedNote._fields))
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        np.savez(file, levels=np.stack(levels), notes=table, sizes=json.dumps(sizes))


def read_stem_shard(path: Path) -> list[list[Stem]]:
    """Read the players of each mix of a shard."""
    with np.load(path, allow_pickle=False) as file:
        levels, table, sizes = file["levels"], file["notes"], json.loads(str(file["sizes"]))
    notes: list[list[PlayedNote]] = [[] for _ in levels]
    for number, onset_s, offset_s, pitch, velocity, program in table.tolist():
        note = PlayedNote(onset_s, offset_s, int(pitch), int(velocity), int(program))
        notes[int(number)].append(note)
    stems = [
        Stem(middle, side, tuple(played))
        for (middle, side), played in zip(levels, notes, strict=True)
    ]
    ends = np.cumsum(sizes).tolist()
    return [stems[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def _levels_of(player: PlayedPart, vqt: DualWindowVqt) -> LevelBytes:
    """Return middle and side [channel, window, frame, bin]."""
    if player.side is None:
        raise ValueError(f"{player.recipe} was not heard in a room")
    channels = np.stack([_of_clip_length(player.sound), _of_clip_length(player.side)])
    with torch.inference_mode():
        levels = vqt(torch.from_numpy(USUAL_RMS * channels))
    return np.asarray(np.rint(levels.numpy() * STEPS_PER_LEVEL).clip(0, 255), np.uint8)


def _of_clip_length(sound: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    length = int(CLIP_S * SAMPLE_RATE_HZ)
    return np.pad(sound, (0, max(0, length - len(sound))))[:length].astype(np.float32)
