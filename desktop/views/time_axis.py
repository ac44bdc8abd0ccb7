"""TimeAxis: which stretch of the song stands on the screen, shared by ruler, waveform and roll."""

from math import ceil

from PySide6.QtCore import QObject, Signal

from desktop.views.time_columns import TimeColumns

MIN_SECONDS_PER_PIXEL = 0.001  # one millisecond: finer than any note's onset is known
EMPTY_SONG_S = 30.0  # what the axis spans while there is no song


class TimeAxis(QObject):
    """Maps seconds of the song to pixels of a view that is `width_px` wide and starts at `start_s`.

    While the whole song fits the view it stays fitted when the view or the song changes its length;
    as soon as the user zooms in, both keep their place.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._start_s = 0.0
        self._width_px = 1
        self._duration_s = 0.0
        self._seconds_per_pixel = self._fitting_seconds_per_pixel
        self._announced: tuple[float, ...] = ()

    @property
    def start_s(self) -> float:
        return self._start_s

    @property
    def end_s(self) -> float:
        return self._start_s + self.span_s

    @property
    def span_s(self) -> float:
        return self._width_px * self._seconds_per_pixel

    @property
    def seconds_per_pixel(self) -> float:
        return self._seconds_per_pixel

    @property
    def width_px(self) -> int:
        return self._width_px

    @property
    def duration_s(self) -> float:
        return self._duration_s

    @property
    def is_fitted(self) -> bool:
        """True while the whole song is in view."""
        return self._seconds_per_pixel >= self._fitting_seconds_per_pixel * (1 - 1e-9)

    @property
    def _fitting_seconds_per_pixel(self) -> float:
        return max(MIN_SECONDS_PER_PIXEL, (self._duration_s or EMPTY_SONG_S) / self._width_px)

    def x_at(self, at_s: float) -> float:
        return (at_s - self._start_s) / self._seconds_per_pixel

    def seconds_at(self, x_px: float) -> float:
        return self._start_s + x_px * self._seconds_per_pixel

    def columns(self, *, device_pixel_ratio: float = 1.0) -> TimeColumns:
        """Return the device-pixel columns in view."""
        seconds_per_column = self._seconds_per_pixel / device_pixel_ratio
        return TimeColumns(
            first=round(self._start_s / seconds_per_column),
            count=ceil(self._width_px * device_pixel_ratio),
            seconds_per_column=seconds_per_column,
        )

    def set_width(self, width_px: int) -> None:
        was_fitted = self.is_fitted
        self._width_px = max(1, width_px)
        self._place(self._start_s, self._kept_zoom(was_fitted))

    def set_duration(self, duration_s: float) -> None:
        was_fitted = self.is_fitted
        self._duration_s = max(0.0, duration_s)
        self._place(self._start_s, self._kept_zoom(was_fitted))

    def zoom_at(self, x_px: float, factor: float) -> None:
        """Show `factor` times as much detail, keeping the time under `x_px` where it is."""
        if factor <= 0:
            raise ValueError(f"zoom factor {factor} is not positive")
        kept_s = self.seconds_at(x_px)
        zoomed = self._limited(self._seconds_per_pixel / factor)
        self._place(kept_s - x_px * zoomed, zoomed)

    def scroll_by_px(self, by_px: float) -> None:
        """Move the view to later times by `by_px` pixels."""
        self._place(self._start_s + by_px * self._seconds_per_pixel, self._seconds_per_pixel)

    def scroll_to(self, start_s: float) -> None:
        self._place(start_s, self._seconds_per_pixel)

    def fit(self) -> None:
        """Show the whole song."""
        self._place(0.0, self._fitting_seconds_per_pixel)

    def show_range(self, start_s: float, end_s: float) -> None:
        """Zoom so that the given stretch fills the view."""
        if end_s <= start_s:
            raise ValueError(f"range {start_s}..{end_s} s is empty")
        self._place(start_s, self._limited((end_s - start_s) / self._width_px))

    def reveal(self, at_s: float, *, margin: float = 0.1) -> None:
        """Page on so that `at_s` is in view, `margin` of the width from the edge it left by."""
        if not self._start_s <= at_s <= self.end_s:
            self._place(at_s - margin * self.span_s, self._seconds_per_pixel)

    def _kept_zoom(self, was_fitted: bool) -> float:
        fitting = self._fitting_seconds_per_pixel
        return fitting if was_fitted else min(self._seconds_per_pixel, fitting)

    def _limited(self, seconds_per_pixel: float) -> float:
        return min(max(seconds_per_pixel, MIN_SECONDS_PER_PIXEL), self._fitting_seconds_per_pixel)

    def _place(self, start_s: float, seconds_per_pixel: float) -> None:
        latest_s = (self._duration_s or EMPTY_SONG_S) - self._width_px * seconds_per_pixel
        self._start_s = max(0.0, min(start_s, latest_s))
        self._seconds_per_pixel = seconds_per_pixel
        state = (self._start_s, seconds_per_pixel, self._width_px, self._duration_s)
        if state != self._announced:
            self._announced = state
            self.changed.emit()
