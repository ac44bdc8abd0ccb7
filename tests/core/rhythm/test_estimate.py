import pytest

from core.rhythm.estimate import estimate_tempo
from core.training.demo_song import tracks as demo_tracks


def test_demo_song_is_104_bpm_in_four_from_the_first_sample() -> None:
    estimate = estimate_tempo([], demo_tracks())

    assert estimate.tempo.bpm == pytest.approx(104.0, abs=0.05)
    assert estimate.tempo.is_constant
    assert str(estimate.tempo.meter) == "4/4"
    assert estimate.tempo.first_downbeat_s == 0.0
