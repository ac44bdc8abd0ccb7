"""Synth: notes -> sound, to hear what was transcribed beside the source.

A plain instrument, not a good one: a soft keyboard with six partials for pitched notes, noise and
sweeps for drums. It is there at once, needs no soundfont, and shows wrong notes mercilessly.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from core.score.note import NoteEvent

Samples = npt.NDArray[np.float32]
Exact = npt.NDArray[np.float64]

TABLE_SAMPLES = 4096
PARTIALS = (1.0, 0.45, 0.25, 0.12, 0.06, 0.03)
ATTACK_S, RELEASE_S = 0.004, 0.06
BEND_S = 0.005
HALF_LIFE_S = 0.6  # of a held note
LOUDEST_NOTE = 0.25  # four notes at full velocity reach full scale
DRUM_S = 0.35
CONCERT_A_HZ, CONCERT_A_PITCH = 440.0, 69
NOISE_SEED = 7


def render(
    notes: Sequence[NoteEvent],
    *,
    sample_rate: int,
    duration_s: float,
    on_note: Callable[[], None] = lambda: None,
) -> Samples:
    """Return the sound of the notes [frame, 1]; `on_note` is called between notes, to cancel."""
    out = np.zeros(round(duration_s * sample_rate), np.float32)
    for note in notes:
        on_note()
        if note.is_drum:
            sound = _drum(note.pitch, sample_rate)
        else:
            sound = _pitched(note, sample_rate)
        start = max(0, round(note.onset_s * sample_rate))
        room = out[start : start + len(sound)]
        room += sound[: len(room)] * np.float32(LOUDEST_NOTE * (note.velocity / 127) ** 1.5)
    return out[:, None]


def _pitched(note: NoteEvent, sample_rate: int) -> Samples:
    length = round((max(note.duration_s, 2 * ATTACK_S) + RELEASE_S) * sample_rate)
    at_s = np.arange(length) / sample_rate
    frequency_hz = CONCERT_A_HZ * 2.0 ** ((note.pitch - CONCERT_A_PITCH) / 12)
    cycles = _cycles(note, at_s, frequency_hz, sample_rate)
    table = _table(_partials_below(sample_rate / 2, frequency_hz))
    places = (cycles * TABLE_SAMPLES).astype(np.int64) & (TABLE_SAMPLES - 1)
    sound: Samples = table[places] * _envelope(at_s, note.duration_s)
    return sound


def _cycles(note: NoteEvent, at_s: Exact, frequency_hz: float, sample_rate: int) -> Exact:
    """Return how many cycles have passed at each sample, bends included."""
    if not note.bends:
        return at_s * frequency_hz
    # As a synth plays MIDI: a bend holds until the next, which takes a moment to reach.
    bent_at_s = np.array([bend.at_s - note.onset_s for bend in note.bends])
    levels = np.array([0.0] + [bend.semitones for bend in note.bends])
    reached_s = np.minimum(bent_at_s + BEND_S, np.append(bent_at_s[1:], np.inf))
    corners_s = np.stack([bent_at_s, reached_s], axis=1).ravel()
    corners = np.stack([levels[:-1], levels[1:]], axis=1).ravel()
    if bent_at_s[0] <= 0:  # bent before it is struck
        corners[0] = corners[1]
    semitones = np.interp(at_s, corners_s, corners)
    return np.asarray(np.cumsum(frequency_hz * 2.0 ** (semitones / 12)) / sample_rate)


def _envelope(at_s: Exact, duration_s: float) -> Samples:
    """Return loudness over time: a quick rise, a slow decay, a short release."""
    held_s = max(duration_s, 2 * ATTACK_S)
    rise = np.minimum(at_s / ATTACK_S, 1.0)
    decay = np.exp2(-at_s / HALF_LIFE_S)
    release = np.clip((held_s + RELEASE_S - at_s) / RELEASE_S, 0.0, 1.0)
    return np.asarray(rise * decay * release, np.float32)


def _partials_below(limit_hz: float, frequency_hz: float) -> int:
    """Return how many partials stay below the limit; a higher one would fold back."""
    return max(1, min(len(PARTIALS), int(limit_hz / frequency_hz)))


@lru_cache(maxsize=len(PARTIALS))
def _table(partials: int) -> Samples:
    """Return one cycle of a tone of this many partials."""
    turn = 2 * np.pi * np.arange(TABLE_SAMPLES) / TABLE_SAMPLES
    cycle = sum(level * np.sin((n + 1) * turn) for n, level in enumerate(PARTIALS[:partials]))
    return np.asarray(cycle, np.float32)


@lru_cache(maxsize=64)
def _drum(key: int, sample_rate: int) -> Samples:
    """Return one hit of a General MIDI drum key."""
    at_s = np.arange(round(DRUM_S * sample_rate)) / sample_rate
    noise = np.random.default_rng(NOISE_SEED).uniform(-1.0, 1.0, len(at_s))
    bright = np.diff(noise, prepend=0.0)  # the difference of neighbours has little bass left
    if key in (35, 36):
        sweep_cycles = np.cumsum(50 + 110 * np.exp(-at_s * 40)) / sample_rate
        hit = 1.6 * np.sin(2 * np.pi * sweep_cycles) * np.exp(-at_s * 14)
    elif key in (37, 38, 39, 40):
        tone = np.sin(2 * np.pi * 190 * at_s) * np.exp(-at_s * 30)
        hit = 0.7 * noise * np.exp(-at_s * 22) + 0.6 * tone
    elif key in (41, 43, 45, 47, 48, 50):
        tom_cycles = np.cumsum(70 + 9 * (key - 41) + 40 * np.exp(-at_s * 25)) / sample_rate
        hit = 1.2 * np.sin(2 * np.pi * tom_cycles) * np.exp(-at_s * 11)
    elif key in (42, 44):
        hit = 0.6 * bright * np.exp(-at_s * 90)
    else:
        hit = 0.5 * bright * np.exp(-at_s * (12 if key != 46 else 20))
    hit *= np.clip((DRUM_S - at_s) / 0.02, 0.0, 1.0)
    return np.asarray(hit, np.float32)
