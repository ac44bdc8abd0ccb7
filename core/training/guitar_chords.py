"""Comping: what the right hand does over chord shapes of a guitar in standard tuning."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

OPEN_STRINGS = (40, 45, 50, 55, 59, 64)
NOT_PLAYED = -1
# Frets from the lowest string up, over a root on the sixth string ...
SHAPES_ON_SIXTH = (
    (0, 2, 2, 1, 0, 0),
    (0, 2, 2, 0, 0, 0),
    (0, 2, 0, 1, 0, 0),
    (0, 2, 0, 0, 0, 0),
    (0, NOT_PLAYED, 1, 1, 0, NOT_PLAYED),
    (0, NOT_PLAYED, 0, 0, 0, NOT_PLAYED),
    (0, NOT_PLAYED, 0, 1, 0, NOT_PLAYED),
    (0, 2, 2, NOT_PLAYED, NOT_PLAYED, NOT_PLAYED),
)
# ... and on the fifth.
SHAPES_ON_FIFTH = (
    (NOT_PLAYED, 0, 2, 2, 2, 0),
    (NOT_PLAYED, 0, 2, 2, 1, 0),
    (NOT_PLAYED, 0, 2, 0, 2, 0),
    (NOT_PLAYED, 0, 2, 0, 1, 0),
    (NOT_PLAYED, 0, 2, 1, 2, NOT_PLAYED),
    (NOT_PLAYED, 3, 2, 3, 3, 3),
    (NOT_PLAYED, 3, 2, 0, 1, 0),
    (NOT_PLAYED, 3, 2, 0, 0, 0),
)
MOST_FRETS = 12
BEATS_PER_BAR = 4
CHORD_BEATS = (2, 4, 4, 8)


@dataclass(frozen=True, slots=True)
class StruckString:
    """A string of a stroke: MIDI pitch, when the pick gets to it, how long it sounds."""

    pitch: int
    late_s: float
    sounding_s: float


@dataclass(frozen=True, slots=True)
class Stroke:
    """One movement of the right hand; without strings it is a stroke across damped ones."""

    at_s: float
    accent: float  # added to the velocity
    strings: tuple[StruckString, ...]


def comping(
    rng: np.random.Generator, *, beat_s: float, duration_s: float, roots: Sequence[int]
) -> list[Stroke]:
    """Play one pattern over changing chords; `roots` are pitch classes to choose from."""
    step_s = beat_s / int(rng.choice([2, 2, 2, 3, 4]))
    steps = round(BEATS_PER_BAR * beat_s / step_s)
    pattern = rng.random(steps) < rng.uniform(0.35, 0.95)
    is_fingered, alternates = rng.random() < 0.3, rng.random() < 0.25
    damping = rng.uniform(0.25, 0.95) if rng.random() < 0.5 else 10.0
    mutes, spread_s = rng.uniform(0, 0.5) * (rng.random() < 0.5), rng.uniform(0.002, 0.02)
    swing_s = rng.uniform(0, 0.33) * step_s * (rng.random() < 0.3)
    beats = float(rng.choice(CHORD_BEATS))
    plan: list[tuple[float, bool, int]] = []  # when, whether damped, which chord
    for number in range(int(duration_s / step_s)):
        at_s = number * step_s + swing_s * (number % 2) + rng.normal(0, 0.006)
        is_struck = pattern[number % steps] != (rng.random() < 0.06)
        if is_struck:
            chord = int(number * step_s / (beats * beat_s))
            plan.append((max(0.0, at_s), bool(rng.random() < mutes), chord))
        elif mutes and rng.random() < 0.3:
            plan.append((max(0.0, at_s), True, -1))
    shapes = {chord: _random_chord(rng, roots) for chord in {chord for *_, chord in plan}}
    strokes: list[Stroke] = []
    for number, (at_s, is_muted, chord) in enumerate(plan):
        keys = () if is_muted else shapes[chord]
        is_up = number % 2 == 1 and rng.random() < 0.7
        if keys and alternates:
            keys = keys[:1] if number % 2 == 0 else keys[1:]
        elif keys and is_up:
            keys = keys[-int(rng.integers(2, 5)) :]
        elif keys and rng.random() < 0.4:
            keys = keys[int(rng.integers(0, 3)) :]
        following = [later_s for later_s, *_ in plan[number + 1 :]]
        changes = [later_s for later_s, _, other in plan[number + 1 :] if other != chord]
        until_s = min([at_s + damping * step_s, *changes[:1], duration_s])
        if damping < 1:
            until_s = min([until_s, *following[:1]])
        late_s = 0.0 if is_fingered else abs(rng.normal(0, spread_s))
        strings = tuple(
            StruckString(
                pitch=key,
                late_s=place * late_s + abs(rng.normal(0, 0.002)),
                sounding_s=max(0.05, until_s - at_s - place * late_s),
            )
            for place, key in enumerate(keys[::-1] if is_up else keys)
        )
        strokes.append(Stroke(at_s, rng.uniform(-8, 10), strings))
    return strokes


def _random_chord(rng: np.random.Generator, roots: Sequence[int]) -> tuple[int, ...]:
    """Return the pitches of a shape on a root, low to high."""
    string = int(rng.integers(2))
    shapes = SHAPES_ON_FIFTH if string else SHAPES_ON_SIXTH
    shape = shapes[int(rng.integers(len(shapes)))]
    rooted = OPEN_STRINGS[string] + shape[string]
    fret = (int(rng.choice(list(roots))) - rooted) % MOST_FRETS
    return tuple(
        opened + fret + pressed
        for opened, pressed in zip(OPEN_STRINGS, shape, strict=True)
        if pressed != NOT_PLAYED
    )
