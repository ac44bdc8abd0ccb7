import numpy as np
import pytest

from core.rhythm.fit import rounded_bpm, tempo_changes
from core.score.tempo import TempoChange, TempoMap


@pytest.mark.parametrize(
    ("bpm", "song_s", "typed"),
    [
        (119.98, 30.0, 120.0),
        (119.98, 600.0, 119.98),
        (120.04, 10.0, 120.0),
        (120.06, 10.0, 120.06),
        (93.456, 60.0, 93.46),
    ],
)
def test_integer_is_taken_only_where_it_moves_no_bar(
    bpm: float, song_s: float, typed: float
) -> None:
    assert rounded_bpm(bpm, song_s) == typed


def test_even_bars_need_one_tempo() -> None:
    assert tempo_changes(np.arange(0.0, 60.0, 2.0), 4.0) == (TempoChange(0.0, 120.0),)


def test_slight_unevenness_is_not_worth_a_change() -> None:
    bar_s = 2.0 * np.arange(40) + np.tile([0.004, -0.004], 20)

    assert len(tempo_changes(bar_s, 4.0)) == 1


def test_rounded_tempi_never_drift_from_the_bar_lines() -> None:
    bar_s = np.cumsum(2.0 + 0.2 * np.sin(np.arange(200) / 9.0))
    tempo = TempoMap(tempo_changes(bar_s, 4.0), first_downbeat_s=float(bar_s[0]))

    off_s = [tempo.beats_to_seconds(4.0 * bar) - at_s for bar, at_s in enumerate(bar_s)]

    assert np.abs(off_s).max() < 0.02
