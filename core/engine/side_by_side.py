"""Segments of one file written side by side: cut, handed out, decoded by all cores, memory flat.

Segments are independent, so on CPU each worker decodes its own batch of them on one torch thread:
threads that split every product wait for each other at its end. Silent segments are not shown to
the network, which writes nothing for them.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.audio.source import AudioSource
from core.engine.device import free_memory, is_out_of_memory
from core.engine.generate import Allowed, WrittenTokens, generate
from core.engine.heap import keep_freed_memory
from core.engine.options import GREEDY, Sampling
from core.models.decoding import StepDecoder

SILENCE = 1e-4  # no sample of a silent segment is farther from zero: -80 dBFS
LOOK_EVERY_S = 0.05  # for progress, and for a cancel

OnFraction = Callable[[float], None]
Samples = npt.NDArray[np.float32]
Written = dict[int, WrittenTokens]
"""Rows by number: those of segment n are n * rows_each and the following ones."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Segment:
    """Audio [sample] of one segment, filled up with silence; `samples` of it are the file's."""

    index: int
    audio: Samples
    samples: int


@dataclass(frozen=True, slots=True, eq=False)
class RowWriter:
    """What writes the tokens of segments.

    `encode` returns [row, frame, channel] of segments, `rows_each` rows for each of them; it is
    given at most `most_segments` at a time. `most_workers` limits how many encode at once on CPU.
    `stop` is set when the work is to end: who takes long to encode looks at it with `raise_if`.
    """

    decoder: StepDecoder
    encode: Callable[[list[Segment]], Tensor]
    max_steps: int
    most_segments: int
    rows_each: int = 1
    most_workers: int | None = None
    sampling: Sampling = GREEDY
    stop: threading.Event = field(default_factory=threading.Event)


class Segments:
    """Cuts a source into segments, a few at a time, for several workers.

    Leaves out those that are in `without`, and notes in `silent` those without sound.
    """

    def __init__(
        self,
        source: AudioSource,
        *,
        sample_rate: int,
        segment_samples: int,
        without: Collection[int] = (),
    ) -> None:
        self._about = max(1.0, source.duration_s * sample_rate / segment_samples)
        self.silent: list[int] = []
        cut = _cut(source.blocks(sample_rate), segment_samples)
        self._left = self._with_sound(cut, frozenset(without))
        self._lock = threading.Lock()

    def take(self, most: int) -> list[Segment]:
        """Return the next segments in order, none at the end."""
        with self._lock:
            return [segment for _, segment in zip(range(most), self._left, strict=False)]

    def fraction(self, written: float) -> float:
        """Return how much of the file `written` segments and the silent ones so far are."""
        return min(1.0, (written + len(self.silent)) / self._about)

    def _with_sound(self, segments: Iterator[Segment], known: Collection[int]) -> Iterator[Segment]:
        for segment in segments:
            if segment.index in known:
                continue
            if np.abs(segment.audio).max() <= SILENCE:
                self.silent.append(segment.index)
            else:
                yield segment


def write_side_by_side(
    writer: RowWriter,
    segments: Segments,
    written: Written,
    *,
    rows: int,
    allowed: Allowed,
    on_fraction: OnFraction,
) -> None:
    """Add to `written` the rows of all segments, `rows` at a time in each worker.

    What `on_fraction` raises ends it, and so does what goes wrong in a worker; what is written by
    then stays.
    """
    is_cpu = writer.decoder.device.type == "cpu"
    cores = torch.get_num_threads()
    workers = min(cores, writer.most_workers or cores) if is_cpu else 1
    threads = cores // workers
    writer.stop.clear()
    if is_cpu:
        keep_freed_memory()

    def work() -> None:
        if is_cpu:
            torch.set_num_threads(threads)  # of this worker; those of other threads stay
        taken: list[int] = []
        for row in generate(
            writer.decoder,
            _encoded(writer, segments, taken, rows),
            rows=rows,
            max_steps=writer.max_steps,
            allowed=allowed,
            sampling=writer.sampling,
            number_of=taken.__getitem__,
            on_step=lambda: raise_if(writer.stop),
        ):
            written[taken[row.segment]] = row

    with ThreadPoolExecutor(workers, thread_name_prefix="decoding") as pool:
        running = {pool.submit(work) for _ in range(workers)}
        try:
            while running:
                done, running = wait(running, LOOK_EVERY_S, "FIRST_EXCEPTION")
                for future in done:
                    future.result()
                on_fraction(segments.fraction(len(written) / writer.rows_each))
        finally:
            writer.stop.set()


class StoppedError(Exception):
    """Another worker failed, or the user stopped the work."""


def raise_if(stop: threading.Event) -> None:
    """End a worker whose result nobody waits for."""
    if stop.is_set():
        raise StoppedError


def rows_that_fit(attempt: Callable[[int], None], rows: int, device: torch.device) -> int:
    """Call `attempt` with a number of rows, halved as long as memory runs out; return the last.

    Raises:
        MemoryError, torch.OutOfMemoryError: there is no room for a single row.
    """
    while True:
        try:
            attempt(rows)
        except (MemoryError, RuntimeError) as error:
            if rows == 1 or not is_out_of_memory(error):
                raise
        else:
            return rows
        rows = -(-rows // 2)
        free_memory(device)
        _log.warning("out of memory: %d rows side by side from here on", rows)


def whole_segments(written: Collection[int], rows_each: int) -> set[int]:
    """Return the segments all of whose rows are written."""
    counts = Counter(row // rows_each for row in list(written))  # workers add to it
    return {segment for segment, count in counts.items() if count == rows_each}


@torch.inference_mode()
def _encoded(
    writer: RowWriter, segments: Segments, taken: list[int], rows: int
) -> Iterator[Tensor]:
    """Yield encoded batches; note in `taken` which rows they are."""
    each = writer.rows_each
    most = max(1, min(rows // each, writer.most_segments))
    while batch := segments.take(most):
        taken += [segment.index * each + place for segment in batch for place in range(each)]
        yield writer.encode(batch)


def _cut(blocks: Iterator[Samples], length: int) -> Iterator[Segment]:
    held = np.empty(0, np.float32)
    index = 0
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) >= length:
            yield Segment(index, held[:length], length)
            held, index = held[length:], index + 1
    last = np.zeros(length, np.float32)
    last[: len(held)] = held
    yield Segment(index, last, len(held))
