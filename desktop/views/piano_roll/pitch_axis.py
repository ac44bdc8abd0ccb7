"""PitchAxis: which pitches stand on the screen and how high their rows are."""

from math import ceil

from PySide6.QtCore import QObject, Signal

from core.score.note import HIGHEST_PITCH, LOWEST_PITCH
from desktop.views.piano_roll.geometry import PITCH_COUNT, PitchRows

MIN_ROW_PX, MAX_ROW_PX = 3, 32
USUAL_RANGE = (36, 84)  # C2 to C6, shown while there are no notes
FITTED_ROW_PX = 14  # fitting a narrow range makes rows no higher than this


class PitchAxis(QObject):
    """Rows of whole pixels, so that every row looks like its neighbour."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._row_px = 9
        self._height_px = 1
        self._scroll_px = 0.0
        self._fitted: tuple[int, int] | None = USUAL_RANGE
        self._announced: tuple[float, ...] = ()

    @property
    def row_px(self) -> int:
        return self._row_px

    @property
    def height_px(self) -> int:
        return self._height_px

    @property
    def scroll_px(self) -> float:
        return self._scroll_px

    @property
    def content_px(self) -> int:
        return PITCH_COUNT * self._row_px

    def rows(self, *, device_pixel_ratio: float = 1.0) -> PitchRows:
        """Return the rows in device pixels."""
        return PitchRows(
            self._row_px * device_pixel_ratio, round(self._scroll_px * device_pixel_ratio)
        )

    @property
    def is_fitted(self) -> bool:
        """True until the user scrolls or zooms away from what `fit` chose."""
        return self._fitted is not None

    def set_height(self, height_px: int) -> None:
        centre_px = self._scroll_px + self._height_px / 2
        self._height_px = max(1, height_px)
        if self._fitted is not None:
            self.fit(*self._fitted)
        else:
            self._place(round(centre_px - self._height_px / 2), self._row_px)

    def scroll_by_px(self, by_px: float) -> None:
        """Move the view to lower pitches by `by_px` pixels."""
        self.scroll_to_px(self._scroll_px + by_px)

    def scroll_to_px(self, scroll_px: float) -> None:
        self._fitted = None
        self._place(scroll_px, self._row_px)

    def zoom_at(self, y_px: float, steps: int) -> None:
        """Make rows `steps` pixels higher, keeping the pitch under `y_px` where it is."""
        self._fitted = None
        kept_rows = (self._scroll_px + y_px) / self._row_px
        row_px = self._limited(self._row_px + steps)
        self._place(kept_rows * row_px - y_px, row_px)

    def fit(self, lowest_pitch: int, highest_pitch: int) -> None:
        """Show the given pitches and two more on either side, with rows as high as that allows.

        The view stays fitted when its height changes, until the user scrolls or zooms.
        """
        self._fitted = (lowest_pitch, highest_pitch)
        lowest, highest = max(LOWEST_PITCH, lowest_pitch - 2), min(HIGHEST_PITCH, highest_pitch + 2)
        row_px = self._limited(min(FITTED_ROW_PX, self._height_px // (highest - lowest + 1)))
        centre_px = (HIGHEST_PITCH + 1 - (lowest + highest + 1) / 2) * row_px
        self._place(round(centre_px - self._height_px / 2), row_px)

    def _limited(self, row_px: int) -> int:
        filling_px = ceil(self._height_px / PITCH_COUNT)
        return max(MIN_ROW_PX, min(filling_px, MAX_ROW_PX), min(row_px, MAX_ROW_PX))

    def _place(self, scroll_px: float, row_px: int) -> None:
        self._row_px = self._limited(row_px)
        self._scroll_px = max(0.0, min(scroll_px, float(self.content_px - self._height_px)))
        state = (self._scroll_px, self._row_px, self._height_px)
        if state != self._announced:
            self._announced = state
            self.changed.emit()
