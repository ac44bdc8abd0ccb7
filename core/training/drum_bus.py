"""What is done to a whole drum kit: rooms, overheads, compressors, distortion, cheap samplers."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from core.training.effects import (
    SAMPLE_RATE_HZ,
    band_limited,
    coded,
    compressed,
    decaying_noise,
    equalised,
    low_passed,
    reverberated,
    through_a_microphone,
    to_peak,
    to_rms,
)

Sound = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Effect = Callable[[np.random.Generator, Sound], Sound]


def on_the_drum_bus(rng: np.random.Generator, sound: Sound) -> Sound:
    """Send all drums together through the effects of a mixing desk."""
    return _through(_BUS, rng, sound)


def mastered(rng: np.random.Generator, sound: Sound) -> Sound:
    """Squeeze, limit, and lose what files and rooms lose."""
    return _through(_MASTER, rng, sound)


def _through(
    chain: tuple[tuple[float, Effect], ...], rng: np.random.Generator, sound: Sound
) -> Sound:
    for share, effect in chain:
        if rng.random() < share:
            sound = effect(rng, sound)
    return sound


def _equalised(rng: np.random.Generator, sound: Sound) -> Sound:
    return equalised(rng, sound, lowest_hz=60, highest_hz=9000)


def _in_a_room(rng: np.random.Generator, sound: Sound) -> Sound:
    impulse = decaying_noise(rng, np.exp(rng.uniform(np.log(0.1), np.log(2.0))))
    return reverberated(rng, sound, impulse, rng.uniform(-24, -4))


def _from_afar(rng: np.random.Generator, sound: Sound) -> Sound:
    """Hear the kit through one pair of microphones in the room: walls, and a dull tail."""
    decay_s = np.exp(rng.uniform(np.log(0.15), np.log(1.2)))
    impulse = decaying_noise(rng, decay_s) * rng.uniform(0.02, 0.3)
    impulse = np.asarray(low_passed(impulse, rng.uniform(2000, 9000)), np.float64)
    impulse[0] = 1.0
    for _ in range(int(rng.integers(2, 9))):
        at = int(rng.uniform(0.001, 0.03) * SAMPLE_RATE_HZ)
        impulse[min(at, len(impulse) - 1)] += rng.uniform(-0.7, 0.7)
    return np.asarray(fftconvolve(to_peak(sound), impulse)[: len(sound)])


def _from_overhead(rng: np.random.Generator, sound: Sound) -> Sound:
    """Lose the lows, as microphones do that are there for the cymbals."""
    steep = butter(1, rng.uniform(100, 500), "highpass", fs=SAMPLE_RATE_HZ, output="sos")
    return np.asarray(sosfilt(steep, sound))


def _squashed(rng: np.random.Generator, sound: Sound) -> Sound:
    """Let a fast compressor pump: after each loud stroke all that rings swells up."""
    sound = to_peak(sound)
    slow, fast = (
        np.exp(-1 / (rng.uniform(*reach_s) * SAMPLE_RATE_HZ))
        for reach_s in ((0.03, 0.2), (0.001, 0.01))
    )
    held = lfilter([1 - slow], [1, -slow], sound**2)
    struck = lfilter([1 - fast], [1, -fast], sound**2)
    level = np.sqrt(np.maximum(held, 0.3 * struck) + 1e-8)
    return np.asarray(sound * (level / level.max() + 0.03) ** -rng.uniform(0.4, 0.9))


def _driven_beside(rng: np.random.Generator, sound: Sound) -> Sound:
    """Add a distorted copy under the clean sound."""
    sound = to_peak(sound)
    return np.asarray(sound + rng.uniform(0.1, 0.6) * np.tanh(rng.uniform(5, 30) * sound))


def _driven(rng: np.random.Generator, sound: Sound) -> Sound:
    return np.asarray(np.tanh(to_peak(sound) * rng.uniform(1, 5)))


def _sampled_cheaply(rng: np.random.Generator, sound: Sound) -> Sound:
    """Hold every other sample or so, in few bits, as early samplers do."""
    hold, steps = int(rng.integers(1, 4)), 2.0 ** rng.uniform(4, 9)
    held = np.repeat(to_peak(sound)[::hold], hold)[: len(sound)]
    return np.asarray(np.round(held * steps) / steps, np.float64)


def _limited(rng: np.random.Generator, sound: Sound) -> Sound:
    return np.asarray(np.tanh(to_rms(sound) * rng.uniform(0.1, 0.5)))


def _in_a_hall(rng: np.random.Generator, sound: Sound) -> Sound:
    return reverberated(
        rng, sound, decaying_noise(rng, rng.uniform(0.5, 2.5)), rng.uniform(-18, -5)
    )


def _hissing(rng: np.random.Generator, sound: Sound) -> Sound:
    level = float(sound.std()) * 10 ** (-rng.uniform(12, 55) / 20)
    return np.asarray(sound + rng.normal(0, 1, len(sound)) * level)


# What is done to how many clips, in this order.
_BUS: tuple[tuple[float, Effect], ...] = (
    (0.08, _from_overhead),
    (0.2, through_a_microphone),
    (0.5, _equalised),
    (0.15, _from_afar),
    (0.45, _in_a_room),
    (0.2, compressed),
    (0.12, _squashed),
    (0.1, _driven_beside),
    (0.15, _driven),
    (0.05, _sampled_cheaply),
)
_MASTER: tuple[tuple[float, Effect], ...] = (
    (0.2, compressed),
    (0.25, _limited),
    (0.08, _in_a_hall),
    (0.45, _hissing),
    (0.12, band_limited),
    (0.12, coded),
)
