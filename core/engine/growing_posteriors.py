"""Posteriors of a long file, kept as they come: never two copies of them in memory."""

from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

Number = TypeVar("Number", np.float16, np.uint8)

ROOM_FRAMES = 20_000  # room is made for this many more; 3 to 7 minutes


class GrowingPosteriors(Generic[Number]):
    """An array [output, frame, ...] that grows in time.

    It lies frame by frame in memory, so that the operating system can lengthen it in place.
    """

    def __init__(self, outputs: int, *rest: int, dtype: type[Number]) -> None:
        self._values: npt.NDArray[Number] = np.zeros((0, outputs, *rest), dtype)
        self._frames = 0

    @property
    def frames(self) -> int:
        """How many there are so far."""
        return self._frames

    def append(self, segment: npt.NDArray[Number]) -> None:
        """Add a segment [output, frame, ...] at the end."""
        end = self._frames + segment.shape[1]
        if end > len(self._values):
            # Nobody else holds a view before `whole`, after which nothing is appended.
            self._values.resize((end + ROOM_FRAMES, *self._values.shape[1:]), refcheck=False)
        self._values[self._frames : end] = np.moveaxis(segment, 0, 1)
        self._frames = end

    def whole(self) -> npt.NDArray[Number]:
        """Return everything [output, frame, ...]; the last thing to ask."""
        self._values.resize((self._frames, *self._values.shape[1:]), refcheck=False)
        return np.moveaxis(self._values, 0, 1)
