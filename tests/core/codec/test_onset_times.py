"""Sharp attacks are written at their peak, slow ones near where they begin."""

import numpy as np
import pytest

from core.codec.onset_times import half_risen_s, peak_times_s
from core.codec.posteriors_to_notes import DecodeOptions, PitchPosteriors, notes_from_pitch

FPS = 50.0


def risen(*values: float, peak: int) -> float:
    onset = np.array(values, np.float32)
    return float(half_risen_s(onset, np.array([peak]), FPS)[0] * FPS)


def test_a_peak_lies_between_frames() -> None:
    onset = np.array([0, 0.5, 0.9, 0.7, 0], np.float32)
    assert 2.0 < peak_times_s(onset, np.array([2]), FPS)[0] * FPS < 2.5


def test_half_of_a_sharp_rise_is_passed_just_before_the_peak() -> None:
    assert risen(0, 0, 0.8, 0, peak=2) == pytest.approx(1.5)


def test_half_of_a_slow_rise_is_passed_long_before() -> None:
    assert risen(0, 0.2, 0.5, 0.6, 0.7, 0.8, 0, peak=5) == pytest.approx(2 - 1 / 3, abs=0.01)


def test_a_rise_begins_where_the_onset_before_it_has_fallen() -> None:
    onset = np.array([0, 0.9, 0.6, 0.55, 0.6, 0.8, 0], np.float32)
    assert half_risen_s(onset, np.array([1, 5]), FPS) * FPS == pytest.approx([0.5, 3])


def test_a_rise_lasts_a_fifth_of_a_second_at_most() -> None:
    assert risen(*np.linspace(0.5, 0.9, 40), peak=39) == pytest.approx(29)


def test_a_rise_from_the_first_frame_begins_there() -> None:
    assert risen(0.9, 0.1, peak=0) == 0


@pytest.mark.parametrize(("rise_s", "onset_s"), [(0.0, 0.1), (0.02, 0.053), (0.5, 0.1)])
def test_a_note_starts_after_half_of_its_rise_and_at_its_peak_at_the_latest(
    rise_s: float, onset_s: float
) -> None:
    onset, frame = np.zeros((50, 88), np.float32), np.zeros((50, 88), np.float32)
    onset[:7, 48] = (0, 0.2, 0.5, 0.6, 0.7, 0.8, 0.7)
    frame[3:40, 48] = 0.9
    heard = PitchPosteriors(onset, frame, frame, FPS, 21)
    (note,) = notes_from_pitch(heard, DecodeOptions(rise_s=rise_s))
    assert note.onset_s == pytest.approx(onset_s, abs=0.004)
    assert note.offset_s == pytest.approx(0.8)
