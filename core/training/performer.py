"""Performers: random singers and players of winds, harmonicas and bows, with their habits.

Every call draws a new one. What they do with a part is in `performance.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

PerformerKind = Literal["singer", "reed", "harmonica", "flute", "brass", "bow"]

MAX_PARTIALS = 48

Curve = npt.NDArray[np.float32]
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Habits:
    """From where to where a kind of performer varies; shares are of notes."""

    tilt: Range  # partial n has n ** -tilt
    attack_s: Range
    glide_s: Range
    glide_share: Range
    scoop_share: Range
    scoop_semitones: Range
    vibrato_semitones: Range
    vibrato_share: float
    drift_semitones: Range
    noise: Range
    fall_share: Range
    dip: Range  # how far loudness falls between slurred notes
    bend_share: float  # of long notes: bent within, and back
    grace_share: float  # of notes led in by another
    even_gain: Range = (0.6, 1.0)


HABITS: Mapping[PerformerKind, _Habits] = {
    "singer": _Habits(
        tilt=(0.5, 2.1),
        attack_s=(0.012, 0.18),
        glide_s=(0.03, 0.22),
        glide_share=(0.3, 1.0),
        scoop_share=(0.05, 0.7),
        scoop_semitones=(0.3, 3.5),
        vibrato_semitones=(0.1, 0.9),
        vibrato_share=0.7,
        drift_semitones=(0.04, 0.22),
        noise=(0.003, 0.2),
        fall_share=(0.0, 0.5),
        dip=(0.0, 0.7),
        bend_share=0.15,
        grace_share=0.12,
    ),
    "reed": _Habits(
        tilt=(0.5, 1.6),
        attack_s=(0.006, 0.06),
        glide_s=(0.006, 0.05),
        glide_share=(0.0, 0.6),
        scoop_share=(0.0, 0.5),
        scoop_semitones=(0.2, 1.5),
        vibrato_semitones=(0.05, 0.4),
        vibrato_share=0.5,
        drift_semitones=(0.01, 0.08),
        noise=(0.003, 0.08),
        fall_share=(0.0, 0.3),
        dip=(0.1, 0.8),
        bend_share=0.15,
        grace_share=0.15,
        even_gain=(0.05, 1.1),
    ),
    "harmonica": _Habits(
        tilt=(0.2, 1.2),
        attack_s=(0.01, 0.08),
        glide_s=(0.01, 0.1),
        glide_share=(0.0, 0.3),
        scoop_share=(0.0, 0.5),
        scoop_semitones=(0.2, 2.0),
        vibrato_semitones=(0.02, 0.3),
        vibrato_share=0.4,
        drift_semitones=(0.01, 0.05),
        noise=(0.003, 0.05),
        fall_share=(0.0, 0.3),
        dip=(0.2, 1.0),
        bend_share=0.4,
        grace_share=0.1,
    ),
    "flute": _Habits(
        tilt=(1.2, 3.0),
        attack_s=(0.01, 0.08),
        glide_s=(0.006, 0.03),
        glide_share=(0.0, 0.4),
        scoop_share=(0.0, 0.3),
        scoop_semitones=(0.1, 0.8),
        vibrato_semitones=(0.03, 0.3),
        vibrato_share=0.6,
        drift_semitones=(0.01, 0.07),
        noise=(0.01, 0.15),
        fall_share=(0.0, 0.15),
        dip=(0.1, 0.9),
        bend_share=0.05,
        grace_share=0.15,
    ),
    "brass": _Habits(
        tilt=(0.5, 1.8),
        attack_s=(0.008, 0.06),
        glide_s=(0.01, 0.07),
        glide_share=(0.0, 0.5),
        scoop_share=(0.0, 0.4),
        scoop_semitones=(0.2, 1.5),
        vibrato_semitones=(0.03, 0.3),
        vibrato_share=0.4,
        drift_semitones=(0.01, 0.06),
        noise=(0.001, 0.02),
        fall_share=(0.0, 0.35),
        dip=(0.2, 0.9),
        bend_share=0.08,
        grace_share=0.1,
    ),
    "bow": _Habits(
        tilt=(0.7, 1.5),
        attack_s=(0.015, 0.12),
        glide_s=(0.01, 0.12),
        glide_share=(0.1, 0.9),
        scoop_share=(0.0, 0.25),
        scoop_semitones=(0.2, 1.0),
        vibrato_semitones=(0.08, 0.45),
        vibrato_share=0.8,
        drift_semitones=(0.01, 0.08),
        noise=(0.002, 0.04),
        fall_share=(0.0, 0.1),
        dip=(0.0, 0.8),
        bend_share=0.1,
        grace_share=0.1,
    ),
}


@dataclass(frozen=True, slots=True)
class Performer:
    """One random singer or player; pitches in semitones, levels linear."""

    kind: PerformerKind
    tilt: float
    even_gain: float
    partial_gains: Curve  # [partial]
    resonances_hz: tuple[float, ...]
    resonance_widths_hz: tuple[float, ...]
    tract: float  # formants of a singer relative to a man's
    attack_s: float
    release_s: float
    glide_s: float
    glide_share: float
    scoop_share: float
    scoop_semitones: float
    vibrato_hz: float
    vibrato_semitones: float
    vibrato_delay_s: float
    vibrato_tremolo: float
    drift_semitones: float
    tuning_semitones: float
    noise: float
    noise_hz: float
    fall_share: float
    dip: float
    bend_share: float
    grace_share: float
    click_share: float  # of notes at which keys or valves are heard
    tongue_share: float
    consonant_share: float
    breath_share: float
    ghost_share: float
    brightness: float  # how much duller soft notes are
    flutter_hz: float
    flutter_depth: float  # growl of a sax, wah of a harmonica
    second_reed_cents: float
    leak: float  # level of the neighbouring reed that sounds along


def random_performer(rng: np.random.Generator, kind: PerformerKind) -> Performer:
    """Draw one performer of a kind."""
    habits = HABITS[kind]
    is_singer, is_harmonica = kind == "singer", kind == "harmonica"
    resonances = int(rng.integers(1, 6))
    growls = kind in ("reed", "brass") and rng.random() < 0.15
    clicks = kind in ("reed", "flute", "harmonica") and rng.random() < 0.4
    wahs = is_harmonica and rng.random() < 0.3
    return Performer(
        kind=kind,
        tilt=rng.uniform(*habits.tilt),
        even_gain=rng.uniform(*habits.even_gain),
        partial_gains=np.exp(rng.normal(0, rng.uniform(0.05, 0.6), MAX_PARTIALS)).astype(
            np.float32
        ),
        resonances_hz=tuple(float(np.exp(rng.uniform(5.7, 8.4))) for _ in range(resonances)),
        resonance_widths_hz=tuple(rng.uniform(100, 900) for _ in range(resonances)),
        tract=rng.uniform(0.92, 1.35),
        attack_s=log_uniform(rng, *habits.attack_s),
        release_s=log_uniform(rng, 0.015, 0.15),
        glide_s=log_uniform(rng, *habits.glide_s),
        glide_share=rng.uniform(*habits.glide_share),
        scoop_share=rng.uniform(*habits.scoop_share),
        scoop_semitones=rng.uniform(*habits.scoop_semitones),
        vibrato_hz=rng.uniform(3.8, 7.2),
        vibrato_semitones=_at_times(rng, habits.vibrato_share, habits.vibrato_semitones),
        vibrato_delay_s=rng.uniform(0.0, 0.6),
        vibrato_tremolo=rng.uniform(0, 0.4),
        drift_semitones=rng.uniform(*habits.drift_semitones),
        tuning_semitones=rng.normal(0, 0.15 if is_singer else 0.05),
        noise=log_uniform(rng, *habits.noise),
        noise_hz=log_uniform(rng, 600, 7000),
        fall_share=rng.uniform(*habits.fall_share),
        dip=rng.uniform(*habits.dip),
        bend_share=rng.uniform(0, habits.bend_share) if rng.random() < 0.6 else 0.0,
        grace_share=rng.uniform(0, habits.grace_share) if rng.random() < 0.6 else 0.0,
        click_share=rng.uniform(0, 0.8) if clicks else 0.0,
        tongue_share=rng.uniform(0, 1),
        consonant_share=rng.uniform(0.1, 0.9) if is_singer else 0.0,
        breath_share=rng.uniform(0, 0.8) if rng.random() < 0.5 else 0.0,
        ghost_share=rng.uniform(0, 0.25) if rng.random() < 0.4 else 0.0,
        brightness=rng.uniform(0.3, 1.8) if kind == "brass" else rng.uniform(0.0, 0.9),
        flutter_hz=rng.uniform(70, 160) if growls else rng.uniform(2.5, 7),
        flutter_depth=rng.uniform(0.15, 0.7) if growls or wahs else 0.0,
        second_reed_cents=rng.uniform(2, 22) if is_harmonica and rng.random() < 0.3 else 0.0,
        leak=log_uniform(rng, 0.03, 0.2) if is_harmonica and rng.random() < 0.5 else 0.0,
    )


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _at_times(rng: np.random.Generator, share: float, values: Range) -> float:
    return float(rng.uniform(*values)) if rng.random() < share else 0.0
