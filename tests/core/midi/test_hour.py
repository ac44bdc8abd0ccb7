"""An hour of clicks, written and read back: the promise of section 8.6 for both timings."""

import pytest

from core.midi.write import MidiOptions, Timing
from core.score.tempo import TempoMap, constant_tempo
from tests.benchmarks.bench_midi import a_tempo_per_bar, largest_click_error_s

HOUR_S = 3600.0


@pytest.mark.slow
@pytest.mark.parametrize("timing", list(Timing))
@pytest.mark.parametrize(
    "tempo",
    [
        constant_tempo(120.0),
        constant_tempo(139.7, first_downbeat_s=0.731),  # the worst rounding to whole microseconds
        constant_tempo(63.21, first_downbeat_s=2.0),
        a_tempo_per_bar(HOUR_S),
    ],
    ids=["120", "139.7", "63.21", "a tempo per bar"],
)
def test_after_an_hour_each_click_is_within_a_millisecond(tempo: TempoMap, timing: Timing) -> None:
    assert largest_click_error_s(tempo, MidiOptions(timing=timing), until_s=HOUR_S) < 0.001
