"""TempoMap: seconds to beats and back, bars, and where the first downbeat lies.

A beat is a quarter note, as in a MIDI file. Beat 0 is the first downbeat; music before it (a pickup
or the silence at the start of a recording) has negative beats.
"""

from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from math import ceil, floor

MIN_BPM, MAX_BPM = 20.0, 999.0  # the range every DAW accepts


@dataclass(frozen=True, slots=True)
class Meter:
    """Time signature: `beats_per_bar` notes of value 1/`beat_unit`."""

    beats_per_bar: int = 4
    beat_unit: int = 4

    def __post_init__(self) -> None:
        if not 1 <= self.beats_per_bar <= 32:
            raise ValueError(f"{self.beats_per_bar} beats per bar is outside 1..32")
        if self.beat_unit not in (1, 2, 4, 8, 16, 32):
            raise ValueError(f"beat unit {self.beat_unit} is not a power of two up to 32")

    @property
    def quarters_per_bar(self) -> float:
        return self.beats_per_bar * 4 / self.beat_unit

    def __str__(self) -> str:
        return f"{self.beats_per_bar}/{self.beat_unit}"


@dataclass(frozen=True, slots=True)
class TempoChange:
    """From `at_beat` on (quarter notes from the first downbeat) the tempo is `bpm`."""

    at_beat: float
    bpm: float

    def __post_init__(self) -> None:
        if not MIN_BPM <= self.bpm <= MAX_BPM:
            raise ValueError(f"{self.bpm} BPM is outside {MIN_BPM:g}..{MAX_BPM:g}")


@dataclass(frozen=True)
class TempoMap:
    """Piecewise constant tempo. The first change also holds for all beats before it.

    `first_downbeat_s` is the time of beat 0 in seconds of the audio.
    """

    changes: tuple[TempoChange, ...] = (TempoChange(0.0, 120.0),)
    meter: Meter = Meter()
    first_downbeat_s: float = 0.0

    def __post_init__(self) -> None:
        beats = [change.at_beat for change in self.changes]
        if not beats or beats[0] != 0.0:
            raise ValueError("the first tempo change must lie at beat 0")
        if any(later <= earlier for earlier, later in pairwise(beats)):
            raise ValueError("tempo changes must be in rising order")

    @property
    def bpm(self) -> float:
        """The tempo at the first downbeat."""
        return self.changes[0].bpm

    @property
    def is_constant(self) -> bool:
        return len(self.changes) == 1

    @cached_property
    def _change_times_s(self) -> tuple[float, ...]:
        times_s = [self.first_downbeat_s]
        for change, following in pairwise(self.changes):
            times_s.append(times_s[-1] + (following.at_beat - change.at_beat) * 60.0 / change.bpm)
        return tuple(times_s)

    def seconds_to_beats(self, at_s: float) -> float:
        index = max(0, bisect_right(self._change_times_s, at_s) - 1)
        change = self.changes[index]
        return change.at_beat + (at_s - self._change_times_s[index]) * change.bpm / 60.0

    def beats_to_seconds(self, at_beats: float) -> float:
        index = max(0, bisect_right(self.changes, at_beats, key=lambda c: c.at_beat) - 1)
        change = self.changes[index]
        return self._change_times_s[index] + (at_beats - change.at_beat) * 60.0 / change.bpm

    def bar_starts_s(self, from_s: float, until_s: float) -> list[tuple[int, float]]:
        """Return (bar number, start in seconds) of each bar line within [from_s, until_s].

        Bar 1 starts at the first downbeat; the bars before it are 0, -1, ...
        """
        quarters = self.meter.quarters_per_bar
        first = ceil(self.seconds_to_beats(from_s) / quarters - 1e-9)
        last = floor(self.seconds_to_beats(until_s) / quarters + 1e-9)
        return [(bar + 1, self.beats_to_seconds(bar * quarters)) for bar in range(first, last + 1)]

    @property
    def pickup_bars(self) -> int:
        """Whole bars to put in front so that second 0 of the audio has no negative beat."""
        start_beats = self.seconds_to_beats(0.0)
        return max(0, ceil(-start_beats / self.meter.quarters_per_bar - 1e-6))

    def with_first_downbeat(self, first_downbeat_s: float) -> "TempoMap":
        return replace(self, first_downbeat_s=first_downbeat_s)

    def with_meter(self, meter: Meter) -> "TempoMap":
        return replace(self, meter=meter)


def constant_tempo(
    bpm: float, *, meter: Meter | None = None, first_downbeat_s: float = 0.0
) -> TempoMap:
    """Return a map with one tempo throughout."""
    return TempoMap((TempoChange(0.0, bpm),), meter or Meter(), first_downbeat_s)
