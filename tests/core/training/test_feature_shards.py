"""Shards read back what was written."""

import json
from pathlib import Path

import numpy as np

from core.training.feature_shards import read_pitch_shard
from core.training.part import NO_PROGRAM, PlayedNote


def shard_with(rows: list[list[float]], path: Path) -> Path:
    levels = np.zeros((2, 2, 10, 306), np.float16)
    np.savez(path, vqt=levels, notes=np.array(rows, np.float32), meta=json.dumps(["a", "b"]))
    return path


def test_notes_return_to_their_clip_with_their_program(tmp_path: Path) -> None:
    rows = [[0, 0.5, 1.0, 60, 90, 24], [1, 0.25, 0.5, 62, 80, NO_PROGRAM]]
    shard = read_pitch_shard(shard_with(rows, tmp_path / "shard.npz"))
    assert shard.notes == (
        (PlayedNote(0.5, 1.0, 60, 90, 24),),
        (PlayedNote(0.25, 0.5, 62, 80, NO_PROGRAM),),
    )


def test_a_shard_without_programs_is_read_too(tmp_path: Path) -> None:
    shard = read_pitch_shard(shard_with([[0, 0.5, 1.0, 60, 90]], tmp_path / "shard.npz"))
    assert shard.notes[0][0].program == NO_PROGRAM


def test_levels_keep_their_shape(tmp_path: Path) -> None:
    shard = read_pitch_shard(shard_with([[0, 0.5, 1.0, 60, 90]], tmp_path / "shard.npz"))
    assert shard.levels.shape == (2, 2, 10, 306)
    assert shard.recipes == ("a", "b")
