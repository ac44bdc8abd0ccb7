"""Decoding a file's segments into tokens: many segments side by side, each to its own end.

Rows are segments being decoded. A row that is done leaves and the next segment takes its place, so
that every step of the network serves as many segments as fit.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.codec.vocabulary import EOS, PAD
from core.engine.options import GREEDY, Sampling
from core.models.decoding import DecoderCache, StepDecoder

Allowed = npt.NDArray[np.bool_]
OnSegment = Callable[[int], None]


@dataclass(frozen=True, slots=True, eq=False)
class WrittenTokens:
    """What the model wrote for one segment [step], EOS included if it came."""

    segment: int
    tokens: npt.NDArray[np.int32]
    log_probabilities: npt.NDArray[np.float32]


@dataclass(slots=True)
class _Row:
    segment: int
    dice: torch.Generator | None
    tokens: list[int]
    log_probabilities: list[float]


def generate(  # noqa: PLR0913 (each is asked for by a caller)
    decoder: StepDecoder,
    encoded: Iterator[Tensor],
    *,
    rows: int,
    max_steps: int,
    allowed: Allowed | None = None,
    sampling: Sampling = GREEDY,
    number_of: Callable[[int], int] = int,
    on_step: Callable[[], None] | None = None,
) -> Iterator[WrittenTokens]:
    """Yield what is written for each segment, in the order in which they are done.

    `encoded` gives batches [segment, frame, channel]; one is asked for whenever a row falls free.
    At most `rows` segments are decoded at a time, each up to `max_steps` tokens. Tokens that are
    not `allowed` [token] cannot be chosen. `number_of` tells which segment of the file the n-th of
    `encoded` is, so that draws do not depend on who decodes it. What `on_step` raises ends it.
    """
    waiting = _Waiting(encoded)
    choose = _chooser(allowed, sampling, decoder.device)

    def dice(index: int) -> torch.Generator | None:
        return _dice_of(sampling, number_of(index))

    batch: _Batch | None = None
    with torch.inference_mode():
        while True:
            free = rows - (len(batch) if batch else 0)
            arrived = waiting.take(free)
            if arrived is not None:
                first, sound = arrived
                if batch is None:
                    batch = _Batch(decoder, rows, sound.shape[1], max_steps, dice)
                batch.open(first, sound)
            if not batch:
                return
            if on_step is not None:
                on_step()
            yield from batch.step(choose)


class _Waiting:
    """Encoded segments that no row has taken yet."""

    def __init__(self, encoded: Iterator[Tensor]) -> None:
        self._encoded = encoded
        self._held: Tensor | None = None
        self._first = 0

    def take(self, most: int) -> tuple[int, Tensor] | None:
        """Return up to `most` segments and the number of the first, None if there are none."""
        if most == 0:
            return None
        if self._held is None or not len(self._held):
            self._held = next(self._encoded, None)
        if self._held is None:
            return None
        taken, self._held = self._held[:most], self._held[most:]
        first = self._first
        self._first += len(taken)
        return first, taken


class _Batch:
    """The rows being decoded; they are the first ones of the cache."""

    def __init__(
        self,
        decoder: StepDecoder,
        rows: int,
        frames: int,
        max_steps: int,
        dice: Callable[[int], torch.Generator | None],
    ) -> None:
        self._dice = dice
        self._decoder = decoder
        self._cache = DecoderCache(decoder, rows, frames, max_steps)
        self._max_steps = max_steps
        self._rows: list[_Row] = []

    def __len__(self) -> int:
        return len(self._rows)

    def open(self, first_segment: int, encoded: Tensor) -> None:
        self._decoder.open_rows(self._cache, len(self._rows), encoded)
        numbers = range(first_segment, first_segment + len(encoded))
        self._rows += [_Row(number, self._dice(number), [], []) for number in numbers]

    def step(self, choose: "_Choose") -> list[WrittenTokens]:
        """Write one more token of every row; return the rows that are done."""
        device = self._decoder.device
        last = [row.tokens[-1] if row.tokens else PAD for row in self._rows]
        steps = [len(row.tokens) for row in self._rows]
        logits = self._decoder.step(
            torch.tensor(last, device=device), torch.tensor(steps, device=device), self._cache
        )
        tokens, doubts = choose(logits, [row.dice for row in self._rows])
        for row, token, doubt in zip(self._rows, tokens.tolist(), doubts.tolist(), strict=True):
            row.tokens.append(token)
            row.log_probabilities.append(doubt)
        return self._closed()

    def _is_done(self, row: _Row) -> bool:
        return row.tokens[-1] == EOS or len(row.tokens) == self._max_steps

    def _closed(self) -> list[WrittenTokens]:
        """Take out the rows that are done; the last ones move into their places, all at once."""
        done = [row for row in self._rows if self._is_done(row)]
        if not done:
            return []
        left = len(self._rows) - len(done)
        places = [index for index in range(left) if self._is_done(self._rows[index])]
        movers = [
            index for index in range(left, len(self._rows)) if not self._is_done(self._rows[index])
        ]
        if movers:
            self._cache.move(movers, places)
        for source, target in zip(movers, places, strict=True):
            self._rows[target] = self._rows[source]
        del self._rows[left:]
        return [
            WrittenTokens(
                row.segment,
                np.array(row.tokens, np.int32),
                np.array(row.log_probabilities, np.float32),
            )
            for row in done
        ]


_Dice = Sequence[torch.Generator | None]
_Choose = Callable[[Tensor, _Dice], tuple[Tensor, Tensor]]


def _chooser(allowed: Allowed | None, sampling: Sampling, device: torch.device) -> _Choose:
    """Return the function from logits [row, token] to tokens and log-probabilities [row]."""
    forbidden = None if allowed is None else torch.from_numpy(~allowed).to(device)
    draw = None if sampling.temperature == 0 else _drawer(sampling, device)

    def choose(logits: Tensor, dice: _Dice) -> tuple[Tensor, Tensor]:
        if forbidden is not None:
            logits = logits.masked_fill(forbidden, float("-inf"))
        tokens = logits.argmax(dim=1) if draw is None else draw(logits, dice)
        chosen = logits.gather(1, tokens[:, None])[:, 0]
        return tokens, chosen - torch.logsumexp(logits, dim=1)

    return choose


def _dice_of(sampling: Sampling, segment: int) -> torch.Generator | None:
    """Return what a segment's tokens are drawn with, always on CPU; None if nothing is drawn."""
    if sampling.temperature == 0:
        return None
    seed = np.random.SeedSequence((sampling.seed, segment)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(seed[0] >> np.uint64(1)))


