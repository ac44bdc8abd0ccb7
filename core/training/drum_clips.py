"""Drum clips with their labels: patterns played on kits, through effects, often under music."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soxr  # type: ignore[import-untyped]  # it ships no types
from scipy.signal import lfilter

from core.training.drum_patterns import CLIP_S, Hit, random_pattern
from core.training.drum_synth import SAMPLE_RATE_HZ, Drum, Kit, Samples, shaken, wires_buzz
from core.training.effects import (
    FINAL_PEAK,
    band_limited,
    coded,
    compressed,
    decaying_noise,
    equalised,
    reverberated,
    to_peak,
    to_rms,
)

HYBRID_SHARE = 0.4  # kits mixed from two
ACCOMPANIED_SHARE = 0.6
DRUMLESS_SHARE = 0.05  # of the clips: music only
PERCUSSION_SHARE = 0.35
DUCKED_SHARE = 0.15
CHOKE_S = 0.015
RINGING = frozenset({Drum.OPEN_HAT, Drum.CRASH, Drum.RIDE})  # damped, they would be another drum
HATS = frozenset({Drum.CLOSED_HAT, Drum.OPEN_HAT, Drum.PEDAL_HAT})
METAL = HATS | {Drum.RIDE}
# One-shots have equal peaks; on records the metal lies below the skins, on some far below.
METAL_LEVELS_DB = ((-4.0, 3.5), (-7.0, 5.0))  # mean and spread, of one half of the clips each
SKIN_LEVEL_DB = (0.0, 3.5)
DULLED_SHARE = 0.5  # of the clips: soft strokes are not only softer

Sound = npt.NDArray[np.float32] | npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DrumClip:
    """Mono samples [sample] and the hits in them."""

    samples: Samples
    hits: tuple[Hit, ...]


def make_drum_clip(
    rng: np.random.Generator,
    kits: Sequence[Kit],
    accompaniments: Sequence[Samples],
    percussion: Sequence[Samples] = (),
) -> DrumClip:
    """Draw a kit, a pattern, effects and, at times, music [sample] to play along with.

    `percussion` are strokes [sample] of instruments that are heard but not written down.
    """
    kit = _chosen_kit(rng, kits)
    hits = sorted(hit for hit in random_pattern(rng) if hit.drum in kit)
    struck = {hit.drum for hit in hits}
    kit = _tuned(rng, {drum: takes for drum, takes in kit.items() if drum in struck})
    sound: Sound = _played(rng, kit, hits)
    if rng.random() < PERCUSSION_SHARE:
        sound = sound + _percussion_track(rng, percussion, np.abs(sound).max())
    sound = _on_the_drum_bus(rng, sound)
    if len(accompaniments) and rng.random() < ACCOMPANIED_SHARE:
        music = _ducked(rng, _music(rng, accompaniments), hits)
        if rng.random() < DRUMLESS_SHARE / ACCOMPANIED_SHARE:
            sound, hits = music, []
        else:
            sound = to_rms(sound) + music * 10 ** (rng.uniform(-14, 9) / 20)
    return DrumClip((to_peak(_mastered(rng, sound)) * FINAL_PEAK).astype(np.float32), tuple(hits))


def _chosen_kit(rng: np.random.Generator, kits: Sequence[Kit]) -> Kit:
    kit = dict(kits[int(rng.integers(len(kits)))])
    if rng.random() < HYBRID_SHARE:
        for drum in Drum:
            other = kits[int(rng.integers(len(kits)))]
            if drum in other and rng.random() < 0.5:
                kit[drum] = other[drum]
    return kit


def _tuned(rng: np.random.Generator, kit: Kit) -> Kit:
    """Retune, damp and level each drum; keep at most three takes, of toms six."""
    tuned: Kit = {}
    metal_db = METAL_LEVELS_DB[int(rng.integers(2))]
    for drum, takes in kit.items():
        ratio = 2 ** (rng.normal(0, 2.0) / 12)
        level = 10 ** (rng.normal(*(metal_db if drum in METAL else SKIN_LEVEL_DB)) / 20)
        damping_s = 0 if drum in RINGING else rng.choice([0, rng.uniform(0.03, 0.4)])
        if drum is not Drum.TOM:
            takes = [takes[number] for number in rng.permutation(len(takes))[:3]]
        tuned[drum] = []
        for take in takes[:6]:
            hit = soxr.resample(take, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ / ratio)
            if damping_s:
                hit = hit * np.exp(-np.arange(len(hit)) / (damping_s * SAMPLE_RATE_HZ))
            tuned[drum].append(np.asarray(level * hit, np.float32))
    return tuned


def _played(rng: np.random.Generator, kit: Kit, hits: Sequence[Hit]) -> Samples:
    """Strike the kit: soft strokes may be duller, wires buzz along, hats choke the open hat."""
    sound = np.zeros(int((CLIP_S + 4) * SAMPLE_RATE_HZ), np.float32)
    buzz = wires_buzz(rng) * np.float32(rng.choice([0, 0, 10 ** (-rng.uniform(12, 30) / 20)]))
    dull = {drum: [_dulled(take) for take in takes] for drum, takes in kit.items()}
    dullness = 0.6 if rng.random() < DULLED_SHARE else 0.0
    ringing: tuple[int, Samples] | None = None
    for hit in hits:
        take = int(rng.integers(len(kit[hit.drum])))
        start = int(hit.at_s * SAMPLE_RATE_HZ)
        bright = 1 - dullness * (1 - hit.strength)
        struck = bright * kit[hit.drum][take] + (1 - bright) * dull[hit.drum][take]
        struck = np.asarray(hit.strength**1.5 * struck, np.float32)
        if ringing is not None and hit.drum in HATS:
            began, tail = ringing[0], ringing[1][start - ringing[0] :]
            fade = np.minimum(1, np.arange(len(tail)) / (CHOKE_S * SAMPLE_RATE_HZ))
            sound[start : began + len(ringing[1])] -= (tail * fade).astype(np.float32)
            ringing = None
        sound[start : start + len(struck)] += struck
        if hit.drum in (Drum.KICK, Drum.TOM):
            sound[start : start + len(buzz)] += hit.strength * buzz
        if hit.drum is Drum.OPEN_HAT:
            ringing = (start, struck)
    return sound[: int(CLIP_S * SAMPLE_RATE_HZ)]


def _dulled(take: Samples) -> Samples:
    """Return the take as a soft stroke excites it: little above 2 kHz."""
    memory = np.exp(-2 * np.pi * 2000 / SAMPLE_RATE_HZ)
    return np.asarray(1.5 * lfilter([1 - memory], [1, -memory], take), np.float32)


def _percussion_track(
    rng: np.random.Generator, percussion: Sequence[Samples], peak: float
) -> Samples:
    """Return strokes of one or two instruments that nobody writes down."""
    track = np.zeros(int((CLIP_S + 4) * SAMPLE_RATE_HZ), np.float32)
    for _ in range(int(rng.choice([1, 1, 2]))):
        is_shaken = not len(percussion) or rng.random() < 0.4
        stroke = shaken(rng) if is_shaken else percussion[int(rng.integers(len(percussion)))]
        stroke = stroke[: int(2.5 * SAMPLE_RATE_HZ)]
        step_s, level = rng.uniform(0.1, 0.5), peak * 10 ** (-rng.uniform(0, 26) / 20)
        is_struck = rng.random(8) < rng.choice([0.3, 0.6, 1.0])
        for step, at_s in enumerate(np.arange(rng.uniform(0, 0.5), CLIP_S - 0.1, step_s)):
            if is_struck[step % 8]:
                start = int(at_s * SAMPLE_RATE_HZ)
                loud = np.float32(level * rng.uniform(0.4, 1))
                track[start : start + len(stroke)] += loud * stroke
    return track[: int(CLIP_S * SAMPLE_RATE_HZ)]


def _on_the_drum_bus(rng: np.random.Generator, sound: Sound) -> Sound:
    if rng.random() < 0.6:
        sound = equalised(rng, sound, lowest_hz=60, highest_hz=9000)
    if rng.random() < 0.55:
        impulse = decaying_noise(rng, np.exp(rng.uniform(np.log(0.1), np.log(2.0))))
        sound = reverberated(rng, sound, impulse, rng.uniform(-24, -4))
    if rng.random() < 0.3:
        sound = compressed(rng, sound)
    if rng.random() < 0.25:
        sound = np.tanh(to_peak(sound) * rng.uniform(1, 5))
    return sound


def _music(rng: np.random.Generator, accompaniments: Sequence[Samples]) -> Sound:
    """Return one to three pieces at once, as loud as drums at root mean square 1."""
    length = int(CLIP_S * SAMPLE_RATE_HZ)
    music = np.zeros(length)
    for _ in range(int(rng.choice([1, 1, 2, 3]))):
        piece = accompaniments[int(rng.integers(len(accompaniments)))]
        start = int(rng.integers(0, len(piece) - length + 1))
        music += piece[start : start + length] * rng.uniform(0.4, 1)
    return np.asarray(music / (music.std() + 1e-4))


def _ducked(rng: np.random.Generator, music: Sound, hits: Sequence[Hit]) -> Sound:
    """Now and then let every kick push the music down, as side-chain compressors do."""
    if rng.random() > DUCKED_SHARE:
        return music
    at_s = np.arange(len(music)) / SAMPLE_RATE_HZ
    depth, recovery_s = rng.uniform(0.3, 0.9), rng.uniform(0.05, 0.3)
    held = np.zeros(len(music))
    for hit in hits:
        if hit.drum is Drum.KICK:
            start = int(hit.at_s * SAMPLE_RATE_HZ)
            held[start:] = np.exp(-(at_s[start:] - at_s[start]) / recovery_s)
    return np.asarray(music * (1 - depth * held))


def _mastered(rng: np.random.Generator, sound: Sound) -> Sound:
    """Squeeze, limit, and lose what files and rooms lose."""
    if rng.random() < 0.2:
        sound = compressed(rng, sound)
    if rng.random() < 0.25:
        sound = np.tanh(to_rms(sound) * rng.uniform(0.1, 0.5))
    if rng.random() < 0.08:
        impulse = decaying_noise(rng, rng.uniform(0.5, 2.5))
        sound = reverberated(rng, sound, impulse, rng.uniform(-18, -5))
    if rng.random() < 0.45:
        level = sound.std() * 10 ** (-rng.uniform(12, 55) / 20)
        sound = sound + rng.normal(0, 1, len(sound)) * level
    if rng.random() < 0.12:
        sound = band_limited(rng, sound)
    if rng.random() < 0.12:
        sound = coded(rng, sound)
    return sound
