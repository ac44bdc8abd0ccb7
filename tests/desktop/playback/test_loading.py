"""Sounds for the player: resampled, stereo, and on the disk where they are long."""

import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.engine.progress import CancelToken
from core.errors import AudioReadError, CancelledError
from desktop.playback import loading
from desktop.playback.loading import load_sound


def ramp_file(folder: Path, *, seconds: float = 3.0, rate: int = 8_000) -> Path:
    """Write a mono ramp from 0 to 0.5, whose place can be told from its level."""
    path = folder / "ramp.wav"
    soundfile.write(path, np.linspace(0, 0.5, round(seconds * rate), dtype=np.float32), rate)
    return path


def test_a_mono_file_sounds_on_both_sides_at_the_rate_of_the_card(tmp_path: Path) -> None:
    samples = load_sound(ramp_file(tmp_path), 16_000, CancelToken())
    assert samples.shape == (48_000, 2)
    assert samples[24_000] == pytest.approx([0.25, 0.25], abs=0.001)


def test_a_long_file_lies_on_the_disk_and_sounds_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ramp_file(tmp_path, seconds=25.0)
    whole = load_sound(path, 8_000, CancelToken())
    monkeypatch.setattr(loading, "LONGEST_IN_MEMORY_S", 5.0)
    mapped = load_sound(path, 8_000, CancelToken())
    assert isinstance(mapped.base, np.memmap)
    assert np.array_equal(mapped, whole)


def test_a_full_disk_is_said_with_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(loading, "LONGEST_IN_MEMORY_S", 1.0)
    monkeypatch.setattr(loading, "TemporaryFile", full)
    with pytest.raises(AudioReadError, match=r"no room on the disk .* Free some space"):
        load_sound(ramp_file(tmp_path), 8_000, CancelToken())


def test_loading_stops_when_nobody_waits(tmp_path: Path) -> None:
    flag = threading.Event()
    flag.set()
    with pytest.raises(CancelledError):
        load_sound(ramp_file(tmp_path), 8_000, CancelToken(flag))
