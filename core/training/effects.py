"""What happens to a sound between instrument and file: amp, EQ, room, compressor, noise."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, fftconvolve, firwin2, istft, lfilter, sosfilt, stft

SAMPLE_RATE_HZ = 22_050
FINAL_PEAK = 0.9

Sound = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Effect = Callable[[np.random.Generator, Sound], Sound]


def produced(rng: np.random.Generator, sound: Sound, *, is_distorted: bool = False) -> Sound:
    """Send a sound through a random chain; returns float32 [sample] with its peak at FINAL_PEAK."""
    sound = to_peak(sound)
    if is_distorted:
        sound = distorted(rng, sound)
    for share, effect in _STUDIO:
        if rng.random() < share:
            sound = effect(rng, sound)
    sound = to_peak(sound)
    for share, effect in _RECORDER:
        if rng.random() < share:
            sound = effect(rng, sound)
    return (to_peak(sound) * FINAL_PEAK).astype(np.float32)


def distorted(rng: np.random.Generator, sound: Sound) -> Sound:
    """Overdrive like an amp, a little lopsided."""
    drive = np.exp(rng.uniform(np.log(2), np.log(30)))
    driven = np.tanh(drive * sound + rng.uniform(-0.2, 0.2))
    return np.asarray(driven - driven.mean())


def equalised(
    rng: np.random.Generator, sound: Sound, *, lowest_hz: float = 80, highest_hz: float = 8000
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


def coded(rng: np.random.Generator, sound: Sound) -> Sound:
    """Lose what a lossy codec at a low bit rate loses: bins far below their neighbours."""
    _, _, spectrum = stft(sound, nperseg=1024, noverlap=768)
    power = np.abs(spectrum) ** 2
    around = fftconvolve(power, np.hanning(23)[1:-1, None] / 11, mode="same")
    kept = power > np.maximum(around, 0) * 10 ** (-rng.uniform(6, 18) / 10)
    coarse = spectrum * np.where(kept, 1 + rng.normal(0, 0.1, spectrum.shape), 0)
    _, decoded = istft(coarse, nperseg=1024, noverlap=768)
    length = len(sound)
    return np.asarray(np.pad(decoded, (0, max(0, length - len(decoded))))[:length])


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


def _dulled(rng: np.random.Generator, sound: Sound) -> Sound:
    return low_passed(sound, rng.uniform(1500, 8000))


def _thinned(rng: np.random.Generator, sound: Sound) -> Sound:
    return np.asarray(sound - low_passed(sound, rng.uniform(60, 250)))


def _clipped(rng: np.random.Generator, sound: Sound) -> Sound:
    return np.clip(sound * rng.uniform(1.1, 3), -1, 1)


def _noisy(rng: np.random.Generator, sound: Sound) -> Sound:
    noise = rng.normal(0, 1, len(sound))
    if rng.random() < 0.6:
        noise = lfilter([0.05], [1, -0.95], noise)
    level = np.sqrt((sound**2).mean()) * 10 ** (-rng.uniform(18, 60) / 20)
    return np.asarray(sound + noise / noise.std() * level)


def band_limited(rng: np.random.Generator, sound: Sound) -> Sound:
    """Cut off the top steeply, as telephones and low bit rates do."""
    steep = butter(6, rng.uniform(2500, 9000), fs=SAMPLE_RATE_HZ, output="sos")
    return np.asarray(sosfilt(steep, sound))


def _echoed(rng: np.random.Generator, sound: Sound) -> Sound:
    """Add a few quiet repeats, as of a delay pedal."""
    delay = int(rng.uniform(0.09, 0.5) * SAMPLE_RATE_HZ)
    gain = 10 ** (-rng.uniform(10, 24) / 20)
    echoed = np.array(sound, np.float64)
    for repeat in range(1, 4):
        if delay * repeat < len(sound):
            echoed[delay * repeat :] += sound[: -delay * repeat] * gain**repeat
    return echoed


def _fluttering(rng: np.random.Generator, sound: Sound) -> Sound:
    """Let pitch waver by a few cents, as tape and records do."""
    at_s = np.arange(len(sound)) / SAMPLE_RATE_HZ
    rate_hz, cents = rng.uniform(0.4, 7), rng.uniform(2, 12)
    speed = cents / 1200 * np.log(2)
    moved = at_s + speed / (2 * np.pi * rate_hz) * np.sin(2 * np.pi * rate_hz * at_s)
    return np.asarray(np.interp(moved, at_s, sound))


def _humming(rng: np.random.Generator, sound: Sound) -> Sound:
    """Add mains hum with a few harmonics."""
    at_s = np.arange(len(sound)) / SAMPLE_RATE_HZ
    mains_hz = float(rng.choice([50, 60])) * (1 + rng.normal(0, 1e-3))
    partials = [
        np.sin(2 * np.pi * mains_hz * order * at_s + rng.uniform(0, 6)) / order
        for order in range(1, int(rng.integers(2, 9)))
    ]
    return np.asarray(sound + np.sum(partials, 0) * 10 ** (-rng.uniform(32, 60) / 20))


def resonated(rng: np.random.Generator, sound: Sound) -> Sound:
    """Let the strings of a piano whose dampers are up sing along."""
    length = int(rng.uniform(0.6, 2.5) * SAMPLE_RATE_HZ)
    at_s = np.arange(length) / SAMPLE_RATE_HZ
    impulse = np.zeros(length)
    for key in range(21, 100):
        string_hz = 440 * 2 ** ((key - 69 + rng.normal(0, 0.02)) / 12)
        decay_s = rng.uniform(0.3, 1.2) * (261 / string_hz) ** 0.4
        waves = np.sin(2 * np.pi * string_hz * at_s + rng.uniform(0, 6))
        impulse += rng.uniform(0.2, 1) * np.exp(-at_s / decay_s) * waves
    return reverberated(rng, sound, impulse, rng.uniform(-34, -14))


def _in_a_room(rng: np.random.Generator, sound: Sound) -> Sound:
    impulse = decaying_noise(rng, np.exp(rng.uniform(np.log(0.12), np.log(3.2))))
    impulse = np.asarray(low_passed(impulse, rng.uniform(1200, 9000)), np.float64)
    impulse[: int(rng.uniform(0, 0.03) * SAMPLE_RATE_HZ)] = 0
    for _ in range(rng.integers(0, 7)):  # walls nearby
        at = int(rng.uniform(0.002, 0.05) * SAMPLE_RATE_HZ)
        if at < len(impulse):
            impulse[at] += rng.normal(0, 4)
    return reverberated(rng, sound, impulse, rng.uniform(-26, 2))


def through_a_microphone(rng: np.random.Generator, sound: Sound) -> Sound:
    """Colour the whole range smoothly, as microphones, pickups and bodies do."""
    corners_hz = np.array([0, 80, 160, 320, 640, 1280, 2560, 5120, SAMPLE_RATE_HZ / 2])
    gains = 10 ** (np.cumsum(rng.normal(0, 2.5, len(corners_hz))) / 20)
    filtered = fftconvolve(sound, firwin2(257, corners_hz, gains, fs=SAMPLE_RATE_HZ), "same")
    return np.asarray(filtered, np.float64)


def low_passed(sound: Sound, cutoff_hz: float) -> Sound:
    """Let less and less through above `cutoff_hz`, by 6 dB an octave."""
    memory = np.exp(-2 * np.pi * cutoff_hz / SAMPLE_RATE_HZ)
    return np.asarray(lfilter([1 - memory], [1, -memory], sound))


def _peaked(sound: Sound, centre_hz: float, sharpness: float, gain_db: float) -> Sound:
    amplitude = 10 ** (gain_db / 40)
    turn = 2 * np.pi * centre_hz / SAMPLE_RATE_HZ
    alpha = np.sin(turn) / (2 * sharpness)
    ahead = np.array([1 + alpha * amplitude, -2 * np.cos(turn), 1 - alpha * amplitude])
    back = np.array([1 + alpha / amplitude, -2 * np.cos(turn), 1 - alpha / amplitude])
    return np.asarray(lfilter(ahead / back[0], back / back[0], sound))


# What is done to how many sounds, in this order: first between player and mixing desk ...
_STUDIO: tuple[tuple[float, Effect], ...] = (
    (0.6, equalised),
    (0.15, _dulled),
    (0.15, _thinned),
    (0.3, through_a_microphone),
    (0.6, _in_a_room),
    (0.2, compressed),
    (0.05, _echoed),
    (0.06, _fluttering),
)
# ... then on the way into a file.
_RECORDER: tuple[tuple[float, Effect], ...] = (
    (0.12, _clipped),
    (0.45, _noisy),
    (0.08, _humming),
    (0.08, band_limited),
    (0.12, coded),
)
