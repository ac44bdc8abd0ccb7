"""SoundFonts play what they are asked to, and nothing else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.training.part import PlayedNote
from core.training.rooms import Room
from core.training.sound_sources import source_named
from core.training.soundfonts import SoundFont

FONT = source_named("csound").path
CHORD = [PlayedNote(0.0, 0.5, pitch, 127) for pitch in (48, 60, 67)]
VIBRAPHONE = 11  # rings on for seconds

pytestmark = pytest.mark.skipif(
    FONT is None or not Path(FONT).exists(), reason="the sound font is not installed"
)


@pytest.fixture
def font() -> SoundFont:
    assert FONT is not None
    return SoundFont(FONT)


def test_a_part_begins_in_silence_whatever_was_played_before(font: SoundFont) -> None:
    rings_on = font.play(VIBRAPHONE, CHORD, duration_s=0.507)
    assert rings_on is not None
    assert np.abs(rings_on[-100:]).max() > 0.01
    silence = font.play(VIBRAPHONE, [], duration_s=0.5)
    assert silence is not None
    assert np.abs(silence).max() < 1e-6


def test_a_font_opened_anew_plays_the_same_to_the_last_bit(font: SoundFont) -> None:
    assert FONT is not None
    first = [font.play(program, CHORD, duration_s=0.507) for program in (VIBRAPHONE, 0, 20)]
    other = SoundFont(FONT)
    again = [other.play(program, CHORD, duration_s=0.507) for program in (VIBRAPHONE, 0, 20)]
    for one, two in zip(first, again, strict=True):
        assert one is not None
        np.testing.assert_array_equal(one, two)


def room(**changed: object) -> Room:
    usual = Room(100, 60, True, True, size=0.7, damping=0.2, width=1.0, level=0.9)
    return replace(usual, **changed)  # type: ignore[arg-type]


def test_a_room_makes_a_sound_wider_and_longer(font: SoundFont) -> None:
    dry = font.play_in(room(has_reverb=False, has_chorus=False), 0, CHORD, duration_s=2.0)
    wet = font.play_in(room(), 0, CHORD, duration_s=2.0)
    assert dry is not None
    assert wet is not None
    assert dry.shape == wet.shape == (44_100, 2)
    assert np.abs(wet[:, 1]).mean() > 2 * np.abs(dry[:, 1]).mean()
    assert np.abs(wet[30_000:, 0]).mean() > np.abs(dry[30_000:, 0]).mean()


def test_after_a_room_a_part_is_dry_again(font: SoundFont) -> None:
    font.play(0, CHORD, duration_s=0.507)  # the first part of a synthesiser is its own
    before = font.play(0, CHORD, duration_s=0.507)
    font.play_in(room(), 0, CHORD, duration_s=0.507)
    after = font.play(0, CHORD, duration_s=0.507)
    assert before is not None
    assert after is not None
    np.testing.assert_array_equal(before, after)


def test_without_a_room_the_middle_is_what_one_channel_hears(font: SoundFont) -> None:
    font.play(0, CHORD, duration_s=0.507)
    dry = font.play_in(room(has_reverb=False, has_chorus=False), 0, CHORD, duration_s=0.507)
    mono = font.play(0, CHORD, duration_s=0.507)
    assert dry is not None
    assert mono is not None
    np.testing.assert_allclose(dry[:, 0], mono, atol=1e-6)


def test_a_program_that_the_font_lacks_is_in_no_room(font: SoundFont) -> None:
    assert font.play_in(room(), 128, CHORD, duration_s=0.1) is None
