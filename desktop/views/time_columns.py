"""TimeColumns: device pixels side by side, each a fixed stretch of the song."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Seconds = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class TimeColumns:
    """`count` columns from column `first` of the song on, `seconds_per_column` each.

    Columns are counted from the start of the song, not from the edge of the view: a note keeps its
    width and a waveform its shape to the pixel while they scroll past.
    """

    first: int
    count: int
    seconds_per_column: float

    @property
    def start_s(self) -> float:
        return self.first * self.seconds_per_column

    @property
    def end_s(self) -> float:
        return (self.first + self.count) * self.seconds_per_column

    def x_at(self, at_s: float) -> int:
        return round(at_s / self.seconds_per_column) - self.first

    def x_of(self, times_s: Seconds) -> Pixels:
        """Return the column of each time, 0 at the left edge; far outside is cut to one screen."""
        x = np.rint(times_s / self.seconds_per_column) - self.first
        columns: Pixels = np.clip(x, -self.count, 2 * self.count).astype(np.int32)
        return columns
