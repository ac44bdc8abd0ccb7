"""When a note starts: where its onset is surest, or where it rises to that."""

import numpy as np
import numpy.typing as npt

LONGEST_RISE_S = 0.2  # of an onset to its peak

Column = npt.NDArray[np.float32]


def peak_times_s(
    onset: Column, peaks: npt.NDArray[np.intp], frames_per_s: float
) -> npt.NDArray[np.float64]:
    """Return where a parabola through each peak and its neighbours is highest."""
    inner = np.clip(peaks, 1, max(1, len(onset) - 2))
    if len(onset) < 3:
        return np.asarray(peaks / frames_per_s, np.float64)
    left, top, right = onset[inner - 1], onset[inner], onset[inner + 1]
    curvature = (left - 2 * top + right).astype(np.float64)
    shift = np.where(curvature < -1e-9, 0.5 * (left - right) / np.minimum(curvature, -1e-9), 0.0)
    shift = np.where(inner == peaks, np.clip(shift, -0.5, 0.5), 0.0)
    return np.asarray(np.maximum(0.0, (peaks + shift) / frames_per_s), np.float64)


def half_risen_s(
    onset: Column, peaks: npt.NDArray[np.intp], frames_per_s: float
) -> npt.NDArray[np.float64]:
    """Return where the rise to each peak passes half of its height.

    A rise begins LONGEST_RISE_S before its peak at the earliest, and after the onset before.
    """
    longest = round(LONGEST_RISE_S * frames_per_s)
    risen_s = np.empty(len(peaks), np.float64)
    before = 0
    for number, peak in enumerate(peaks.tolist()):
        first = max(0, peak - longest)
        if number and before >= first:
            first = before + int(onset[before:peak].argmin())
        half, place = float(onset[peak]) / 2, peak
        while place > first and onset[place - 1] > half:
            place -= 1
        passed = 0.0
        if place > 0 and onset[place - 1] <= half:
            below, above = float(onset[place - 1]), float(onset[place])
            passed = (above - half) / max(above - below, 1e-9)
        risen_s[number] = max(0.0, (place - passed) / frames_per_s)
        before = peak
    return risen_s
