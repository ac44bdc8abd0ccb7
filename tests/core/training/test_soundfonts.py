"""SoundFonts play what they are asked to, and nothing else."""

from pathlib import Path

import numpy as np
import pytest

from core.training.part import PlayedNote
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
