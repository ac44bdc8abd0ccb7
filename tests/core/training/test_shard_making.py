"""Shards are the same whoever makes them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.training.calibration import Calibration, write_calibrations
from core.training.recorded_notes import BANKS
from core.training.shard_making import (
    FONT_SHARES,
    Makers,
    ShardPlan,
    audio_shard,
    make_pitched_shards,
    make_stem_shards,
)
from core.training.sound_sources import source_named

FONTS = [source_named(name).path for name in FONT_SHARES if name not in BANKS]
PLAN = ShardPlan(streams=(1, 2), shards_per_stream=2, clips_per_shard=2)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(path is not None and path.exists() for path in FONTS),
        reason="sound fonts not installed",
    ),
]


def calibrated(folder: Path) -> Path:
    """A folder whose presets all pass for instant ones, which takes no time to measure."""
    folder.mkdir()
    for name in FONT_SHARES:
        write_calibrations(
            folder / f"calibration_{name}.json",
            {
                program: Calibration(program, (60,), (0.0,), (3.0,), (0.1,), 0.0)
                for program in range(112)
            },
        )
    return folder


def contents(shards: list[Path]) -> list[bytes]:
    """What is in the shards and in the audio beside them."""
    every = [shard.with_name(shard.name.replace("levels", kind)) for shard in shards
             for kind in ("levels", "audio")]  # fmt: skip
    arrays = []
    for shard in every:
        with np.load(shard, allow_pickle=False) as file:
            arrays += [file[name].tobytes() for name in sorted(file.files)]
    return arrays


@pytest.fixture(scope="module")
def made_alone(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_pitched_shards(calibrated(tmp_path_factory.mktemp("alone") / "pitched"), PLAN)


def test_two_processes_make_the_same_shards(made_alone: list[Path], tmp_path: Path) -> None:
    made = make_pitched_shards(calibrated(tmp_path / "pitched"), PLAN, Makers(processes=2))
    assert [shard.name for shard in made] == [shard.name for shard in made_alone]
    assert contents(made) == contents(made_alone)


def test_what_was_interrupted_becomes_the_same(made_alone: list[Path], tmp_path: Path) -> None:
    folder = calibrated(tmp_path / "pitched")
    for shard in made_alone[:3]:
        (folder / shard.name).write_bytes(shard.read_bytes())
    made = make_pitched_shards(folder, PLAN)
    last = made_alone[3]
    assert made[3].read_bytes() == last.read_bytes()
    assert audio_shard(folder, 2, 1).read_bytes() == audio_shard(last.parent, 2, 1).read_bytes()


def test_when_time_is_over_one_shard_of_each_stream_is_left(tmp_path: Path) -> None:
    folder = calibrated(tmp_path / "pitched")
    made = make_pitched_shards(folder, PLAN, Makers(minutes=1e-6))
    assert [shard.name for shard in made] == ["levels_1_000.npz", "levels_2_000.npz"]
    again = make_pitched_shards(folder, PLAN, Makers(minutes=1e-6))
    assert again == made


def test_stem_shards_are_the_same_whoever_makes_them(tmp_path: Path) -> None:
    plan = replace(PLAN, stem_shards=2, mixes_per_stem_shard=1)
    pitched = calibrated(tmp_path / "pitched")
    alone = make_stem_shards(tmp_path / "alone", pitched, plan)
    both = make_stem_shards(tmp_path / "both", pitched, plan, Makers(processes=2))
    assert [path.name for path in alone] == ["stems_1_000.npz", "stems_1_001.npz"]
    assert [path.read_bytes() for path in alone] == [path.read_bytes() for path in both]
    assert make_stem_shards(tmp_path / "alone", pitched, plan) == alone


def test_when_time_is_over_one_stem_shard_is_left(tmp_path: Path) -> None:
    plan = replace(PLAN, stem_shards=2, mixes_per_stem_shard=1)
    pitched = calibrated(tmp_path / "pitched")
    made = make_stem_shards(tmp_path / "stems", pitched, plan, Makers(minutes=1e-6))
    assert [path.name for path in made] == ["stems_1_000.npz"]
