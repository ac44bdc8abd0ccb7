"""Breaths through diatonic harmonicas, and how their reeds sound."""

from dataclasses import replace

import numpy as np
import pytest

from core.training.curve_synth import SAMPLE_RATE_HZ
from core.training.harmonica import HOLES, Breath, Harp, play_breaths
from core.training.performance import Performance
from core.training.performer import Performer, random_performer

IN_C = Harp(60)
DURATION_S = 3.0


def plain() -> Performer:
    """A player in tune who does nothing but breathe."""
    return replace(
        random_performer(np.random.default_rng(0), "harmonica"),
        tuning_semitones=0.0,
        drift_semitones=0.0,
        vibrato_semitones=0.0,
        scoop_share=0.0,
        fall_share=0.0,
        bend_share=0.0,
        grace_share=0.0,
        click_share=0.0,
        breath_share=0.0,
        ghost_share=0.0,
        flutter_depth=0.0,
        second_reed_cents=0.0,
        leak=0.0,
        noise=0.0,
        even_gain=1.0,
    )


def played(*breaths: Breath, performer: Performer | None = None, seed: int = 0) -> Performance:
    rng = np.random.default_rng(seed)
    return play_breaths(rng, IN_C, breaths, performer or plain(), duration_s=DURATION_S)


def chord(onset_s: float, offset_s: float, *holes: int, is_drawn: bool = False) -> Breath:
    return Breath(onset_s, offset_s, holes, is_drawn, 90)


def level_between(sound: np.ndarray, start_s: float, end_s: float) -> float:
    stretch = sound[int(start_s * SAMPLE_RATE_HZ) : int(end_s * SAMPLE_RATE_HZ)]
    return float(np.sqrt(np.mean(stretch.astype(np.float64) ** 2)))


def level_of_pitch(sound: np.ndarray, pitch: float, start_s: float, end_s: float) -> float:
    """How much of the fundamental of a pitch a stretch holds."""
    stretch = sound[int(start_s * SAMPLE_RATE_HZ) : int(end_s * SAMPLE_RATE_HZ)]
    turns = 440 * 2 ** ((pitch - 69) / 12) * np.arange(len(stretch)) / SAMPLE_RATE_HZ
    wave = np.exp(-2j * np.pi * turns) * np.hanning(len(stretch))
    return float(np.abs(np.mean(stretch * wave)))


@pytest.mark.parametrize(
    ("is_drawn", "names"), [(False, "C E G C E G C E G C"), (True, "D G B D F A B D F A")]
)
def test_a_harp_in_c_is_tuned_after_richter(is_drawn: bool, names: str) -> None:
    classes = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
    pitches = [IN_C.pitch(hole, is_drawn=is_drawn) for hole in range(HOLES)]
    assert [pitch % 12 for pitch in pitches] == [classes[name] for name in names.split()]
    assert pitches == sorted(pitches)


def test_reeds_bend_as_far_as_on_a_richter_harp() -> None:
    drawn = [IN_C.deepest_bend(hole, is_drawn=True) for hole in range(HOLES)]
    blown = [IN_C.deepest_bend(hole, is_drawn=False) for hole in range(HOLES)]
    assert drawn == [1, 2, 3, 1, 0, 1, 0, 0, 0, 0]
    assert blown == [0, 0, 0, 0, 0, 0, 0, 1, 1, 2]


@pytest.mark.parametrize(
    ("hole", "is_drawn", "upper"),
    [(0, False, 3), (6, False, 9), (7, False, None), (0, True, 3), (1, True, None), (2, True, 6)],
)
def test_octaves_are_split_within_reach_of_the_mouth(
    hole: int, is_drawn: bool, upper: int | None
) -> None:
    assert IN_C.octave_over(hole, is_drawn=is_drawn) == upper


