"""Loading: an audio file as the player wants it, at the sound card's rate."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr  # type: ignore[import-untyped]  # soxr ships no types

from core.audio.read import read_audio
from desktop.playback.mixer import CHANNELS


def load_sound(path: Path, sample_rate: int) -> npt.NDArray[np.float32]:
    """Return the file's samples [frame, 1 or 2] at `sample_rate`; of more channels, the first two.

    Raises:
        AudioReadError: the file cannot be used.
    """
    clip = read_audio(path)
    samples = clip.samples[:, :CHANNELS]
    if clip.sample_rate != sample_rate:
        samples = soxr.resample(samples, clip.sample_rate, sample_rate)
    return np.ascontiguousarray(samples, np.float32)
