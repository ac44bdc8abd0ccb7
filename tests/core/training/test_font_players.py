"""Parts on SoundFonts, as large and small instruments."""

from pathlib import Path

import numpy as np
import pytest

from core.training.calibration import Calibration
from core.training.families import FAMILY_NAMED
from core.training.font_players import TunedFont
from core.training.part import Part, PlayedNote
from core.training.sound_sources import source_named
from core.training.soundfonts import SAMPLE_RATE_HZ, SoundFont

FONT = source_named("csound").path
FLUTE, PITCH, DURATION_S = 73, 69, 1.5
PART = Part([PlayedNote(0.25, 1.25, PITCH, 90)])


@pytest.fixture(scope="module")
def font() -> TunedFont:
    if FONT is None or not Path(FONT).exists():
        pytest.skip("the sound font is not installed")
    late = Calibration(FLUTE, (60,), (0.08,), (3.0,), (0.2,), 0.0)
    return TunedFont("csound", SoundFont(FONT), {FLUTE: late}, 1.0)


@pytest.mark.parametrize("steps", [-5, 0, 4])
def test_an_instrument_of_another_size_plays_the_same_note(font: TunedFont, steps: int) -> None:
    sound = font.play(FLUTE, PART, DURATION_S, smaller_steps=steps)
    assert sound is not None
    assert len(sound) == pytest.approx(DURATION_S * SAMPLE_RATE_HZ, abs=4)
    held = sound[int(0.6 * SAMPLE_RATE_HZ) : int(1.1 * SAMPLE_RATE_HZ)]
    spectrum = np.abs(np.fft.rfft(held * np.hanning(len(held)), 1 << 17))
    loudest_hz = np.argmax(spectrum) * SAMPLE_RATE_HZ / (1 << 17)
    octaves = np.log2(loudest_hz / 440.0)
    assert octaves == pytest.approx(round(octaves), abs=0.02)
    quiet, loud = sound[: int(0.2 * SAMPLE_RATE_HZ)], np.abs(held).max()
    assert np.abs(quiet).max() < 0.02 * loud


def test_it_does_not_sound_the_same(font: TunedFont) -> None:
    usual = font.play(FLUTE, PART, DURATION_S)
    small = font.play(FLUTE, PART, DURATION_S, smaller_steps=5)
    assert usual is not None
    assert small is not None
    length = min(len(usual), len(small))
    assert np.corrcoef(usual[:length], small[:length])[0, 1] < 0.95


def test_a_smaller_instrument_speaks_sooner(font: TunedFont) -> None:
    family = FAMILY_NAMED["pipe"]
    usual = font.heard(FLUTE, PART, family)[0]
    small = font.heard(FLUTE, PART, family, smaller_steps=12)[0]
    assert usual.onset_s == pytest.approx(0.25 + 0.08)
    assert small.onset_s == pytest.approx(0.25 + 0.04)
    assert (small.pitch, small.program) == (PITCH, FLUTE)


def test_a_program_that_the_font_lacks_is_silent(font: TunedFont) -> None:
    assert font.play(-1, PART, DURATION_S) is None
