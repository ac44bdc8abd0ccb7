"""Close looks at the notes of training clips."""

import json
from pathlib import Path

import numpy as np

from core.features.note_patches import PATCH_SHAPE
from core.training.note_stock import NoteStock, stock_of
from core.training.part import NO_PROGRAM

PIANO, GUITAR, BASS = 0, 25, 33
FRAMES = 600


def shard(folder: Path, **notes_of_recipe: list[tuple[float, int, int]]) -> Path:
    """A clip per recipe, its notes as (onset_s, pitch, program); "and" stands for a plus."""
    rows = [
        (clip, onset_s, onset_s + 0.5, pitch, 90, program)
        for clip, notes in enumerate(notes_of_recipe.values())
        for onset_s, pitch, program in notes
    ]
    rng = np.random.default_rng(0)
    levels = rng.random((len(notes_of_recipe), 2, FRAMES, 306)).astype(np.float16)
    recipes = [name.replace("_and_", "+") for name in notes_of_recipe]
    path = folder / "levels.npz"
    np.savez(path, vqt=levels, notes=np.array(rows, np.float32), meta=json.dumps(recipes))
    return path


def stock(path: Path, joined_clips: int = 0) -> NoteStock:
    return stock_of([path], np.random.default_rng(1), joined_clips=joined_clips)


def families(found: NoteStock) -> list[list[int]]:
    return [np.flatnonzero(row).tolist() for row in found.families]


def test_each_note_has_the_family_of_its_player(tmp_path: Path) -> None:
    found = stock(shard(tmp_path, a_and_b=[(1.0, 60, PIANO), (2.0, 40, BASS)]))
    assert dict(zip(found.pitches.tolist(), families(found), strict=True)) == {60: [0], 40: [4]}
    assert found.patches.shape == (2, *PATCH_SHAPE)


def test_players_in_unison_are_all_named(tmp_path: Path) -> None:
    found = stock(shard(tmp_path, a_and_b=[(1.0, 60, PIANO), (1.02, 60, GUITAR)]))
    assert families(found) == [[0, 3]]


def test_notes_of_unknown_players_are_left_out(tmp_path: Path) -> None:
    mix = [(1.0, 60, PIANO), (1.02, 60, NO_PROGRAM), (2.0, 62, NO_PROGRAM), (3.0, 64, PIANO)]
    assert stock(shard(tmp_path, a_and_b=mix)).pitches.tolist() == [64]


def test_solos_sound_together(tmp_path: Path) -> None:
    path = shard(tmp_path, piano=[(5.0, 60, PIANO)], bass=[(5.0, 40, BASS)])
    alone, joined = stock(path), stock(path, joined_clips=8)
    assert len(joined.pitches) > len(alone.pitches) + 8
    assert {tuple(names) for names in families(joined)} == {(0,), (4,)}


def test_a_clip_joined_with_others_is_louder(tmp_path: Path) -> None:
    path = shard(tmp_path, piano=[(5.0, 60, PIANO)])
    alone = np.median(stock(path).patches) if len(stock(path).pitches) else 50.0
    joined = stock(path, joined_clips=20).patches
    assert np.median(joined[-20:]) > alone
