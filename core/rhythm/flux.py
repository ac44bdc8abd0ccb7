"""Flux: onsets heard in the sound itself, for songs in which few notes were found.

Spectral flux is how much louder the bands of the spectrum become from one moment to the next; its
peaks are onsets. The files are streamed, so a song of three hours takes no more memory than its
flux, 100 numbers a second.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from core.audio.read import stream_mono
from core.rhythm.onsets import KICKS, NO_KEY, Flags, Floats, Onsets

FRAMES_PER_S = 100
SAMPLE_RATE = 16_000
WINDOW_SAMPLES = 512
BANDS = 24
LOWEST_HZ, HIGHEST_HZ = 40.0, 7500.0
LOW_SHARE = 0.25
LOW_HZ = 150.0  # what begins below is a kick drum or a bass
COMPRESSION = 2000.0  # log(1 + c x), x = 1 at full scale: soft onsets count beside loud ones
LOOK_BACK_FRAMES = 2  # slow attacks are one onset, not two
LEVEL_REACH_FRAMES = 40  # a peak stands out from the mean of this many frames on both sides
PEAK_REACH_FRAMES = 3
PEAK_OVER_MEAN = 1.3
PEAK_OVER_TYPICAL = 0.3
STRONGEST = 1.5
LATE_S = 0.006  # peaks come this much after onsets; measured over rendered songs


class Cancellation(Protocol):
    """Whatever raises CancelledError once the user has asked to stop."""

    def raise_if_set(self) -> None: ...


def heard_onsets(stems: Sequence[Path], cancel: Cancellation | None = None) -> Onsets:
    """Return the onsets heard over all stems; low ones count as kick drum.

    Raises:
        AudioReadError: a stem could not be read.
        CancelledError: the user stopped the work.
    """
    total = np.zeros((0, 2))
    for stem in stems:
        flux = np.concatenate([np.zeros((0, 2)), *_flux_blocks(stem, cancel)])
        frames = max(len(flux), len(total))
        total = _lengthened(total, frames) + _lengthened(flux, frames)
    every_s, every = _peaks(total.sum(axis=1))
    low_s, low = _peaks(np.where(_is_low(total), total[:, 0], 0.0))
    at_s = np.concatenate([every_s, low_s])
    order = np.argsort(at_s, kind="stable")
    keys = np.repeat([NO_KEY, KICKS[0]], [len(every_s), len(low_s)])
    strength = np.concatenate([every, low])
    return Onsets(
        at_s=at_s[order],
        length_s=np.full(len(at_s), 0.1),
        pitch=keys[order],
        strength=strength[order],
        is_drum=np.ones(len(at_s), dtype=np.bool_),
    )


def _is_low(flux: Floats) -> Flags:
    """Return where the low bands rise at least as much as those of a broad noise would."""
    return np.asarray(flux[:, 0] >= LOW_SHARE * flux.sum(axis=1), dtype=np.bool_)


def _lengthened(flux: Floats, frames: int) -> Floats:
    return np.pad(flux, ((0, frames - len(flux)), (0, 0)))


def _flux_blocks(path: Path, cancel: Cancellation | None) -> Iterator[Floats]:
    """Yield the flux of a file in blocks [frame, low or high]."""
    hop = SAMPLE_RATE // FRAMES_PER_S
    window = np.hanning(WINDOW_SAMPLES)
    window /= window.sum() / 2
    bands, is_low = _band_matrix()
    rest = np.zeros(WINDOW_SAMPLES // 2)  # centres frame 0 on the first sample
    earlier = np.zeros((LOOK_BACK_FRAMES, BANDS))
    for block in stream_mono(path, SAMPLE_RATE):
        if cancel is not None:
            cancel.raise_if_set()
        samples = np.concatenate([rest, block])
        frames = max(0, (len(samples) - WINDOW_SAMPLES) // hop + 1)
        if not frames:
            rest = samples
            continue
        cut = np.lib.stride_tricks.sliding_window_view(samples, WINDOW_SAMPLES)[::hop]
        spectrum = np.abs(np.fft.rfft(cut[:frames] * window, axis=1))
        history = np.concatenate([earlier, np.log1p(COMPRESSION * (spectrum @ bands))])
        rise = np.maximum(history[LOOK_BACK_FRAMES:] - history[:-LOOK_BACK_FRAMES], 0.0)
        yield np.stack([rise[:, is_low].sum(axis=1), rise[:, ~is_low].sum(axis=1)], axis=1)
        earlier = history[-LOOK_BACK_FRAMES:]
        rest = samples[frames * hop :]


def _band_matrix() -> tuple[Floats, Flags]:
    """Return triangles of equal width on a logarithmic axis [bin, band], and which are low."""
    edges_hz = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 2)
    bins_hz = np.fft.rfftfreq(WINDOW_SAMPLES, 1 / SAMPLE_RATE)[:, np.newaxis]
    rising = (bins_hz - edges_hz[:-2]) / np.maximum(edges_hz[1:-1] - edges_hz[:-2], 31.25)
    falling = (edges_hz[2:] - bins_hz) / np.maximum(edges_hz[2:] - edges_hz[1:-1], 31.25)
    return np.maximum(0.0, np.minimum(rising, falling)), edges_hz[1:-1] < LOW_HZ


def _peaks(flux: Floats) -> tuple[Floats, Floats]:
    """Return the times in seconds and the strengths of the peaks of one flux [frame]."""
    if not flux.any():
        return np.zeros(0), np.zeros(0)
    typical = float(flux[flux > 0].mean())
    near = np.lib.stride_tricks.sliding_window_view(
        np.pad(flux, PEAK_REACH_FRAMES), 2 * PEAK_REACH_FRAMES + 1
    )
    stands_out = np.maximum(PEAK_OVER_MEAN * _mean_around(flux), PEAK_OVER_TYPICAL * typical)
    frame = np.flatnonzero((flux >= near.max(axis=1)) & (flux > stands_out))
    before, here, after = (np.pad(flux, 1)[frame + shift] for shift in range(3))
    # The vertex of the parabola through a peak and its neighbours
    bend = np.minimum(before - 2 * here + after, -1e-9)
    at_s = (frame + 0.5 * (before - after) / bend) / FRAMES_PER_S - LATE_S
    return np.maximum(0.0, at_s), np.minimum(here / (4 * typical), STRONGEST)


def _mean_around(flux: Floats) -> Floats:
    until = np.concatenate([[0.0], np.cumsum(flux)])
    at = np.arange(len(flux))
    first = np.maximum(at - LEVEL_REACH_FRAMES, 0)
    last = np.minimum(at + LEVEL_REACH_FRAMES, len(flux))
    return np.asarray((until[last] - until[first]) / (last - first))
