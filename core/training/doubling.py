"""Notes that go along with notes: another instrument in unison, the second of a double stop."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from core.training.families import Family
from core.training.part import PlayedNote

UNISON_STEPS = (0, 0, 12, 12, 12, -12, -12, 24)
OVERLAP_S = 0.05  # by which notes of one voice may run into each other


def in_unison(
    rng: np.random.Generator, notes: list[PlayedNote], family: Family
) -> list[PlayedNote]:
    """Return another part's notes for an instrument that doubles it, perhaps in the octave."""
    step = int(rng.choice(UNISON_STEPS))
    late_s = rng.uniform(-0.01, 0.01)
    return [
        PlayedNote(
            max(0.0, note.onset_s + late_s + rng.normal(0, 0.005)),
            note.offset_s,
            note.pitch + step,
            note.velocity,
        )
        for note in sorted(notes)
        if family.lowest_pitch <= note.pitch + step <= family.highest_pitch
    ]


def beside(
    rng: np.random.Generator, notes: list[PlayedNote], steps: tuple[int, ...], family: Family
) -> list[PlayedNote]:
    """Return second notes of double stops: beside some notes, not after each other."""
    share = rng.uniform(0.1, 0.8)
    step_over = {key: int(rng.choice(steps)) for key in range(12)}
    return [
        note._replace(
            pitch=note.pitch + step_over[note.pitch % 12],
            velocity=int(np.clip(note.velocity * rng.uniform(0.6, 1.1), 8, 127)),
        )
        for note in notes
        if rng.random() < share and note.pitch + step_over[note.pitch % 12] <= family.highest_pitch
    ]


def is_one_voice(notes: Sequence[PlayedNote]) -> bool:
    """Tell whether no note begins well before the one before it has ended."""
    ordered = sorted(notes)
    return all(after.onset_s > before.offset_s - OVERLAP_S for before, after in pairwise(ordered))
