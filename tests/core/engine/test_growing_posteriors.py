"""Posteriors that grow in time."""

import numpy as np
import pytest

from core.engine.growing_posteriors import ROOM_FRAMES, GrowingPosteriors


@pytest.mark.parametrize("lengths", [(), (1,), (400, 400, 7), (ROOM_FRAMES, 5, ROOM_FRAMES + 3)])
def test_segments_lie_behind_each_other(lengths: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    segments = [rng.integers(0, 255, (3, length, 2)).astype(np.uint8) for length in lengths]
    growing = GrowingPosteriors(3, 2, dtype=np.uint8)
    for segment in segments:
        growing.append(segment)
    expected = np.concatenate([np.zeros((3, 0, 2), np.uint8), *segments], 1)
    assert growing.whole().dtype == np.uint8
    assert np.array_equal(growing.whole(), expected)


def test_outputs_may_have_no_further_axis() -> None:
    growing = GrowingPosteriors(2, dtype=np.float16)
    growing.append(np.ones((2, 5), np.float16))
    assert growing.whole().shape == (2, 5)