def _drawer(sampling: Sampling, device: torch.device) -> Callable[[Tensor, _Dice], Tensor]:
    from transformers import (  # loads slowly, and greedy decoding needs none of it
        LogitsProcessorList,
        TemperatureLogitsWarper,
        TopKLogitsWarper,
        TopPLogitsWarper,
    )

    warpers = LogitsProcessorList([TemperatureLogitsWarper(sampling.temperature)])
    if sampling.top_k:
        warpers.append(TopKLogitsWarper(sampling.top_k))
    if sampling.top_p < 1:
        warpers.append(TopPLogitsWarper(sampling.top_p))
    no_tokens = torch.empty(0, 0, dtype=torch.long, device=device)

    def draw(logits: Tensor, dice: _Dice) -> Tensor:
        warped = warpers(no_tokens, logits)  # type: ignore[arg-type]  # they name subclasses of old
        reached = torch.softmax(warped.double(), dim=1).cumsum(dim=1)
        thrown = torch.cat([torch.rand(1, dtype=torch.float64, generator=one) for one in dice])
        # The token whose share of the odds the throw falls into; the last sum may miss 1 by a hair.
        shares = thrown.to(device) * reached[:, -1]
        return torch.searchsorted(reached, shares[:, None], right=True)[:, 0]

    return draw
