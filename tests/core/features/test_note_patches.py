"""Patches lay partials in rows and moments in columns."""

import pytest
import torch

from core.features.note_patches import (
    FRAMES_AFTER,
    MOMENTS_FRAMES,
    PATCH_SHAPE,
    ROW_BINS,
    note_patches,
)
from core.models import note_families, note_unisons

OCTAVE_BINS = 36
KEY, FRAME = 39, 30
CENTRE_BIN = 3 * KEY + 1
FUNDAMENTAL, SECOND, BETWEEN = 1, 2, 13


def patch_of(*loud: tuple[int, int]) -> torch.Tensor:
    """The patch of one note, [window, row, moment], where (frame, bin) sound at level 1."""
    levels = torch.zeros(2, 80, 306)
    for frame, bin_number in loud:
        levels[:, frame, bin_number] = 1.0
    return note_patches(levels, torch.tensor([FRAME]), torch.tensor([KEY]))[0]


def test_the_networks_expect_this_shape_of_the_middle_or_of_middle_and_side() -> None:
    windows, *places = PATCH_SHAPE
    assert patch_of().shape == PATCH_SHAPE == note_families.PATCH_SHAPE
    assert (2 * windows, *places) == note_unisons.PATCH_SHAPE
    assert slice(0, windows) == note_unisons.MIDDLE


def test_channels_after_each_other_are_looked_at_alike() -> None:
    one = torch.rand(2, 80, 306, generator=torch.Generator().manual_seed(1))
    both = torch.cat([one, one + 0.5])
    patch = note_patches(both, torch.tensor([FRAME]), torch.tensor([KEY]))[0]
    alone = note_patches(one, torch.tensor([FRAME]), torch.tensor([KEY]))[0]
    assert torch.equal(patch[:2], alone)
    assert (patch[2:] - patch[:2]).mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("off_bins", [-1, 0, 1])
def test_a_partial_may_lie_a_bin_off(off_bins: int) -> None:
    onset = MOMENTS_FRAMES.index(0)
    assert patch_of((FRAME, CENTRE_BIN + off_bins))[0, FUNDAMENTAL, onset] == 1.0


def test_partials_lie_in_rows() -> None:
    loud = patch_of((FRAME, CENTRE_BIN + OCTAVE_BINS)).nonzero()[:, 1].unique().tolist()
    assert loud == [SECOND]


def test_what_lies_between_partials_has_rows_of_its_own() -> None:
    loud = patch_of((FRAME, CENTRE_BIN + ROW_BINS[BETWEEN])).nonzero()[:, 1].unique().tolist()
    assert loud == [BETWEEN]


def test_moments_lie_in_columns() -> None:
    loud = patch_of((FRAME + FRAMES_AFTER, CENTRE_BIN)).nonzero()[:, 2].unique().tolist()
    assert loud == [len(MOMENTS_FRAMES) - 1]


@pytest.mark.parametrize(("frame", "key"), [(0, 0), (79, 87), (0, 87)])
def test_beyond_the_levels_it_is_silent(frame: int, key: int) -> None:
    levels = torch.ones(2, 80, 306)
    patch = note_patches(levels, torch.tensor([frame]), torch.tensor([key]))[0]
    assert set(patch.unique().tolist()) == {0.0, 1.0}


def test_no_notes_are_no_patches() -> None:
    none = torch.zeros(0, dtype=torch.int64)
    assert note_patches(torch.zeros(2, 80, 306), none, none).shape == (0, *PATCH_SHAPE)
