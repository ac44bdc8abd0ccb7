"""Clips of sounds that no training heard."""

import pytest

from core.training.evaluate import LabelledClip
from core.training.sound_sources import Use, sources_for
from core.training.unheard import unheard_clips

SOURCES = [source.path for source in sources_for(Use.TEST_ONLY) if source.path is not None]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not all(path.exists() for path in SOURCES), reason="sounds not installed"),
]


@pytest.fixture(scope="module")
def clips() -> list[LabelledClip]:
    return list(unheard_clips(2))


def test_every_sound_font_and_the_kits_are_played(clips: list[LabelledClip]) -> None:
    assert {clip.name.split("_")[0] for clip in clips} == {"opl3", "tim", "kits"}


def test_pitched_clips_bring_notes_and_drum_clips_hits(clips: list[LabelledClip]) -> None:
    for clip in clips:
        assert bool(clip.notes) == (not clip.name.startswith("kits"))
        assert bool(clip.drum_hits) == clip.name.startswith("kits")


def test_the_same_clips_come_every_time(clips: list[LabelledClip]) -> None:
    (first, *_) = unheard_clips(1)
    assert first.notes == clips[0].notes
