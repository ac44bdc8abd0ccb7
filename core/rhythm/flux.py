"""Spectral flux: how strongly new sound begins, frame by frame, streamed from audio files."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.audio.read import stream_mono

Floats = npt.NDArray[np.float64]

FRAMES_PER_S = 100
_SAMPLE_RATE = 16_000
_HOP_SAMPLES = _SAMPLE_RATE // FRAMES_PER_S
_WINDOW_SAMPLES = 512
_BANDS = 24
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 7500.0
_COMPRESSION = 1000.0  # log(1 + c x): soft onsets count beside loud ones
_LOOK_BACK_FRAMES = 2  # shorter and slow attacks split in two


def flux_of(path: Path) -> Floats:
    """Return the spectral flux of a file [frame], FRAMES_PER_S a second, mean 1 where it plays."""
    flux = np.concatenate([*_flux_blocks(path), np.zeros(0)])
    loud = flux[flux > 0]
    return flux / loud.mean() if len(loud) else flux


def _flux_blocks(path: Path) -> Iterator[Floats]:
    window = np.hanning(_WINDOW_SAMPLES)
    bands = _band_matrix()
    # Half a window of silence in front centres frame 0 on the first sample.
    rest = np.zeros(_WINDOW_SAMPLES // 2)
    earlier = np.zeros((_LOOK_BACK_FRAMES, _BANDS))
    for block in stream_mono(path, _SAMPLE_RATE):
        samples = np.concatenate([rest, block])
        frames = max(0, (len(samples) - _WINDOW_SAMPLES) // _HOP_SAMPLES + 1)
        cut = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW_SAMPLES)[::_HOP_SAMPLES]
        spectrum = np.abs(np.fft.rfft(cut[:frames] * window, axis=1))
        loudness = np.log1p(_COMPRESSION / _WINDOW_SAMPLES * (spectrum @ bands))
        history = np.concatenate([earlier, loudness])
        rise = history[_LOOK_BACK_FRAMES:] - history[:-_LOOK_BACK_FRAMES]
        yield np.maximum(rise, 0.0).sum(axis=1)
        earlier = history[-_LOOK_BACK_FRAMES:]
        rest = samples[frames * _HOP_SAMPLES :]


def _band_matrix() -> Floats:
    """Return triangles of equal width on a logarithmic axis [bin, band]."""
    edges_hz = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _BANDS + 2)
    bins_hz = np.fft.rfftfreq(_WINDOW_SAMPLES, 1 / _SAMPLE_RATE)
    rising = (bins_hz[:, None] - edges_hz[:-2]) / (edges_hz[1:-1] - edges_hz[:-2])
    falling = (edges_hz[2:] - bins_hz[:, None]) / (edges_hz[2:] - edges_hz[1:-1])
    return np.maximum(0.0, np.minimum(rising, falling))
