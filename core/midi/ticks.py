"""Seconds and beats to MIDI ticks and back; which tempos a file needs so that seconds survive.

Every tick is rounded once, from the absolute position: deltas are derived last, so that no error
accumulates. Tempo values are whole microseconds in a MIDI file; where that rounding would add up,
`tempo_events` corrects it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor

from core.score.tempo import MAX_BPM, MIN_BPM, TempoChange, TempoMap, constant_tempo

PPQ = 960  # ticks per quarter note; half a tick is 0.26 ms at 120 BPM
OLD_HARDWARE_PPQ = 480
MICROSECONDS_PER_MINUTE = 60_000_000
DOWNBEAT_AT_START_S = 0.016  # a bar line closer to second 0 than this needs nothing before it
PICKUP_STEP_BEATS = 0.25  # a pickup bar holds whole sixteenths
MAX_DRIFT_US = 400.0  # one tempo value holds a six-minute song at any tempo within this
MAX_BEATS_PER_TEMPO = 2 * MAX_DRIFT_US  # rounding costs at most half a microsecond per beat


@dataclass(frozen=True, slots=True)
class TempoEvent:
    """From `at_ticks` on a quarter note lasts `tempo_us` microseconds."""

    at_ticks: int
    tempo_us: int


@dataclass(frozen=True, slots=True)
class TickGrid:
    """Where each second of the audio lies in a file: beats of `tempo`, `shift_beats` later.

    The file's first bar holds `pickup_beats` quarter notes where these are not 0, all others hold
    the meter's.
    """

    tempo: TempoMap
    shift_beats: float = 0.0
    ppq: int = PPQ
    pickup_beats: float = 0.0

    @property
    def bar_ticks(self) -> int:
        return beats_to_ticks(self.tempo.meter.quarters_per_bar, ppq=self.ppq)

    @property
    def pickup_ticks(self) -> int:
        return beats_to_ticks(self.pickup_beats, ppq=self.ppq)

    def exact_ticks(self, at_s: float) -> float:
        """Return the unrounded position of `at_s` in ticks; negative before the file's start."""
        return (self.tempo.seconds_to_beats(at_s) + self.shift_beats) * self.ppq

    def seconds_to_ticks(self, at_s: float) -> int:
        """Return the nearest tick to `at_s`, never before the file's start."""
        return max(0, round(self.exact_ticks(at_s)))

    def ticks_to_seconds(self, at_ticks: float) -> float:
        """Return the second of the audio that lies at `at_ticks`."""
        return self.tempo.beats_to_seconds(at_ticks / self.ppq - self.shift_beats)

    def bar_line_after(self, at_ticks: int) -> int:
        """Return the tick of the first bar line at or after `at_ticks` that ends a whole bar."""
        bars = max(1, ceil((at_ticks - self.pickup_ticks) / self.bar_ticks))
        return self.pickup_ticks + bars * self.bar_ticks


def beats_to_ticks(at_beats: float, *, ppq: int = PPQ) -> int:
    """Return the tick nearest to a position in quarter notes."""
    return round(at_beats * ppq)


def ticks_to_beats(at_ticks: int, *, ppq: int = PPQ) -> float:
    """Return the position of a tick in quarter notes."""
    return at_ticks / ppq


def bpm_to_tempo_us(bpm: float) -> int:
    """Return the microseconds of a quarter note as a file holds them, nearest whole number."""
    return round(MICROSECONDS_PER_MINUTE / min(MAX_BPM, max(MIN_BPM, bpm)))


def tempo_us_to_bpm(tempo_us: int) -> float:
    """Return the quarter notes per minute of a file's tempo value."""
    return MICROSECONDS_PER_MINUTE / tempo_us


def average_bpm(tempo: TempoMap, until_s: float) -> float:
    """Return the tempo at which the music up to `until_s` keeps its length, to 0.01 BPM."""
    span_s = until_s - tempo.first_downbeat_s
    if tempo.is_constant or span_s <= 0:
        return tempo.bpm
    return round(tempo.seconds_to_beats(until_s) * 60.0 / span_s, 2)


