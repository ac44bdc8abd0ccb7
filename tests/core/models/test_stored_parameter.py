"""Shapes and number formats as they stand in files."""

import numpy as np
import pytest

from core.models.stored_parameter import MOST_VALUES, checked_shape, in_float32


@pytest.mark.parametrize("sizes", [[], [0], [3, 4], (MOST_VALUES,), [1] * 8])
def test_shapes_are_sizes_in_order(sizes: object) -> None:
    assert checked_shape(sizes) == tuple(sizes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "sizes",
    [None, 3, "34", {3: 4}, [-1], [1.0], [True], ["3"], [1] * 9, [MOST_VALUES + 1], [1 << 20] * 3],
    ids=str,
)
def test_what_is_no_shape_is_refused(sizes: object) -> None:
    with pytest.raises(ValueError, match=r"shape|size"):
        checked_shape(sizes)


def test_bfloat16_is_the_upper_half_of_float32() -> None:
    halves = np.array([0x3F80, 0xC020, 0x7F80], "<u2")
    assert in_float32(halves, "bfloat16").tolist() == [1.0, -2.5, np.inf]


def test_values_come_in_c_order_and_can_be_written() -> None:
    values = in_float32(np.arange(6.0).reshape(2, 3).T, "float64")
    assert values.flags.c_contiguous
    assert values.flags.writeable


def test_whole_numbers_are_no_weights() -> None:
    with pytest.raises(ValueError, match="weights are not stored as int8"):
        in_float32(np.zeros(3, np.int8), "int8")
