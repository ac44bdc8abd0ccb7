"""The family head learns from notes whose player is known."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from core.models.stem_net import SMALL, StemNet
from core.training.feature_shards import read_pitch_shard
from core.training.part import NO_PROGRAM
from core.training.train_families import logits_of, train_families, vectors_of

PIANO, VIOLIN, HARMONICA, CHOIR = 0, 40, 22, 52
Row = tuple[int, float, float, int, int, int]  # clip, onset, offset, pitch, velocity, program


def shard(path: Path, rows: list[Row]) -> Path:
    """Two clips of 2 s: noise that grows in the first, dull noise in the second."""
    rng = np.random.default_rng(0)
    levels = rng.random((2, 2, 100, 306)).astype(np.float16)
    levels[1, :, :, 60:] *= np.float16(0.1)
    notes, recipes = np.array(rows, np.float32), json.dumps(["a", "b"])
    np.savez(path, vqt=levels, notes=notes, meta=recipes)
    return path


def families_in(path: Path) -> list[int]:
    return vectors_of(StemNet(SMALL), read_pitch_shard(path)).family.tolist()


@pytest.mark.parametrize(
    ("program", "family"), [(PIANO, 0), (VIOLIN, 5), (48, 5), (HARMONICA, 8), (CHOIR, 6)]
)
def test_a_note_is_looked_at_four_times(tmp_path: Path, program: int, family: int) -> None:
    rows: list[Row] = [(0, 0.5, 1.5, 60, 90, program)]
    assert families_in(shard(tmp_path / "a.npz", rows)) == [family] * 4


def test_a_short_note_is_looked_at_while_it_lasts(tmp_path: Path) -> None:
    rows: list[Row] = [(0, 0.5, 0.65, 60, 90, PIANO)]
    assert families_in(shard(tmp_path / "a.npz", rows)) == [0, 0]


def test_sounds_of_no_program_and_unisons_teach_nothing(tmp_path: Path) -> None:
    rows: list[Row] = [
        (0, 0.1, 1.5, 50, 90, PIANO),
        (0, 0.5, 1.5, 60, 90, NO_PROGRAM),
        (0, 0.5, 1.5, 62, 90, PIANO),
        (0, 0.5, 1.5, 62, 90, VIOLIN),
    ]
    assert families_in(shard(tmp_path / "a.npz", rows)) == [0] * 4


@pytest.mark.slow
def test_the_head_learns_to_tell_two_players(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = StemNet(SMALL)
    rows: list[Row] = [
        (clip, 0.2, 1.9, pitch, 90, (PIANO, VIOLIN)[clip])
        for clip in (0, 1)
        for pitch in range(45, 90)
    ]
    path = shard(tmp_path / "a.npz", rows)
    head = train_families(network, [path] * 2, seed=1)
    vectors = vectors_of(network, read_pitch_shard(path))
    with torch.inference_mode():
        answers = logits_of(head, vectors.heard.float()).argmax(1)
    assert (answers == vectors.family).float().mean() > 0.9
