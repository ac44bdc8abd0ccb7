"""Clips of several players, with and without a sound font."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from core.training.calibration import Calibration
from core.training.font_players import TunedFont
from core.training.part import NO_PROGRAM
from core.training.pitched_clips import CLIP_S, PitchedClip, PitchedClipMaker
from core.training.recorded_voice import Held, RecordedVoice
from core.training.sound_sources import source_named
from core.training.soundfonts import SAMPLE_RATE_HZ, SoundFont

pytestmark = pytest.mark.slow

FONT = source_named("csound").path
CLIPS = 24


@pytest.fixture(scope="module")
def clips() -> list[PitchedClip]:
    maker = maker_of_clips()
    return [maker.clip() for _ in range(CLIPS)]


def maker_of_clips(*, in_rooms: bool = False) -> PitchedClipMaker:
    if FONT is None or not Path(FONT).exists():
        pytest.skip("the sound font is not installed")
    instant = {
        program: Calibration(program, (60,), (0.0,), (3.0,), (0.1,), 0.0) for program in range(112)
    }
    fonts = (TunedFont("csound", SoundFont(FONT), instant, 1.0),)
    at_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    tone = np.sin(2 * np.pi * 220 * at_s).astype(np.float32)
    voices = [
        RecordedVoice(program, (Held(57, tone, (10_000, 20_000)),)) for program in (53, 65, 73)
    ]
    return PitchedClipMaker(np.random.default_rng(3), fonts, voices=voices, in_rooms=in_rooms)


def test_players_of_a_mix_can_be_had_one_by_one_in_rooms() -> None:
    maker = maker_of_clips(in_rooms=True)
    mixes = [maker.players() for _ in range(6)]
    assert min(map(len, mixes)) >= 2
    players = [player for mix in mixes for player in mix]
    assert all(player.side is not None for player in players)
    assert sum(player.side is not None and bool(player.side.any()) for player in players) >= 8
    assert all(player.notes or player.recipe == "drums" for player in players)


def test_clips_are_of_one_length_and_sound(clips: list[PitchedClip]) -> None:
    assert {len(clip.samples) for clip in clips} == {int(CLIP_S * SAMPLE_RATE_HZ)}
    assert min(float(np.abs(clip.samples).max()) for clip in clips) > 0.1


def test_labels_lie_in_the_clip_and_on_the_keyboard(clips: list[PitchedClip]) -> None:
    notes = [note for clip in clips for note in clip.notes]
    assert min(note.onset_s for note in notes) >= 0
    assert max(note.offset_s for note in notes) <= CLIP_S
    assert min(note.pitch for note in notes) >= 21
    assert max(note.pitch for note in notes) <= 108


def test_all_ways_to_make_a_sound_are_drawn(clips: list[PitchedClip]) -> None:
    ways = Counter(
        "font" if ":" in part else part.split("-")[0]
        for clip in clips
        for part in clip.recipe.split("+")
    )
    assert {"font", "own", "performer", "recorded", "drums"} <= set(ways)


def test_notes_of_named_instruments_carry_their_program(clips: list[PitchedClip]) -> None:
    for clip in clips:
        parts = [part for part in clip.recipe.split("+") if part != "drums"]
        programs = {note.program for note in clip.notes}
        if all(":" in part for part in parts):
            assert NO_PROGRAM not in programs
        if all(part.startswith("own") for part in parts):
            assert programs <= {NO_PROGRAM}


def test_players_of_a_mix_keep_one_pulse(clips: list[PitchedClip]) -> None:
    """Onsets of different programs meet far more often than if one of them were out of time."""
    assert share_that_meet(clips, late_s=0.0) > 1.5 * share_that_meet(clips, late_s=0.07)


def share_that_meet(clips: list[PitchedClip], *, late_s: float) -> float:
    met: list[bool] = []
    for clip in clips:
        programs = {note.program for note in clip.notes} - {NO_PROGRAM}
        for program in programs:
            others = np.array([n.onset_s for n in clip.notes if n.program not in (program, -1)])
            if len(others):
                own = np.array([n.onset_s for n in clip.notes if n.program == program])
                met += (np.abs(own[:, None] + late_s - others).min(1) < 0.03).tolist()
    return float(np.mean(met))
