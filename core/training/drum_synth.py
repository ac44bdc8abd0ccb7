"""Procedural drums: every call strikes a drum that never existed. One-shots are mono [sample]."""

from collections.abc import Callable
from enum import IntEnum

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfilt

Samples = npt.NDArray[np.float32]
_Sound = npt.NDArray[np.float64] | Samples
SAMPLE_RATE_HZ = 22_050
NYQUIST_HZ = SAMPLE_RATE_HZ / 2
BOOM_SHARE = 0.15  # of the kicks: as long as those of drum machines
MACHINE_SHARE = 0.25  # of the drums: every stroke is the same
ELECTRIC_SHARE, CHINA_SHARE = 0.15, 0.15  # of the crashes
SWEPT_SHARE = 0.12  # of what is shaken


class Drum(IntEnum):
    """The drum network's classes, in the order of its outputs."""

    KICK = 0
    SNARE = 1
    CLOSED_HAT = 2
    OPEN_HAT = 3
    TOM = 4
    CRASH = 5
    RIDE = 6
    RIM = 7  # rim shots and side sticks
    CLAP = 8
    PEDAL_HAT = 9


Kit = dict[Drum, list[Samples]]


def random_kit(rng: np.random.Generator) -> Kit:
    """Draw a whole kit: a few takes of each drum, toms at several pitches."""
    metal = _random_metal(rng)
    tom_hz = np.sort(_log_uniform(rng, 70, 130) * np.array([1.0, 1.3, 1.65, 2.1]))
    tom_decay_s = _log_uniform(rng, 0.1, 0.6)
    is_dry = rng.random() < 0.3
    return {
        Drum.KICK: _takes(rng, _kick_maker(rng)),
        Drum.SNARE: _takes(rng, _snare_maker(rng)),
        Drum.CLOSED_HAT: _takes(rng, _hat_maker(rng, metal, closed=True)),
        Drum.OPEN_HAT: _takes(rng, _hat_maker(rng, metal, closed=False)),
        Drum.TOM: [_tom(rng, float(hz), tom_decay_s * (0.5 if is_dry else 1)) for hz in tom_hz],
        Drum.CRASH: [_crash(rng, metal, is_short=rng.random() < 0.15) for _ in range(2)],
        Drum.RIDE: _takes(rng, _ride_maker(rng)),
        Drum.RIM: _takes(rng, _rim_maker(rng)),
        Drum.CLAP: _takes(rng, _clap_maker(rng)),
        Drum.PEDAL_HAT: _takes(rng, _pedal_maker(rng, metal)),
    }


def shaken(rng: np.random.Generator) -> Samples:
    """Return one stroke of percussion outside the classes: shaker, tambourine, sweeping brush."""
    length_s = rng.uniform(0.15, 0.5) if rng.random() < SWEPT_SHARE else rng.uniform(0.03, 0.15)
    noise = _band(rng.normal(0, 1, _samples(length_s)), rng.uniform(2500, 6000), 10_500)
    sound: _Sound = noise * np.hanning(len(noise) + 2)[1:-1] ** rng.uniform(0.3, 1)
    if rng.random() < 0.4:
        jingles = _partials(rng, rng.uniform(4000, 10_000, 6), 0.2, rng.uniform(0.03, 0.12))
        sound = _sum(sound, 0.5 * jingles)
    return _normalised(sound)


def wires_buzz(rng: np.random.Generator) -> Samples:
    """Return how a snare's wires answer when another drum is struck."""
    at_s = _at_s(rng.uniform(0.1, 0.4))
    noise = _band(rng.normal(0, 1, len(at_s)), _log_uniform(rng, 800, 3000), 9000)
    rise_s, decay_s = rng.uniform(0.002, 0.02), len(at_s) / SAMPLE_RATE_HZ / 4
    return _normalised(noise * np.minimum(1, at_s / rise_s) * np.exp(-at_s / decay_s))


def _takes(rng: np.random.Generator, strike: Callable[[], Samples]) -> list[Samples]:
    if rng.random() < MACHINE_SHARE:
        return [strike()]
    return [strike() for _ in range(int(rng.integers(2, 4)))]


