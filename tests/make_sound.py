"""Builders of sound whose pitch is known at every sample."""

import numpy as np
import numpy.typing as npt

RATE_HZ = 22_050

Sound = npt.NDArray[np.float32]
Curve = npt.NDArray[np.float64]


def seconds(length_s: float) -> Curve:
    """Return the time of each sample [sample]."""
    return np.arange(round(length_s * RATE_HZ)) / RATE_HZ


def tone(pitch: Curve | float, length_s: float, *, partials: int = 10) -> Sound:
    """Return partials under a falling spectrum along a pitch, constant or [sample]."""
    hertz = 440 * 2 ** ((np.broadcast_to(pitch, len(seconds(length_s))) - 69) / 12)
    turns = 2 * np.pi * np.cumsum(hertz) / RATE_HZ
    sound = np.zeros(len(turns))
    for order in range(1, partials + 1):
        sound += np.where(order * hertz < RATE_HZ / 2, np.sin(order * turns + order) / order, 0)
    edge = np.clip(np.minimum(seconds(length_s), seconds(length_s)[::-1]) / 0.01, 0, 1)
    return (0.2 * edge * sound).astype(np.float32)
