import numpy as np
import pytest

from core.score.note import NoteEvent
from desktop.playback.synth import render
from tests import make

RATE = 48_000


def sound_of(*notes, duration_s=1.0):
    return render(notes, sample_rate=RATE, duration_s=duration_s)[:, 0]


def loudest_hz(samples):
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return np.argmax(spectrum) * RATE / len(samples)


@pytest.mark.parametrize(("pitch", "frequency_hz"), [(69, 440.0), (60, 261.63), (40, 82.41)])
def test_a_note_sounds_at_its_pitch(pitch, frequency_hz):
    assert loudest_hz(sound_of(make.note(pitch, 0.0, 1.0))) == pytest.approx(frequency_hz, abs=1.5)


def test_a_note_sounds_when_it_sounds():
    samples = sound_of(make.note(60, 0.25, 0.5))
    assert not samples[: round(0.25 * RATE)].any()
    assert np.abs(samples[round(0.26 * RATE) : round(0.5 * RATE)]).max() > 0.05
    assert not samples[round(0.58 * RATE) :].any()


def test_velocity_is_loudness():
    soft = sound_of(make.note(60, 0.0, 0.5, 40))
    loud = sound_of(make.note(60, 0.0, 0.5, 120))
    assert np.abs(loud).max() > 3 * np.abs(soft).max()


def test_notes_start_and_end_without_a_click():
    assert np.abs(np.diff(sound_of(make.note(40, 0.1, 0.5)))).max() < 0.02


def test_a_bend_moves_the_pitch():
    bent = make.bent(69, 0.0, 1.0, (0.0, 2.0), (1.0, 2.0))
    assert loudest_hz(sound_of(bent)) == pytest.approx(440 * 2 ** (2 / 12), abs=1.5)


def test_a_bend_holds_until_the_next_as_in_a_synth():
    bent = make.bent(69, 0.0, 1.0, (0.0, 0.0), (0.6, 2.0))
    samples = sound_of(bent)
    before, after = samples[: round(0.6 * RATE)], samples[round(0.61 * RATE) :]
    assert loudest_hz(before) == pytest.approx(440, abs=2)
    assert loudest_hz(after) == pytest.approx(440 * 2 ** (2 / 12), abs=2)


def test_bends_do_not_click():
    bends = [(0.1 * step, 0.5 * (-1) ** step) for step in range(10)]
    straight, bent = make.note(69, 0.0, 1.0), make.bent(69, 0.0, 1.0, *bends)
    steepest = np.abs(np.diff(sound_of(straight))).max()
    assert np.abs(np.diff(sound_of(bent))).max() < 1.1 * steepest


@pytest.mark.parametrize("key", [36, 38, 42, 46, 45, 49, 51])
def test_every_drum_we_find_is_audible_and_short(key):
    samples = sound_of(NoteEvent(0.0, key, 0.05, 100, is_drum=True))
    assert np.abs(samples).max() > 0.02
    assert not samples[round(0.36 * RATE) :].any()


def test_a_note_beyond_the_end_is_cut():
    assert len(sound_of(make.note(60, 0.9, 2.0))) == RATE


def test_nothing_is_silence():
    assert not sound_of().any()
