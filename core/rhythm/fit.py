"""Fit: from the times of pulses and bars to the simplest tempo that keeps to them."""

from dataclasses import dataclass

import numpy as np

from core.rhythm.onsets import Floats, Onsets
from core.score.tempo import MAX_BPM, MIN_BPM, TempoChange

SPREADS_S = (0.04, 0.025, 0.015)  # onsets further off count less; narrowed as the line settles
STEADY_SHARE = 0.9  # one tempo must meet this share of what a following pulse meets ...
PASSAGE_PULSES, PASSAGE_SHARE = 16, 0.5  # ... and this share of it in every passage
SEARCHED_SHARE = 0.02  # of the tempo to both sides
SEARCHED_ONSETS = 20_000  # more only cost time
PHASES = 96
PULSE_FRACTIONS = (1, 2, 3, 4)  # beats, and their halves, thirds and quarters
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

    def around(self, from_s: float, until_s: float) -> Floats:
        """Return the pulses from two before `from_s` to two after `until_s`."""
        first = np.floor((from_s - self.start_s) / self.period_s) - 2
        last = np.ceil((until_s - self.start_s) / self.period_s) + 2
        return np.asarray(self.start_s + self.period_s * np.arange(first, last + 1))


def constant_line(onsets: Onsets, pulse_s: Floats) -> Line | None:
    """Return the one tempo that the whole song keeps, or None if it does not keep one."""
    period_s = _most_regular_period(onsets, float(np.median(np.diff(pulse_s))))
    turn = np.exp(2j * np.pi * pulse_s / period_s).mean()
    line = Line(float(np.angle(turn)) / (2 * np.pi) * period_s, period_s)
    for spread_s in SPREADS_S:
        line = _settled(line, onsets, spread_s)
    return line if _is_kept(line, onsets, pulse_s) else None


def line_of_period(period_s: float, onsets: Onsets) -> Line:
    """Return the line of exactly this period on which, and on whose simple fractions, most begins.

    It may lie between the beats that are meant: which is which is for the reading to say.
    """
    phase = 2 * np.pi * onsets.at_s / period_s
    shifts = 2 * np.pi * np.arange(PHASES) / PHASES
    begins = np.zeros(PHASES)
    for fraction in PULSE_FRACTIONS:
        turn = (onsets.strength * np.exp(1j * fraction * phase)).sum()
        begins += (turn * np.exp(-1j * fraction * shifts)).real
    return _shifted(Line(period_s * int(begins.argmax()) / PHASES, period_s), onsets)


def with_period(period_s: float, pulse_s: Floats, onsets: Onsets) -> Floats:
    """Return the same pulses, evenly `period_s` apart, where they meet the onsets best."""
    middle = len(pulse_s) // 2
    middle_s = float(pulse_s[middle])
    line = _shifted(Line(middle_s, period_s), onsets)
    return np.asarray(line.start_s + period_s * np.arange(-middle, len(pulse_s) - middle))


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


def _shifted(line: Line, onsets: Onsets) -> Line:
    """Return the line moved as a whole to where the onsets near it are."""
    for spread_s in SPREADS_S:
        off_s = line.off_s(onsets.at_s)
        weight = onsets.strength * np.exp(-0.5 * (off_s / spread_s) ** 2)
        shift_s = float((weight * off_s).sum() / max(float(weight.sum()), 1e-9))
        line = Line(line.start_s + shift_s, line.period_s)
    return line


def _is_kept(line: Line, onsets: Onsets, pulse_s: Floats) -> bool:
    """Return whether the line meets the onsets like a pulse that follows them, in every passage."""
    nearest = np.searchsorted((pulse_s[1:] + pulse_s[:-1]) / 2, onsets.at_s)

    def met(off_s: Floats) -> Floats:
        on_pulse = onsets.strength * np.exp(-0.5 * (off_s / SPREADS_S[-1]) ** 2)
        return np.bincount(nearest, on_pulse, len(pulse_s)).astype(np.float64)

    kept, followed = met(line.off_s(onsets.at_s)), met(onsets.at_s - pulse_s[nearest])
    if kept.sum() < STEADY_SHARE * followed.sum():
        return False
    passage = np.ones(min(PASSAGE_PULSES, len(pulse_s)))
    kept_here = np.convolve(kept, passage, mode="valid")
    followed_here = np.convolve(followed, passage, mode="valid")
    tells = followed_here > np.median(followed_here) / 2
    return bool((kept_here[tells] >= PASSAGE_SHARE * followed_here[tells]).all())


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
