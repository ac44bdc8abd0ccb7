from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.rhythm.flux import heard_onsets
from core.rhythm.onsets import KICKS

RATE = 44_100


def written(path: Path, onsets_s: list[float], length_s: float, hz: float = 880.0) -> Path:
    samples = np.zeros(round(length_s * RATE))
    tone = np.sin(2 * np.pi * hz * np.arange(RATE // 4) / RATE) * np.exp(
        -np.arange(RATE // 4) / 4000
    )
    for at_s in onsets_s:
        start = round(at_s * RATE)
        samples[start : start + len(tone)] += 0.5 * tone[: len(samples) - start]
    soundfile.write(path, samples, RATE)
    return path


@pytest.mark.parametrize("at_s", [0.5, 1.234, 9.99, 10.004, 19.5])
def test_onset_is_heard_within_10_ms_also_between_two_blocks(tmp_path: Path, at_s: float) -> None:
    path = written(tmp_path / "tone.wav", [0.3, at_s], 21.0)

    heard = heard_onsets([path])

    assert np.abs(heard.at_s - at_s).min() < 0.01


def test_stems_of_different_length_are_heard_together(tmp_path: Path) -> None:
    short = written(tmp_path / "short.wav", [1.0, 2.0], 3.0)
    long = written(tmp_path / "long.wav", [1.5, 4.0], 5.0)

    heard = heard_onsets([short, long])

    for at_s in (1.0, 1.5, 2.0, 4.0):
        assert np.abs(heard.at_s - at_s).min() < 0.01


def test_low_onsets_count_as_kick_drum(tmp_path: Path) -> None:
    low = written(tmp_path / "low.wav", [1.0, 2.0, 3.0], 4.0, hz=60.0)

    heard = heard_onsets([low])

    kicks_s = heard.at_s[heard.is_key(KICKS)]
    for at_s in (1.0, 2.0, 3.0):
        assert np.abs(kicks_s - at_s).min() < 0.01


def test_high_onsets_are_no_kick_drum(tmp_path: Path) -> None:
    high = written(tmp_path / "high.wav", [1.0, 2.0, 3.0], 4.0, hz=2000.0)

    heard = heard_onsets([high])

    assert not heard.is_key(KICKS).any()


def test_no_stems_are_silence() -> None:
    assert len(heard_onsets([])) == 0
