"""Pulse: from onsets to the times a listener would tap, at whichever level is clearest.

The tempo is followed window by window (autocorrelation, then the smoothest strong path through
it); taps are placed by dynamic programming after D. Ellis, "Beat Tracking by Dynamic Programming"
(2007), with a period that may change, and then moved to where the onsets near them say.
"""

from dataclasses import dataclass

import numpy as np

from core.rhythm.onsets import Floats, Onsets

FRAMES_PER_S = 100
ONSET_SPREAD_S = 0.015  # played and transcribed onsets scatter about this much
WINDOW_S, WINDOW_STEP_S = 12.0, 3.0
TAIL_S = 1.0  # the last onset still sounds
FEWEST_TAPS = 4
LONGEST_LAG_S = 6.0  # four periods of the slowest pulse
SLOWEST_BPM, FASTEST_BPM = 45.0, 215.0
PREFERRED_BPM, PREFERRED_OCTAVES = 112.0, 0.75  # centre and width of what listeners tap to
COMB_WEIGHTS = {1: 1.0, 2: 1.0, 3: 0.5, 4: 1.0}  # by multiple of the period; three is a rare bar
DRIFT = 0.26  # within a song the tempo stays within this share of its middle
TEMPO_STEP = 0.005
TEMPO_STEP_COST = 0.02  # against autocorrelation, which is at most 1
TIGHTNESS = 400.0  # cost of an uneven pulse, per squared log ratio, against normalised onsets
NEAR_S = 0.07  # an onset this near to a tap belongs to it
TAPS_AROUND = 4  # neighbours on each side that a tap is smoothed with


@dataclass(frozen=True, slots=True, eq=False)
class Pulse:
    """An even pulse under a song: times in seconds [tap], and how clearly it was heard.

    `clearness` is the autocorrelation of the onsets at the pulse: near 0 where they fall at random,
    0.3 to 0.8 where a beat is kept. Two taps at least lie before and after all onsets.
    """

    at_s: Floats
    clearness: float

    @property
    def period_s(self) -> float:
        return float(np.median(np.diff(self.at_s)))


def find_pulse(onsets: Onsets) -> Pulse | None:
    """Return the clearest pulse of at least four taps through the onsets, or None."""
    duration_s = float(onsets.at_s[-1]) + TAIL_S
    envelope = _envelope(onsets, duration_s)
    autocorrelation = _autocorrelation(envelope)
    bpm = np.geomspace(SLOWEST_BPM, FASTEST_BPM, 320)
    preference = np.exp(-0.5 * (np.log2(bpm / PREFERRED_BPM) / PREFERRED_OCTAVES) ** 2)
    strength = _comb(autocorrelation.mean(axis=0), bpm) * preference
    middle_bpm = float(bpm[strength.argmax()])
    window_bpm = _tempo_path(autocorrelation, middle_bpm)
    taps_s = _taps(envelope, window_bpm)
    if len(taps_s) < FEWEST_TAPS:
        return None
    heard = [_comb(row, window_bpm[[window]])[0] for window, row in enumerate(autocorrelation)]
    moved_s = _moved_to_onsets(taps_s, onsets)
    return Pulse(_extended(moved_s, float(onsets.at_s[0]), duration_s), float(np.median(heard)))


def retapped(taps_s: Floats, onsets: Onsets) -> Floats:
    """Return the pulse that taps near `taps_s`, where the onsets say."""
    duration_s = float(onsets.at_s[-1]) + TAIL_S
    return _extended(_moved_to_onsets(taps_s, onsets), float(onsets.at_s[0]), duration_s)


def _envelope(onsets: Onsets, duration_s: float) -> Floats:
    """Return how much begins at each moment [frame], mean 1 where something does."""
    frames = int(duration_s * FRAMES_PER_S) + 2
    place = np.clip(onsets.at_s * FRAMES_PER_S, 0, frames - 2)
    low = place.astype(np.int64)
    share = place - low
    spikes = np.bincount(low, onsets.strength * (1 - share), frames)
    spikes += np.bincount(low + 1, onsets.strength * share, frames)
    spread = ONSET_SPREAD_S * FRAMES_PER_S
    reach = np.arange(-int(4 * spread), int(4 * spread) + 1)
    # The root lets a chord of six count for more than one note, but not for six.
    envelope = np.sqrt(np.convolve(spikes, np.exp(-0.5 * (reach / spread) ** 2), mode="same"))
    level = max(float(envelope[envelope > 0.05].mean()), 1e-9)
    return np.asarray(envelope / level, dtype=np.float64)


def _autocorrelation(envelope: Floats) -> Floats:
    """Return the normalised autocorrelation [window, lag], windows WINDOW_STEP_S apart."""
    size, step = int(WINDOW_S * FRAMES_PER_S), int(WINDOW_STEP_S * FRAMES_PER_S)
    padded = np.concatenate([envelope, np.zeros(max(0, size - len(envelope)))])
    shape = np.hanning(size + 2)[1:-1]
    rows = []
    for start in range(0, len(padded) - size + 1, step):
        part = (padded[start : start + size] - padded[start : start + size].mean()) * shape
        power = np.abs(np.fft.rfft(part, 2 * size)) ** 2
        row = np.fft.irfft(power)[: int(LONGEST_LAG_S * FRAMES_PER_S)]
        rows.append(row / max(row[0], 1e-9))
    return np.array(rows)


