"""What the players of a piece share: its tempo, its key and its chords."""

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

SCALES = (
    (0, 2, 4, 5, 7, 9, 11),
    (0, 2, 3, 5, 7, 8, 10),
    (0, 2, 3, 5, 7, 8, 11),
    (0, 2, 4, 7, 9),
    (0, 3, 5, 7, 10),
    (0, 2, 3, 5, 7, 9, 10),
    (0, 2, 4, 5, 7, 9, 10),
    (0, 3, 5, 6, 7, 10),
    tuple(range(12)),
)
SCALE_SHARES = (0.24, 0.16, 0.1, 0.1, 0.1, 0.09, 0.09, 0.04, 0.08)
CHORDS = (
    (0, 4, 7),
    (0, 3, 7),
    (0, 4, 7, 11),
    (0, 3, 7, 10),
    (0, 4, 7, 10),
    (0, 5, 7),
    (0, 2, 7),
    (0, 3, 6),
    (0, 7),
    (0, 12),
    (0, 4, 7, 14),
    (0, 3, 7, 14),
    (0, 4, 7, 9),
    (0, 3, 7, 10, 14),
    (0, 4, 8),
)
DEGREES = 7  # of the scales that are harmonised by thirds
THIRDS_SHARE = 0.6  # of songs in such a scale
CHORD_BEATS = (1, 2, 2, 4, 4, 4, 8)
SLOWEST_BPM, FASTEST_BPM = 55, 185
LATEST_START_S = 0.4
EARLY_S = 0.03  # who is that much early already plays the next chord


@dataclass(frozen=True, slots=True)
class Harmony:
    """A chord from `at_s` on: pitch class of its root, and its semitones above the root."""

    at_s: float
    root: int
    chord: tuple[int, ...]

    @property
    def pitch_classes(self) -> frozenset[int]:
        """What its keys are, in whatever octave."""
        return frozenset((self.root + step) % 12 for step in self.chord)


@dataclass(frozen=True, slots=True)
class Song:
    """Tempo, scale over `key` and chords, in order; the first chord sounds from the start."""

    beat_s: float
    start_s: float
    key: int
    scale: tuple[int, ...]
    harmonies: tuple[Harmony, ...]

    def harmony_at(self, at_s: float) -> Harmony:
        """Return the chord that is played at a time."""
        starts_s = [harmony.at_s for harmony in self.harmonies]
        return self.harmonies[max(0, bisect_right(starts_s, at_s + EARLY_S) - 1)]


def random_song(rng: np.random.Generator, duration_s: float) -> Song:
    """Draw a song whose chords come round again and again."""
    beat_s, start_s = 60 / rng.uniform(SLOWEST_BPM, FASTEST_BPM), rng.uniform(0, LATEST_START_S)
    key = int(rng.integers(12))
    scale = SCALES[int(rng.choice(len(SCALES), p=SCALE_SHARES))]
    by_thirds = len(scale) == DEGREES and rng.random() < THIRDS_SHARE
    round_of_chords = [
        (_chord_by_thirds if by_thirds else _random_chord)(rng, key, scale)
        for _ in range(int(rng.integers(2, 9)))
    ]
    chord_s = float(rng.choice(CHORD_BEATS)) * beat_s
    count = int(np.ceil(duration_s / chord_s)) + 1
    harmonies = tuple(
        Harmony(start_s + number * chord_s, *round_of_chords[number % len(round_of_chords)])
        for number in range(count)
    )
    return Song(beat_s, start_s, key, scale, harmonies)


def _chord_by_thirds(
    rng: np.random.Generator, key: int, scale: tuple[int, ...]
) -> tuple[int, tuple[int, ...]]:
    """Return root and chord of every other degree of a scale."""
    degree, size = int(rng.integers(DEGREES)), int(rng.choice([3, 3, 3, 4, 5]))
    degrees = degree + 2 * np.arange(size)
    steps = np.array(scale)[degrees % DEGREES] + 12 * (degrees // DEGREES)
    return (key + scale[degree]) % 12, tuple(int(step) for step in steps - steps[0])


def _random_chord(
    rng: np.random.Generator, key: int, scale: tuple[int, ...]
) -> tuple[int, tuple[int, ...]]:
    root = (key + int(rng.choice(scale))) % 12
    return root, CHORDS[int(rng.choice(len(CHORDS)))]
