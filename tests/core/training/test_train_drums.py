"""Segments that the drum network learns from."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from core.features.logmel import BANDS
from core.training.feature_shards import DrumShardPool
from core.training.train_drums import DRUM_CHOICES, SEGMENT_FRAMES, draw_batch

UNTOUCHED = replace(DRUM_CHOICES, tilt=0.0, level_change=(0.0, 0.0), moved_bands=0.0)
PEAK_BAND = BANDS // 2


def test_half_of_the_segments_are_of_larger_or_smaller_drums(tmp_path: Path) -> None:
    moved = peaks_of(tmp_path, moved_bands=2.0)
    assert np.abs(moved - PEAK_BAND).max() in (1, 2)
    assert 0.3 < np.mean(moved == PEAK_BAND) < 0.9


def test_untouched_segments_are_as_they_were_made(tmp_path: Path) -> None:
    assert set(peaks_of(tmp_path, moved_bands=0.0)) == {PEAK_BAND}


def peaks_of(folder: Path, *, moved_bands: float) -> np.ndarray:
    """In which band segments peak that are cut from one clip with a peak in PEAK_BAND."""
    levels = np.zeros((1, 2, SEGMENT_FRAMES + 50, BANDS), np.float16)
    levels[..., PEAK_BAND] = 1
    path = folder / "drums_1_000.npz"
    np.savez(path, levels=levels, hits=np.array([[0, 1.0, 0, 0.8]], np.float32))
    rng, pool = np.random.default_rng(1), DrumShardPool([path])
    choices = replace(UNTOUCHED, moved_bands=moved_bands)
    batches = [draw_batch(rng, pool, choices) for _ in range(6)]
    return np.concatenate([batch.levels[:, 0, 0].argmax(-1).numpy() for batch in batches])
