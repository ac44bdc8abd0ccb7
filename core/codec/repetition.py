"""Hear drums again in the light of other bars: grooves repeat, what poses as drums does not.

A stroke hidden under a louder sound is heard in the bars where it stands free. Every moment is
compared with those up to LONGEST_LAG_S away; the more alike what is played around two moments, the
more each counts as a witness of the other (non-local means, Buades, Coll and Morel 2005, along
time). No tempo is assumed: where nothing repeats, little changes. Pure numpy.
"""

import numpy as np
import numpy.typing as npt

SHORTEST_LAG_S, LONGEST_LAG_S = 0.3, 4.5  # from a beat to two bars
AROUND_S = 3.0  # how much of what is played around two moments is compared
SHARPNESS = 16.0  # a witness counts by e to the power of this times how alike the moments are
EXPECTED = 0.4  # where witnesses are less sure of a stroke than this, they speak against it
STROKE_FRAMES, SLACK_FRAMES = 1, 2  # on either side: how long a stroke is, how loose the time
LEAST = 1e-4  # of a probability

Rows = npt.NDArray[np.float32]
_Row = npt.NDArray[np.float32]


def borne_out(strokes: Rows, frames_per_s: float, *, weight: float) -> Rows:
    """Return posteriors of strokes, 0..1, [drum, frame], surer where they repeat.

    All drums tell which moments are alike. `weight` is that of the witnesses in log odds.
    """
    odds = (strokes + LEAST) / (1 - strokes + LEAST)
    odds = odds * np.exp(weight * _testimony(strokes, frames_per_s))
    return np.asarray(odds / (1 + odds), np.float32)


def _testimony(strokes: Rows, frames_per_s: float) -> Rows:
    """Return how much other moments speak for each stroke, -EXPECTED..1 - EXPECTED."""
    frames = strokes.shape[1]
    if frames == 0:
        return strokes
    shortest, longest = round(SHORTEST_LAG_S * frames_per_s), round(LONGEST_LAG_S * frames_per_s)
    around = round(AROUND_S * frames_per_s)
    played = _widened(strokes, STROKE_FRAMES)
    played = played - played.mean(axis=1, keepdims=True)
    energy = _sums_around((played * played).sum(axis=0), around) + LEAST * around
    witness = _widened(strokes, SLACK_FRAMES)
    heard, weights = np.zeros_like(strokes), np.full(frames, LEAST, np.float32)
    likest = np.zeros(frames, np.float32)
    for lag in range(shortest, min(longest, frames // 2)):
        common = np.einsum("dt,dt->t", played[:, :-lag], played[:, lag:])
        alike = _sums_around(common, around) / np.sqrt(energy[:-lag] * energy[lag:])
        counts = np.exp(SHARPNESS * alike)
        for here, there in ((np.s_[:-lag], np.s_[lag:]), (np.s_[lag:], np.s_[:-lag])):
            heard[:, here] += counts * witness[:, there]
            weights[here] += counts
            np.maximum(likest[here], alike, out=likest[here])
    return np.asarray(likest * (heard / weights - EXPECTED), np.float32)


def _widened(rows: Rows, reach_frames: int) -> Rows:
    """Return the highest within so many frames on either side."""
    frames = rows.shape[1]
    padded = np.pad(rows, ((0, 0), (reach_frames, reach_frames)))
    shifted = [padded[:, shift : shift + frames] for shift in range(2 * reach_frames + 1)]
    return np.asarray(np.maximum.reduce(shifted), np.float32)


def _sums_around(row: _Row, frames: int) -> _Row:
    """Return the sums of so many frames around each; beyond the ends all is 0."""
    before = frames // 2
    total = np.cumsum(np.pad(row, (before + 1, frames - before)), dtype=np.float64)
    return (total[frames : frames + len(row)] - total[: len(row)]).astype(np.float32)
