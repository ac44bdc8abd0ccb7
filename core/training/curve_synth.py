"""Additive sound along curves: partials under the formants of a mouth or the modes of a body."""

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from core.training.performer import MAX_PARTIALS, Curve, Performer

SAMPLE_RATE_HZ = 22_050
CONTROL_SAMPLES = 105  # curves have a value about every 5 ms
CONTROLS_PER_S = SAMPLE_RATE_HZ / CONTROL_SAMPLES
HIGHEST_PARTIAL_HZ = 10_000.0
FORMANT_WIDTHS_HZ = (80, 100, 140, 200, 260)

Samples = npt.NDArray[np.float32]


def sounded(
    rng: np.random.Generator, performer: Performer, pitch: Curve, level: Curve, tone: Curve
) -> npt.NDArray[np.float32]:
    """Sum partials along the curves [sample]."""
    root_hz = 440 * 2 ** ((pitch.astype(np.float64) - 69) / 12)
    sounding = level > 1e-4
    lowest_hz = float(root_hz[sounding].min()) if sounding.any() else 440.0
    count = int(np.clip(HIGHEST_PARTIAL_HZ // lowest_hz, 1, MAX_PARTIALS))
    order = np.arange(1, count + 1)
    partial_hz = root_hz[:, None] * order
    peak = float(level.max()) + 1e-6
    softness = performer.brightness * (1 - level / peak)
    gains: npt.NDArray[np.float64] = (
        order ** -(performer.tilt + softness[:, None]) * performer.partial_gains[:count]
    )
    gains = gains * np.where(order % 2 == 0, performer.even_gain, 1.0)
    gains = gains * _resonance(performer, partial_hz, tone)
    gains = gains * (partial_hz < HIGHEST_PARTIAL_HZ)
    curves = (gains * level[:, None]).astype(np.float32)
    samples_hz = stretched(root_hz.astype(np.float32))
    turns = np.cumsum(samples_hz, dtype=np.float64) * (2 * np.pi / SAMPLE_RATE_HZ)
    root = np.exp(1j * (turns + rng.uniform(0, 6))).astype(np.complex64)
    rotor = np.ones(len(root), np.complex64)
    sound = np.zeros(len(root), np.float32)
    audible = curves.max(0) > 1e-3 * curves.max()
    for partial in range(count):
        rotor *= root
        if audible[partial]:
            phase = np.complex64(np.exp(1j * rng.uniform(0, 6)))
            sound += stretched(np.ascontiguousarray(curves[:, partial])) * (rotor * phase).imag
    if performer.flutter_depth:
        beat = np.sin(2 * np.pi * performer.flutter_hz * np.arange(len(sound)) / SAMPLE_RATE_HZ)
        sound *= (1 - performer.flutter_depth * 0.5 * (1 + beat)).astype(np.float32)
    return sound


def _resonance(
    performer: Performer, partial_hz: npt.NDArray[np.float64], tone: Curve
) -> npt.NDArray[np.float64]:
    """Return the gain of the vocal tract or the body at each partial [control, partial]."""
    if performer.kind != "singer":
        response = np.full_like(partial_hz, 0.35)
        for centre_hz, width_hz in zip(
            performer.resonances_hz, performer.resonance_widths_hz, strict=True
        ):
            response += 1 / (1 + ((partial_hz - centre_hz) / width_hz) ** 2)
        return np.asarray(response, np.float64)
    response = np.ones_like(partial_hz)
    for number, width_hz in enumerate(FORMANT_WIDTHS_HZ):
        ratio = partial_hz / tone[:, number, None]
        damping = width_hz / tone[:, number, None] * ratio
        response /= np.sqrt((1 - ratio**2) ** 2 + damping**2)
    # Above the fifth formant the product of low-passes would leave nothing of a real voice.
    return np.asarray(response * (1 + (partial_hz / 2500) ** 2) ** 1.5, np.float64)


def breath(
    rng: np.random.Generator, performer: Performer, level: Curve, *, loudest: float
) -> npt.NDArray[np.float32]:
    """Return the noise of air or bow along the loudness [sample]."""
    loudness = stretched(level / (float(level.max()) + 1e-6))
    noise = coloured(rng, len(loudness), performer.noise_hz)
    return np.asarray(noise * loudness**0.7 * (performer.noise * loudest), np.float32)


def coloured(rng: np.random.Generator, length: int, centre_hz: float) -> npt.NDArray[np.float64]:
    """Return noise with a broad resonance, of about unit level [sample]."""
    radius = float(rng.uniform(0.3, 0.93))
    turn = 2 * np.pi * min(centre_hz, 0.48 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    noise = lfilter([1, -0.5], [1, -2 * radius * np.cos(turn), radius**2], rng.normal(0, 1, length))
    return np.asarray(noise / (noise.std() + 1e-9))


def stretched(curve: Curve) -> npt.NDArray[np.float32]:
    """Interpolate a curve to samples, linearly [sample]."""
    share = (np.arange(CONTROL_SAMPLES) / CONTROL_SAMPLES).astype(np.float32)
    steps = np.diff(curve, append=curve[-1:]).astype(np.float32)
    return np.asarray((curve[:, None] + steps[:, None] * share).reshape(-1), np.float32)
