"""Batches for training: drawn when they are needed, or ahead of that by processes of their own."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from core.training.schedule import Effort

BATCHES_AHEAD = 4  # per process
ENDLESS = 10**12

Batch = TypeVar("Batch")
Draw = Callable[[np.random.Generator], Batch]


def batches(
    draw: Draw[Batch], rng: np.random.Generator, effort: Effort, *, seed: int, first: int
) -> Iterator[Batch]:
    """Yield batches without end, from number `first` on.

    Without drawers all are drawn from `rng`, one after the other. With them each has a generator
    of its own, so that it is the same whoever draws it. Drawers are forked: what `draw` holds in
    memory is held once.
    """
    if not effort.drawers:
        while True:
            yield draw(rng)
    yield from DataLoader(
        _NumberedBatches(draw, seed),
        batch_size=None,
        sampler=range(first, ENDLESS),
        num_workers=effort.drawers,
        prefetch_factor=BATCHES_AHEAD,
        multiprocessing_context="fork",
        pin_memory=torch.device(effort.device).type != "cpu",
    )


class _NumberedBatches(Dataset[Batch]):
    def __init__(self, draw: Draw[Batch], seed: int) -> None:
        self._draw = draw
        self._seed = seed

    def __getitem__(self, number: int) -> Batch:
        return self._draw(np.random.default_rng([self._seed, number]))
