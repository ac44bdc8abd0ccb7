"""Basses that are written too high come to the octave that sounds, and nothing else moves."""

import numpy as np
import pytest

from core.codec.bass_octave import with_bass_octaves
from core.score.note import NoteEvent

RATE = 16_000
BASS, PIANO = 33, 0


def plucked(pitch: int, *, seconds: float = 0.5) -> np.ndarray:
    """Return a bass string: eight partials, the lowest weakened as small speakers do."""
    at_s = np.arange(round(seconds * RATE)) / RATE
    hz = 440 * 2 ** ((pitch - 69) / 12)
    gains = [0.4, 1.0, 0.6, 0.5, 0.3, 0.2, 0.15, 0.1]
    tone = sum(gain * np.sin(2 * np.pi * hz * n * at_s) for n, gain in enumerate(gains, start=1))
    return (0.2 * tone * np.exp(-2 * at_s)).astype(np.float32)


def note(pitch: int, onset_s: float = 0.0, program: int = BASS) -> NoteEvent:
    return NoteEvent(onset_s, pitch, onset_s + 0.5, 100, program)


@pytest.mark.parametrize("sounding", [28, 33, 40, 47, 52])
@pytest.mark.parametrize("octaves_too_high", [0, 1, 2])
def test_a_bass_comes_to_the_octave_that_sounds(sounding: int, octaves_too_high: int) -> None:
    written = note(sounding + 12 * octaves_too_high)
    (found,) = with_bass_octaves([written], [plucked(sounding)], RATE)
    assert found == note(sounding)


@pytest.mark.parametrize("program", [0, 25, 43, 57])
def test_other_instruments_stay_where_they_are_written(program: int) -> None:
    written = note(52, program=program)
    assert with_bass_octaves([written], [plucked(40)], RATE) == (written,)


def test_drums_stay_where_they_are_written() -> None:
    hit = NoteEvent(0.0, 36, 0.01, 100, BASS, is_drum=True)
    assert with_bass_octaves([hit], [plucked(24)], RATE) == (hit,)


def test_no_bass_is_lowered_beneath_its_strings() -> None:
    written = note(30)
    assert with_bass_octaves([written], [plucked(18)], RATE) == (written,)


@pytest.mark.parametrize("size", [333, 4096])
def test_block_lengths_change_nothing_and_notes_keep_their_order(size: int) -> None:
    line = [40, 33, 45]
    sound = np.concatenate([plucked(pitch) for pitch in line])
    written = [note(pitch + 12, 0.5 * n) for n, pitch in enumerate(line)][::-1]
    blocks = [sound[start : start + size] for start in range(0, len(sound), size)]
    assert [n.pitch for n in with_bass_octaves(written, blocks, RATE)] == line[::-1]


def test_where_no_bass_plays_the_sound_is_not_read() -> None:
    def blocks():
        raise AssertionError("read")
        yield

    written = note(60, program=PIANO)
    assert with_bass_octaves([written], blocks(), RATE) == (written,)


@pytest.mark.parametrize("onset_s", [0.0, 99.0])
def test_where_nothing_sounds_nothing_moves(onset_s: float) -> None:
    written = note(52, onset_s)
    silence = np.zeros(RATE, np.float32)
    assert with_bass_octaves([written], [silence], RATE) == (written,)
