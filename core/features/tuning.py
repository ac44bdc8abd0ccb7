"""How far music is tuned from A4 = 440 Hz, from the peaks of its levels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.features.vqt import BINS_PER_SEMITONE

DB_PER_LEVEL = 40.0  # of the levels of `vqt`
PEAK_RANGE_DB = 25.0  # below the loudest bin of a frame; what is softer is noise and reverb
QUIETEST_LEVEL = 0.75  # -50 dB
HIGHEST_BIN = 240  # the windows above are too short, and partials of strings too sharp


@dataclass(frozen=True, slots=True)
class Tuning:
    """Cents above equal temperament at 440 Hz, -50 to 50, and how well the peaks agree, 0..1."""

    cents: float
    agreement: float


def tuning_of(levels: npt.NDArray[np.float32]) -> Tuning:
    """Return the mean tuning of the spectral peaks in long-window levels [frame, bin]."""
    heard = levels[:, :HIGHEST_BIN]
    below, level, above = heard[:, :-2], heard[:, 1:-1], heard[:, 2:]
    loudest = level.max(1, keepdims=True, initial=0.0)
    is_peak = (level > below) & (level >= above)
    is_peak &= (level > loudest - PEAK_RANGE_DB / DB_PER_LEVEL) & (level > QUIETEST_LEVEL)
    frames, bins = np.nonzero(is_peak)
    if len(bins) == 0:
        return Tuning(0.0, 0.0)
    left, top, right = below[frames, bins], level[frames, bins], above[frames, bins]
    shift = 0.5 * (left - right) / np.minimum(left - 2 * top + right, -1e-6)
    # The middle bin of every semitone is number 1, and `level` starts at bin 1.
    semitones = (bins + shift) / BINS_PER_SEMITONE
    weights = 10 ** (top * DB_PER_LEVEL / 40)
    mean = np.sum(weights * np.exp(2j * np.pi * semitones)) / weights.sum()
    return Tuning(float(np.angle(mean) / (2 * np.pi) * 100), float(np.abs(mean)))