def _kick_maker(rng: np.random.Generator) -> Callable[[], Samples]:
    low_hz, drop = _log_uniform(rng, 36, 75), _log_uniform(rng, 1.5, 8)
    drop_s, decay_s = _log_uniform(rng, 0.006, 0.06), _log_uniform(rng, 0.06, 0.5)
    if rng.random() < BOOM_SHARE:
        decay_s = _log_uniform(rng, 0.5, 1.6)
    click, click_hz = rng.uniform(0, 0.8), _log_uniform(rng, 900, 6000)
    drive = rng.choice([0, rng.uniform(1, 5)])

    def strike() -> Samples:
        at_s = _at_s(min(1.2, decay_s * 3))
        hz = low_hz * rng.uniform(0.98, 1.02) * (1 + (drop - 1) * np.exp(-at_s / drop_s))
        phase = 2 * np.pi * np.cumsum(hz) / SAMPLE_RATE_HZ
        body = np.sin(phase + rng.uniform(0, 0.6)) * np.exp(-at_s / (decay_s / 2))
        skin = np.sin(phase * rng.uniform(1.5, 2.4)) * np.exp(-at_s / rng.uniform(0.01, 0.05))
        beater = _band(rng.normal(0, 1, len(at_s)), click_hz * 0.5, click_hz * 2)
        beater = beater * np.exp(-at_s / rng.uniform(0.002, 0.008))
        sound = body + rng.uniform(0, 0.4) * skin + click * _normalised(beater)
        return _normalised(np.tanh(sound * drive) if drive else sound)

    return strike


def _snare_maker(rng: np.random.Generator) -> Callable[[], Samples]:
    if rng.random() < 0.08:
        return _brush_maker(rng)
    root_hz, decay_s = _log_uniform(rng, 140, 290), _log_uniform(rng, 0.03, 0.2)
    wires, wires_s = rng.uniform(0.3, 2.0), _log_uniform(rng, 0.04, 0.3)
    low_hz, high_hz = _log_uniform(rng, 400, 2500), rng.uniform(5000, 10_500)
    ratios = np.array([1.0, 1.59, 2.14, 2.3, 2.65, 2.92]) * rng.uniform(0.97, 1.03, 6)
    crack = rng.uniform(0, 1)

    def strike() -> Samples:
        at_s = _at_s(min(1.0, 0.05 + 3 * max(decay_s, wires_s)))
        bend = 1 + rng.uniform(0.05, 0.4) * np.exp(-at_s / 0.012)
        phase = 2 * np.pi * np.cumsum(bend) / SAMPLE_RATE_HZ
        body = np.zeros(len(at_s))
        for number, ratio in enumerate(ratios):
            gain = rng.uniform(0.3, 1) / (1 + number)
            fading = np.exp(-at_s / (decay_s / (1 + 0.4 * number)))
            body += gain * np.sin(phase * root_hz * ratio + rng.uniform(0, 6)) * fading
        noise = _band(rng.normal(0, 1, len(at_s)), low_hz, high_hz)
        rise = 1 - np.exp(-at_s / rng.uniform(0.0005, 0.004))
        rattle = _normalised(noise * rise * np.exp(-at_s / (wires_s / 2)))
        stick = _band(rng.normal(0, 1, len(at_s)), 1500, 9000) * np.exp(-at_s / 0.004)
        return _normalised(_normalised(body) + wires * rattle + crack * _normalised(stick))

    return strike


def _brush_maker(rng: np.random.Generator) -> Callable[[], Samples]:
    rise_s, decay_s = rng.uniform(0.003, 0.025), _log_uniform(rng, 0.03, 0.15)
    low_hz, high_hz = _log_uniform(rng, 300, 2500), rng.uniform(5000, 10_500)
    root_hz, body = _log_uniform(rng, 150, 260), rng.uniform(0, 0.5)

    def strike() -> Samples:
        at_s = _at_s(0.05 + 4 * decay_s)
        swish = _band(rng.normal(0, 1, len(at_s)), low_hz, high_hz)
        swish = swish * np.minimum(1, at_s / rise_s) * np.exp(-at_s / decay_s)
        skin = np.sin(2 * np.pi * root_hz * at_s) * np.exp(-at_s / 0.04)
        return _normalised(_normalised(swish) + body * skin)

    return strike


def _clap_maker(rng: np.random.Generator) -> Callable[[], Samples]:
    low_hz, tail_s = rng.uniform(600, 1300), rng.uniform(0.03, 0.2)
    gap_s, hands = rng.uniform(0.007, 0.014), int(rng.integers(2, 5))

    def strike() -> Samples:
        at_s = _at_s(0.05 + 3 * tail_s)
        shape = np.zeros(len(at_s))
        for hand in range(hands):
            since_s = at_s - hand * gap_s * rng.uniform(0.8, 1.2)
            fading_s = tail_s if hand == hands - 1 else 0.004
            shape += np.where(since_s >= 0, np.exp(-np.maximum(since_s, 0) / fading_s), 0)
        return _normalised(_band(rng.normal(0, 1, len(at_s)), low_hz, low_hz * 3.5) * shape)

    return strike


