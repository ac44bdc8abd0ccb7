"""StruckKeys: what was heard of each onset when it was looked at closely."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

OPINIONS = 24
NEAREST_FRAMES = 2  # an onset lies between frames, so its note may be a frame off
_KEY_STEP = 1 << 32  # more than any frame number

Frames = npt.NDArray[np.int64]
Keys = npt.NDArray[np.int64]
Opinions = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class StruckKeys:
    """Opinions on onsets, sorted by key and time.

    `places` [onset] hold key and frame in one number, see `place_of`; `family` [onset, 24] holds
    255 times the square root of probabilities: that each of twelve families is who plays, which
    sum to 1, then that each of them plays, be it with others.
    """

    places: Frames
    family: Opinions

    def __post_init__(self) -> None:
        if len(self.places) != len(self.family):
            raise ValueError("each onset has one opinion")
        if np.any(np.diff(self.places) <= 0):
            raise ValueError("onsets must be sorted by key and time")

    def opinion_at(self, frame: int, key: int) -> Opinions | None:
        """Return the opinions [24] on the nearest onset of a key; None where none was heard."""
        wanted = place_of(frame, key)
        after = int(np.searchsorted(self.places, wanted))
        near = range(max(0, after - 1), min(len(self.places), after + 1))
        distances = {index: abs(int(self.places[index]) - wanted) for index in near}
        if not distances:
            return None
        nearest = min(distances, key=lambda index: distances[index])
        return self.family[nearest] if distances[nearest] <= NEAREST_FRAMES else None


def place_of(frame: int, key: int) -> int:
    """Return key and frame as one number that sorts by key, then by time."""
    return key * _KEY_STEP + frame


def struck_keys(frames: Frames, keys: Keys, family: Opinions) -> StruckKeys:
    """Return onsets, in any order, with their opinions [onset, 24]."""
    places = keys.astype(np.int64) * _KEY_STEP + frames
    order = np.argsort(places)
    return StruckKeys(places[order], family[order])


def joined(parts: Sequence[StruckKeys], starts_frames: Sequence[int]) -> StruckKeys:
    """Return the onsets of successive stretches as those of a whole."""
    if not parts:
        return StruckKeys(np.zeros(0, np.int64), np.zeros((0, OPINIONS), np.uint8))
    rows = zip(parts, starts_frames, strict=True)
    places = np.concatenate([part.places + start for part, start in rows])
    order = np.argsort(places)
    return StruckKeys(places[order], np.concatenate([part.family for part in parts])[order])
