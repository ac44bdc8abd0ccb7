"""Places in the song as text: clock time, bars.beats.ticks, note names."""

from math import floor

from core.score.tempo import TempoMap

TICKS_PER_QUARTER = 960  # as in the MIDI files written
_PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def clock_text(at_s: float) -> str:
    """Return minutes, seconds and milliseconds as 01:23.456, with hours from one hour on."""
    total_ms = round(abs(at_s) * 1000)
    minutes, milliseconds = divmod(total_ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    sign = "-" if at_s < 0 and total_ms else ""
    prefix = f"{hours}:" if hours else ""
    return f"{sign}{prefix}{minutes:02d}:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"


def bars_text(tempo: TempoMap, at_s: float) -> str:
    """Return bar.beat.tick as a DAW counts: 1.1.000 at the first downbeat, 960 ticks per quarter.

    A beat is the meter's beat unit, so 6/8 counts six beats of 480 ticks.
    """
    ticks = round(tempo.seconds_to_beats(at_s) * TICKS_PER_QUARTER)
    ticks_per_beat = TICKS_PER_QUARTER * 4 // tempo.meter.beat_unit
    beats, tick = divmod(ticks, ticks_per_beat)
    bars, beat = divmod(beats, tempo.meter.beats_per_bar)
    return f"{bars + 1}.{beat + 1}.{tick:03d}"


def tick_label(at_s: float, step_s: float) -> str:
    """Return the time for a ruler whose labels are `step_s` apart: no more digits than it needs."""
    minutes, seconds = divmod(round(at_s, 3), 60)
    if step_s >= 1:
        hours, minutes = divmod(int(minutes), 60)
        return (f"{hours}:{minutes:02d}" if hours else f"{minutes}") + f":{floor(seconds):02d}"
    digits = 1 if step_s >= 0.1 else 2 if step_s >= 0.01 else 3
    return f"{int(minutes)}:{seconds:0{digits + 3}.{digits}f}"


def note_name(pitch: int) -> str:
    """Return the name of a MIDI pitch; 60 is C4."""
    return f"{_PITCH_CLASSES[pitch % 12]}{pitch // 12 - 1}"
