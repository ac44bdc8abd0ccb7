"""PlayedPart: what one player sounds like, and which notes are heard in it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.training.part import PlayedNote
from core.training.soundfonts import SAMPLE_RATE_HZ

Sound = npt.NDArray[np.float32] | npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PlayedPart:
    """Mono sound [sample] at SAMPLE_RATE_HZ, the notes heard in it, and who played it how.

    `side` [sample] is what of it stands apart from the middle, where it is heard in a room.
    """

    sound: Sound
    notes: list[PlayedNote]
    recipe: str
    side: Sound | None = None


def together(played: Sequence[PlayedPart], duration_s: float) -> PlayedPart | None:
    """Return the parts as one; None where nobody plays."""
    if not played:
        return None
    length = min(int(duration_s * SAMPLE_RATE_HZ), *(len(part.sound) for part in played))
    sound = np.sum([part.sound[:length] for part in played], 0)
    notes = [note for part in played for note in part.notes]
    return PlayedPart(sound, notes, "+".join(part.recipe for part in played))
