"""WaveformPeaks: what a waveform view draws, at every zoom, without the samples.

A pyramid of bins over the mono mix (mean of channels): the base has 256 samples in a bin, each
level above four times more. A bin keeps its lowest and highest sample and its RMS as float16, which
holds levels above full scale and very quiet stems alike; an hour at 44.1 kHz is 5 MB.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.audio.clip import Samples

BASE_BIN_SAMPLES = 256
BINS_PER_PARENT = 4
SMALLEST_LEVEL_BINS = 64  # fewer bins than any view has pixel columns

Half = npt.NDArray[np.float16]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PeakLevel:
    """Bins of `bin_samples` samples each: `minimum`, `maximum` and `rms`, all [bin]."""

    bin_samples: int
    minimum: Half
    maximum: Half
    rms: Half


class PeakColumns(NamedTuple):
    """One value for each pixel column [column]; columns outside the file are zero."""

    minimum: Samples
    maximum: Samples
    rms: Samples


@dataclass(frozen=True, slots=True, eq=False)
class WaveformPeaks:
    """Pyramid of the mono mix; `levels` go from fine to coarse and are never empty."""

    sample_rate: int
    total_samples: int
    levels: tuple[PeakLevel, ...]

    @classmethod
    def from_samples(cls, mono: Samples, sample_rate: int) -> "WaveformPeaks":
        """Build from samples [sample] that are in memory already."""
        builder = PeaksBuilder(sample_rate)
        builder.add(mono)
        return builder.finished()

    @property
    def duration_s(self) -> float:
        return self.total_samples / self.sample_rate

    def level_for(self, samples_per_pixel: float) -> PeakLevel:
        """Return the coarsest level whose bins fit into a pixel, or the finest there is."""
        fitting = [level for level in self.levels if level.bin_samples <= samples_per_pixel]
        return fitting[-1] if fitting else self.levels[0]

    def between(self, start_s: float, end_s: float, columns: int) -> PeakColumns:
        """Return the peaks of `columns` equal pixel columns from `start_s` to `end_s`.

        Bounds may lie outside the file. A column narrower than the finest bin (256 samples) gets
        that whole bin, so that at deep zoom neighbours repeat; a column never misses its peak.
        """
        if columns < 1 or not end_s > start_s:
            raise ValueError(f"no columns between {start_s} s and {end_s} s ({columns})")
        edges_s = start_s + (end_s - start_s) / columns * np.arange(columns + 1)
        edges_samples = edges_s * self.sample_rate
        level = self.level_for((edges_samples[-1] - edges_samples[0]) / columns)
        if edges_samples[-1] <= 0 or edges_samples[0] >= self.total_samples:
            return PeakColumns(*np.zeros((3, columns), np.float32))
        first, past = _bins_under(edges_samples / level.bin_samples, len(level.rms))
        inside = (edges_samples[1:] > 0) & (edges_samples[:-1] < self.total_samples)
        return _reduced(level, first, past, inside)


class PeaksBuilder:
    """Builds WaveformPeaks from the successive blocks of a file that is being read."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._total_samples = 0
        self._rest: Samples = np.empty(0, np.float32)  # fewer samples than a bin
        self._blocks: list[PeakLevel] = []

    def add(self, mono: Samples) -> None:
        """Take the next samples [sample] of the mono mix, finite and within +-65504."""
        self._total_samples += len(mono)
        if len(self._rest):
            mono = np.concatenate([self._rest, mono])
        whole_samples = len(mono) - len(mono) % BASE_BIN_SAMPLES
        if whole_samples:
            self._blocks.append(_binned(mono[:whole_samples].reshape(-1, BASE_BIN_SAMPLES)))
        self._rest = mono[whole_samples:].copy()

    def finished(self) -> WaveformPeaks:
        blocks = list(self._blocks)
        if len(self._rest) or not blocks:
            blocks.append(
                _binned((self._rest if len(self._rest) else np.zeros(1, np.float32))[None])
            )
        levels = [
            PeakLevel(
                BASE_BIN_SAMPLES,
                np.concatenate([block.minimum for block in blocks]),
                np.concatenate([block.maximum for block in blocks]),
                np.concatenate([block.rms for block in blocks]),
            )
        ]
        while len(levels[-1].rms) > SMALLEST_LEVEL_BINS:
            levels.append(_coarser(levels[-1]))
        return WaveformPeaks(self._sample_rate, self._total_samples, tuple(levels))


def _binned(samples: Samples) -> PeakLevel:
    """Summarise samples [bin, sample]."""
    mean_square = np.einsum("bs,bs->b", samples, samples) / samples.shape[1]
    return PeakLevel(
        BASE_BIN_SAMPLES,
        samples.min(axis=1).astype(np.float16),
        samples.max(axis=1).astype(np.float16),
        np.sqrt(mean_square).astype(np.float16),
    )


def _coarser(level: PeakLevel) -> PeakLevel:
    first = np.arange(0, len(level.rms), BINS_PER_PARENT)
    past = np.minimum(first + BINS_PER_PARENT, len(level.rms))
    columns = _reduced(level, first, past, np.ones(len(first), np.bool_))
    return PeakLevel(
        level.bin_samples * BINS_PER_PARENT,
        columns.minimum.astype(np.float16),
        columns.maximum.astype(np.float16),
        columns.rms.astype(np.float16),
    )


def _bins_under(edges_bins: npt.NDArray[np.float64], bins: int) -> tuple[Whole, Whole]:
    """Return per column between successive edges its first bin and the one past its last."""
    first = np.clip(np.floor(edges_bins[:-1]), 0, bins - 1).astype(np.int64)
    past = np.clip(np.ceil(edges_bins[1:]), 0, bins).astype(np.int64)
    return first, np.maximum(past, first + 1)


def _reduced(
    level: PeakLevel, first: Whole, past: Whole, inside: npt.NDArray[np.bool_]
) -> PeakColumns:
    start, end = int(first[0]), int(past[-1])
    # reduceat works on the borders of (first, past) pairs: every second result is a column.
    # The border past the last bin must exist, hence the padding.
    borders = np.stack([first, past], axis=1).ravel() - start

    def reduced(bins: Half, reduction: np.ufunc, power: int = 1) -> Samples:
        padded = np.append(bins[start:end].astype(np.float32) ** power, np.float32(0))
        columns: Samples = reduction.reduceat(padded, borders)[::2]
        return np.where(inside, columns, np.float32(0))

    mean_square = reduced(level.rms, np.add, power=2) / (past - first).astype(np.float32)
    return PeakColumns(
        reduced(level.minimum, np.minimum), reduced(level.maximum, np.maximum), np.sqrt(mean_square)
    )
