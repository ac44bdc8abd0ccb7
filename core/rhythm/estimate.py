"""Estimate: the tempo map of a song from its audio files and the notes found in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from core.rhythm.bars import (
    TWELFTHS,
    USUAL_METERS,
    Judgement,
    Reading,
    judge,
    marks_of,
    readings,
)
from core.rhythm.fit import Line, constant_line, line_of_period, rounded_bpm, tempo_changes
from core.rhythm.onsets import Floats, Onsets, onsets_of
from core.rhythm.pulse import even_pulse, find_pulse
from core.score.tempo import Meter, TempoMap, constant_tempo
from core.score.transcription import Track

DEFAULT_BPM = 120.0
FEWEST_NOTES = 8
START_S = 0.015  # a bar line this near to the start of the file lies on it
SAME_TEMPO = 0.02


class Cancellation(Protocol):
    """Whatever raises CancelledError once the user has asked to stop."""

    def raise_if_set(self) -> None: ...


@dataclass(frozen=True, slots=True)
class TempoChoice:
    """What the user fixed by hand; None is to be found. `bpm` counts quarter notes."""

    bpm: float | None = None
    meter: Meter | None = None
    first_downbeat_s: float | None = None


@dataclass(frozen=True, slots=True)
class TempoEstimate:
    """A tempo map, how far to trust it (0..1), and in words how it came about."""

    tempo: TempoMap
    confidence: float
    how: str


def estimate_tempo(
    stems: Sequence[Path],
    tracks: Sequence[Track],
    choice: TempoChoice | None = None,
    *,
    cancel: Cancellation | None = None,
) -> TempoEstimate:
    """Find the tempo, meter and first downbeat over all stems of a song.

    The notes in `tracks` are the evidence; all times share the axis of the stems.
    """
    if cancel is not None:
        cancel.raise_if_set()
    return _estimated(onsets_of(tracks), choice or TempoChoice())


def _estimated(onsets: Onsets, choice: TempoChoice) -> TempoEstimate:
    duration_s = float(onsets.at_s[-1]) + 1.0 if len(onsets) else 0.0
    pulse_s = np.zeros(0)
    if len(onsets) >= FEWEST_NOTES:
        if choice.bpm is None:
            pulse_s = find_pulse(onsets, duration_s)
        else:
            pulse_s = even_pulse(onsets, 60.0 / choice.bpm, duration_s)
    if not len(pulse_s):
        return _without_beat(choice)
    if choice.bpm is not None:
        line: Line | None = line_of_period(onsets, pulse_s, 60.0 / choice.bpm)
    else:
        line = constant_line(onsets, pulse_s)
    if line is not None:
        pulse_s = _pulses_of(line, pulse_s)
    judged = _judged(onsets, pulse_s, choice)
    if line is None:
        return _following(onsets, pulse_s, judged, choice)
    return _constant(onsets, line, pulse_s, judged, choice)


def _without_beat(choice: TempoChoice) -> TempoEstimate:
    tempo = constant_tempo(
        choice.bpm or DEFAULT_BPM,
        meter=choice.meter,
        first_downbeat_s=choice.first_downbeat_s or 0.0,
    )
    if choice.bpm is not None:
        return TempoEstimate(tempo, 1.0, f"{choice.bpm:g} BPM, set by hand")
    return TempoEstimate(tempo, 0.0, f"no steady beat found; {DEFAULT_BPM:g} BPM assumed")


def _pulses_of(line: Line, like_s: Floats) -> Floats:
    """Return the pulses of a line over the same time as the pulses `like_s`."""
    first = np.floor((like_s[0] - line.start_s) / line.period_s)
    last = np.ceil((like_s[-1] - line.start_s) / line.period_s)
    return line.start_s + line.period_s * np.arange(first, last + 1)


def _judged(onsets: Onsets, pulse_s: Floats, choice: TempoChoice) -> Judgement:
    """Weigh the readings that leave what the user fixed as it is."""
    length_s = float(np.median(np.diff(pulse_s)))
    candidates = readings((choice.meter,) if choice.meter else USUAL_METERS)
    if choice.bpm is not None:
        fixed = choice.bpm
        candidates = [
            reading
            for reading in candidates
            if abs(reading.quarter_bpm(length_s) / fixed - 1) < SAME_TEMPO
        ]
    if choice.first_downbeat_s is not None:
        at = _twelfth_at(pulse_s, choice.first_downbeat_s)
        fitting = [reading for reading in candidates if _misses(reading, at) <= reading.stride / 4]
        candidates = fitting or candidates
    return judge(candidates, marks_of(onsets, pulse_s), length_s)


def _twelfth_at(pulse_s: Floats, at_s: float) -> float:
    length_s = float(np.median(np.diff(pulse_s)))
    if at_s < pulse_s[0]:
        return (at_s - float(pulse_s[0])) / length_s * TWELFTHS
    return float(np.interp(at_s, pulse_s, np.arange(len(pulse_s)) * float(TWELFTHS)))


def _misses(reading: Reading, at: float) -> float:
    """Return how many twelfths the nearest bar line is away."""
    return abs((at - reading.start + reading.bar / 2) % reading.bar - reading.bar / 2)


def _constant(
    onsets: Onsets, line: Line, pulse_s: Floats, judged: Judgement, choice: TempoChoice
) -> TempoEstimate:
    reading = judged.reading
    song_s = float(onsets.at_s[-1] - onsets.at_s[0])
    bpm = choice.bpm or rounded_bpm(reading.quarter_bpm(line.period_s), song_s)
    # The rounded tempo turns about the middle of the song, where it errs least at both ends.
    period_s = line.period_s * reading.quarter_bpm(line.period_s) / bpm
    settled = line_of_period(onsets, pulse_s, period_s)
    bar_period_s = period_s * reading.bar / TWELFTHS
    bar_s = _bar_times_s(reading, pulse_s)
    first_s = settled.start_s + round((bar_s[0] - settled.start_s) / period_s * TWELFTHS) * (
        period_s / TWELFTHS
    )
    downbeat_s = _first_downbeat_s(
        first_s + bar_period_s * np.arange(len(bar_s)), float(onsets.at_s[0])
    )
    tempo = constant_tempo(bpm, meter=reading.meter, first_downbeat_s=downbeat_s)
    tempo = _with_choice(tempo, choice)
    return TempoEstimate(tempo, judged.probability, f"one tempo throughout: {bpm:g} BPM")


def _following(
    onsets: Onsets, pulse_s: Floats, judged: Judgement, choice: TempoChoice
) -> TempoEstimate:
    reading = judged.reading
    bar_s = _bar_times_s(reading, pulse_s)
    first_s = _first_downbeat_s(bar_s, float(onsets.at_s[0]))
    if choice.first_downbeat_s is not None:
        first_s = float(bar_s[np.abs(bar_s - choice.first_downbeat_s).argmin()])
    heard_s = bar_s[bar_s > first_s + 1e-3]
    changes = tempo_changes(np.concatenate([[first_s], heard_s]), reading.meter.quarters_per_bar)
    tempo = _with_choice(TempoMap(changes, reading.meter, first_s), choice)
    slowest = min(change.bpm for change in changes)
    fastest = max(change.bpm for change in changes)
    how = f"the tempo moves between {slowest:.0f} and {fastest:.0f} BPM"
    return TempoEstimate(tempo, judged.probability, how)


def _bar_times_s(reading: Reading, pulse_s: Floats) -> Floats:
    twelfths = np.arange(reading.start % reading.bar, (len(pulse_s) - 1) * TWELFTHS, reading.bar)
    return np.interp(twelfths, np.arange(len(pulse_s)) * TWELFTHS, pulse_s)


def _first_downbeat_s(bar_s: Floats, first_onset_s: float) -> float:
    """Return where bar 1 starts: at 0 if a bar line lies there, else where the music comes in.

    Less than half a bar before a bar line is a pickup to it.
    """
    length_s = float(np.median(np.diff(bar_s)))
    earlier = bar_s[0] - length_s * np.arange(int(max(0.0, bar_s[0]) / length_s) + 1, 0, -1)
    listed = np.concatenate([earlier, bar_s])
    if np.abs(listed).min() < START_S:
        return 0.0
    possible = listed[(listed >= first_onset_s - length_s / 2) & (listed > 0.0)]
    return float(possible[0]) if len(possible) else 0.0


def _with_choice(tempo: TempoMap, choice: TempoChoice) -> TempoMap:
    if choice.first_downbeat_s is None:
        return tempo
    return replace(tempo, first_downbeat_s=choice.first_downbeat_s)