def _comb(autocorrelation: Floats, bpm: Floats) -> Floats:
    """Return how well each tempo explains the autocorrelation: [..., lag] -> [..., tempo]."""
    total = np.zeros((*autocorrelation.shape[:-1], len(bpm)))
    for multiple, weight in COMB_WEIGHTS.items():
        place = np.minimum(60.0 / bpm * FRAMES_PER_S * multiple, autocorrelation.shape[-1] - 1.001)
        low = place.astype(np.int64)
        share = place - low
        total += weight * autocorrelation[..., low] * (1 - share)
        total += weight * autocorrelation[..., low + 1] * share
    return total / sum(COMB_WEIGHTS.values())


def _tempo_path(autocorrelation: Floats, middle_bpm: float) -> Floats:
    """Return the tempo [window] near `middle_bpm`: strong in each window, smooth between them."""
    steps = np.arange(-int(DRIFT / TEMPO_STEP), int(DRIFT / TEMPO_STEP) + 1)
    bpm = np.asarray(middle_bpm * (1 + TEMPO_STEP) ** steps, dtype=np.float64)
    strength = _comb(autocorrelation, bpm)
    cost = TEMPO_STEP_COST * np.abs(steps[:, None] - steps[None, :])
    best = strength[0]
    came_from = np.zeros(strength.shape, dtype=np.int64)
    for window in range(1, len(strength)):
        reached = best[None, :] - cost
        came_from[window] = reached.argmax(axis=1)
        best = reached.max(axis=1) + strength[window]
    path = [int(best.argmax())]
    for window in range(len(strength) - 1, 0, -1):
        path.append(int(came_from[window, path[-1]]))
    return bpm[path[::-1]]


def _taps(envelope: Floats, window_bpm: Floats) -> Floats:
    """Return times in seconds that follow `window_bpm` [window] and fall on onsets."""
    centres = (np.arange(len(window_bpm)) * WINDOW_STEP_S + WINDOW_S / 2) * FRAMES_PER_S
    period = 60.0 * FRAMES_PER_S / np.interp(np.arange(len(envelope)), centres, window_bpm)
    level = envelope / max(float(envelope.std()), 1e-9)
    longest = int(period.max() * 1.4) + 2
    total = np.concatenate([np.full(longest, -np.inf), level])  # [longest + frame]
    came_from = np.full(len(level), -1, dtype=np.int64)
    for frame, around in enumerate(period):
        back = np.arange(int(around * 0.7), int(around * 1.4) + 1)
        reached = total[frame + longest - back] - TIGHTNESS * np.log(back / around) ** 2
        best = int(reached.argmax())
        if reached[best] > 0:
            came_from[frame] = frame - back[best]
            total[frame + longest] += reached[best]
    ending = int(period[-1]) + 1
    frame = len(level) - ending + int(total[-ending:].argmax())
    taps = []
    while frame >= 0:
        taps.append(frame)
        frame = int(came_from[frame])
    return np.array(taps[::-1]) / FRAMES_PER_S


def _moved_to_onsets(taps_s: Floats, onsets: Onsets) -> Floats:
    """Return each tap on the line through the onsets near it and near its neighbours."""
    count = np.arange(len(taps_s))
    nearest = np.round(np.interp(onsets.at_s, taps_s, count)).astype(np.int64)
    off_s = onsets.at_s - taps_s[nearest]
    weight = onsets.strength * (np.abs(off_s) < NEAR_S) * np.exp(-0.5 * (off_s / 0.03) ** 2)
    weight_at = np.bincount(nearest, weight, len(taps_s))
    mean_off_s = np.bincount(nearest, weight * off_s, len(taps_s)) / np.maximum(weight_at, 1e-9)
    heard_s = taps_s + mean_off_s
    trust = np.minimum(weight_at, 2.0) + 1e-3
    moved = taps_s.copy()
    for tap in count:
        around = slice(max(0, tap - TAPS_AROUND), tap + TAPS_AROUND + 1)
        steps = count[around] - tap
        closeness = trust[around] * np.exp(-0.5 * (steps / (TAPS_AROUND / 2)) ** 2)
        closeness /= closeness.sum()
        middle, middle_s = (closeness * steps).sum(), (closeness * heard_s[around]).sum()
        spread = (closeness * (steps - middle) ** 2).sum()
        lean = (closeness * (steps - middle) * (heard_s[around] - middle_s)).sum()
        moved[tap] = middle_s - (lean / spread * middle if spread > 1e-6 else 0.0)
    in_order = np.diff(np.maximum.accumulate(moved), prepend=-np.inf) > 1e-3
    return np.asarray(moved[in_order], dtype=np.float64)


def _extended(taps_s: Floats, first_onset_s: float, duration_s: float) -> Floats:
    """Continue the pulse two taps past what sounds, so that every onset lies within it."""
    first_s = float(np.median(np.diff(taps_s[:8])))
    last_s = float(np.median(np.diff(taps_s[-8:])))
    before = max(0, int(np.ceil((taps_s[0] - first_onset_s) / first_s))) + 2
    after = max(0, int(np.ceil((duration_s - taps_s[-1]) / last_s))) + 2
    return np.concatenate(
        [
            taps_s[0] - first_s * np.arange(before, 0, -1),
            taps_s,
            taps_s[-1] + last_s * np.arange(1, after + 1),
        ]
    )
