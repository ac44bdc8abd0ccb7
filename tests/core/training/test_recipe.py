"""The one command that remakes the weights."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.models.checkpoint import load_weights, read_metadata
from core.models.drum_net import DrumNet
from core.models.family_head import StemAndFamilies
from core.models.note_families import NoteFamilies
from core.models.note_unisons import NoteUnisons
from core.training.curves import read_curve
from core.training.recipe import (
    DRUM_FILE,
    DRUMS_SHARE,
    FAMILY_FILE,
    LARGE_SHARE,
    PITCH_FILE,
    PITCHED_SHARE,
    SIZES,
    SMALL_SHARE,
    STEMS_SHARE,
    UNISON_FILE,
    WIDE_SHARE,
    Recipe,
    Size,
    make,
)
from core.training.shard_making import ShardPlan
from core.training.sound_sources import Use, sources_for
from core.training.train_pitch import CHOICES

SOUNDS = [
    source.path
    for source in sources_for(Use.RELEASE)
    if source.path is not None and not source.repository  # it goes without recorded notes
]
TINY = Size(
    "tiny",
    ShardPlan(
        streams=(1,),
        shards_per_stream=1,
        clips_per_shard=4,
        drum_shards=1,
        drum_clips_per_shard=2,
        own_kits=1,
        stem_shards=2,
        mixes_per_stem_shard=2,
    ),
    small_pitch_hours=0.01,
    large_pitch_hours=0.01,
    wide_pitch_hours=0.01,
    drum_hours=0.01,
    family_steps=20,
    unison_steps=20,
)


def test_no_two_seeds_share_a_stream() -> None:
    plans = [Recipe(seed).plan for seed in (1, 2, 3)]
    assert [plan.streams for plan in plans] == [(1, 2), (3, 4), (5, 6)]
    assert [plan.drum_seed for plan in plans] == [1, 2, 3]
    assert [plan.stem_seed for plan in plans] == [1, 2, 3]


@pytest.mark.parametrize("size", SIZES.values(), ids=lambda size: size.name)
def test_every_training_of_a_size_has_an_end(size: Size) -> None:
    recipe = Recipe(size=size)
    efforts = [
        recipe.pitch_effort(size.small_pitch_hours, SMALL_SHARE),
        recipe.pitch_effort(size.large_pitch_hours, LARGE_SHARE),
        recipe.pitch_effort(size.wide_pitch_hours, WIDE_SHARE),
        recipe.drum_effort,
    ]
    assert sum(effort.minutes for effort in efforts[:3]) <= size.minutes
    assert {effort.device for effort in efforts} == {size.device}


def test_all_shares_of_the_minutes_leave_time_to_start_and_write() -> None:
    training = SMALL_SHARE + LARGE_SHARE + WIDE_SHARE
    assert PITCHED_SHARE + DRUMS_SHARE + STEMS_SHARE + training == pytest.approx(0.92)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on a machine of one core
@pytest.mark.skipif(not all(path.exists() for path in SOUNDS), reason="sound fonts not installed")
@pytest.mark.parametrize(
    "size",
    [TINY, replace(TINY, name="quick", workers=2, minutes=0.05, pitch_drawers=1, drum_drawers=1,
                   pitch=replace(CHOICES, clips_per_batch=2))],
    ids=lambda size: size.name,
)  # fmt: skip
def test_a_tiny_recipe_makes_all_weights_files(size: Size, tmp_path: Path) -> None:
    recipe = Recipe(size=size)
    make(tmp_path, recipe)
    load_weights(StemAndFamilies(), tmp_path / PITCH_FILE)
    load_weights(NoteFamilies(), tmp_path / FAMILY_FILE)
    load_weights(NoteUnisons(), tmp_path / UNISON_FILE)
    load_weights(DrumNet(), tmp_path / DRUM_FILE)
    assert read_metadata(tmp_path / PITCH_FILE)["recipe"] == str(recipe)
    heard = read_curve(tmp_path / "wide_pitch_run")["heard_hours"][-1]
    assert heard >= (0.01 if size is TINY else 0)
    assert (tmp_path / "drum_run" / "curve.svg").exists()
