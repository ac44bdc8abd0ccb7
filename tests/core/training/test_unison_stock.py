"""Close looks at the notes of stereo mixes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.models.note_unisons import MIDDLE, PATCH_SHAPE
from core.training import unison_stock
from core.training.note_stock import NoteStock
from core.training.part import NO_PROGRAM, PlayedNote
from core.training.stem_shards import LevelBytes
from core.training.unison_stock import unisons_of

PIANO, GUITAR, BASS = 0, 25, 33
FRAMES, BINS = 600, 306
Played = tuple[float, int, int]  # onset in seconds, pitch, program


def shard(folder: Path, *players: Sequence[Played], side: int = 60) -> Path:
    """One mix; each player's sound is the same noise, `side` of 100 steps of it at the sides."""
    rng = np.random.default_rng(0)
    levels: LevelBytes = rng.integers(0, 100, (len(players), 2, 2, FRAMES, BINS)).astype(np.uint8)
    levels[:, 1] = levels[:, 1] * side // 100
    rows = [
        (number, onset_s, onset_s + 0.5, pitch, 90, program)
        for number, notes in enumerate(players)
        for onset_s, pitch, program in notes
    ]
    path = folder / "stems.npz"
    table = np.array(rows, np.float32).reshape(-1, 1 + len(PlayedNote._fields))
    np.savez(path, levels=levels, notes=table, sizes=f"[{len(players)}]")
    return path


def stock(path: Path, mixes: int = 20) -> NoteStock:
    return unisons_of([path], np.random.default_rng(1), mixes=mixes)


def families(found: NoteStock) -> dict[int, set[tuple[int, ...]]]:
    """Who may play the notes of each pitch."""
    told: dict[int, set[tuple[int, ...]]] = {}
    for pitch, row in zip(found.pitches.tolist(), found.families, strict=True):
        told.setdefault(pitch, set()).add(tuple(np.flatnonzero(row).tolist()))
    return told


def test_each_note_has_the_family_of_its_player(tmp_path: Path) -> None:
    found = stock(shard(tmp_path, [(1.0, 60, PIANO)], [(2.0, 40, BASS)]))
    assert families(found) == {60: {(0,)}, 40: {(4,)}}
    assert found.patches.shape == (len(found.pitches), *PATCH_SHAPE)


def test_players_in_unison_are_all_named_and_alone_where_the_other_rests(tmp_path: Path) -> None:
    found = stock(shard(tmp_path, [(1.0, 60, PIANO)], [(1.02, 60, GUITAR)]), mixes=60)
    assert families(found) == {60: {(0, 3), (0,), (3,)}}


def test_notes_of_unknown_players_are_left_out(tmp_path: Path) -> None:
    unknown = [(1.0, 60, NO_PROGRAM), (2.0, 62, NO_PROGRAM)]
    found = stock(shard(tmp_path, [(1.0, 60, PIANO), (3.0, 64, PIANO)], unknown), mixes=60)
    assert families(found) == {60: {(0,)}, 64: {(0,)}}
    with pytest.raises(ValueError, match="nobody"):
        stock(shard(tmp_path, unknown))


def test_a_long_mix_gives_as_many_notes_as_a_short_one(tmp_path: Path) -> None:
    many = [(0.5 + 0.04 * number, 40 + number % 40, PIANO) for number in range(250)]
    assert len(stock(shard(tmp_path, many), mixes=1).pitches) == unison_stock.MOST_NOTES


def test_every_mix_has_another_balance(tmp_path: Path) -> None:
    found = stock(shard(tmp_path, [(1.0, 60, PIANO)], [(2.0, 40, BASS)]), mixes=40)
    piano = found.patches[found.pitches == 60].astype(float)
    levels = piano[:, MIDDLE].mean((1, 2, 3))
    apart = piano[:, MIDDLE.stop :].mean((1, 2, 3)) - levels
    assert levels.std() > 5
    assert apart.std() > 5


def test_who_stands_in_the_middle_without_a_room_is_heard_there_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unison_stock, "NARROW_SHARE", 1.0)
    monkeypatch.setattr(unison_stock, "OWN_WIDTH_SHARE", 0.0)
    monkeypatch.setattr(unison_stock, "NO_WIDTH_SHARE", 1.0)
    found = stock(shard(tmp_path, [(1.0, 60, PIANO)]))
    assert found.patches[:, MIDDLE].max() > 50
    assert found.patches[:, MIDDLE.stop :].max() == 0
