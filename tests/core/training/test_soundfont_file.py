"""A bank of recorded notes is played by the synthesiser as it was recorded."""

from pathlib import Path

import numpy as np
import pytest

from core.training.part import PlayedNote
from core.training.soundfont_file import Preset, Zone, write_soundfont
from core.training.soundfonts import SAMPLE_RATE_HZ, SoundFont

PIANO, FLUTE, SAX = 0, 73, 65


def tone(frequency_hz: float, length_s: float = 2.0) -> np.ndarray:
    at_s = np.arange(int(length_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (16_000 * np.sin(2 * np.pi * frequency_hz * at_s)).astype(np.int16)


def heard_hz(sound: np.ndarray) -> float:
    middle = sound[len(sound) // 4 : len(sound) // 2]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 1 << 17))
    return float(np.argmax(spectrum) * SAMPLE_RATE_HZ / (1 << 17))


@pytest.fixture
def font(tmp_path: Path) -> SoundFont:
    piano = Preset(
        "soft and loud",
        PIANO,
        (
            Zone(tone(220), 57, (0, 62), (0, 63), 0.2),
            Zone(tone(330), 57, (0, 62), (64, 127), 0.2),
            Zone(tone(440), 69, (63, 127), (0, 127), 0.2),
        ),
    )
    sax = Preset("another", SAX, (Zone(tone(550), 60, (0, 127), (0, 127), 0.05),))
    loop = SAMPLE_RATE_HZ // 10, SAMPLE_RATE_HZ // 5
    flute = Preset("held", FLUTE, (Zone(tone(220, 0.2), 57, (0, 127), (0, 127), 0.05, loop),))
    path = tmp_path / "bank.sf2"
    write_soundfont(path, "three instruments", [piano, sax, flute], sample_rate_hz=SAMPLE_RATE_HZ)
    try:
        return SoundFont(path)
    except OSError:
        pytest.skip("libfluidsynth is not installed")


def played(font: SoundFont, program: int, pitch: int, velocity: int = 90) -> np.ndarray:
    sound = font.play(program, [PlayedNote(0.0, 0.9, pitch, velocity)], duration_s=1.5)
    assert sound is not None
    return sound


@pytest.mark.parametrize(
    ("program", "pitch", "velocity", "frequency_hz"),
    [
        (PIANO, 57, 30, 220),
        (PIANO, 57, 100, 330),
        (PIANO, 69, 30, 440),
        (PIANO, 81, 100, 880),
        (SAX, 72, 100, 1100),
    ],
)
def test_a_note_sounds_as_its_zone_moved_to_its_pitch(
    font: SoundFont, program: int, pitch: int, velocity: int, frequency_hz: float
) -> None:
    assert heard_hz(played(font, program, pitch, velocity)) == pytest.approx(frequency_hz, rel=0.01)


def test_a_note_ends_within_its_release(font: SoundFont) -> None:
    sound = played(font, SAX, 60)
    assert np.abs(sound[int(0.97 * SAMPLE_RATE_HZ) :]).max() < 1e-3 * np.abs(sound).max()


def test_a_loop_sounds_for_as_long_as_the_key_is_held(font: SoundFont) -> None:
    sound = played(font, FLUTE, 57)
    held = sound[int(0.5 * SAMPLE_RATE_HZ) : int(0.85 * SAMPLE_RATE_HZ)]
    assert np.abs(held).max() > 0.9 * np.abs(sound).max()
    assert heard_hz(sound) == pytest.approx(220, rel=0.01)
    assert np.abs(sound[int(1.0 * SAMPLE_RATE_HZ) :]).max() < 1e-3 * np.abs(sound).max()


def test_a_program_that_is_not_in_it_is_not_played(font: SoundFont) -> None:
    assert font.play(40, [PlayedNote(0.0, 0.5, 60, 90)], duration_s=1.0) is None
