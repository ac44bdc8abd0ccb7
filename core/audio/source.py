"""AudioSource: sound that can be heard from its start as often as the networks ask for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from core.audio import refusals
from core.audio.clip import AudioClip, Samples
from core.audio.read import (
    AudioScan,
    LevelMeter,
    resampled_mid_and_side,
    resampled_mono,
    stream_mid_and_side,
    stream_mono,
)

UNNAMED = Path("audio")  # what a clip that came from no file is called in reports


class AudioSource(Protocol):
    """A file or a clip; peak and level as in AudioScan."""

    @property
    def path(self) -> Path: ...
    @property
    def duration_s(self) -> float: ...
    @property
    def peak(self) -> float: ...
    @property
    def level_p95(self) -> float: ...

    def blocks(self, sample_rate: int, *, until_s: float | None = None) -> Iterator[Samples]:
        """Yield the mono mix [sample] at `sample_rate` from the start, up to `until_s` seconds."""
        ...

    def mid_and_side(self, sample_rate: int, *, until_s: float | None = None) -> Iterator[Samples]:
        """Yield the mono mix and what stands apart from it [sample, 2]; [sample, 1] of mono."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class FileSource:
    """A scanned file, streamed: an hour takes no more memory than a minute."""

    scan: AudioScan

    @property
    def path(self) -> Path:
        return self.scan.path

    @property
    def duration_s(self) -> float:
        return self.scan.duration_s

    @property
    def peak(self) -> float:
        return self.scan.peak

    @property
    def level_p95(self) -> float:
        return self.scan.level_p95

    def blocks(self, sample_rate: int, *, until_s: float | None = None) -> Iterator[Samples]:
        return stream_mono(self.scan.path, sample_rate, until_s=until_s)

    def mid_and_side(self, sample_rate: int, *, until_s: float | None = None) -> Iterator[Samples]:
        return stream_mid_and_side(self.scan.path, sample_rate, until_s=until_s)


@dataclass(frozen=True, slots=True, eq=False)
class ClipSource:
    """A clip in memory."""

    clip: AudioClip
    peak: float
    level_p95: float

    @property
    def path(self) -> Path:
        return self.clip.source or UNNAMED

    @property
    def duration_s(self) -> float:
        return self.clip.duration_s

    def blocks(self, sample_rate: int, *, until_s: float | None = None) -> Iterator[Samples]:
        return resampled_mono(self._first(until_s), self.clip.sample_rate, sample_rate)

    def mid_and_side(self, sample_rate: int, *, until_s: float | None = None) -> Iterator[Samples]:
        return resampled_mid_and_side(self._first(until_s), self.clip.sample_rate, sample_rate)

    def _first(self, until_s: float | None) -> Samples:
        end = None if until_s is None else round(until_s * self.clip.sample_rate)
        return self.clip.samples[:end]


def clip_source(clip: AudioClip) -> ClipSource:
    """Return the clip ready to be heard.

    Raises:
        AudioReadError: it is silent, too short, or holds no numbers.
    """
    path = clip.source or UNNAMED
    if not np.isfinite(clip.samples).all():
        bad = int(np.argmin(np.isfinite(clip.samples).all(axis=1)))
        raise refusals.no_numbers(path, bad / clip.sample_rate)
    refusals.check_not_too_short(path, clip.duration_s)
    refusals.check_not_too_long(path, clip.duration_s)
    meter = LevelMeter(clip.sample_rate)
    meter.add(clip.samples.mean(axis=1))
    refusals.check_audible(path, meter.peak, float(np.abs(clip.samples).max()))
    return ClipSource(clip, meter.peak, meter.level_p95())