def _rim_maker(rng: np.random.Generator) -> Callable[[], Samples]:
    root_hz, decay_s = _log_uniform(rng, 400, 2200), _log_uniform(rng, 0.01, 0.05)

    def strike() -> Samples:
        partials_hz = root_hz * np.array([1.0, 1.47, 2.09, 2.9]) * rng.uniform(0.98, 1.02, 4)
        wood = _partials(rng, partials_hz, 0.25, decay_s)
        at_s = _at_s(0.25)
        stick = _band(rng.normal(0, 1, len(at_s)), 1500, 9000) * np.exp(-at_s / 0.003)
        return _normalised(_normalised(wood) + rng.uniform(0.2, 0.8) * _normalised(stick))

    return strike


def _random_metal(rng: np.random.Generator) -> _Sound:
    """Return the partials of a pair of hi-hat cymbals in Hz."""
    if rng.random() < 0.5:
        ratios = np.array([2, 3, 4.16, 5.43, 6.79, 8.21])  # the classic six square oscillators
        root_hz = rng.uniform(180, 480)
        odd = np.array([1, 3, 5, 7, 9, 11, 13])
        partials_hz = (root_hz * ratios[:, None] * odd).ravel()
    else:
        partials_hz = np.exp(rng.uniform(np.log(1500), np.log(10_500), int(rng.integers(30, 80))))
    return np.asarray(partials_hz[partials_hz < NYQUIST_HZ * 0.97], np.float64)


def _hat_maker(
    rng: np.random.Generator, metal_hz: _Sound, *, closed: bool
) -> Callable[[], Samples]:
    decay_s = _log_uniform(rng, 0.01, 0.08) if closed else _log_uniform(rng, 0.12, 0.9)
    floor_hz = _log_uniform(rng, 500, 7500)
    air = rng.uniform(0.2, 1.5)

    def strike() -> Samples:
        length_s = min(2.5, 4 * decay_s + 0.03)
        ring = _partials(rng, metal_hz * rng.uniform(0.99, 1.01), length_s, decay_s)
        at_s = _at_s(length_s)
        hiss = rng.normal(0, 1, len(at_s)) * np.exp(-at_s / (decay_s * rng.uniform(0.5, 1.1)))
        sound: _Sound = _normalised(ring) + air * _normalised(hiss)
        if rng.random() < 0.5:  # the stick
            sound = sound + rng.uniform(0, 1) * rng.normal(0, 1, len(at_s)) * np.exp(-at_s / 0.0015)
        return _normalised(_band(sound, floor_hz, 10_800))

    return strike


def _pedal_maker(rng: np.random.Generator, metal_hz: _Sound) -> Callable[[], Samples]:
    """Two cymbals that clap together: no stick, soft start, dark."""
    decay_s, rise_s = _log_uniform(rng, 0.015, 0.09), rng.uniform(0.002, 0.01)
    floor_hz, top_hz = _log_uniform(rng, 250, 3500), rng.uniform(5000, 10_500)
    air = rng.uniform(0.3, 1.5)

    def strike() -> Samples:
        length_s = 4 * decay_s + 0.03
        ring = _partials(rng, metal_hz * rng.uniform(0.99, 1.01), length_s, decay_s)
        at_s = _at_s(length_s)
        hiss = rng.normal(0, 1, len(at_s)) * np.exp(-at_s / (decay_s * rng.uniform(0.4, 0.9)))
        sound = (_normalised(ring) + air * _normalised(hiss)) * np.minimum(1, at_s / rise_s)
        return _normalised(_band(sound, floor_hz, top_hz))

    return strike


def _tom(rng: np.random.Generator, root_hz: float, decay_s: float) -> Samples:
    at_s = _at_s(min(2.0, 4 * decay_s))
    depth = rng.uniform(0.02, 0.5) if rng.random() < 0.85 else rng.uniform(0.5, 1.5)
    bend = 1 + depth * np.exp(-at_s / rng.uniform(0.01, 0.08))
    phase = 2 * np.pi * np.cumsum(bend) / SAMPLE_RATE_HZ
    sound = np.zeros(len(at_s))
    for number, ratio in enumerate((1.0, 1.59, 2.14, 2.65)):
        gain = 1.0 if number == 0 else rng.uniform(0, 0.5) / number
        fading = np.exp(-at_s / (decay_s / (1 + number)))
        sound += gain * np.sin(phase * root_hz * ratio + rng.uniform(0, 6)) * fading
    stick = _band(rng.normal(0, 1, len(at_s)), 800, rng.uniform(3000, 9000))
    stick = _normalised(stick * np.exp(-at_s / rng.uniform(0.002, 0.015)))
    return _normalised(sound + rng.uniform(0.05, 0.6) * stick)


