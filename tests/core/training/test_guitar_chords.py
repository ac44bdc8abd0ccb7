"""A guitar accompanies as two hands can."""

from itertools import pairwise

import numpy as np
import pytest

from core.training.guitar_chords import OPEN_STRINGS, Stroke, comping

DURATION_S = 12.0


def strokes(seed: int) -> list[Stroke]:
    rng = np.random.default_rng(seed)
    return comping(rng, beat_s=0.5, duration_s=DURATION_S, roots=[0, 5, 7, 9])


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
