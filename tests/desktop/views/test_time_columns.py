import numpy as np
import pytest

from desktop.views.time_columns import TimeColumns


def test_columns_span_their_stretch_of_the_song():
    columns = TimeColumns(first=200, count=100, seconds_per_column=0.5)
    assert (columns.start_s, columns.end_s) == (100.0, 150.0)


def test_one_time_and_an_array_of_times_agree():
    columns = TimeColumns(first=30, count=100, seconds_per_column=0.1)
    times_s = np.array([3.0, 3.04, 3.06, 12.9])
    assert columns.x_of(times_s).tolist() == [columns.x_at(at_s) for at_s in times_s.tolist()]
    assert columns.x_of(times_s).tolist() == [0, 0, 1, 99]


@pytest.mark.parametrize("first", range(95, 105))
def test_width_of_a_note_does_not_change_while_it_scrolls(first):
    columns = TimeColumns(first=first, count=400, seconds_per_column=0.0173)
    left, right = columns.x_of(np.array([2.511, 3.027])).tolist()
    assert right - left == 30


def test_far_away_times_do_not_overflow():
    columns = TimeColumns(first=0, count=1000, seconds_per_column=0.001)
    assert columns.x_of(np.array([-1e9, 1e9])).tolist() == [-1000, 2000]
