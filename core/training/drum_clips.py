"""Drum clips with their labels: patterns played on kits, through effects, often under music."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soxr  # type: ignore[import-untyped]  # it ships no types

from core.training.drum_synth import SAMPLE_RATE_HZ, Drum, Kit, Samples, shaken
from core.training.effects import (
    FINAL_PEAK,
    band_limited,
    coded,
    compressed,
    decaying_noise,
    equalised,
    reverberated,
    to_peak,
)

CLIP_S = 8.0
HYBRID_SHARE = 0.4  # kits mixed from two
ACCOMPANIED_SHARE = 0.55
SHAKEN_SHARE = 0.2
CHOKE_S = 0.015
TIMEKEEPERS = (
    *(Drum.CLOSED_HAT,) * 7,
    *(Drum.RIDE,) * 2,
    *(Drum.OPEN_HAT,) * 2,
    Drum.CRASH,
    Drum.TOM,
)
RINGING = frozenset({Drum.OPEN_HAT, Drum.CRASH, Drum.RIDE})  # damped, they would be another drum
METAL = frozenset({Drum.CLOSED_HAT, Drum.OPEN_HAT, Drum.RIDE})
METAL_LEVEL_DB = -4.0  # one-shots have equal peaks; on records the metal lies below the skins

Sound = npt.NDArray[np.float32] | npt.NDArray[np.float64]


class Hit(NamedTuple):
    """One stroke: when, on what, how hard (0..1)."""

    at_s: float
    drum: Drum
    strength: float


@dataclass(frozen=True, slots=True)
class DrumClip:
    """Mono samples [sample] and the hits in them."""

    samples: Samples
    hits: tuple[Hit, ...]


def make_drum_clip(
    rng: np.random.Generator, kits: Sequence[Kit], accompaniments: Sequence[Samples]
) -> DrumClip:
    """Draw a kit, a pattern, effects and, at times, music [sample] to play along with."""
    kit = _tuned(rng, _chosen_kit(rng, kits))
    hits = sorted(hit for hit in random_pattern(rng) if hit.drum in kit)
    sound: Sound = _played(rng, kit, hits)
    if rng.random() < SHAKEN_SHARE:
        sound = sound + _shaker_track(rng, len(sound))
    sound = _effected(rng, sound)
    if len(accompaniments) and rng.random() < ACCOMPANIED_SHARE:
        sound = _accompanied(rng, sound, accompaniments)
    return DrumClip((to_peak(sound) * FINAL_PEAK).astype(np.float32), tuple(hits))


def random_pattern(rng: np.random.Generator) -> list[Hit]:
    """Return hits of a groove with fills, or now and then of no groove at all."""
    if rng.random() < 0.15:
        return _loose_hits(rng)
    beat_s = 60 / rng.uniform(65, 190)
    division = int(rng.choice([4, 4, 4, 3]))
    groove = _Groove(rng, division)
    step_s, jitter_s = beat_s / division, abs(rng.normal(0, 0.006))
    swing = rng.choice([0, 0, 0, rng.uniform(0, 0.33)])
    start_s = rng.uniform(0, 0.5)
    hits: list[Hit] = []
    for step in range(int(CLIP_S / step_s)):
        at_s = start_s + (step + (swing if step % 2 else 0)) * step_s + rng.normal(0, jitter_s)
        hits += groove.strokes(rng, step, at_s)
    return [hit for hit in hits if 0 <= hit.at_s < CLIP_S - 0.02]


class _Groove:
    """One bar that repeats, and how it is varied."""

    def __init__(self, rng: np.random.Generator, division: int) -> None:
        bar = 4 * division
        self.division, self.bar = division, bar
        self.kicks = rng.random(bar) < rng.choice([0.05, 0.12, 0.3])
        self.kicks[0] = True
        self.kicks[rng.choice([2 * division, 2 * division + division // 2])] |= rng.random() < 0.6
        self.snares = rng.random(bar) < 0.05
        self.snares[division] = self.snares[3 * division] = rng.random() < 0.9
        self.ghosts = rng.random(bar) < rng.choice([0, 0.1, 0.25])
        self.timekeeper = TIMEKEEPERS[int(rng.integers(len(TIMEKEEPERS)))]
        self.every = int(rng.choice([1, 2, division, division // 2 or 1]))
        self.accent = rng.uniform(0, 0.5)
        self.opens = rng.random(bar) < rng.choice([0, 0.05, 0.12])
        self.crash_share = rng.choice([0.05, 0.15, 0.3])
        self.doubles_share = rng.choice([0, 0, 0.05])
        self.is_filling = False

    def strokes(self, rng: np.random.Generator, step: int, at_s: float) -> list[Hit]:
        """Return what is struck on one step."""
        at = step % self.bar
        if at == 0:
            self.is_filling = rng.random() < 0.2
        if self.is_filling and at >= self.bar - self.division * rng.integers(1, 3):
            return self._fill(rng, at_s)
        hits = []
        if self.kicks[at] or rng.random() < 0.03:
            hits.append(Hit(at_s, Drum.KICK, _strength(rng, 0.85)))
        if self.snares[at]:
            hits.append(Hit(at_s, Drum.SNARE, _strength(rng, 0.85)))
            if rng.random() < self.doubles_share:
                hits.append(Hit(at_s - 0.035, Drum.SNARE, _strength(rng, 0.35)))  # a flam
        elif self.ghosts[at]:
            hits.append(Hit(at_s, Drum.SNARE, _strength(rng, 0.25)))
        if step % self.every == 0 or rng.random() < 0.04:
            is_open = self.timekeeper is Drum.CLOSED_HAT and self.opens[at]
            drum = Drum.OPEN_HAT if is_open else self.timekeeper
            off_beat = self.accent if (step // self.every) % 2 else 0
            hits.append(Hit(at_s, drum, _strength(rng, 0.65 - off_beat)))
        if at == 0 and rng.random() < self.crash_share:
            hits.append(Hit(at_s, Drum.CRASH, _strength(rng, 0.85)))
        return hits

    def _fill(self, rng: np.random.Generator, at_s: float) -> list[Hit]:
        hits = []
        if rng.random() < 0.75:
            drum = (Drum.SNARE, Drum.TOM, Drum.TOM, Drum.TOM)[rng.integers(4)]
            hits.append(Hit(at_s, drum, _strength(rng, 0.75)))
        if rng.random() < 0.3:
            hits.append(Hit(at_s, Drum.KICK, _strength(rng, 0.7)))
        return hits


def _loose_hits(rng: np.random.Generator) -> list[Hit]:
    hits = []
    for drum in Drum:
        rate_hz = np.exp(rng.uniform(np.log(0.3), np.log(4)))
        times_s = np.cumsum(rng.exponential(1 / rate_hz, 60))
        hits += [Hit(float(s), drum, rng.uniform(0.15, 1)) for s in times_s if s < CLIP_S]
    return hits


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
    for drum, takes in kit.items():
        ratio = 2 ** (rng.normal(0, 2.0) / 12)
        level = 10 ** (rng.normal(METAL_LEVEL_DB if drum in METAL else 0, 3.5) / 20)
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
    """Strike the kit; a hi-hat stroke chokes the open hat before it."""
    sound = np.zeros(int((CLIP_S + 4) * SAMPLE_RATE_HZ), np.float32)
    ringing: tuple[int, Samples] | None = None
    for hit in hits:
        take = kit[hit.drum][int(rng.integers(len(kit[hit.drum])))]
        start = int(hit.at_s * SAMPLE_RATE_HZ)
        struck = np.asarray(hit.strength**1.5 * take, np.float32)
        if ringing is not None and hit.drum in (Drum.CLOSED_HAT, Drum.OPEN_HAT):
            began, tail = ringing[0], ringing[1][start - ringing[0] :]
            fade = np.minimum(1, np.arange(len(tail)) / (CHOKE_S * SAMPLE_RATE_HZ))
            sound[start : began + len(ringing[1])] -= (tail * fade).astype(np.float32)
            ringing = None
        sound[start : start + len(struck)] += struck
        if hit.drum is Drum.OPEN_HAT:
            ringing = (start, struck)
    return sound[: int(CLIP_S * SAMPLE_RATE_HZ)]


def _shaker_track(rng: np.random.Generator, length: int) -> Samples:
    """Return steady shaker or tambourine strokes: heard, but not to be written down."""
    track = np.zeros(length + SAMPLE_RATE_HZ, np.float32)
    step_s, level = rng.uniform(0.12, 0.5), rng.uniform(0.05, 0.4)
    stroke = shaken(rng)
    for at_s in np.arange(rng.uniform(0, 0.5), CLIP_S - 0.1, step_s):
        start = int(at_s * SAMPLE_RATE_HZ)
        track[start : start + len(stroke)] += level * np.float32(rng.uniform(0.4, 1)) * stroke
    return track[:length]


def _effected(rng: np.random.Generator, sound: Sound) -> Sound:
    if rng.random() < 0.6:
        sound = equalised(rng, sound, lowest_hz=60, highest_hz=9000)
    if rng.random() < 0.5:
        impulse = decaying_noise(rng, np.exp(rng.uniform(np.log(0.1), np.log(1.5))))
        sound = reverberated(rng, sound, impulse, rng.uniform(-24, -6))
    if rng.random() < 0.3:
        sound = compressed(rng, sound)
    sound = to_peak(sound)
    if rng.random() < 0.3:
        sound = np.tanh(sound * rng.uniform(1, 5))
    if rng.random() < 0.4:
        level = sound.std() * 10 ** (-rng.uniform(12, 55) / 20)
        sound = sound + rng.normal(0, 1, len(sound)) * level
    if rng.random() < 0.15:
        sound = band_limited(rng, sound)
    if rng.random() < 0.1:
        sound = coded(rng, sound)
    return sound


def _accompanied(
    rng: np.random.Generator, sound: Sound, accompaniments: Sequence[Samples]
) -> Sound:
    music = np.zeros(len(sound))
    for _ in range(1 if rng.random() < 0.5 else 2):
        piece = accompaniments[int(rng.integers(len(accompaniments)))]
        start = int(rng.integers(0, len(piece) - len(sound) + 1))
        music += piece[start : start + len(sound)]
    level = sound.std() * 10 ** (rng.uniform(-14, 9) / 20)
    return np.asarray(sound + music / (music.std() + 1e-4) * level)


def _strength(rng: np.random.Generator, mean: float) -> float:
    return float(np.clip(rng.normal(mean, 0.12), 0.08, 1))
