"""What happens to a sound between instrument and file: amp, EQ, room, compressor, noise."""

import numpy as np
import numpy.typing as npt
from scipy.signal import fftconvolve, lfilter

SAMPLE_RATE_HZ = 22_050
FINAL_PEAK = 0.9

Sound = npt.NDArray[np.float32] | npt.NDArray[np.float64]


def produced(rng: np.random.Generator, sound: Sound, *, is_distorted: bool = False) -> Sound:
    """Send a sound through a random chain; returns float32 [sample] with its peak at FINAL_PEAK."""
    sound = to_peak(sound)
    if is_distorted:
        sound = distorted(rng, sound)
    if rng.random() < 0.6:
        sound = equalised(rng, sound, lowest_hz=80, highest_hz=8000)
    if rng.random() < 0.15:
        sound = _low_passed(sound, rng.uniform(1500, 8000))
    if rng.random() < 0.15:
        sound = sound - _low_passed(sound, rng.uniform(60, 250))
    if rng.random() < 0.55:
        sound = _in_a_room(rng, sound)
    if rng.random() < 0.2:
        sound = compressed(rng, sound)
    sound = to_peak(sound)
    if rng.random() < 0.12:
        sound = np.clip(sound * rng.uniform(1.1, 3), -1, 1)
    if rng.random() < 0.45:
        noise = rng.normal(0, 1, len(sound))
        if rng.random() < 0.6:
            noise = lfilter([0.05], [1, -0.95], noise)
        level = np.sqrt((sound**2).mean()) * 10 ** (-rng.uniform(18, 60) / 20)
        sound = sound + noise / noise.std() * level
    return (to_peak(sound) * FINAL_PEAK).astype(np.float32)


def distorted(rng: np.random.Generator, sound: Sound) -> Sound:
    """Overdrive like an amp, a little lopsided."""
    drive = np.exp(rng.uniform(np.log(2), np.log(30)))
    driven = np.tanh(drive * sound + rng.uniform(-0.2, 0.2))
    return np.asarray(driven - driven.mean())


def equalised(
    rng: np.random.Generator, sound: Sound, *, lowest_hz: float, highest_hz: float
) -> Sound:
    """Boost or cut one to three random bands."""
    for _ in range(rng.integers(1, 4)):
        centre_hz = np.exp(rng.uniform(np.log(lowest_hz), np.log(highest_hz)))
        sharpness, gain_db = rng.uniform(0.4, 2), rng.normal(0, 5)
        sound = _peaked(sound, centre_hz, sharpness, gain_db)
    return sound


def reverberated(
    rng: np.random.Generator, sound: Sound, impulse: npt.NDArray[np.float64], wet_db: float
) -> Sound:
    """Add the sound as heard through an impulse response [sample] of unit energy."""
    impulse = impulse / (np.sqrt((impulse**2).sum()) + 1e-9)
    return np.asarray(sound + 10 ** (wet_db / 20) * fftconvolve(sound, impulse)[: len(sound)])


def decaying_noise(rng: np.random.Generator, decay_s: float) -> npt.NDArray[np.float64]:
    """Return an impulse response that falls by 60 dB in `decay_s` [sample]."""
    length = int(decay_s * SAMPLE_RATE_HZ)
    at_s = np.arange(length) / SAMPLE_RATE_HZ
    return np.asarray(rng.normal(0, 1, length) * np.exp(-6.9 * at_s / decay_s), np.float64)


def compressed(rng: np.random.Generator, sound: Sound) -> Sound:
    """Lift the quiet and hold down the loud."""
    level = np.sqrt(lfilter([0.001], [1, -0.999], sound**2) + 1e-8)
    return np.asarray(sound * (level / level.max() + 0.05) ** -rng.uniform(0.2, 0.7))


def to_peak(sound: Sound) -> Sound:
    """Bring the highest sample to 1."""
    return np.asarray(sound / (np.abs(sound).max() + 1e-9))


def to_rms(sound: Sound) -> Sound:
    """Bring the root mean square to 1."""
    return np.asarray(sound / (np.sqrt((sound**2).mean()) + 1e-6))


def _in_a_room(rng: np.random.Generator, sound: Sound) -> Sound:
    impulse = decaying_noise(rng, np.exp(rng.uniform(np.log(0.12), np.log(2.2))))
    impulse = np.asarray(_low_passed(impulse, rng.uniform(1200, 9000)), np.float64)
    impulse[: int(rng.uniform(0, 0.03) * SAMPLE_RATE_HZ)] = 0
    return reverberated(rng, sound, impulse, rng.uniform(-26, -4))


def _low_passed(sound: Sound, cutoff_hz: float) -> Sound:
    memory = np.exp(-2 * np.pi * cutoff_hz / SAMPLE_RATE_HZ)
    return np.asarray(lfilter([1 - memory], [1, -memory], sound))


def _peaked(sound: Sound, centre_hz: float, sharpness: float, gain_db: float) -> Sound:
    amplitude = 10 ** (gain_db / 40)
    turn = 2 * np.pi * centre_hz / SAMPLE_RATE_HZ
    alpha = np.sin(turn) / (2 * sharpness)
    ahead = np.array([1 + alpha * amplitude, -2 * np.cos(turn), 1 - alpha * amplitude])
    back = np.array([1 + alpha / amplitude, -2 * np.cos(turn), 1 - alpha / amplitude])
    return np.asarray(lfilter(ahead / back[0], back / back[0], sound))
