from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.midi.ticks import (
    DOWNBEAT_AT_START_S,
    TempoEvent,
    average_bpm,
    beats_to_ticks,
    bpm_to_tempo_us,
    conformed_grid,
    pickup_grid,
    recorded_grid,
    tempo_events,
    tempo_us_to_bpm,
    ticks_to_beats,
)
from core.score.tempo import TempoMap, constant_tempo
from tests import make
from tests.strategies import tempo_maps


@pytest.mark.parametrize(
    ("at_beats", "ppq", "ticks"),
    [(0.0, 960, 0), (1.0, 960, 960), (2.5, 480, 1200), (1 / 3, 960, 320)],
)
def test_beats_become_the_nearest_tick(at_beats: float, ppq: int, ticks: int) -> None:
    assert beats_to_ticks(at_beats, ppq=ppq) == ticks


@given(st.integers(0, 10**8), st.sampled_from([480, 960]))
def test_ticks_survive_the_way_over_beats(ticks: int, ppq: int) -> None:
    assert beats_to_ticks(ticks_to_beats(ticks, ppq=ppq), ppq=ppq) == ticks


@pytest.mark.parametrize(
    ("bpm", "tempo_us"),
    [(120.0, 500_000), (97.3, 616_650), (140.0, 428_571), (5.0, 3_000_000), (2000.0, 60_060)],
)
def test_tempo_is_the_nearest_microsecond_within_20_to_999_bpm(bpm: float, tempo_us: int) -> None:
    assert bpm_to_tempo_us(bpm) == tempo_us


@given(st.integers(60_061, 3_000_000))
def test_tempo_values_survive_the_way_over_bpm(tempo_us: int) -> None:
    assert bpm_to_tempo_us(tempo_us_to_bpm(tempo_us)) == tempo_us


@given(tempo_maps(), st.floats(0.0, 600.0))
def test_seconds_survive_the_way_over_ticks_within_half_a_tick(
    tempo: TempoMap, at_s: float
) -> None:
    grid = conformed_grid(tempo)
    back = grid.exact_ticks(grid.ticks_to_seconds(grid.seconds_to_ticks(at_s)))
    assert abs(back - grid.exact_ticks(at_s)) <= 0.5 + 1e-6


@given(tempo_maps())
def test_audio_never_starts_before_the_file(tempo: TempoMap) -> None:
    assert conformed_grid(tempo).exact_ticks(0.0) >= -1e-2


@given(tempo_maps())
def test_bars_in_front_are_whole_and_fewer_than_would_hold_a_further_one(tempo: TempoMap) -> None:
    grid = conformed_grid(tempo)
    bars = grid.shift_beats / tempo.meter.quarters_per_bar
    assert bars == pytest.approx(round(bars))
    assert bars == 0 or grid.exact_ticks(0.0) <= grid.bar_ticks + 1e-2


@pytest.mark.parametrize("first_downbeat_s", [0.0, 0.0099, -0.0099])
def test_a_first_downbeat_within_10_ms_of_the_start_needs_no_bar_in_front(
    first_downbeat_s: float,
) -> None:
    grid = conformed_grid(constant_tempo(120.0, first_downbeat_s=first_downbeat_s))
    assert grid.seconds_to_ticks(0.0) == 0
    assert grid.shift_beats == 0


def test_the_first_downbeat_lies_on_the_next_bar_line_after_the_audio_starts() -> None:
    grid = conformed_grid(constant_tempo(120.0, first_downbeat_s=2.5))
    assert grid.seconds_to_ticks(2.5) == 2 * 4 * 960
    assert grid.seconds_to_ticks(0.0) == 3 * 960


def test_audio_that_starts_after_the_first_downbeat_keeps_its_place_in_the_bar() -> None:
    grid = conformed_grid(constant_tempo(120.0, first_downbeat_s=-0.5))
    assert grid.seconds_to_ticks(0.0) == 960


@given(tempo_maps(), st.floats(0.0, 600.0))
def test_in_a_pickup_grid_ticks_play_at_the_seconds_of_the_audio(
    tempo: TempoMap, at_s: float
) -> None:
    grid = pickup_grid(tempo)
    assert grid.seconds_to_ticks(0.0) == 0
    assert grid.ticks_to_seconds(grid.exact_ticks(at_s)) == pytest.approx(at_s, abs=1e-6)
    assert grid.pickup_beats < tempo.meter.quarters_per_bar


@given(tempo_maps())
def test_a_pickup_grid_has_the_musics_bars(tempo: TempoMap) -> None:
    grid = pickup_grid(tempo)
    # Later than beat 0: before it the tempo of the first bar holds, which may be an average.
    later_s = max(0.0, tempo.first_downbeat_s) + 1.0
    bar_s = grid.ticks_to_seconds(grid.bar_line_after(grid.seconds_to_ticks(later_s)))
    quarters = tempo.meter.quarters_per_bar
    nearest = round(tempo.seconds_to_beats(bar_s) / quarters) * quarters
    assert tempo.beats_to_seconds(nearest) == pytest.approx(bar_s, abs=0.0161)


