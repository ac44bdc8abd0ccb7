"""The licence rule of the release weights."""

import json
from pathlib import Path

import pytest

from core.models.checkpoint import read_metadata
from core.training.recorded_notes import BANKS, sources_of
from core.training.shard_making import FONT_SHARES
from core.training.sound_sources import (
    ARRANGEMENTS,
    KITS,
    SNARES,
    SoundSource,
    Use,
    at_hand,
    source_named,
    sources_for,
)

MODELS = Path(__file__).resolve().parents[3] / "resources" / "models"
FREE = (
    "MIT",
    "CC0-1.0",
    "public domain",
    "MIT (parts CC0 or public domain)",
    "public domain (voices CC0)",
)


@pytest.mark.parametrize(
    "source", [*sources_for(Use.RELEASE), *SNARES, *KITS], ids=lambda source: source.name
)
def test_release_weights_hear_only_free_sounds(source: SoundSource) -> None:
    assert source.licence in FREE


@pytest.mark.parametrize("song", ARRANGEMENTS, ids=lambda source: source.name)
def test_songs_are_free_too(song: SoundSource) -> None:
    assert song.licence == "BSD-3-Clause"
    assert song.use is Use.RELEASE


def test_what_is_missing_is_named_with_the_way_to_get_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    there = SoundSource("there", tmp_path, "MIT", "", "", Use.RELEASE)
    elsewhere = SoundSource("elsewhere", tmp_path / "no", "MIT", "", "a-package", Use.RELEASE)
    assert at_hand([there, elsewhere]) == [there]
    assert "'elsewhere'" in caplog.text
    assert "apt-get install a-package" in caplog.text


@pytest.mark.parametrize("name", FONT_SHARES)
def test_the_recipe_draws_only_from_release_sources(name: str) -> None:
    sources = sources_of(name) if name in BANKS else [source_named(name)]
    assert sources
    assert {source.use for source in sources} == {Use.RELEASE}


@pytest.mark.parametrize("source", sources_for(Use.RELEASE), ids=lambda source: source.name)
def test_every_source_says_how_to_get_it(source: SoundSource) -> None:
    assert source.path is None or source.debian_package or str(source.path) in source.way_to_get


@pytest.mark.parametrize(
    "file",
    [
        "pitch_v7.safetensors",
        "families_v5.safetensors",
        "unisons_v1.safetensors",
        "drums_v4.safetensors",
    ],
)
def test_weights_name_what_they_heard(file: str) -> None:
    heard = json.dumps(read_metadata(MODELS / file).get("heard", ""))
    assert "Frank Wen" in heard
    assert "GPL" not in heard
