"""Rooms: how a player's sound spreads between the middle and the sides of a stereo mix."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import fftconvolve

from core.training.effects import Sound, decaying_noise

DRY_SHARE, NO_CHORUS_SHARE = 0.3, 0.3
USUAL_SEND = 40  # of General MIDI; 0..127
DRY_PLAYER_SHARE, DECAY_S, WET_DB, LEAST_APART = 0.35, (0.2, 2.0), (-26.0, -6.0), 0.3


@dataclass(frozen=True, slots=True)
class Room:
    """What fluidsynth adds to an instrument; sends 0..127, the rest as its documentation has it."""

    reverb_send: int
    chorus_send: int
    has_reverb: bool
    has_chorus: bool
    size: float
    damping: float
    width: float
    level: float


def random_room(rng: np.random.Generator) -> Room:
    """Draw a room; some instruments are heard without one."""
    has_reverb = rng.random() >= DRY_SHARE
    return Room(
        reverb_send=int(rng.choice([0, USUAL_SEND, USUAL_SEND, int(rng.integers(0, 128))])),
        chorus_send=int(rng.choice([0, 0, int(rng.integers(0, 128))])),
        has_reverb=has_reverb,
        has_chorus=has_reverb and rng.random() >= NO_CHORUS_SHARE,
        size=rng.uniform(0.1, 0.9),
        damping=rng.uniform(0.0, 0.8),
        width=rng.uniform(0.2, 1.0),
        level=rng.uniform(0.2, 1.0),
    )


def spread(rng: np.random.Generator, sound: Sound) -> tuple[Sound, Sound]:
    """Return middle and side of a mono sound [sample] in a random room; some are left dry."""
    if rng.random() < DRY_PLAYER_SHARE:
        return sound, np.zeros_like(sound)
    decay_s = rng.uniform(*DECAY_S)
    wet = 10 ** (rng.uniform(*WET_DB) / 20)
    middle, side = (_answer(rng, sound, decay_s) for _ in range(2))
    return sound + wet * middle, wet * rng.uniform(LEAST_APART, 1.0) * side


def _answer(rng: np.random.Generator, sound: Sound, decay_s: float) -> Sound:
    impulse = decaying_noise(rng, decay_s)
    impulse = impulse / (np.sqrt((impulse**2).sum()) + 1e-9)
    return np.asarray(fftconvolve(sound, impulse)[: len(sound)])
