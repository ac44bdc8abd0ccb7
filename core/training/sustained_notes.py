"""Recorded notes of bows, winds and voices: brought into tune, made to last for as long as asked.

Collections name the key that was meant; what sounds is up to a few semitones off, where singers
sank or a file bears the wrong sample rate.
"""

import math

import numpy as np
import numpy.typing as npt
import soxr  # type: ignore[import-untyped]  # it ships no types

MOST_OFF_SEMITONES, STEP_SEMITONES = 2.6, 0.02
PARTIALS, PARTIAL_FALL = 10, 0.3
SPECTRUM_SIZE = 1 << 17
STEADY = (0.25, 0.75)  # of the time a note is loud
LOUD = 0.35  # of its peak: neither attack nor the end of the breath
ENVELOPE_S = 0.02
HEARD, HEARD_HOP_S, LEAD_HOPS = 0.3, 0.005, 2  # of its level; whoever plays gives it an attack
LOOPED = (0.3, 0.92)  # of the time a note is loud
CROSSFADE_SHARE, LONGEST_CROSSFADE_S = 0.35, 0.25
SOUGHT_S = 0.04  # about the end of a loop, for the place most like its start
SHORTEST_LOOP_S = 0.12

Recorded = npt.NDArray[np.float32]


class TooShortError(ValueError):
    """A note is too short to be repeated."""


def in_tune(note: Recorded, pitch: int, rate_hz: int) -> Recorded:
    """Return a note [sample] at the pitch meant, MOST_OFF_SEMITONES away from it at most."""
    off = semitones_off(note, pitch, rate_hz)
    return np.asarray(soxr.resample(note, rate_hz, rate_hz * 2 ** (off / 12)), np.float32)


def semitones_off(note: Recorded, pitch: int, rate_hz: int) -> float:
    """Return how far above the pitch meant a note sounds: where most of its partials lie."""
    first, end = _loud(note, rate_hz)
    steady = note[first + int(STEADY[0] * (end - first)) : first + int(STEADY[1] * (end - first))]
    steady = steady[:SPECTRUM_SIZE]
    spectrum = np.abs(np.fft.rfft(steady * np.hanning(len(steady)), SPECTRUM_SIZE))
    steps = int(MOST_OFF_SEMITONES / STEP_SEMITONES)
    offs = STEP_SEMITONES * np.arange(-steps, steps + 1)
    orders = np.arange(1, PARTIALS + 1)
    bins = 440 * 2 ** ((pitch - 69 + offs[:, None]) / 12) * orders * SPECTRUM_SIZE / rate_hz
    inside = bins < len(spectrum) - 1
    levels = np.sqrt(np.interp(bins, np.arange(len(spectrum)), spectrum)) * inside
    return float(offs[(levels / orders**PARTIAL_FALL).sum(1).argmax()])


def from_where_heard(note: Recorded, rate_hz: int) -> Recorded:
    """Return a note without what sounds before anybody hears it, which may last for a second.

    Raises TooShortError for a scrap.
    """
    first, end = _loud(note, rate_hz)
    hop = int(HEARD_HOP_S * rate_hz)
    blocks = note[: len(note) // hop * hop].reshape(-1, hop)
    envelope = np.sqrt((blocks**2).mean(1))
    heard = int(np.argmax(envelope > HEARD * _rms(note[first:end])))
    return note[max(0, heard - LEAD_HOPS) * hop :]


def looped(note: Recorded, rate_hz: int) -> tuple[Recorded, tuple[int, int]]:
    """Return a note and the samples between which it may be repeated while a key is held.

    The end of the loop passes over into what comes before its start, at an equal level. Raises
    TooShortError where there is nothing to repeat.
    """
    first, end = _loud(note, rate_hz)
    start = first + int(LOOPED[0] * (end - first))
    end = first + int(LOOPED[1] * (end - first))
    if end - start < SHORTEST_LOOP_S * rate_hz:
        raise TooShortError
    fade = int(min(CROSSFADE_SHARE * (end - start), LONGEST_CROSSFADE_S * rate_hz, start))
    before = note[start - fade : start]
    ends = range(max(start + 2 * fade, end - int(SOUGHT_S * rate_hz)), end + 1)
    likeness = [_likeness(note[place - fade : place], before) for place in ends]
    end = ends[int(np.argmax(likeness))]
    into = np.linspace(0, 1, fade, dtype=np.float32)
    level = _rms(note[end - fade : end]) / max(_rms(before), 1e-9)
    mended = note[:end].copy()
    mended[end - fade :] = (1 - into) * note[end - fade : end] + into * before * (
        level * (1 - into) + into
    )
    return mended, (start, end)


def _loud(note: Recorded, rate_hz: int) -> tuple[int, int]:
    """Return from which sample to which a note is loud; raises TooShortError for a scrap."""
    hop = int(ENVELOPE_S * rate_hz)
    if len(note) < SHORTEST_LOOP_S * rate_hz:
        raise TooShortError
    blocks = note[: len(note) // hop * hop].reshape(-1, hop)
    envelope = np.sqrt((blocks**2).mean(1))
    loud = np.flatnonzero(envelope > LOUD * envelope.max())
    return int(loud[0]) * hop, (int(loud[-1]) + 1) * hop


def _likeness(one: Recorded, other: Recorded) -> float:
    powers = float((one**2).sum() * (other**2).sum())
    return float((one * other).sum()) / max(math.sqrt(powers), 1e-9)


def _rms(sound: Recorded) -> float:
    return float(np.sqrt((sound**2).mean()))
