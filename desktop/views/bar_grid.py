"""BarGrid: all bar and beat lines of a song as arrays, and which of them a zoom level can show."""

import numpy as np
import numpy.typing as npt

from core.score.tempo import TempoMap
from desktop.views.time_columns import Seconds, TimeColumns

MIN_BAR_LINE_PX = 12.0
MIN_BEAT_LINE_PX = 12.0
SUBDIVISIONS_PER_BEAT = 4


class BarGrid:
    """Bars and beats from second 0 to the end of the song."""

    def __init__(self, tempo: TempoMap, duration_s: float) -> None:
        bars = tempo.bar_starts_s(0.0, duration_s)
        self.tempo = tempo
        self.duration_s = duration_s
        self.bar_numbers = np.array([number for number, _ in bars], dtype=np.int64)
        self.bar_starts_s: Seconds = np.array([start_s for _, start_s in bars], dtype=np.float64)
        self.beat_starts_s = _beat_starts_s(tempo, duration_s)

    def bar_lines_s(self, columns: TimeColumns, min_px: float) -> Seconds:
        """Return the bar lines in view `min_px` apart: every one, every second, every fourth ..."""
        return self.bar_starts_s[self.bar_indices(columns, min_px)]

    def bar_indices(self, columns: TimeColumns, min_px: float) -> npt.NDArray[np.intp]:
        """Return which bars `bar_lines_s` shows, as indices of `bar_numbers`."""
        step = _power_of_two_at_least(min_px / self._median_px(self.bar_starts_s, columns))
        first, last = np.searchsorted(self.bar_starts_s, (columns.start_s, columns.end_s))
        indices = np.arange(first, last)
        in_view: npt.NDArray[np.intp] = indices[(self.bar_numbers[first:last] - 1) % step == 0]
        return in_view

    def beat_lines_s(self, columns: TimeColumns, min_px: float) -> Seconds:
        """Return the beats in view, or none where they would stand closer than `min_px`."""
        return self._lines_within(self.beat_starts_s, columns, min_px)

    def subdivision_lines_s(self, columns: TimeColumns, min_px: float) -> Seconds:
        """Return the sixteenths (of a quarter beat) in view, or none where they would crowd."""
        beats_s = self.beat_starts_s
        if self._median_px(beats_s, columns) < min_px * SUBDIVISIONS_PER_BEAT:
            return beats_s[:0]
        first, last = np.searchsorted(beats_s, (columns.start_s, columns.end_s))
        near = beats_s[max(0, first - 1) : last + 1]
        parts = np.arange(1, SUBDIVISIONS_PER_BEAT) / SUBDIVISIONS_PER_BEAT
        return (near[:-1, None] + np.diff(near)[:, None] * parts).ravel()

    def _lines_within(self, lines_s: Seconds, columns: TimeColumns, min_px: float) -> Seconds:
        if self._median_px(lines_s, columns) < min_px:
            return lines_s[:0]
        first, last = np.searchsorted(lines_s, (columns.start_s, columns.end_s))
        return lines_s[first:last]

    @staticmethod
    def _median_px(lines_s: Seconds, columns: TimeColumns) -> float:
        if len(lines_s) < 2:
            return float("inf")
        return float(np.median(np.diff(lines_s))) / columns.seconds_per_column


def _beat_starts_s(tempo: TempoMap, duration_s: float) -> Seconds:
    quarters_per_beat = 4 / tempo.meter.beat_unit
    first = int(np.ceil(tempo.seconds_to_beats(0.0) / quarters_per_beat))
    last = int(np.floor(tempo.seconds_to_beats(duration_s) / quarters_per_beat))
    starts_s = [tempo.beats_to_seconds(beat * quarters_per_beat) for beat in range(first, last + 1)]
    return np.array(starts_s, dtype=np.float64)


def _power_of_two_at_least(ratio: float) -> int:
    return 1 << max(0, int(np.ceil(np.log2(ratio)))) if ratio > 0 else 1
