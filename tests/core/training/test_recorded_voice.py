"""A phrase goes on through recorded notes: its pitch and loudness are the player's own."""

from dataclasses import replace

import numpy as np
import pytest

from core.training.curve_synth import CONTROLS_PER_S, SAMPLE_RATE_HZ
from core.training.part import PlayedNote
from core.training.performance import perform
from core.training.performer import random_performer
from core.training.recorded_voice import RecordedVoice, played, voice_of
from core.training.soundfont_file import Preset, Zone

ATTACK_S, NOISE_HZ = 0.03, 7000.0
OBOE = 68


def zone(pitch: int) -> Zone:
    """A second of a pitch; it begins with a hiss, as no other part of it sounds."""
    at_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    tone = np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * at_s)
    hiss = np.sin(2 * np.pi * NOISE_HZ * at_s)
    sound = (8000 * np.where(at_s < ATTACK_S, hiss, tone)).astype(np.int16)
    loop = SAMPLE_RATE_HZ // 2, SAMPLE_RATE_HZ
    return Zone(sound, pitch, (0, 127), (0, 127), 0.1, loop)


@pytest.fixture
def voice() -> RecordedVoice:
    found = voice_of(Preset("oboe", OBOE, tuple(zone(pitch) for pitch in range(60, 73))))
    assert found is not None
    return found


def sung(voice: RecordedVoice, pitch: np.ndarray, level: np.ndarray) -> np.ndarray:
    level[: int(0.1 * CONTROLS_PER_S)] = 0
    return played(
        np.random.default_rng(0), voice, pitch.astype(np.float32), level.astype(np.float32)
    )


def heard_hz(sound: np.ndarray, from_s: float, length_s: float = 0.3) -> float:
    part = sound[int(from_s * SAMPLE_RATE_HZ) :][: int(length_s * SAMPLE_RATE_HZ)]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 1 << 17))
    return float(np.argmax(spectrum) * SAMPLE_RATE_HZ / (1 << 17))


def hisses(sound: np.ndarray) -> int:
    """How many times a note was struck."""
    hop = int(ATTACK_S * SAMPLE_RATE_HZ / 2)
    blocks = sound[: len(sound) // hop * hop].reshape(-1, hop)
    bins = np.abs(np.fft.rfft(blocks * np.hanning(hop)))
    share = bins[:, int(0.9 * NOISE_HZ * hop / SAMPLE_RATE_HZ) :].sum(1) / (bins.sum(1) + 1e-9)
    is_hiss = (share > 0.5) & (np.abs(blocks).max(1) > 0.05)
    return int((np.diff(is_hiss.astype(int), prepend=0) == 1).sum())


def test_it_sounds_at_the_pitch_and_for_as_long_as_it_is_asked(voice: RecordedVoice) -> None:
    controls = int(4 * CONTROLS_PER_S)
    sound = sung(voice, np.full(controls, 66.5), np.full(controls, 0.5))
    for from_s in (0.2, 1.5, 3.5):
        assert heard_hz(sound, from_s) == pytest.approx(440 * 2 ** (-2.5 / 12), rel=0.01)
    level = [np.abs(sound[int(at * SAMPLE_RATE_HZ) :][:4000]).max() for at in (0.2, 1.5, 3.5)]
    assert level == pytest.approx([level[0]] * 3, rel=0.1)


def test_a_slide_goes_through_the_notes_without_striking_them(voice: RecordedVoice) -> None:
    controls = int(2 * CONTROLS_PER_S)
    pitch = np.interp(np.arange(controls) / CONTROLS_PER_S, [0.8, 1.2], [60, 72])
    sound = sung(voice, pitch, np.full(controls, 0.5))
    assert heard_hz(sound, 0.3) == pytest.approx(261.6, rel=0.01)
    assert heard_hz(sound, 1.5) == pytest.approx(523.3, rel=0.01)
    assert hisses(sound) == 1
    assert np.abs(sound[int(0.8 * SAMPLE_RATE_HZ) : int(1.2 * SAMPLE_RATE_HZ)]).min() < 0.1


def test_a_tongued_note_is_struck_anew(voice: RecordedVoice) -> None:
    at_s = np.arange(int(2 * CONTROLS_PER_S)) / CONTROLS_PER_S
    level = 0.5 * (1 - 0.9 * np.exp(-(((at_s - 1.0) / 0.02) ** 2)))
    assert hisses(sung(voice, np.full(len(at_s), 64.0), level)) == 2


def test_silence_stays_silent(voice: RecordedVoice) -> None:
    controls = int(CONTROLS_PER_S)
    assert not sung(voice, np.full(controls, 64.0), np.zeros(controls)).any()


def test_what_dies_away_is_no_voice() -> None:
    assert voice_of(Preset("harp", 46, (replace(zone(60), loop=None),))) is None


def test_a_performer_plays_on_it(voice: RecordedVoice) -> None:
    rng = np.random.default_rng(2)
    performer = replace(random_performer(rng, "reed"), tuning_semitones=0.0, drift_semitones=0.0)
    notes = [PlayedNote(0.2, 0.8, 62, 90), PlayedNote(1.0, 1.6, 67, 90)]
    own = perform(np.random.default_rng(5), notes, performer, duration_s=2.0)
    theirs = perform(np.random.default_rng(5), notes, performer, duration_s=2.0, voice=voice)
    assert [note.pitch for note in theirs.notes] == [note.pitch for note in own.notes]
    assert heard_hz(theirs.samples, 0.4) == pytest.approx(293.7, rel=0.03)
    assert heard_hz(theirs.samples, 1.2) == pytest.approx(392.0, rel=0.03)
