"""Decoding many segments side by side: ends, what may be chosen, and drawing.

The decoder is a table: what it says depends on the step alone.
"""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from core.codec.vocabulary import EOS
from core.engine.generate import WrittenTokens, generate
from core.engine.options import GREEDY, Sampling
from core.models.decoding import DecoderCache

TOKENS = 12
LONGEST = 20


class Table:
    """Stands for a StepDecoder; has logits [step, token]."""

    layers = ()
    heads = head_channels = 1
    cache_dtype = torch.float32
    device = torch.device("cpu")

    def __init__(self, logits: Tensor) -> None:
        self._logits = logits
        self.widest = 0

    def open_rows(self, cache: DecoderCache, first_row: int, encoded: Tensor) -> None:
        pass

    def step(self, tokens: Tensor, steps: Tensor, cache: DecoderCache) -> Tensor:
        self.widest = max(self.widest, len(tokens))
        return self._logits[steps]


def spread(seed: int = 3) -> Tensor:
    """Logits without a clear winner, which never end a segment."""
    logits = torch.randn(LONGEST, TOKENS, generator=torch.Generator().manual_seed(seed))
    logits[:, EOS] = float("-inf")
    return logits


def segments(count: int, *, at_a_time: int = 4) -> Iterator[Tensor]:
    for first in range(0, count, at_a_time):
        yield torch.zeros(min(at_a_time, count - first), 2, 1)


def written(
    table: Table, count: int, *, rows: int = 4, sampling: Sampling = GREEDY
) -> list[list[int]]:
    found: list[WrittenTokens] = list(
        generate(
            table,  # type: ignore[arg-type]
            segments(count),
            rows=rows,
            max_steps=LONGEST,
            sampling=sampling,
        )
    )
    assert sorted(row.segment for row in found) == list(range(count))
    return [row.tokens.tolist() for row in sorted(found, key=lambda row: row.segment)]


def test_the_likeliest_token_is_taken_until_the_end_of_the_segment() -> None:
    logits = spread()
    logits[7, EOS] = 100.0
    expected = [*logits[:7].argmax(1).tolist(), EOS]
    assert written(Table(logits), 9) == [expected] * 9


def test_a_segment_that_does_not_end_is_kept_to_the_last_step() -> None:
    assert written(Table(spread()), 2) == [spread().argmax(1).tolist()] * 2


def test_no_more_rows_are_decoded_at_a_time_than_agreed() -> None:
    table = Table(spread())
    written(table, 11, rows=3)
    assert table.widest == 3


def test_what_is_not_allowed_is_never_chosen() -> None:
    allowed = np.zeros(TOKENS, bool)
    allowed[[5, 6]] = True
    rows = generate(
        Table(spread()),  # type: ignore[arg-type]
        segments(3),
        rows=3,
        max_steps=LONGEST,
        allowed=allowed,
        sampling=Sampling(temperature=5.0),
    )
    assert {token for row in rows for token in row.tokens} == {5, 6}


def test_how_sure_the_model_was_is_the_share_of_the_chosen_token() -> None:
    (row,) = generate(Table(spread()), segments(1), rows=1, max_steps=LONGEST)  # type: ignore[arg-type]
    assert row.log_probabilities == pytest.approx(spread().log_softmax(1).amax(1).numpy(), abs=1e-6)


@pytest.mark.parametrize(
    "sampling",
    [Sampling(1.0, top_k=1), Sampling(1.0, top_p=1e-6), Sampling(1e-4)],
    ids=["the first only", "the surest only", "cold"],
)
def test_drawing_among_one_is_taking_the_likeliest(sampling: Sampling) -> None:
    assert written(Table(spread()), 3, sampling=sampling) == written(Table(spread()), 3)


def test_the_same_seed_draws_the_same_whatever_is_decoded_beside_it() -> None:
    alone = written(Table(spread()), 9, rows=1, sampling=Sampling(1.0, seed=4))
    assert written(Table(spread()), 9, rows=5, sampling=Sampling(1.0, seed=4)) == alone
    assert written(Table(spread()), 9, rows=5, sampling=Sampling(1.0, seed=5)) != alone
    assert len({tuple(row) for row in alone}) == 9


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_are_drawn_as_often_as_they_are_likely(temperature: float) -> None:
    logits = spread()
    drawn = np.array(written(Table(logits), 3000, rows=500, sampling=Sampling(temperature)))
    found = np.bincount(drawn[:, 0], minlength=TOKENS) / len(drawn)
    expected = (logits[0] / temperature).softmax(0).numpy()
    assert found == pytest.approx(expected, abs=0.04)  # over 4 standard deviations of a half


@pytest.mark.parametrize(
    "wrong", [{"temperature": -0.1}, {"top_k": -1}, {"top_p": 0.0}, {"top_p": 1.1}]
)
def test_impossible_ways_to_draw_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no way to sample"):
        Sampling(**wrong)  # type: ignore[arg-type]
