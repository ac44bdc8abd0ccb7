"""A clip in memory is heard as the file with the same samples is."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.audio.clip import AudioClip
from core.audio.read import scan_audio
from core.audio.source import FileSource, clip_source
from core.errors import AudioReadError

RATE = 44_100


def stereo(length_s: float = 25.0) -> np.ndarray:
    seconds = np.arange(round(length_s * RATE)) / RATE
    left = 0.4 * np.sin(2 * np.pi * 440 * seconds)
    right = 0.2 * np.sin(2 * np.pi * 660 * seconds)
    return np.stack([left, right], axis=1).astype(np.float32)


@pytest.mark.parametrize("rate", [RATE, 16_000])
def test_a_clip_and_its_file_give_the_same_blocks(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "two.wav"
    soundfile.write(path, stereo(), RATE, subtype="FLOAT")
    file, clip = FileSource(scan_audio(path)), clip_source(AudioClip(stereo(), RATE, path))
    assert (clip.path, clip.duration_s) == (file.path, file.duration_s)
    assert (clip.peak, clip.level_p95) == pytest.approx((file.peak, file.level_p95), abs=1e-6)
    heard = np.concatenate(list(clip.blocks(rate)))
    read = np.concatenate(list(file.blocks(rate)))
    np.testing.assert_allclose(heard, read, atol=1e-5)
    apart = np.concatenate(list(clip.mid_and_side(rate)))
    np.testing.assert_allclose(apart, np.concatenate(list(file.mid_and_side(rate))), atol=1e-5)
    np.testing.assert_allclose(apart[:, 0], heard, atol=1e-6)


def test_the_first_seconds_of_a_clip_can_be_had_alone() -> None:
    blocks = list(clip_source(AudioClip(stereo(), RATE)).blocks(16_000, until_s=12.0))
    assert [len(block) for block in blocks] == [160_000, 32_000]


@pytest.mark.parametrize(
    ("samples", "what"),
    [
        (np.zeros((RATE, 1), np.float32), "silen"),
        (np.full((RATE, 1), np.nan, np.float32), "NaN"),
        (np.ones((10, 1), np.float32), "short"),
        (np.empty((0, 2), np.float32), "no sound at all"),
    ],
)
def test_a_clip_without_sound_is_refused(samples: np.ndarray, what: str) -> None:
    with pytest.raises(AudioReadError, match=what):
        clip_source(AudioClip(samples, RATE))