def test_reeds_of_a_chord_speak_together() -> None:
    notes = played(chord(0.5, 1.0, 0, 1, 2), chord(1.2, 1.5, 1, 2, 3, 4, is_drawn=True)).notes
    assert sorted(note.pitch for note in notes if note.onset_s < 1.0) == [60, 64, 67]
    onsets_s = [note.onset_s for note in notes if note.onset_s > 1.0]
    assert len(onsets_s) == 4
    assert max(onsets_s) - min(onsets_s) < 0.005


@pytest.mark.parametrize("pitch", [60, 64, 67])
def test_all_reeds_of_a_chord_are_heard(pitch: int) -> None:
    sound = played(chord(0.5, 1.5, 0, 1, 2)).samples
    beside = level_of_pitch(sound, pitch + 1.5, 0.7, 1.4)
    assert level_of_pitch(sound, pitch, 0.7, 1.4) > 5 * beside


@pytest.mark.parametrize("seed", range(4))
def test_a_repeated_chord_dips_between(seed: int) -> None:
    sound = played(chord(0.5, 0.999, 1, 2, 3), chord(1.0, 1.5, 1, 2, 3), seed=seed).samples
    held = min(level_between(sound, 0.7, 0.8), level_between(sound, 1.2, 1.3))
    dips = [level_between(sound, at_s, at_s + 0.01) for at_s in np.arange(0.96, 1.04, 0.005)]
    assert min(dips) < 0.7 * held


def test_a_joined_repetition_is_written_twice_and_ends_where_the_next_begins() -> None:
    first, second = played(chord(0.5, 0.999, 2, 3), chord(1.0, 1.5, 2, 3)).notes[::2]
    assert first.offset_s == pytest.approx(second.onset_s, abs=0.005)


def test_a_slap_is_heard_but_not_written() -> None:
    slap = replace(chord(0.97, 0.999, 0, 1, 2), is_slap=True)
    single = Breath(1.0, 1.6, (2,), is_drawn=False, velocity=90)
    quick = replace(plain(), attack_s=0.01)
    with_slap = played(slap, single, performer=quick)
    assert [note.pitch for note in with_slap.notes] == [67]
    assert level_of_pitch(with_slap.samples, 60, 0.96, 1.01) > 3 * level_of_pitch(
        played(single, performer=quick).samples, 60, 0.96, 1.01
    )


def test_a_bend_slides_without_a_new_attack() -> None:
    straight = Breath(0.5, 1.199, (2,), is_drawn=True, velocity=90)
    bent = Breath(1.2, 1.9, (2,), is_drawn=True, velocity=90, bent=2, is_slid=True)
    performance = played(straight, bent, performer=replace(plain(), glide_s=0.08, dip=1.0))
    assert [note.pitch for note in performance.notes] == [71, 69]
    sound = performance.samples
    half_way = level_of_pitch(sound, 70, 1.17, 1.23)
    assert half_way > level_of_pitch(sound, 71, 1.17, 1.23)
    assert half_way > level_of_pitch(sound, 69, 1.17, 1.23)
    levels = [level_between(sound, at_s, at_s + 0.02) for at_s in np.arange(1.1, 1.3, 0.01)]
    assert min(levels) > 0.4 * max(levels)


def test_a_leaking_neighbour_is_heard_but_not_written() -> None:
    singles = [
        Breath(at_s, at_s + 0.25, (4,), is_drawn=False, velocity=90)
        for at_s in np.arange(0.2, 2.6, 0.3)
    ]
    tight = played(*singles)
    leaky = played(*singles, performer=replace(plain(), leak=0.2))
    assert {note.pitch for note in leaky.notes} == {76}
    beside = [72, 79]  # the holes below and above
    tight_level, leaky_level = (
        max(level_of_pitch(performance.samples, pitch, 0.2, 2.6) for pitch in beside)
        for performance in (tight, leaky)
    )
    assert leaky_level > 2 * tight_level


def test_one_seed_gives_one_performance() -> None:
    breaths = chord(0.5, 1.0, 0, 1), Breath(1.0, 1.4, (3,), is_drawn=True, velocity=80)
    first, second = played(*breaths, seed=3), played(*breaths, seed=3)
    assert first.notes == second.notes
    assert (first.samples == second.samples).all()
