"""What repeats is surer."""

import numpy as np
import numpy.typing as npt
import pytest

from core.codec.repetition import borne_out

FPS = 100.0
WEIGHT = 3.0


def strokes(
    *at_frames: int, sure: float = 0.9, frames: int = 1200, drums: int = 2
) -> npt.NDArray[np.float32]:
    rows = np.full((drums, frames), 0.01, np.float32)
    rows[0, list(at_frames)] = sure
    return rows


def test_a_weak_stroke_where_others_repeat_becomes_surer() -> None:
    groove = strokes(*range(50, 1200, 50))
    groove[0, 600] = 0.4
    assert borne_out(groove, FPS, weight=WEIGHT)[0, 600] > 0.6


def test_a_lone_stroke_off_the_groove_becomes_less_sure() -> None:
    groove = strokes(*range(50, 1200, 50))
    groove[0, 623] = 0.6
    assert borne_out(groove, FPS, weight=WEIGHT)[0, 623] < 0.5


def test_other_drums_tell_where_the_bar_repeats() -> None:
    groove = strokes(*range(50, 1200, 200), *range(130, 1200, 200))
    groove[1, [90, 290, 490, 890, 1090]] = 0.9
    groove[1, 690] = 0.35
    assert borne_out(groove, FPS, weight=WEIGHT)[1, 690] > 0.5


@pytest.mark.parametrize("frames", [0, 1, 7, 100])
def test_clips_too_short_to_repeat_stay_as_they_are(frames: int) -> None:
    heard = strokes(frames=frames)
    heard[0, frames // 2 : frames // 2 + 1] = 0.7
    assert borne_out(heard, FPS, weight=WEIGHT) == pytest.approx(heard, abs=1e-3)


def test_time_may_be_loose() -> None:
    rng = np.random.default_rng(1)
    loose = strokes(*(frame + int(rng.integers(-1, 2)) for frame in range(50, 1200, 50)))
    loose[0, 599:602] = 0.01
    loose[0, 600] = 0.4
    assert borne_out(loose, FPS, weight=WEIGHT)[0, 600] > 0.5


def test_no_weight_changes_nothing() -> None:
    groove = strokes(*range(50, 1200, 50))
    assert borne_out(groove, FPS, weight=0.0) == pytest.approx(groove, abs=1e-3)
