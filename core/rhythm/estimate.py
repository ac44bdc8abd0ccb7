"""Estimate: the tempo map of a song from its audio files and the notes found in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

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
from core.rhythm.fit import (
    Line,
    constant_line,
    line_of_period,
    rounded_bpm,
    tempo_changes,
    with_period,
)
from core.rhythm.flux import Cancellation, heard_onsets
from core.rhythm.onsets import Floats, Onsets, onsets_of
from core.rhythm.pulse import Pulse, find_pulse, retapped
from core.score.tempo import Meter, TempoMap, constant_tempo
from core.score.transcription import Track

DEFAULT_BPM = 120.0
FEWEST_NOTES = 8
UNCLEAR, CLEAR = 0.2, 0.5  # clearness of a pulse: below is no beat, above is beyond doubt
START_S = 0.02  # a bar line this near to the start of the file lies on it; basses are heard late
SAME_TEMPO = 0.02
JUDGED_S = 600.0  # ten minutes tell the meter; more would only cost memory


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

    The notes in `tracks` are the evidence: measured over 45 songs they gave better tempi, beats and
    bars alone than together with what is heard in the sound. Where hardly any were found, the stems
    are listened to instead. All times share the axis of the stems.

    Raises:
        AudioReadError: a stem had to be read and could not be.
        CancelledError: the user stopped the work.
    """
    choice = choice or TempoChoice()
    onsets = onsets_of(tracks)
    if len(onsets) < FEWEST_NOTES:
        onsets = heard_onsets(stems, cancel)
    if cancel is not None:
        cancel.raise_if_set()
    return estimate_from_onsets(onsets, choice)


def estimate_from_onsets(onsets: Onsets, choice: TempoChoice) -> TempoEstimate:
    """Find what `choice` leaves open."""
    if len(onsets) < FEWEST_NOTES:
        return _without_beat(choice)
    if choice.bpm is not None:
        line = line_of_period(60.0 / choice.bpm, onsets)
        return _constant(onsets, line, choice, clearness=CLEAR)
    pulse = find_pulse(onsets)
    if pulse is None or pulse.clearness < UNCLEAR:
        return _without_beat(choice)
    pulse = _at_beat_level(onsets, pulse, choice)
    steady = constant_line(onsets, pulse.at_s)
    if steady is None:
        return _following(onsets, pulse, choice)
    return _constant(onsets, steady, choice, clearness=pulse.clearness)


def _without_beat(choice: TempoChoice) -> TempoEstimate:
    tempo = constant_tempo(
        choice.bpm or DEFAULT_BPM,
        meter=choice.meter,
        first_downbeat_s=choice.first_downbeat_s or 0.0,
    )
    if choice.bpm is not None:
        return TempoEstimate(tempo, 1.0, f"{choice.bpm:g} BPM, set by hand")
    return TempoEstimate(tempo, 0.0, f"no steady beat found; {DEFAULT_BPM:g} BPM assumed")


def _at_beat_level(onsets: Onsets, pulse: Pulse, choice: TempoChoice) -> Pulse:
    """Return the pulse at the level of the beat: there one tempo and a moving one differ most."""
    reading = _judged(onsets, pulse.at_s, choice).reading
    if reading.stride == TWELFTHS and reading.start % TWELFTHS == 0:
        return pulse
    return replace(pulse, at_s=retapped(reading.beats_of(pulse.at_s), onsets))


def _judged(onsets: Onsets, pulse_s: Floats, choice: TempoChoice) -> Judgement:
    """Return the likeliest reading that leaves what the user fixed as it is."""
    period_s = float(np.median(np.diff(pulse_s)))
    candidates = readings((choice.meter,) if choice.meter else USUAL_METERS)
    if choice.bpm is not None:
        fixed = choice.bpm
        candidates = [
            reading
            for reading in candidates
            if abs(reading.quarter_bpm(period_s) / fixed - 1) < SAME_TEMPO
        ]
    until_s = float(onsets.at_s[0]) + JUDGED_S
    judged_s = pulse_s[pulse_s < until_s]
    marks = marks_of(onsets.from_to(0.0, until_s), judged_s)
    judged = judge(candidates, marks, period_s, tempo_is_known=choice.bpm is not None)
    if choice.first_downbeat_s is None:
        return judged
    at = _twelfth_at(pulse_s, choice.first_downbeat_s)
    return replace(judged, reading=judged.reading.with_bar_line_near(at))