def _crash(rng: np.random.Generator, metal_hz: _Sound, *, is_short: bool) -> Samples:
    """A crash or, short, a splash or a choked crash; now and then a china or of oscillators."""
    decay_s = _log_uniform(rng, 0.12, 0.4) if is_short else _log_uniform(rng, 0.4, 1.2)
    length_s = min(rng.uniform(1.5, 3.0), 5 * decay_s)
    at_s = _at_s(length_s)
    partials_hz = np.exp(rng.uniform(np.log(250), np.log(10_500), int(rng.integers(50, 110))))
    if rng.random() < ELECTRIC_SHARE:
        partials_hz = metal_hz
    ring = _normalised(_partials(rng, partials_hz, length_s, decay_s))
    if rng.random() < CHINA_SHARE:
        ring = _normalised(np.tanh(rng.uniform(3, 10) * ring))  # its rim makes it rattle
    wash = _band(rng.normal(0, 1, len(at_s)), _log_uniform(rng, 500, 4000), 10_800)
    bloom = 1 - np.exp(-at_s / rng.uniform(0.001, 0.02))
    wash = _normalised(wash * bloom * np.exp(-at_s / (decay_s * rng.uniform(0.6, 1.2))))
    strike = rng.normal(0, 1, len(at_s)) * np.exp(-at_s / rng.uniform(0.005, 0.04))
    return _normalised(ring + rng.uniform(0.5, 2.5) * wash + rng.uniform(0.1, 0.8) * strike)


def _ride_maker(rng: np.random.Generator) -> Callable[[], Samples]:
    decay_s = _log_uniform(rng, 0.5, 1.4)
    ping_hz = _log_uniform(rng, 2000, 6000) * rng.uniform(0.7, 1.4, 8)
    partials_hz = np.exp(rng.uniform(np.log(350), np.log(10_000), 50))
    is_bell = rng.random() < 0.2
    bell_hz = _log_uniform(rng, 500, 1200) * np.array([1, 2.2, 3.4, 4.7, 6.1])
    ping_s, wash = _log_uniform(rng, 0.08, 0.4), rng.uniform(0.15, 0.7)

    def strike() -> Samples:
        length_s = min(2.5, 3 * decay_s)
        ring = wash * _normalised(_partials(rng, partials_hz, length_s, decay_s))
        ping = _normalised(_partials(rng, ping_hz, length_s, ping_s))
        at_s = _at_s(length_s)
        stick = _band(rng.normal(0, 1, len(at_s)), 3000, 10_800) * np.exp(-at_s / 0.004)
        sound: _Sound = ring + ping + rng.uniform(0.1, 0.8) * _normalised(stick)
        if is_bell:
            sound = sound + rng.uniform(0.3, 1) * _normalised(
                _partials(rng, bell_hz, length_s, ping_s * 2)
            )
        return _normalised(sound)

    return strike


def _partials(
    rng: np.random.Generator,
    partials_hz: _Sound,
    length_s: float,
    decay_s: float,
) -> _Sound:
    """Sum decaying sinusoids of random level and phase; the high ones die sooner."""
    at_s = _at_s(length_s).astype(np.float32)
    heard_hz = partials_hz[partials_hz < NYQUIST_HZ]
    sound = np.zeros(len(at_s), np.float32)
    for frequency_hz in heard_hz.tolist():
        own_s = decay_s * rng.uniform(0.4, 1.3) / (1 + frequency_hz / 15_000)
        turns = np.float32(2 * np.pi * frequency_hz) * at_s + np.float32(rng.uniform(0, 6))
        gain = np.float32(np.exp(rng.normal(0, 0.7)))
        sound += gain * np.sin(turns) * np.exp(-at_s / np.float32(own_s))
    return sound.astype(np.float64)


def _band(noise: _Sound, low_hz: float, high_hz: float) -> _Sound:
    high_hz = min(high_hz, NYQUIST_HZ * 0.98)
    sections = butter(
        2, [low_hz, max(low_hz * 1.1, high_hz)], "band", fs=SAMPLE_RATE_HZ, output="sos"
    )
    return np.asarray(sosfilt(sections, noise), np.float64)


def _sum(first: _Sound, second: _Sound) -> _Sound:
    total = np.zeros(max(len(first), len(second)))
    total[: len(first)] += first
    total[: len(second)] += second
    return total


def _normalised(sound: _Sound) -> Samples:
    return np.asarray(sound / (np.abs(sound).max() + 1e-9), np.float32)


def _samples(length_s: float) -> int:
    return max(16, int(length_s * SAMPLE_RATE_HZ))


def _at_s(length_s: float) -> _Sound:
    return np.arange(_samples(length_s)) / SAMPLE_RATE_HZ


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