def conformed_grid(tempo: TempoMap, *, ppq: int = PPQ) -> TickGrid:
    """Return the grid with bar lines at the music's bars, whole bars in front for a pickup.

    A first downbeat within 16 ms of second 0 counts as second 0.
    """
    if abs(tempo.first_downbeat_s) < DOWNBEAT_AT_START_S:
        tempo = tempo.with_first_downbeat(0.0)
    tempo = _one_change_per_bar(tempo)
    return TickGrid(tempo, tempo.pickup_bars * tempo.meter.quarters_per_bar, ppq)


def pickup_grid(tempo: TempoMap, *, ppq: int = PPQ) -> TickGrid:
    """Return the grid whose tick 0 is second 0 and whose bar lines are the music's bars.

    Audio before the first bar line gets a bar of its own, of as many sixteenths as it nearly has,
    at the tempo that makes that bar last exactly as long. A bar line within 16 ms of second 0
    counts as lying there; seconds stay exact all the same.
    """
    tempo = _one_change_per_bar(tempo)
    quarters = tempo.meter.quarters_per_bar
    start_beats = tempo.seconds_to_beats(0.0)
    bar_beats = ceil(start_beats / quarters - 1e-9) * quarters
    near_s = tempo.beats_to_seconds(floor(start_beats / quarters) * quarters)
    if -near_s < DOWNBEAT_AT_START_S:
        bar_beats = floor(start_beats / quarters) * quarters
    bar_s = tempo.beats_to_seconds(bar_beats)
    if bar_s < DOWNBEAT_AT_START_S and tempo.is_constant:
        return TickGrid(_counted_from(tempo, start_beats, ()), ppq=ppq)
    if bar_s < DOWNBEAT_AT_START_S:
        # Where the tempo changes, milliseconds would grow: the first bar makes up for them.
        next_beats = bar_beats + quarters
        bpm = min(MAX_BPM, max(MIN_BPM, quarters * 60.0 / tempo.beats_to_seconds(next_beats)))
        first_bar = (TempoChange(0.0, bpm),)
        counted = _counted_from(tempo, next_beats, first_bar, lead_beats=quarters)
        return TickGrid(counted, ppq=ppq)
    steps_per_bpm = bar_s / 60.0 / PICKUP_STEP_BEATS
    steps = round((bar_beats - start_beats) / PICKUP_STEP_BEATS)
    steps = min(floor(MAX_BPM * steps_per_bpm), max(1, ceil(MIN_BPM * steps_per_bpm), steps))
    pickup_beats = steps * PICKUP_STEP_BEATS
    pickup = TempoChange(0.0, pickup_beats * 60.0 / bar_s)
    counted = _counted_from(tempo, bar_beats, (pickup,), lead_beats=pickup_beats)
    return TickGrid(counted, ppq=ppq, pickup_beats=pickup_beats % quarters)


def recorded_grid(tempo: TempoMap, until_s: float, *, ppq: int = PPQ) -> TickGrid:
    """Return the grid whose tick 0 is second 0, at one tempo: the average where it changes.

    The tempo is the one that a file can hold, so that seconds stay exact for any length.
    """
    file_bpm = tempo_us_to_bpm(bpm_to_tempo_us(average_bpm(tempo, until_s)))
    file_bpm = min(MAX_BPM, file_bpm)  # rounding may go 0.001 beyond
    return TickGrid(constant_tempo(file_bpm, meter=tempo.meter), 0.0, ppq)


