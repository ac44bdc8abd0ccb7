"""Guitar chords: what the right hand does over chord shapes in standard tuning."""

from dataclasses import dataclass

import numpy as np

from core.training.song import Harmony, Song

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
FITTING_SHARE = 0.7  # of chords that are played with the shape that suits them best
BEATS_PER_BAR = 4
THUMB_STRINGS = 3
LONGEST_RING_S = 4.0


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


def comping(rng: np.random.Generator, song: Song, *, duration_s: float) -> list[Stroke]:
    """Play one pattern over the chords of a song."""
    step_s = song.beat_s / int(rng.choice([2, 2, 2, 3, 4]))
    steps = round(BEATS_PER_BAR * song.beat_s / step_s)
    pattern = rng.random(steps) < rng.uniform(0.35, 0.95)
    is_fingered, alternates = rng.random() < 0.3, rng.random() < 0.25
    damping = rng.uniform(0.25, 0.95) if rng.random() < 0.5 else 10.0
    mutes, spread_s = rng.uniform(0, 0.5) * (rng.random() < 0.5), rng.uniform(0.002, 0.02)
    swing_s = rng.uniform(0, 0.33) * step_s * (rng.random() < 0.3)
    plan: list[tuple[float, bool, Harmony]] = []  # when, whether damped, which chord
    for number in range(int((duration_s - song.start_s) / step_s)):
        late_s = swing_s * (number % 2) + rng.normal(0, 0.006)
        at_s = max(0.0, song.start_s + number * step_s + late_s)
        is_struck = pattern[number % steps] != (rng.random() < 0.06)
        if is_struck:
            plan.append((at_s, bool(rng.random() < mutes), song.harmony_at(at_s)))
        elif mutes and rng.random() < 0.3:
            plan.append((at_s, True, song.harmony_at(at_s)))
    shapes = {harmony: _fretted(rng, harmony) for harmony in song.harmonies}
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
        changes = [
            later_s for later_s, damps, other in plan[number + 1 :] if damps or other != chord
        ]
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


def fingerpicking(rng: np.random.Generator, song: Song, *, duration_s: float) -> list[Stroke]:
    """Let the thumb go to and fro on low strings while fingers pick high ones; strings ring on."""
    per_beat = int(rng.choice([1, 2, 2, 2, 3, 4]))
    step_s, steps = song.beat_s / per_beat, BEATS_PER_BAR * per_beat
    thumb_steps, thumb_accent = per_beat * int(rng.choice([1, 1, 2, 4])), rng.uniform(-25, 10)
    fingers = np.where(rng.random(steps) < rng.uniform(0.4, 1.0), rng.integers(1, 4, steps), 0)
    knocks = rng.uniform(0, 0.5) if rng.random() < 0.3 else 0.0
    plucks: list[tuple[float, int, Harmony]] = []  # when, which string of the chord, which chord
    strokes: list[Stroke] = []
    for number in range(int((duration_s - song.start_s) / step_s)):
        at_s = max(0.0, song.start_s + number * step_s + rng.normal(0, 0.006))
        harmony = song.harmony_at(at_s)
        if number % thumb_steps == 0:
            plucks.append((at_s, number // thumb_steps % 2 * int(rng.integers(1, 3)), harmony))
        if finger := fingers[number % steps]:
            plucks.append((at_s + abs(rng.normal(0, 0.004)), -int(finger), harmony))
        if number % (2 * per_beat) == per_beat and rng.random() < knocks:
            strokes.append(Stroke(at_s, 0.0, ()))
    shapes = {harmony: _fretted(rng, harmony) for harmony in song.harmonies}
    for number, (at_s, place, harmony) in enumerate(plucks):
        stopped_s = [
            later_s
            for later_s, other, chord in plucks[number + 1 :]
            if other == place or chord != harmony
        ]
        until_s = min([at_s + LONGEST_RING_S, duration_s, *stopped_s[:1]])
        string = StruckString(shapes[harmony][place], 0.0, max(0.05, until_s - at_s))
        strokes.append(Stroke(at_s, thumb_accent if place >= 0 else 0.0, (string,)))
    return sorted(strokes, key=lambda stroke: stroke.at_s)


def _fretted(rng: np.random.Generator, harmony: Harmony) -> tuple[int, ...]:
    """Return the pitches of a shape on the root of a chord, low to high."""
    string = int(rng.integers(2))
    shapes = rng.permutation(SHAPES_ON_FIFTH if string else SHAPES_ON_SIXTH).tolist()
    voicings = [_pressed(shape, string, harmony.root) for shape in shapes]
    if rng.random() < FITTING_SHARE:
        return min(voicings, key=lambda keys: _foreign(keys, harmony))
    return voicings[0]


def _pressed(shape: list[int], string: int, root: int) -> tuple[int, ...]:
    fret = (root - OPEN_STRINGS[string] - shape[string]) % MOST_FRETS
    return tuple(
        opened + fret + pressed
        for opened, pressed in zip(OPEN_STRINGS, shape, strict=True)
        if pressed != NOT_PLAYED
    )


def _foreign(keys: tuple[int, ...], harmony: Harmony) -> int:
    """Count what differs between the keys and the chord."""
    return len({key % 12 for key in keys} ^ harmony.pitch_classes)
