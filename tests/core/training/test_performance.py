"""Whole phrases of singers and players."""

from dataclasses import replace

import numpy as np
import pytest

from core.training.curve_synth import SAMPLE_RATE_HZ
from core.training.part import PlayedNote
from core.training.performance import Performance, perform
from core.training.performer import HABITS, Performer, PerformerKind, random_performer

PHRASE = [
    PlayedNote(0.5, 1.0, 60, 90),
    PlayedNote(1.0, 1.5, 64, 90),
    PlayedNote(2.0, 2.6, 62, 90),
]


def performed(performer: Performer, notes: list[PlayedNote], seed: int = 0) -> Performance:
    return perform(np.random.default_rng(seed), notes, performer, duration_s=3.0)


def plain(kind: PerformerKind, seed: int = 0) -> Performer:
    """A performer in tune who does nothing but play."""
    return replace(
        random_performer(np.random.default_rng(seed), kind),
        tuning_semitones=0.0,
        drift_semitones=0.0,
        vibrato_semitones=0.0,
        scoop_share=0.0,
        bend_share=0.0,
        grace_share=0.0,
        click_share=0.0,
        fall_share=0.0,
        tongue_share=0.0,
        consonant_share=0.0,
        breath_share=0.0,
        ghost_share=0.0,
        flutter_depth=0.0,
        second_reed_cents=0.0,
        leak=0.0,
        noise=0.0,
    )


def sounding_hz(sound: np.ndarray, start_s: float, length_s: float = 0.2) -> float:
    """The lag at which a stretch repeats itself best, as a frequency between 100 and 1000 Hz."""
    start = int(start_s * SAMPLE_RATE_HZ)
    stretch = sound[start : start + int(length_s * SAMPLE_RATE_HZ)].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(stretch, 4 * len(stretch))) ** 2
    likeness = np.fft.irfft(spectrum)
    lags = np.arange(SAMPLE_RATE_HZ // 1000, SAMPLE_RATE_HZ // 100)
    return float(SAMPLE_RATE_HZ / lags[np.argmax(likeness[lags])])


@pytest.mark.parametrize("kind", list(HABITS))
@pytest.mark.parametrize("seed", range(3))
def test_every_performer_sounds_while_its_labels_do(kind: PerformerKind, seed: int) -> None:
    performance = performed(random_performer(np.random.default_rng(seed), kind), PHRASE, seed)
    assert np.isfinite(performance.samples).all()
    peak = np.abs(performance.samples).max()
    for note in performance.notes:
        start, end = (int(at_s * SAMPLE_RATE_HZ) for at_s in (note.onset_s, note.offset_s))
        assert np.abs(performance.samples[start:end]).max() > 0.02 * peak


@pytest.mark.parametrize("kind", list(HABITS))
def test_a_note_sounds_at_its_pitch(kind: PerformerKind) -> None:
    performance = performed(plain(kind), PHRASE)
    assert sounding_hz(performance.samples, 0.65) == pytest.approx(261.6, rel=0.02)
    assert sounding_hz(performance.samples, 2.2) == pytest.approx(293.7, rel=0.02)


def test_a_glide_is_half_way_at_the_label() -> None:
    slow = replace(plain("singer"), glide_share=1.0, glide_s=0.16)
    performance = performed(slow, [PlayedNote(0.3, 1.2, 57, 90), PlayedNote(1.2, 2.2, 64, 90)])
    (_, second) = performance.notes
    half_way_hz = 440 * 2 ** ((60.5 - 69) / 12)
    middle_s = second.onset_s - 0.015
    heard_hz = sounding_hz(performance.samples, middle_s, length_s=0.03)
    assert heard_hz == pytest.approx(half_way_hz, rel=0.06)


def test_who_sings_a_semitone_flat_is_labelled_so() -> None:
    flat = replace(plain("singer"), tuning_semitones=-1.0)
    assert [note.pitch for note in performed(flat, PHRASE).notes] == [59, 63, 61]


def test_a_slow_attack_is_labelled_when_it_is_heard() -> None:
    slow = replace(plain("bow"), attack_s=0.2)
    (note,) = performed(slow, [PlayedNote(0.5, 1.5, 60, 90)]).notes
    assert 0.53 < note.onset_s < 0.6


def test_a_bent_note_is_one_note_that_comes_back() -> None:
    bending = replace(plain("harmonica"), bend_share=1.0, even_gain=1.0)
    (note,) = performed(bending, [PlayedNote(0.2, 2.4, 60, 90)]).notes
    assert (note.pitch, round(note.offset_s, 1)) == (60, 2.4)
    sound = performed(bending, [PlayedNote(0.2, 2.4, 60, 90)]).samples
    heard_hz = [sounding_hz(sound, at_s, 0.06) for at_s in np.arange(0.3, 2.3, 0.1)]
    assert heard_hz[0] == pytest.approx(261.6, rel=0.03)
    assert max(abs(np.log2(hz / 261.6)) for hz in heard_hz) > 0.2 / 12


def test_a_grace_note_is_heard_but_not_labelled() -> None:
    gracing = replace(plain("reed"), grace_share=1.0, attack_s=0.01)
    performance = performed(gracing, [PlayedNote(0.5, 1.5, 60, 90)])
    assert [note.pitch for note in performance.notes] == [60]
    before = performance.samples[int(0.47 * SAMPLE_RATE_HZ) : int(0.49 * SAMPLE_RATE_HZ)]
    assert np.abs(before).max() > 0.05 * np.abs(performance.samples).max()


@pytest.mark.parametrize("seed", range(4))
def test_a_pitch_that_is_repeated_in_a_phrase_is_heard_twice(seed: int) -> None:
    smooth = replace(plain("singer"), dip=0.0, glide_share=1.0)
    twice = [PlayedNote(0.5, 1.2, 60, 90), PlayedNote(1.2, 2.0, 60, 90)]
    sound = performed(smooth, twice, seed).samples
    levels = [
        np.abs(sound[int(at_s * SAMPLE_RATE_HZ) :][: SAMPLE_RATE_HZ // 100]).max()
        for at_s in np.arange(1.0, 1.4, 0.01)
    ]
    assert min(levels[15:25]) < 0.8 * min(levels[:10])


def test_one_seed_gives_one_performance() -> None:
    singer = random_performer(np.random.default_rng(4), "singer")
    first, second = performed(singer, PHRASE, 7), performed(singer, PHRASE, 7)
    assert first.notes == second.notes
    assert (first.samples == second.samples).all()
