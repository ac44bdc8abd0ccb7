"""A guitar accompanies as two hands can."""

from itertools import pairwise

import numpy as np
import pytest

from core.training.guitar_chords import OPEN_STRINGS, Stroke, comping, fingerpicking
from core.training.song import Harmony, Song, random_song

DURATION_S = 12.0


def song(seed: int) -> Song:
    return random_song(np.random.default_rng(seed), DURATION_S)


def strokes(seed: int) -> list[Stroke]:
    return comping(np.random.default_rng(seed), song(seed), duration_s=DURATION_S)


def picked(seed: int) -> list[Stroke]:
    return fingerpicking(np.random.default_rng(seed), song(seed), duration_s=DURATION_S)


@pytest.mark.parametrize("seed", range(8))
def test_a_stroke_is_what_six_strings_allow(seed: int) -> None:
    for stroke in strokes(seed):
        pitches = [string.pitch for string in stroke.strings]
        assert len(set(pitches)) == len(pitches) <= len(OPEN_STRINGS)
        assert all(40 <= pitch <= 64 + 15 for pitch in pitches)


@pytest.mark.parametrize("seed", range(8))
def test_strokes_follow_each_other_and_end_with_the_part(seed: int) -> None:
    played = strokes(seed)
    assert len(played) > 8
    assert max(stroke.at_s for stroke in played) < DURATION_S + 0.1
    gaps_s = [after.at_s - stroke.at_s for stroke, after in pairwise(played)]
    assert np.median(gaps_s) > 0.1


def test_some_patterns_have_strokes_across_damped_strings() -> None:
    damped = [sum(not stroke.strings for stroke in strokes(seed)) for seed in range(20)]
    assert 0 < sum(count > 0 for count in damped) < 20


def test_a_strum_runs_over_the_strings() -> None:
    spread = [
        max(string.late_s for string in stroke.strings)
        for seed in range(10)
        for stroke in strokes(seed)
        if len(stroke.strings) > 3
    ]
    assert 0.002 < float(np.median(spread)) < 0.1


def test_chords_are_those_of_the_song() -> None:
    c_major = Song(0.5, 0.0, 0, (0, 2, 4), (Harmony(0.0, 0, (0, 4, 7)),))
    played = comping(np.random.default_rng(0), c_major, duration_s=DURATION_S)
    classes = {string.pitch % 12 for stroke in played for string in stroke.strings}
    assert {0, 7} <= classes


@pytest.mark.parametrize("seed", range(8))
def test_picked_strings_ring_into_each_other(seed: int) -> None:
    notes = [(stroke.at_s, string) for stroke in picked(seed) for string in stroke.strings]
    rings = [
        at_s + string.sounding_s > later_s + 0.02
        for (at_s, string), (later_s, _) in pairwise(notes)
    ]
    assert len(notes) > 8
    assert float(np.mean(rings)) > 0.4


def test_the_body_is_knocked_at_times() -> None:
    knocks = [sum(not stroke.strings for stroke in picked(seed)) for seed in range(20)]
    assert 0 < sum(count > 0 for count in knocks) < 20
