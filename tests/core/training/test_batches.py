"""Batches drawn between steps or ahead of them."""

from itertools import islice

import numpy as np
import pytest

from core.training.batches import batches
from core.training.schedule import Effort


def draw(rng: np.random.Generator) -> int:
    return int(rng.integers(10**9))


def drawn(drawers: int, first: int, count: int) -> list[int]:
    effort = Effort(hours=1.0, drawers=drawers)
    rng = np.random.default_rng(0)
    return list(islice(batches(draw, rng, effort, seed=7, first=first), count))


def test_without_drawers_batches_are_drawn_one_after_the_other() -> None:
    rng = np.random.default_rng(0)
    assert drawn(0, first=5, count=3) == [draw(rng) for _ in range(3)]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on a machine of one core
def test_a_batch_is_the_same_whoever_draws_it() -> None:
    alone = drawn(1, first=0, count=6)
    assert drawn(2, first=0, count=6) == alone
    assert drawn(2, first=4, count=2) == alone[4:]
    assert len(set(alone)) == 6
