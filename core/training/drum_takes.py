"""What becomes of a kit's one-shots before a clip: retuned, layered, coloured, damped, levelled."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import soxr  # type: ignore[import-untyped]  # it ships no types
from scipy.signal import fftconvolve, firwin2

from core.training.drum_synth import SAMPLE_RATE_HZ, Drum, Kit, Samples
from core.training.effects import low_passed

HYBRID_SHARE = 0.4  # kits mixed from two
LAYERED_SHARE = 0.35  # of the clips: half of the drums sound together with those of another kit
COLOURED_SHARE = 0.4
WASHY_SHARE = 0.6  # of the clips in which a cymbal keeps time: struck on the edge, without a stick
HALF_OPEN_SHARE = 0.25
TIMEKEEPING_HITS = 10  # a cymbal struck more often than this in a clip keeps time
HATS = frozenset({Drum.CLOSED_HAT, Drum.OPEN_HAT, Drum.PEDAL_HAT})
RINGING = frozenset({Drum.OPEN_HAT, Drum.CRASH, Drum.RIDE})  # damped, they would be another drum
METAL = HATS | {Drum.RIDE}
SKIN_LEVEL_DB = (0.0, 3.5)  # mean and spread
# One-shots have equal peaks; on records the metal lies below the skins, on some far below, and now
# and then, under overhead microphones, above them.
METAL_LEVELS_DB = (*2 * ((-4.0, 3.5), (-7.0, 5.0)), (2.0, 4.0))  # one is drawn
RETUNED_SEMITONES = 2.0
LAYERS_MEET_HZ = (400.0, 5000.0)  # above it one drum is heard, below it the other

Sound = npt.NDArray[np.float32] | npt.NDArray[np.float64]


def chosen_kit(rng: np.random.Generator, kits: Sequence[Kit]) -> Kit:
    """Draw a kit; some are mixed from several, and some have drums that two kits strike at once."""
    kit = dict(kits[int(rng.integers(len(kits)))])
    if rng.random() < HYBRID_SHARE:
        for drum in Drum:
            other = kits[int(rng.integers(len(kits)))]
            if drum in other and rng.random() < 0.5:
                kit[drum] = other[drum]
    if rng.random() < LAYERED_SHARE:
        for drum in list(kit):
            other = kits[int(rng.integers(len(kits)))]
            if drum in other and rng.random() < 0.5:
                kit[drum] = _layered(rng, kit[drum], other[drum])
    return kit


def tuned(rng: np.random.Generator, kit: Kit, hits_of: dict[Drum, int]) -> Kit:
    """Return the struck drums as this clip has them; at most three takes each, of toms six."""
    made: Kit = {}
    metal_db = METAL_LEVELS_DB[int(rng.integers(len(METAL_LEVELS_DB)))]
    is_coloured, is_washy = rng.random() < COLOURED_SHARE, rng.random() < WASHY_SHARE
    half_open_s = rng.uniform(0.08, 0.35) if rng.random() < HALF_OPEN_SHARE else 0
    for drum in sorted(hits_of):
        takes = kit[drum]
        ratio = 2 ** (rng.normal(0, RETUNED_SEMITONES) / 12)
        level = 10 ** (rng.normal(*(metal_db if drum in METAL else SKIN_LEVEL_DB)) / 20)
        damping_s = 0 if drum in RINGING else rng.choice([0, rng.uniform(0.03, 0.4)])
        if drum is Drum.OPEN_HAT:
            damping_s = half_open_s
        is_ridden = drum in RINGING and hits_of[drum] > TIMEKEEPING_HITS
        if drum is not Drum.TOM:
            takes = [takes[number] for number in rng.permutation(len(takes))[:3]]
        colour = _colour(rng) if is_coloured else None
        softness = rng.uniform(0.3, 0.95) if is_ridden and is_washy else 0
        made[drum] = []
        for take in takes[:6]:
            hit: Sound = soxr.resample(take, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ / ratio)
            if colour is not None:
                hit = _coloured(hit, colour)
            if damping_s:
                hit = hit * np.exp(-np.arange(len(hit)) / (damping_s * SAMPLE_RATE_HZ))
            if softness:
                hit = _softened(rng, hit, softness)
            made[drum].append(np.asarray(level * hit, np.float32))
    return made


def dulled(take: Samples) -> Samples:
    """Return the take as a soft stroke excites it: little above 2 kHz."""
    return np.asarray(1.5 * low_passed(take, 2000), np.float32)


def _layered(
    rng: np.random.Generator, first: list[Samples], second: list[Samples]
) -> list[Samples]:
    """Sound drums of two kits as one: added, or the low part of one under the high of the other."""
    meets_hz = np.exp(rng.uniform(*np.log(LAYERS_MEET_HZ))) if rng.random() < 0.5 else None
    share = rng.uniform(0.3, 1)
    layered = []
    for take in first[:6]:
        other = second[int(rng.integers(len(second)))]
        both = np.zeros(max(len(take), len(other)))
        if meets_hz is None:
            both[: len(take)] += take
            both[: len(other)] += share * other
        else:
            both[: len(take)] += low_passed(take, meets_hz)
            both[: len(other)] += other - low_passed(other, meets_hz)
        layered.append(np.asarray(both / (np.abs(both).max() + 1e-9), np.float32))
    return layered


def _softened(rng: np.random.Generator, hit: Sound, softness: float) -> Sound:
    """Take the stick away: what is left of a cymbal hit on the edge again and again is its wash."""
    at_s = np.arange(len(hit)) / SAMPLE_RATE_HZ
    soft = hit * (1 - softness * np.exp(-at_s / rng.uniform(0.005, 0.04)))
    return np.asarray(soft / (np.abs(soft).max() + 1e-9) * np.abs(hit).max())


def _colour(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return a filter as of another drum of the same kind: brighter, darker, hollower."""
    corners_hz = np.array([0, 80, 160, 320, 640, 1280, 2560, 5120, SAMPLE_RATE_HZ / 2])
    slope_db = rng.normal(0, 1.0) * np.arange(len(corners_hz))
    gains = 10 ** ((slope_db - slope_db.mean() + rng.normal(0, 2.5, len(corners_hz))) / 20)
    return np.asarray(firwin2(129, corners_hz, gains, fs=SAMPLE_RATE_HZ), np.float64)


def _coloured(hit: Sound, colour: npt.NDArray[np.float64]) -> Sound:
    delay = len(colour) // 2
    filtered = fftconvolve(hit, colour)[delay : delay + len(hit)]
    return np.asarray(filtered / (np.abs(filtered).max() + 1e-9) * np.abs(hit).max())
