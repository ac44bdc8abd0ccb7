import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.score.tempo import Meter, TempoChange, TempoMap, constant_tempo
from tests import make
from tests.strategies import tempo_maps


@pytest.mark.parametrize(
    ("beats_per_bar", "beat_unit", "quarters"), [(4, 4, 4.0), (3, 4, 3.0), (6, 8, 3.0), (7, 8, 3.5)]
)
def test_a_bar_counts_quarter_notes(beats_per_bar: int, beat_unit: int, quarters: float) -> None:
    meter = Meter(beats_per_bar, beat_unit)
    assert meter.quarters_per_bar == quarters
    assert str(meter) == f"{beats_per_bar}/{beat_unit}"


@pytest.mark.parametrize(("beats_per_bar", "beat_unit"), [(0, 4), (33, 4), (4, 0), (4, 3), (4, 64)])
def test_meters_that_no_bar_has_are_refused(beats_per_bar: int, beat_unit: int) -> None:
    with pytest.raises(ValueError, match="beat"):
        Meter(beats_per_bar, beat_unit)


@pytest.mark.parametrize("bpm", [19.99, 999.01, 0.0, -120.0, float("nan")])
def test_tempos_that_no_daw_takes_are_refused(bpm: float) -> None:
    with pytest.raises(ValueError, match="BPM"):
        TempoChange(0.0, bpm)


def test_a_map_starts_at_the_first_downbeat() -> None:
    with pytest.raises(ValueError, match="beat 0"):
        make.tempo_map((1.0, 120.0))


def test_a_map_has_at_least_one_tempo() -> None:
    with pytest.raises(ValueError, match="beat 0"):
        TempoMap(())


@pytest.mark.parametrize("beats", [(0.0, 4.0, 4.0), (0.0, 8.0, 4.0)])
def test_changes_rise(beats: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="rising"):
        make.tempo_map(*((beat, 120.0) for beat in beats))


CHANGING = make.tempo_map((0.0, 60.0), (4.0, 120.0), (8.0, 240.0), first_downbeat_s=1.0)


@pytest.mark.parametrize(
    ("at_s", "at_beats"),
    [(0.0, -1.0), (1.0, 0.0), (2.5, 1.5), (5.0, 4.0), (6.0, 6.0), (7.0, 8.0), (8.0, 12.0)],
)
def test_seconds_and_beats_follow_the_changes(at_s: float, at_beats: float) -> None:
    assert CHANGING.seconds_to_beats(at_s) == pytest.approx(at_beats)
    assert CHANGING.beats_to_seconds(at_beats) == pytest.approx(at_s)


@given(tempo_maps(), st.floats(-60.0, 3600.0))
def test_seconds_survive_the_way_over_beats(tempo: TempoMap, at_s: float) -> None:
    assert tempo.beats_to_seconds(tempo.seconds_to_beats(at_s)) == pytest.approx(at_s, abs=1e-6)


@given(tempo_maps(), st.lists(st.floats(-10.0, 600.0), min_size=2))
def test_later_seconds_are_later_beats(tempo: TempoMap, times_s: list[float]) -> None:
    beats = [tempo.seconds_to_beats(at_s) for at_s in sorted(times_s)]
    assert beats == sorted(beats)


def test_bars_are_numbered_from_the_first_downbeat() -> None:
    tempo = constant_tempo(120.0, meter=Meter(3, 4), first_downbeat_s=1.0)
    assert tempo.bar_starts_s(-1.0, 4.0) == [
        (0, pytest.approx(-0.5)),
        (1, pytest.approx(1.0)),
        (2, pytest.approx(2.5)),
        (3, pytest.approx(4.0)),
    ]


def test_bars_follow_tempo_changes() -> None:
    assert CHANGING.bar_starts_s(0.5, 7.5) == [
        (1, pytest.approx(1.0)),
        (2, pytest.approx(5.0)),
        (3, pytest.approx(7.0)),
    ]


@pytest.mark.parametrize(
    ("first_downbeat_s", "bars"), [(0.0, 0), (-1.0, 0), (0.001, 1), (2.0, 1), (2.001, 2), (9.0, 5)]
)
def test_bars_in_front_hold_what_sounds_before_the_first_downbeat(
    first_downbeat_s: float, bars: int
) -> None:
    assert constant_tempo(120.0, first_downbeat_s=first_downbeat_s).pickup_bars == bars


def test_a_constant_map_knows_that_it_is() -> None:
    assert constant_tempo(97.3).is_constant
    assert not CHANGING.is_constant
    assert (constant_tempo(97.3).bpm, CHANGING.bpm) == (97.3, 60.0)


def test_moving_the_first_downbeat_moves_every_bar() -> None:
    moved = CHANGING.with_first_downbeat(3.0)
    assert moved.beats_to_seconds(8.0) == pytest.approx(CHANGING.beats_to_seconds(8.0) + 2.0)
    assert moved.changes == CHANGING.changes


def test_another_meter_moves_no_beat() -> None:
    waltz = CHANGING.with_meter(Meter(3, 4))
    assert waltz.beats_to_seconds(8.0) == CHANGING.beats_to_seconds(8.0)
    assert waltz.meter == Meter(3, 4)