def tempo_events(grid: TickGrid, end_ticks: int) -> list[TempoEvent]:
    """Return the tempos of a file that plays `grid` for `end_ticks`, at most one per bar.

    Each value is the nearest microsecond, unless the file would then run more than MAX_DRIFT_US
    off the audio: then it is the neighbour that brings it back.
    """
    events: list[TempoEvent] = []
    drift_us = 0.0
    for start_ticks, stop_ticks, bpm in _tempo_pieces(grid, end_ticks):
        beats = (stop_ticks - start_ticks) / grid.ppq
        piece_us = 1e6 * (grid.ticks_to_seconds(stop_ticks) - grid.ticks_to_seconds(start_ticks))
        tempo_us = bpm_to_tempo_us(bpm)
        offset_us = drift_us - piece_us
        if abs(offset_us + beats * tempo_us) > MAX_DRIFT_US:
            neighbours = floor(piece_us / beats), ceil(piece_us / beats)
            tempo_us = min(neighbours, key=lambda value: abs(offset_us + beats * value))
        drift_us = offset_us + beats * tempo_us
        if not events or events[-1].tempo_us != tempo_us:
            events.append(TempoEvent(start_ticks, tempo_us))
    return events


def _tempo_pieces(grid: TickGrid, end_ticks: int) -> Iterator[tuple[int, int, float]]:
    """Yield (start, stop, BPM): the stretches of one tempo, long ones cut at bar lines."""
    longest_ticks = max(1, int(MAX_BEATS_PER_TEMPO * grid.ppq / grid.bar_ticks)) * grid.bar_ticks
    first_ticks = grid.pickup_ticks
    starts = [0] + [
        beats_to_ticks(change.at_beat + grid.shift_beats, ppq=grid.ppq)
        for change in grid.tempo.changes[1:]
    ]
    stops = [*starts[1:], max(end_ticks, starts[-1] + grid.bar_ticks)]
    for start, stop, change in zip(starts, stops, grid.tempo.changes, strict=True):
        if start == stop:  # two changes round to one tick: the second holds
            continue
        first_cut = first_ticks + ((start - first_ticks) // longest_ticks + 1) * longest_ticks
        cuts = [start, *range(first_cut, stop, longest_ticks), stop]
        for piece_start, piece_stop in pairwise(cuts):
            yield piece_start, piece_stop, change.bpm


def _counted_from(
    tempo: TempoMap,
    from_beats: float,
    lead: tuple[TempoChange, ...],
    *,
    lead_beats: float = 0.0,
) -> TempoMap:
    """Return `tempo` from `from_beats` on, `lead_beats` of `lead` in front; beat 0 is second 0."""
    in_force = [c for c in tempo.changes if c.at_beat <= from_beats + 1e-9] or tempo.changes[:1]
    later = [c for c in tempo.changes if c.at_beat > max(0.0, from_beats) + 1e-9]
    moved = [TempoChange(c.at_beat - from_beats + lead_beats, c.bpm) for c in later]
    here = TempoChange(lead_beats, in_force[-1].bpm)
    return TempoMap((*lead, here, *moved), tempo.meter, 0.0)


def _one_change_per_bar(tempo: TempoMap) -> TempoMap:
    """Return `tempo`, changed at bar lines only if some bar has several changes.

    Bar lines keep their seconds; within such a bar the tempo becomes the bar's average.
    """
    quarters = tempo.meter.quarters_per_bar
    bars = [floor(change.at_beat / quarters + 1e-9) for change in tempo.changes]
    if len(set(bars)) == len(bars):
        return tempo
    changes: list[TempoChange] = []
    for bar in range(bars[-1] + 2):
        start_s = tempo.beats_to_seconds(bar * quarters)
        stop_s = tempo.beats_to_seconds((bar + 1) * quarters)
        bpm = min(MAX_BPM, max(MIN_BPM, quarters * 60.0 / (stop_s - start_s)))
        if not changes or abs(changes[-1].bpm - bpm) > 1e-9:
            changes.append(TempoChange(bar * quarters, bpm))
    return TempoMap(tuple(changes), tempo.meter, tempo.first_downbeat_s)
