import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.audio.peaks import PeaksBuilder, WaveformPeaks

RATE = 44_100


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


def test_levels_hold_256_samples_in_a_bin_and_four_times_more_each():
    peaks = WaveformPeaks.from_samples(noise(256 * 1000), RATE)
    assert [(level.bin_samples, len(level.rms)) for level in peaks.levels] == [
        (256, 1000),
        (1024, 250),
        (4096, 63),
    ]


def test_level_fits_into_a_pixel():
    peaks = WaveformPeaks.from_samples(noise(256 * 1000), RATE)
    shown = [peaks.level_for(width).bin_samples for width in (0.5, 256, 1023, 1024, 1e9)]
    assert shown == [256, 256, 256, 1024, 4096]


def test_a_click_is_seen_at_every_zoom():
    samples = np.zeros(RATE * 60, np.float32)
    samples[RATE * 30] = 0.75
    peaks = WaveformPeaks.from_samples(samples, RATE)
    maxima = [peaks.between(30 - span_s, 30 + span_s, 800).maximum for span_s in (0.01, 1, 30, 99)]
    assert [maximum.max() for maximum in maxima] == [0.75] * 4


def test_columns_bound_the_samples_under_them():
    samples = noise(RATE * 10)
    peaks = WaveformPeaks.from_samples(samples, RATE)
    columns = peaks.between(2.0, 7.0, 500)
    under = samples[2 * RATE : 7 * RATE].reshape(500, -1)
    half_precision = 2e-3
    assert (columns.minimum <= under.min(axis=1) + half_precision).all()
    assert (columns.maximum >= under.max(axis=1) - half_precision).all()
    assert columns.rms == pytest.approx(np.sqrt((under**2).mean(axis=1)), abs=0.03)


def test_rms_of_a_sine_is_its_amplitude_over_root_two():
    sine = np.sin(2 * np.pi * 441 * np.arange(RATE * 20) / RATE).astype(np.float32)
    columns = WaveformPeaks.from_samples(sine, RATE).between(0, 20, 10)
    assert columns.rms == pytest.approx(np.full(10, 0.7071), abs=2e-3)


def test_columns_outside_the_file_are_zero():
    peaks = WaveformPeaks.from_samples(np.full(RATE, 0.5, np.float32), RATE)
    columns = peaks.between(-1.0, 3.0, 4)
    assert columns.maximum.tolist() == [0.0, 0.5, 0.0, 0.0]
    assert peaks.between(5.0, 6.0, 3).rms.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(("start_s", "end_s", "columns"), [(0, 1, 0), (1, 1, 9), (2, 1, 9)])
def test_an_empty_view_is_a_mistake_of_the_caller(start_s, end_s, columns):
    peaks = WaveformPeaks.from_samples(noise(999), RATE)
    with pytest.raises(ValueError, match="no columns"):
        peaks.between(start_s, end_s, columns)


@given(cuts=st.lists(st.integers(0, 5000), max_size=8))
@settings(deadline=None, max_examples=50)
def test_peaks_do_not_depend_on_how_the_file_was_cut_into_blocks(cuts):
    samples = noise(5000)
    builder = PeaksBuilder(RATE)
    for block in np.split(samples, sorted(cuts)):
        builder.add(block)
    whole, pieced = WaveformPeaks.from_samples(samples, RATE), builder.finished()
    assert pieced.total_samples == whole.total_samples == 5000
    assert np.array_equal(pieced.levels[0].maximum, whole.levels[0].maximum)
    assert np.array_equal(pieced.levels[0].rms, whole.levels[0].rms)


def test_levels_above_full_scale_and_far_below_are_kept():
    peaks = WaveformPeaks.from_samples(np.array([3.5, -2.0, 0.0], np.float32), RATE)
    assert (peaks.levels[0].maximum[0], peaks.levels[0].minimum[0]) == (3.5, -2.0)
    quiet = WaveformPeaks.from_samples(np.full(300, 1e-4, np.float32), RATE)
    assert quiet.levels[0].maximum == pytest.approx([1e-4, 1e-4], rel=1e-3)


def test_no_samples_make_an_empty_view():
    peaks = PeaksBuilder(RATE).finished()
    assert peaks.duration_s == 0.0
    assert peaks.between(0, 1, 2).maximum.tolist() == [0.0, 0.0]


def test_an_hour_crosses_a_process_border_in_five_megabytes():
    builder = PeaksBuilder(RATE)
    minute = noise(RATE * 60)
    for _ in range(60):
        builder.add(minute)
    sent = pickle.dumps(builder.finished())
    assert len(sent) < 5_000_000
    assert pickle.loads(sent).duration_s == 3600.0
