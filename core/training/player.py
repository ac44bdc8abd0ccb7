"""Players of a part: the stretch of an instrument, the rhythm and the touch all styles share."""

import numpy as np
import numpy.typing as npt

from core.training.families import Family
from core.training.part import PlayedNote, Timed
from core.training.song import Harmony, Song

PACES_BEATS = {
    "slow": (2, 4, 3, 1),
    "mid": (1, 1, 0.5, 0.5, 2, 1.5),
    "fast": (0.5, 0.5, 0.25, 0.25, 1, 0.75, 1 / 3, 1 / 3, 1 / 3),
    "veryfast": (0.25, 0.25, 0.25, 0.25, 0.5, 1 / 6, 1 / 6, 1 / 6),
}
ARTICULATIONS = (0.35, 0.6, 0.85, 0.98, 1.08)  # share of a note's slot that it sounds
ARTICULATION_SHARES = (0.12, 0.18, 0.3, 0.3, 0.1)
SOFTEST, LOUDEST = 8, 127
SHORTEST_SLOT_S = 0.06
FEWEST_STEPS = 4  # of a melody


class Player:
    """One player of a song; every style adds notes."""

    def __init__(
        self, rng: np.random.Generator, family: Family, duration_s: float, song: Song
    ) -> None:
        self.rng = rng
        self.family = family
        self.duration_s = duration_s
        self.notes: list[PlayedNote] = []
        self.muted_strokes: list[Timed] = []
        self.song = song
        self.beat_s = song.beat_s
        self.loudness, self.spread = rng.uniform(35, 110), rng.uniform(2, 18)
        self.jitter_s = abs(rng.normal(0, 0.012))
        self.articulation = rng.choice(ARTICULATIONS, p=ARTICULATION_SHARES)
        degrees = np.array(
            [octave * 12 + step + song.key for octave in range(-1, 11) for step in song.scale]
        )
        self.degrees = degrees[(degrees >= family.lowest_pitch) & (degrees <= family.highest_pitch)]

    def random_lowest(self, room: int) -> int:
        """Return a key with that much room over it, if the instrument has it."""
        low, high = self.family.lowest_pitch, self.family.highest_pitch
        return int(self.rng.integers(low, max(low + 1, high - room)))

    def window(self, room: int, width: int) -> tuple[int, int]:
        """Return the lowest and highest key of a random stretch of the instrument."""
        lowest = self.random_lowest(room)
        return lowest, min(self.family.highest_pitch, lowest + width)

    def steps_between(self, lowest: int, highest: int) -> npt.NDArray[np.int_]:
        """Return the scale there, low to high; all keys where it has too few."""
        steps = self.degrees[(self.degrees >= lowest) & (self.degrees <= highest)]
        return steps if len(steps) >= FEWEST_STEPS else np.arange(lowest, highest + 1)

    def rhythm(self, pace: str) -> list[tuple[float, float]]:
        """Return onset and slot length of successive notes, with rests."""
        rng, cells = self.rng, PACES_BEATS[pace]
        slots: list[tuple[float, float]] = []
        at_s = self.song.start_s + self.beat_s * int(rng.choice([0, 0, 0, 1, 2]))
        is_steady = rng.random() < 0.35
        steady = rng.choice(cells)
        while at_s < self.duration_s:
            beats = steady if is_steady else rng.choice(cells)
            if is_steady and rng.random() < 0.06:
                steady = rng.choice(cells)
            slot_s = max(SHORTEST_SLOT_S, beats * self.beat_s)
            slots.append((at_s, slot_s))
            at_s += slot_s
            if rng.random() < 0.08:
                at_s += self.beat_s * rng.choice([0.5, 1, 2])
        return slots

    def voicing(self, harmony: Harmony, lowest: int, highest: int, size: int) -> list[int]:
        """Return up to `size` keys of a chord, spread upwards from a random one."""
        classes = harmony.pitch_classes
        key = int(self.rng.integers(lowest, max(lowest + 1, highest - 12)))
        keys: list[int] = []
        while len(keys) < size and key <= highest:
            if key % 12 in classes and (not keys or key - keys[-1] >= self.rng.choice([2, 3, 5])):
                keys.append(key)
            key += 1
        return keys

    def velocity(self) -> int:
        """Draw how hard the next note is struck."""
        return int(np.clip(self.rng.normal(self.loudness, self.spread), SOFTEST, LOUDEST))

    def add(
        self, onset_s: float, length_s: float, pitch: int | npt.NDArray[np.int_], velocity: int
    ) -> None:
        """Play a note, unless the instrument has no such key or the time is over."""
        in_range = self.family.lowest_pitch <= pitch <= self.family.highest_pitch
        if in_range and 0 <= onset_s < self.duration_s - 0.05:
            offset_s = onset_s + max(0.05, length_s)
            self.notes.append(PlayedNote(onset_s, offset_s, int(pitch), velocity))
