"""What drummers play: grooves with fills, rolls and open hats, or now and then loose strokes."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np

from core.training.drum_synth import Drum

CLIP_S = 8.0
LAST_HIT_S = CLIP_S - 0.02
TIMEKEEPERS: tuple[tuple[Drum | None, float], ...] = (
    (Drum.CLOSED_HAT, 0.38),
    (Drum.RIDE, 0.17),
    (Drum.OPEN_HAT, 0.14),
    (Drum.CRASH, 0.15),
    (Drum.TOM, 0.06),
    (Drum.PEDAL_HAT, 0.04),
    (None, 0.06),
)
BACKBEATS = ((Drum.SNARE, 0.78), (Drum.RIM, 0.11), (Drum.CLAP, 0.11))
DRAG_S = 0.035  # how long before its stroke a flam comes

Choice = TypeVar("Choice")


class Hit(NamedTuple):
    """One stroke: when, on what, how hard (0..1)."""

    at_s: float
    drum: Drum
    strength: float


def random_pattern(rng: np.random.Generator) -> list[Hit]:
    """Return hits of a groove with fills, or now and then of no groove at all."""
    if rng.random() < 0.12:
        return _loose_hits(rng)
    beat_s = 60 / rng.uniform(65, 200)
    division = int(rng.choice([4, 4, 4, 3]))
    groove = _Groove(rng, division)
    step_s, jitter_s = beat_s / division, abs(rng.normal(0, 0.006))
    swing = rng.choice([0, 0, 0, rng.uniform(0, 0.33)])
    start_s = rng.uniform(0, 0.5)
    hits: list[Hit] = []
    for step in range(int(CLIP_S / step_s)):
        at_s = start_s + (step + (swing if step % 2 else 0)) * step_s + rng.normal(0, jitter_s)
        hits += groove.strokes(rng, step, at_s, step_s)
    return [hit for hit in hits if 0 <= hit.at_s < LAST_HIT_S]


class _Groove:
    """One bar that repeats, and how it is varied."""

    def __init__(self, rng: np.random.Generator, division: int) -> None:
        bar = 4 * division
        self.division, self.bar = division, bar
        self.kicks = rng.random(bar) < rng.choice([0.05, 0.12, 0.3, 0.3, 0.7])
        self.kicks[0] = True
        self.kicks[rng.choice([2 * division, 2 * division + division // 2])] |= rng.random() < 0.6
        if rng.random() < 0.15:
            self.kicks[::division] = True  # four on the floor
        self.backbeat = _one_of(rng, BACKBEATS)
        self.has_clap = self.backbeat is Drum.SNARE and rng.random() < 0.12
        self.snares = rng.random(bar) < 0.05
        self.snares[division] = self.snares[3 * division] = rng.random() < 0.9
        if rng.random() < 0.1:
            self.snares[division // 2 :: division] = True  # as in punk and polka
        self.ghosts = rng.random(bar) < rng.choice([0, 0.1, 0.25])
        self.timekeeper = _one_of(rng, TIMEKEEPERS)
        self.every = int(rng.choice([1, 2, division, division // 2 or 1]))
        if self.timekeeper is Drum.CRASH:
            self.every = int(rng.choice([division, division // 2 or 1]))  # nobody rides it faster
        self.accent = rng.uniform(0, 0.5)
        self.opens = rng.random(bar) < rng.choice([0, 0.05, 0.12])
        self.foot_every = self._foot(rng)
        self.crash_share = rng.choice([0.05, 0.15, 0.3])
        self.doubles_share = rng.choice([0, 0, 0.05, 0.3])
        self.drags = int(rng.choice([1, 1, 2]))
        self.fill: Callable[[np.random.Generator, float, float], list[Hit]] | None = None

    def _foot(self, rng: np.random.Generator) -> int | None:
        """Return how often in steps the foot closes the hi-hat, if it does."""
        is_free = self.timekeeper not in (Drum.CLOSED_HAT, Drum.OPEN_HAT, Drum.PEDAL_HAT)
        if rng.random() > (0.5 if is_free else 0.04):
            return None
        return int(rng.choice([self.division, 2 * self.division]))

    def strokes(self, rng: np.random.Generator, step: int, at_s: float, step_s: float) -> list[Hit]:
        """Return what is struck on one step."""
        at = step % self.bar
        if at == 0:
            self.fill = _fill_of(rng) if rng.random() < 0.22 else None
        if self.fill is not None and at >= self.bar - self.division * rng.integers(1, 3):
            return self.fill(rng, at_s, step_s)
        hits = self._low_strokes(rng, at, at_s)
        if self.foot_every and (step + self.division) % self.foot_every == 0:
            hits.append(Hit(at_s, Drum.PEDAL_HAT, _strength(rng, 0.6)))
        if self.timekeeper and (step % self.every == 0 or rng.random() < 0.04):
            is_open = self.timekeeper is Drum.CLOSED_HAT and self.opens[at]
            drum = Drum.OPEN_HAT if is_open else self.timekeeper
            off_beat = self.accent if (step // self.every) % 2 else 0
            hits.append(Hit(at_s, drum, _strength(rng, 0.65 - off_beat)))
        if at == 0 and rng.random() < self.crash_share:
            hits.append(Hit(at_s, Drum.CRASH, _strength(rng, 0.85)))
        return hits

    def _low_strokes(self, rng: np.random.Generator, at: int, at_s: float) -> list[Hit]:
        hits = []
        if self.kicks[at] or rng.random() < 0.03:
            hits.append(Hit(at_s, Drum.KICK, _strength(rng, 0.85)))
        if self.snares[at]:
            hits.append(Hit(at_s, self.backbeat, _strength(rng, 0.85)))
            if self.has_clap:
                hits.append(Hit(at_s, Drum.CLAP, _strength(rng, 0.85)))
            if self.backbeat is Drum.SNARE and rng.random() < self.doubles_share:
                for before in range(1, 1 + self.drags):  # a flam, or a drag of two
                    early_s = at_s - before * DRAG_S
                    hits.append(Hit(early_s, Drum.SNARE, _strength(rng, 0.35)))
        elif self.ghosts[at]:
            hits.append(Hit(at_s, Drum.SNARE, _strength(rng, 0.25)))
        return hits


def _fill_of(rng: np.random.Generator) -> Callable[[np.random.Generator, float, float], list[Hit]]:
    return (_tom_fill, _tom_fill, _snare_roll, _build_up)[int(rng.integers(4))]


def _tom_fill(rng: np.random.Generator, at_s: float, _step_s: float) -> list[Hit]:
    hits = []
    if rng.random() < 0.75:
        drum = (Drum.SNARE, Drum.TOM, Drum.TOM, Drum.TOM)[rng.integers(4)]
        hits.append(Hit(at_s, drum, _strength(rng, 0.75)))
    if rng.random() < 0.3:
        hits.append(Hit(at_s, Drum.KICK, _strength(rng, 0.7)))
    return hits


def _snare_roll(rng: np.random.Generator, at_s: float, step_s: float) -> list[Hit]:
    strokes = max(1, round(step_s / rng.uniform(0.055, 0.11)))
    between_s = step_s / strokes
    return [
        Hit(at_s + stroke * between_s, Drum.SNARE, _strength(rng, 0.5)) for stroke in range(strokes)
    ]


def _build_up(rng: np.random.Generator, at_s: float, _step_s: float) -> list[Hit]:
    drums = (Drum.SNARE, Drum.KICK) if rng.random() < 0.7 else (Drum.SNARE, Drum.TOM, Drum.KICK)
    return [Hit(at_s, drum, _strength(rng, 0.7)) for drum in drums]


def _loose_hits(rng: np.random.Generator) -> list[Hit]:
    hits = []
    for drum in Drum:
        rate_hz = np.exp(rng.uniform(np.log(0.2), np.log(3)))
        times_s = np.cumsum(rng.exponential(1 / rate_hz, 60))
        hits += [Hit(float(s), drum, rng.uniform(0.15, 1)) for s in times_s if s < LAST_HIT_S]
    return hits


def _one_of(rng: np.random.Generator, shares: tuple[tuple[Choice, float], ...]) -> Choice:
    return shares[int(rng.choice(len(shares), p=[share for _, share in shares]))][0]


def _strength(rng: np.random.Generator, mean: float) -> float:
    return float(np.clip(rng.normal(mean, 0.12), 0.08, 1))