def test_recorded_timing_starts_where_the_audio_starts() -> None:
    grid = recorded_grid(constant_tempo(120.0, first_downbeat_s=0.7), until_s=100.0)
    assert grid.seconds_to_ticks(0.0) == 0
    assert grid.seconds_to_ticks(1.0) == 2 * 960


def test_the_average_of_a_tempo_map_keeps_the_length() -> None:
    tempo = make.tempo_map((0.0, 60.0), (60.0, 120.0))  # 60 s at 60 BPM, then 60 s at 120
    assert average_bpm(tempo, until_s=120.0) == 90.0


def test_one_tempo_needs_one_event_in_a_song_of_usual_length() -> None:
    grid = conformed_grid(constant_tempo(140.0))
    assert tempo_events(grid, end_ticks=600 * 960) == [TempoEvent(0, 428_571)]


def test_each_tempo_of_a_map_is_written_where_it_begins() -> None:
    grid = conformed_grid(make.tempo_map((0.0, 120.0), (8.0, 97.3), (16.0, 140.0)))
    assert tempo_events(grid, end_ticks=32 * 960) == [
        TempoEvent(0, 500_000),
        TempoEvent(8 * 960, 616_650),
        TempoEvent(16 * 960, 428_571),
    ]


def test_of_two_tempos_on_one_tick_the_later_holds() -> None:
    grid = conformed_grid(make.tempo_map((0.0, 120.0), (7.9999, 100.0), (8.0, 60.0)))
    assert tempo_events(grid, end_ticks=16 * 960) == [
        TempoEvent(0, 500_000),
        TempoEvent(8 * 960, 1_000_000),
    ]


def test_corrections_of_a_long_tempo_lie_on_bar_lines() -> None:
    grid = conformed_grid(make.tempo_map((0.0, 120.0), (6.5, 139.7)))
    ticks = [event.at_ticks for event in tempo_events(grid, end_ticks=10_000 * 960)]
    assert ticks[:2] == [0, 6240]
    assert len(ticks) > 4
    assert all(at_ticks % (4 * 960) == 0 for at_ticks in ticks[2:])


@given(tempo_maps())
def test_there_is_at_most_one_tempo_per_bar(tempo: TempoMap) -> None:
    grid = conformed_grid(tempo)
    end_ticks = grid.bar_line_after(grid.seconds_to_ticks(300.0))
    bars = [event.at_ticks // grid.bar_ticks for event in tempo_events(grid, end_ticks)]
    assert len(bars) == len(set(bars))


@given(tempo_maps())
def test_bar_lines_keep_their_seconds_when_a_bar_had_several_tempos(tempo: TempoMap) -> None:
    if abs(tempo.first_downbeat_s) < DOWNBEAT_AT_START_S:
        tempo = tempo.with_first_downbeat(0.0)
    quarters = tempo.meter.quarters_per_bar
    last_bar = ceil(tempo.changes[-1].at_beat / quarters)
    grid = conformed_grid(tempo)
    for bar in range(last_bar + 2):
        assert grid.tempo.beats_to_seconds(bar * quarters) == pytest.approx(
            tempo.beats_to_seconds(bar * quarters), abs=1e-6
        )


@given(tempo_maps())
def test_rounded_tempos_put_the_file_at_most_half_a_millisecond_off_for_each_tick_rounded(
    tempo: TempoMap,
) -> None:
    grid = conformed_grid(tempo)
    end_ticks = 40_000 * 960
    events = tempo_events(grid, end_ticks)
    half_tick_s = 0.5 * 60 / min(change.bpm for change in grid.tempo.changes) / 960
    file_s = grid.ticks_to_seconds(0)
    for event, following in zip(events, [*events[1:], None], strict=True):
        stop_ticks = following.at_ticks if following else end_ticks
        file_s += (stop_ticks - event.at_ticks) * event.tempo_us / 1e6 / grid.ppq
        assert abs(file_s - grid.ticks_to_seconds(stop_ticks)) < 0.0004 + 2 * half_tick_s


def test_an_hour_at_one_tempo_stays_within_half_a_millisecond() -> None:
    grid = conformed_grid(constant_tempo(139.7))
    end_ticks = grid.seconds_to_ticks(3600.0)
    events = tempo_events(grid, end_ticks)
    stops = [event.at_ticks for event in events[1:]] + [end_ticks]
    file_s = 0.0
    for event, stop_ticks in zip(events, stops, strict=True):
        file_s += (stop_ticks - event.at_ticks) * event.tempo_us / 1e6 / 960
        assert abs(file_s - grid.ticks_to_seconds(stop_ticks)) < 0.0005