def _twelfth_at(pulse_s: Floats, at_s: float) -> float:
    length_s = float(np.median(np.diff(pulse_s)))
    if at_s < pulse_s[0]:
        return (at_s - float(pulse_s[0])) / length_s * TWELFTHS
    return float(np.interp(at_s, pulse_s, np.arange(len(pulse_s)) * float(TWELFTHS)))


def _constant(
    onsets: Onsets, line: Line, choice: TempoChoice, *, clearness: float
) -> TempoEstimate:
    first_s, last_s = float(onsets.at_s[0]), float(onsets.at_s[-1])
    pulse_s = line.around(first_s, last_s)
    judged = _judged(onsets, pulse_s, choice)
    found_bpm = judged.reading.quarter_bpm(line.period_s)
    bpm = choice.bpm or rounded_bpm(found_bpm, last_s - first_s)
    pulse_s = with_period(line.period_s * found_bpm / bpm, pulse_s, onsets)
    downbeat_s = _first_downbeat_s(_bar_times_s(judged.reading, pulse_s), onsets)
    tempo = constant_tempo(bpm, meter=judged.reading.meter, first_downbeat_s=downbeat_s)
    how = f"{bpm:g} BPM, set by hand" if choice.bpm else f"one tempo throughout: {bpm:g} BPM"
    return TempoEstimate(_with_choice(tempo, choice), _confidence(judged, clearness), how)


def _following(onsets: Onsets, pulse: Pulse, choice: TempoChoice) -> TempoEstimate:
    judged = _judged(onsets, pulse.at_s, choice)
    bar_s = _bar_times_s(judged.reading, pulse.at_s)
    downbeat_s = _first_downbeat_s(bar_s, onsets)
    if choice.first_downbeat_s is not None:
        downbeat_s = choice.first_downbeat_s
    # A bar line moved to the start of the file leaves the one heard there just behind it.
    later_s = bar_s[bar_s > downbeat_s + float(np.median(np.diff(bar_s))) / 2]
    meter = judged.reading.meter
    changes = tempo_changes(np.concatenate([[downbeat_s], later_s]), meter.quarters_per_bar)
    tempo = _with_choice(TempoMap(changes, meter, downbeat_s), choice)
    slowest, fastest = min(c.bpm for c in changes), max(c.bpm for c in changes)
    return TempoEstimate(tempo, _confidence(judged, pulse.clearness), moving(slowest, fastest))


def moving(slowest_bpm: float, fastest_bpm: float) -> str:
    """Say between which tempos a piece moves; those that read the same are one."""
    slowest, fastest = f"{slowest_bpm:.0f}", f"{fastest_bpm:.0f}"
    if slowest == fastest:
        return f"the tempo moves a little around {slowest} BPM"
    return f"the tempo moves between {slowest} and {fastest} BPM"


def _confidence(judged: Judgement, clearness: float) -> float:
    return judged.probability * min(1.0, clearness / CLEAR)


def _bar_times_s(reading: Reading, pulse_s: Floats) -> Floats:
    """Return the bar lines from one bar before the pulse to one after it; three at least."""
    more = ceil(reading.bar / TWELFTHS) + 1
    steps_s = np.diff(pulse_s)
    lengthened_s = np.concatenate(
        [
            pulse_s[0] - steps_s[0] * np.arange(more, 0, -1),
            pulse_s,
            pulse_s[-1] + steps_s[-1] * np.arange(1, more + 1),
        ]
    )
    first = (reading.start + more * TWELFTHS) % reading.bar
    twelfths = np.arange(first, (len(lengthened_s) - 1) * TWELFTHS, reading.bar)
    bar_s = np.interp(twelfths, np.arange(len(lengthened_s)) * TWELFTHS, lengthened_s)
    return np.asarray(bar_s, dtype=np.float64)


def _first_downbeat_s(bar_s: Floats, onsets: Onsets) -> float:
    """Return where bar 1 starts: at 0 if a bar line lies there, else where the music comes in.

    What begins less than half a bar before a bar line is a pickup to it.
    """
    length_s = float(np.median(np.diff(bar_s)))
    earlier = bar_s[0] - length_s * np.arange(int(max(0.0, bar_s[0]) / length_s) + 1, 0, -1)
    listed = np.concatenate([earlier, bar_s])
    if np.abs(listed).min() < START_S:
        return 0.0
    entry_s = onsets.entry_s(length_s)
    possible = listed[(listed >= entry_s - length_s / 2) & (listed > 0.0)]
    return float(possible[0]) if len(possible) else 0.0


def _with_choice(tempo: TempoMap, choice: TempoChoice) -> TempoMap:
    if choice.first_downbeat_s is None:
        return tempo
    return replace(tempo, first_downbeat_s=choice.first_downbeat_s)
