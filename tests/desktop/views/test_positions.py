import pytest

from core.score.tempo import Meter, TempoMap, constant_tempo
from desktop.views.positions import bars_text, clock_text, note_name, tick_label


@pytest.mark.parametrize(
    ("at_s", "text"),
    [
        (0.0, "00:00.000"),
        (12.48, "00:12.480"),
        (59.9996, "01:00.000"),
        (3725.5, "1:02:05.500"),
        (-0.25, "-00:00.250"),
        (-0.0001, "00:00.000"),
    ],
)
def test_clock_shows_minutes_seconds_milliseconds(at_s, text):
    assert clock_text(at_s) == text


@pytest.mark.parametrize(
    ("at_s", "text"),
    [
        (1.0, "1.1.000"),
        (1.5, "1.2.000"),
        (3.0, "2.1.000"),
        (3.0625, "2.1.120"),
        (0.5, "0.4.000"),
        (2.99999, "2.1.000"),
    ],
)
def test_bars_count_from_the_first_downbeat(at_s, text):
    assert bars_text(constant_tempo(120.0, first_downbeat_s=1.0), at_s) == text


def test_six_eight_counts_six_beats_of_480_ticks():
    tempo = constant_tempo(120.0, meter=Meter(6, 8))
    assert bars_text(tempo, 1.25) == "1.6.000"
    assert bars_text(tempo, 1.5) == "2.1.000"


def test_default_tempo_starts_at_bar_one():
    assert bars_text(TempoMap(), 0.0) == "1.1.000"


@pytest.mark.parametrize(
    ("at_s", "step_s", "text"),
    [
        (0.0, 10, "0:00"),
        (90.0, 30, "1:30"),
        (3661.0, 60, "1:01:01"),
        (20.5, 0.5, "0:20.5"),
        (61.25, 0.05, "1:01.25"),
        (0.125, 0.005, "0:00.125"),
    ],
)
def test_ruler_labels_have_no_more_digits_than_their_distance_needs(at_s, step_s, text):
    assert tick_label(at_s, step_s) == text


@pytest.mark.parametrize(("pitch", "name"), [(60, "C4"), (69, "A4"), (0, "C-1"), (127, "G9")])
def test_middle_c_is_c4(pitch, name):
    assert note_name(pitch) == name
