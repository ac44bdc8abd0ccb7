"""RecordedVoice: recorded notes played along curves, slurred, slid and shaken as a performer does.

A SoundFont strikes every note anew; here a phrase goes on through the recordings of its notes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.training.curve_synth import CONTROL_SAMPLES, Samples, stretched
from core.training.performer import Curve
from core.training.soundfont_file import Preset

CROSSFADE_SAMPLES = 260
LEAST_APART_SEMITONES = 3  # recordings in use: a slide stays within one where it can
TONGUED_LEVEL = 0.4  # of the loudness around: from here on a note speaks anew
BEFORE_CONTROLS, AROUND_CONTROLS = 6, 14


@dataclass(frozen=True, slots=True)
class Held:
    """A recorded note of unit level, repeated within its loop; [sample] as in `curve_synth.py`."""

    pitch: int
    sound: Samples
    loop: tuple[int, int]


@dataclass(frozen=True, slots=True)
class RecordedVoice:
    """The notes of one instrument or singer, from low to high."""

    program: int
    notes: tuple[Held, ...]


def voice_of(preset: Preset) -> RecordedVoice | None:
    """Return what a preset of sustained notes holds; None where nothing of it is sustained."""
    softest = min(zone.velocities for zone in preset.zones)
    held = [
        Held(zone.root_pitch, _levelled(zone.samples, zone.loop), zone.loop)
        for zone in preset.zones
        if zone.loop is not None and zone.velocities == softest
    ]
    return RecordedVoice(preset.program, tuple(held)) if held else None


def played(rng: np.random.Generator, voice: RecordedVoice, pitch: Curve, level: Curve) -> Samples:
    """Return the sound along pitch in semitones [control] and loudness [control]: [sample]."""
    notes = _spaced(rng, voice.notes)
    roots = np.array([note.pitch for note in notes])
    nearest = np.abs(pitch[:, None] - roots).argmin(1)
    speaks = _speaks(level)
    starts = np.flatnonzero(np.append(True, (np.diff(nearest) != 0) | speaks[1:])).tolist()
    semitones = stretched(pitch)
    sound = np.zeros(len(semitones), np.float32)
    for start, end in zip(starts, [*starts[1:], len(pitch)], strict=True):
        if level[start:end].max() < 1e-4:
            continue
        note = notes[int(nearest[start])]
        first = max(0, start * CONTROL_SAMPLES - CROSSFADE_SAMPLES // 2)
        last = min(len(sound), end * CONTROL_SAMPLES + CROSSFADE_SAMPLES // 2)
        is_struck = speaks[start] or level[max(0, start - BEFORE_CONTROLS)] < 1e-3
        from_sample = 0.0 if is_struck else float(rng.uniform(*note.loop))
        speeds = 2 ** ((semitones[first:last].astype(np.float64) - note.pitch) / 12)
        part = _read(note, from_sample + np.cumsum(speeds))
        fade = min(CROSSFADE_SAMPLES, len(part) // 2)
        ramp = np.linspace(0, 1, fade, dtype=np.float32)
        part[:fade] *= ramp
        part[len(part) - fade :] *= ramp[::-1]
        sound[first:last] += part
    return sound * stretched(level)


def _spaced(rng: np.random.Generator, notes: Sequence[Held]) -> list[Held]:
    kept: list[Held] = []
    for note in notes[int(rng.integers(min(LEAST_APART_SEMITONES, len(notes)))) :]:
        if not kept or note.pitch - kept[-1].pitch >= LEAST_APART_SEMITONES:
            kept.append(note)
    return kept


def _speaks(level: Curve) -> npt.NDArray[np.bool_]:
    """Return at which controls loudness rises out of a gap or a tongued stop."""
    width = 2 * AROUND_CONTROLS + 1
    around = np.lib.stride_tricks.sliding_window_view(np.pad(level, AROUND_CONTROLS), width).max(1)
    is_low = level < TONGUED_LEVEL * around
    return np.append(False, is_low[:-1] & ~is_low[1:])


def _read(note: Held, places: npt.NDArray[np.float64]) -> Samples:
    """Read a note at fractional samples, repeating its loop."""
    start, end = note.loop
    wrapped = np.where(places < end - 1, places, start + (places - start) % (end - 1 - start))
    index = wrapped.astype(np.int64)
    share = (wrapped - index).astype(np.float32)
    return np.asarray((1 - share) * note.sound[index] + share * note.sound[index + 1], np.float32)


def _levelled(samples: npt.NDArray[np.int16], loop: tuple[int, int]) -> Samples:
    sound = samples.astype(np.float32)
    level = np.sqrt((sound[loop[0] : loop[1]] ** 2).mean())
    return np.asarray(sound / max(float(level), 1e-9), np.float32)
