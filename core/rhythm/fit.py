"""Fit: from the times of pulses and bars to the simplest tempo that keeps to them."""

from dataclasses import dataclass

import numpy as np

from core.rhythm.onsets import Floats, Onsets
from core.score.tempo import MAX_BPM, MIN_BPM, TempoChange

SPREADS_S = (0.04, 0.025, 0.015)  # onsets further off count less; narrowed as the line settles
STEADY_SHARE = 0.9  # one tempo must meet this share of what a following pulse meets
SEARCHED_SHARE = 0.02  # of the tempo to both sides
SEARCHED_ONSETS = 20_000  # more only cost time
WHOLE_BPM = 0.05  # a tempo this near to an integer was set to it ...
WHOLE_ERROR_S = 0.005  # ... unless the integer moves the ends of the song by more than this
BAR_ERROR_S = 0.012  # a tempo map may miss a bar line by this much
CHANGES_PER_S = 0.5  # 120 in a song of four minutes; longer maps make DAWs slow


@dataclass(frozen=True, slots=True)
class Line:
    """A constant tempo: pulse number k falls on start_s + k * period_s, for k of either sign."""

    start_s: float
    period_s: float

    def off_s(self, at_s: Floats) -> Floats:
        """Return how much later than the nearest pulse each time is."""
        return (at_s - self.start_s + self.period_s / 2) % self.period_s - self.period_s / 2


def constant_line(onsets: Onsets, pulse_s: Floats) -> Line | None:
    """Return the one tempo that the whole song keeps, or None if it does not keep one."""
    period_s = _most_regular_period(onsets, float(np.median(np.diff(pulse_s))))
    turn = np.exp(2j * np.pi * pulse_s / period_s).mean()
    line = Line(float(np.angle(turn)) / (2 * np.pi) * period_s, period_s)
    for spread_s in SPREADS_S:
        line = _settled(line, onsets, spread_s)
    between = (pulse_s[1:] + pulse_s[:-1]) / 2
    followed = _met(onsets, onsets.at_s - pulse_s[np.searchsorted(between, onsets.at_s)])
    return line if _met(onsets, line.off_s(onsets.at_s)) >= STEADY_SHARE * followed else None


def line_of_period(onsets: Onsets, pulse_s: Floats, period_s: float) -> Line:
    """Return the line of exactly this period whose phase fits the onsets best."""
    turn = np.exp(2j * np.pi * pulse_s / period_s).mean()
    line = Line(float(np.angle(turn)) / (2 * np.pi) * period_s, period_s)
    for spread_s in SPREADS_S:
        off_s = line.off_s(onsets.at_s)
        weight = onsets.strength * np.exp(-0.5 * (off_s / spread_s) ** 2)
        shift_s = float((weight * off_s).sum() / max(weight.sum(), 1e-9))
        line = Line(line.start_s + shift_s, period_s)
    return line


def rounded_bpm(bpm: float, song_s: float) -> float:
    """Return what a musician would have typed: an integer if that is as good, else 0.01 steps."""
    whole = round(bpm)
    if abs(bpm - whole) < WHOLE_BPM and abs(bpm / whole - 1) * song_s / 2 < WHOLE_ERROR_S:
        return float(whole)
    return round(bpm, 2)


def tempo_changes(bar_s: Floats, quarters_per_bar: float) -> tuple[TempoChange, ...]:
    """Return as few tempi as keep to the bar lines at `bar_s`; beat 0 is the first of them."""
    most = max(2.0, CHANGES_PER_S * float(bar_s[-1] - bar_s[0]))
    error_s = BAR_ERROR_S
    changes = _changes_within(error_s, bar_s, quarters_per_bar)
    while len(changes) > most:
        error_s *= 1.5
        changes = _changes_within(error_s, bar_s, quarters_per_bar)
    return changes


def _most_regular_period(onsets: Onsets, near_s: float) -> float:
    """Return the period within SEARCHED_SHARE of `near_s` at whose multiples most onsets lie."""
    every = len(onsets) // SEARCHED_ONSETS + 1
    at_s, strength = onsets.at_s[::every], onsets.strength[::every]
    length_s = max(float(at_s[-1] - at_s[0]), 1.0)
    step = 1 / (8 * length_s)  # a peak is 1 / length wide; halves of the pulse make it half that
    reach = int(SEARCHED_SHARE / near_s / step) + 1
    best_hz, best_regularity = 1 / near_s, -1.0
    for hz in 1 / near_s + step * np.arange(-reach, reach + 1):
        turn = np.exp(2j * np.pi * hz * at_s)
        regularity = abs((strength * turn).sum()) + abs((strength * turn**2).sum())
        if regularity > best_regularity:
            best_hz, best_regularity = hz, regularity
    return float(1 / best_hz)


def _settled(line: Line, onsets: Onsets, spread_s: float) -> Line:
    """Return the weighted least-squares line through the onsets near `line`."""
    off_s = line.off_s(onsets.at_s)
    number = np.round((onsets.at_s - off_s - line.start_s) / line.period_s)
    weight = onsets.strength * np.exp(-0.5 * (off_s / spread_s) ** 2)
    weight /= max(float(weight.sum()), 1e-9)
    middle, middle_s = float((weight * number).sum()), float((weight * off_s).sum())
    spread = float((weight * (number - middle) ** 2).sum())
    if spread < 1e-6:
        return line
    slope_s = float((weight * (number - middle) * (off_s - middle_s)).sum()) / spread
    return Line(line.start_s + middle_s - slope_s * middle, line.period_s + slope_s)


def _met(onsets: Onsets, off_s: Floats) -> float:
    """Return how much of the onsets' strength lies on the pulse."""
    return float((onsets.strength * np.exp(-0.5 * (off_s / SPREADS_S[-1]) ** 2)).sum())


def _changes_within(
    error_s: float, bar_s: Floats, quarters_per_bar: float
) -> tuple[TempoChange, ...]:
    """Return greedily the longest stretches of one tempo that miss no bar line by more."""
    changes: list[TempoChange] = []
    bar, at_s = (
        0,
        float(bar_s[0]),
    )  # at_s is where the map itself puts the bar, so errors never add up
    while bar < len(bar_s) - 1:
        lowest, highest = 0.0, np.inf
        bars = 0
        for ahead, heard_s in enumerate(bar_s[bar + 1 :], start=1):
            low, high = (heard_s - error_s - at_s) / ahead, (heard_s + error_s - at_s) / ahead
            if max(low, lowest) > min(high, highest) and bars:
                break
            lowest, highest, bars = max(low, lowest), min(high, highest), ahead
        best_s = (bar_s[bar + bars] - at_s) / bars
        length_s = float(np.clip(best_s, min(lowest, highest), max(lowest, highest)))
        bpm = round(min(MAX_BPM, max(MIN_BPM, 60 * quarters_per_bar / max(length_s, 1e-3))), 2)
        if not changes or changes[-1].bpm != bpm:
            changes.append(TempoChange(bar * quarters_per_bar, bpm))
        at_s += bars * 60 * quarters_per_bar / bpm
        bar += bars
    return tuple(changes)
