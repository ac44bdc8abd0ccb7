"""Noises of handling: hammers and pedals of pianos, strokes across damped strings.

They are heard, but they are no notes.
"""

import numpy as np

from core.training.curve_synth import SAMPLE_RATE_HZ, Samples, coloured
from core.training.part import Part
from core.training.performer import log_uniform


def with_hammers(rng: np.random.Generator, sound: Samples, part: Part) -> Samples:
    """Add the thuds of a piano's action [sample]."""
    noisy, loudest = np.array(sound, np.float32), float(np.abs(sound).max())
    level = loudest * 10 ** (-rng.uniform(24, 46) / 20)
    centre_hz, length_s = rng.uniform(80, 600), rng.uniform(0.02, 0.09)
    for note in part.notes:
        loudness = level * (note.velocity / 127) ** 1.2
        _add_burst(rng, noisy, note.onset_s, length_s, centre_hz, loudness)
        if rng.random() < 0.3:  # the damper falls back
            _add_burst(rng, noisy, note.offset_s, length_s, 2 * centre_hz, 0.3 * level)
    for press in part.pedal:
        _add_burst(rng, noisy, press.at_s, 2 * length_s, 0.7 * centre_hz, 0.6 * level)
    return noisy


def with_muted_strokes(rng: np.random.Generator, sound: Samples, part: Part) -> Samples:
    """Add strokes across damped strings where the part has some [sample]."""
    if not part.muted_strokes:
        return sound
    noisy, loudest = np.array(sound, np.float32), float(np.abs(sound).max())
    level, length_s = loudest * rng.uniform(0.05, 0.4), rng.uniform(0.02, 0.08)
    centre_hz = log_uniform(rng, 90, 3500)  # from a knock on the body to a pick on the strings
    for stroke in part.muted_strokes:
        loudness = level * (stroke.amount / 127) ** 1.5
        _add_burst(rng, noisy, stroke.at_s, length_s, centre_hz, loudness)
    return noisy


def _add_burst(
    rng: np.random.Generator,
    sound: Samples,
    at_s: float,
    length_s: float,
    centre_hz: float,
    loudness: float,
) -> None:
    first = max(0, int(at_s * SAMPLE_RATE_HZ))
    room = min(int(length_s * SAMPLE_RATE_HZ), len(sound) - first)
    if room > 8:
        fading = np.exp(-4 * np.arange(room) / room)
        burst = coloured(rng, room, centre_hz * rng.uniform(0.9, 1.1)) * fading * loudness
        sound[first : first + room] += burst.astype(np.float32)
