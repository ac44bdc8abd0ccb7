"""The one command that remakes the weights."""

from pathlib import Path

import pytest

from core.models.checkpoint import load_weights, read_metadata
from core.models.drum_net import DrumNet
from core.models.family_head import StemAndFamilies
from core.training.curves import read_curve
from core.training.recipe import DRUM_FILE, PITCH_FILE, Recipe, make
from core.training.shard_making import ShardPlan
from core.training.sound_sources import Use, sources_for

SOUNDS = [source.path for source in sources_for(Use.RELEASE) if source.path is not None]
TINY = Recipe(
    small_pitch_hours=0.01,
    pitch_hours=0.01,
    further_pitch_hours=0.01,
    drum_hours=0.01,
    plan=ShardPlan(
        streams=(1,),
        shards_per_stream=1,
        clips_per_shard=4,
        drum_shards=1,
        drum_clips_per_shard=2,
        own_kits=1,
    ),
)


@pytest.mark.slow
@pytest.mark.skipif(not all(path.exists() for path in SOUNDS), reason="sound fonts not installed")
def test_a_tiny_recipe_makes_both_weights_files(tmp_path: Path) -> None:
    make(tmp_path, TINY)
    load_weights(StemAndFamilies(), tmp_path / PITCH_FILE)
    load_weights(DrumNet(), tmp_path / DRUM_FILE)
    assert read_metadata(tmp_path / PITCH_FILE)["recipe"] == str(TINY)
    assert read_curve(tmp_path / "pitch_run")["heard_hours"][-1] >= 0.01
