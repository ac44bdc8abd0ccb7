import numpy as np
import pytest

from core.score.tempo import Meter, TempoChange, TempoMap, constant_tempo
from desktop.views.bar_grid import BarGrid
from desktop.views.time_columns import TimeColumns


def columns(start_s, end_s, count=1000):
    width_s = (end_s - start_s) / count
    return TimeColumns(round(start_s / width_s), count, width_s)


@pytest.fixture
def grid():
    return BarGrid(constant_tempo(120.0, first_downbeat_s=1.0), 60.0)


def test_bars_lie_two_seconds_apart_at_120(grid):
    lines_s = grid.bar_lines_s(columns(0.0, 10.0), min_px=10)
    assert lines_s.tolist() == pytest.approx([1.0, 3.0, 5.0, 7.0, 9.0])


def test_bars_thin_out_by_powers_of_two_and_keep_bar_one(grid):
    shown = grid.bar_indices(columns(0.0, 60.0), min_px=100)
    assert grid.bar_numbers[shown].tolist() == [1, 5, 9, 13, 17, 21, 25, 29]


def test_beats_vanish_before_they_crowd(grid):
    assert len(grid.beat_lines_s(columns(0.0, 10.0), min_px=50)) == 20
    assert len(grid.beat_lines_s(columns(0.0, 10.0), min_px=51)) == 0


def test_subdivisions_split_each_beat_in_four(grid):
    lines_s = grid.subdivision_lines_s(columns(3.0, 4.0), min_px=100)
    inside = lines_s[(lines_s > 3.0) & (lines_s < 3.5)]
    assert inside.tolist() == pytest.approx([3.125, 3.25, 3.375])


def test_three_eight_bars_have_three_beats():
    grid = BarGrid(constant_tempo(120.0, meter=Meter(3, 8)), 3.0)
    assert grid.bar_starts_s.tolist() == pytest.approx([0.0, 0.75, 1.5, 2.25, 3.0])
    assert grid.beat_starts_s[:4].tolist() == pytest.approx([0.0, 0.25, 0.5, 0.75])


def test_tempo_change_moves_later_bars():
    tempo = TempoMap((TempoChange(0.0, 120.0), TempoChange(4.0, 60.0)))
    assert BarGrid(tempo, 10.0).bar_starts_s.tolist() == pytest.approx([0.0, 2.0, 6.0, 10.0])


def test_song_without_length_has_no_lines():
    grid = BarGrid(TempoMap(), 0.0)
    assert np.array_equal(grid.beat_lines_s(columns(1.0, 2.0), min_px=5), [])
    assert np.array_equal(grid.bar_lines_s(columns(1.0, 2.0), min_px=5), [])
    assert np.array_equal(grid.subdivision_lines_s(columns(1.0, 2.0), min_px=5), [])
