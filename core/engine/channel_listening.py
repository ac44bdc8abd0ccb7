"""YourMT3+ over files of any length: each segment is as many rows of tokens as channels are heard.

The kind of a stem says which channels those are: a vocal stem asks for the singing voice alone.
"""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.audio.source import AudioSource
from core.codec.events import Event, EventKind
from core.codec.repair import ALL_RULES, RepairRules
from core.codec.token_rules import allowed_tokens
from core.codec.tokens_to_notes import SegmentTokens
from core.codec.vocabulary import EOS, YOURMT3_VOCABULARY
from core.codec.yourmt3_notes import notes_from_channels
from core.codec.yourmt3_programs import (
    PROGRAMS_OF_STEM,
    TRACK_NAMES,
    channels_of,
    with_written_programs,
)
from core.engine.early_notes import EarlyNotes
from core.engine.generate import Allowed, WrittenTokens
from core.engine.heard import HeardTokens, Posteriors
from core.engine.model_set import TokenModel
from core.engine.options import GREEDY, ChosenDevice, Precision, Sampling
from core.engine.precision import decoder_in
from core.engine.progress import OnNotes
from core.engine.side_by_side import (
    OnFraction,
    RowWriter,
    Segment,
    Segments,
    Written,
    raise_if,
    rows_that_fit,
    whole_segments,
    write_side_by_side,
)
from core.engine.told_by_sound import with_bass_heard, with_loudness_heard
from core.features.yourmt3_spectrogram import (
    SAMPLE_RATE_HZ,
    SEGMENT_S,
    SEGMENT_SAMPLES,
    LinearMagnitude,
    MelPower,
    segment_start_s,
)
from core.models.yourmt3.network import YourMt3
from core.models.yourmt3.published import read_yourmt3
from core.score.instruments import StemKind
from core.score.note import NoteEvent

CPU_ENCODE, GPU_ENCODE = 1, 32  # segments encoded at a time
CPU_BYTES = 468_000_000  # of the rows that all workers decode at a time
LEAST_CPU_ROWS = 13  # of a worker, whatever that takes
GPU_ROWS, LEAST_GPU_ROWS = 1024, 64  # as many as fit into half of the memory that is free
ROW_NUMBERS = 2_250_000  # kept of a row, at most
MOST_WORKERS = 6  # on CPU: each takes 200 MB to encode a segment
_SILENCE = (YOURMT3_VOCABULARY.token_of(Event(EventKind.TIE, 0)), EOS)

# Instruments with a channel of their own do not hop, and play in few bars if they play in few.
RULES_OF_CHANNELS = RepairRules(steady_instruments=False)


class ChannelListener:
    """A model of YourMT3+ on a device."""

    def __init__(
        self,
        model: TokenModel,
        checkpoint: Path,
        device: ChosenDevice,
        *,
        precision: Precision = Precision.AUTO,
        sampling: Sampling = GREEDY,
    ) -> None:
        """Load the weights.

        Raises:
            ModelMissingError: they are not at `checkpoint`.
            ModelBrokenError: they are damaged or of another network.
        """
        self._sampling = sampling
        self._device = torch.device(device.name)
        self.network = read_yourmt3(checkpoint, model.family).to(self._device)
        self._features = _front_end(self.network)
        self._decoder = decoder_in(precision, self.network)
        self._stop = threading.Event()
        for module in self.network.encoder.modules():  # a segment takes it a second and more on CPU
            module.register_forward_pre_hook(lambda *_: raise_if(self._stop))
        self._rows = _rows_side_by_side(self._device, self._decoder.cache_dtype)

    def channels_heard(self, kind: StemKind) -> tuple[int, ...]:
        """Return the decoding channels that a stem of this kind is asked about."""
        return channels_of(kind) if self.network.config.channels > 1 else (0,)

    def listen(
        self,
        source: AudioSource,
        kind: StemKind,
        on_fraction: OnFraction,
        *,
        on_notes: OnNotes | None = None,
    ) -> Posteriors:
        """Write the tokens of the channels that a stem of this kind has, over the whole source.

        What `on_fraction` raises ends it. `on_notes` gets notes as they are written, before the
        sound is asked about them.

        Raises:
            MemoryError, torch.OutOfMemoryError: there is no room for a single row.
        """
        channels = self.channels_heard(kind)
        allowed = allowed_tokens(kind, YOURMT3_VOCABULARY, PROGRAMS_OF_STEM)
        written = self.write(source, channels, allowed, on_fraction, on_notes=on_notes)
        rows = [
            [_tokens_at(segment_start_s(number // len(channels)), row)
             for number, row in sorted(written.items()) if number % len(channels) == place]
            for place in range(len(channels))
        ]  # fmt: skip
        decoded = notes_from_channels(rows, end_s=source.duration_s)
        notes = with_bass_heard(with_written_programs(decoded.notes), source)
        return Posteriors(
            tokens=HeardTokens(
                segments=tuple(row for of_channel in rows for row in of_channel),
                notes=with_loudness_heard(notes, source, kind),
                losses=decoded.losses,
                names=dict(TRACK_NAMES),
                rules=RULES_OF_CHANNELS if self.network.config.channels > 1 else ALL_RULES,
            )
        )

    def write(
        self,
        source: AudioSource,
        channels: tuple[int, ...],
        allowed: Allowed,
        on_fraction: OnFraction,
        *,
        on_notes: OnNotes | None = None,
    ) -> Written:
        """Return the rows of all segments by number, those of one segment after each other.

        When memory runs out, half as many rows go on side by side; what is written stays.
        """
        written: Written = {}
        each = len(channels)
        early = None if on_notes is None else _early_notes(written, each, on_notes)
        writer = RowWriter(
            self._decoder,
            lambda batch: self._encoded(batch, channels),
            max_steps=self.network.config.max_steps,
            most_segments=CPU_ENCODE if self._device.type == "cpu" else GPU_ENCODE,
            rows_each=each,
            most_workers=MOST_WORKERS,
            sampling=self._sampling,
            stop=self._stop,
        )

        def attempt(rows: int) -> None:
            segments = Segments(
                source,
                sample_rate=SAMPLE_RATE_HZ,
                segment_samples=SEGMENT_SAMPLES,
                without=whole_segments(written, each),
            )

            def report(fraction: float) -> None:
                if early is not None:
                    early.tell([*whole_segments([*written], each), *segments.silent])
                on_fraction(fraction)

            write_side_by_side(
                writer, segments, written, rows=rows, allowed=allowed, on_fraction=report
            )
            for index in segments.silent:
                numbers = range(index * each, (index + 1) * each)
                written.update((number, _nothing_in(number)) for number in numbers)

        self._rows = rows_that_fit(attempt, self._rows, self._device)
        return written

    def _encoded(self, batch: list[Segment], channels: tuple[int, ...]) -> Tensor:
        audio = torch.from_numpy(np.stack([segment.audio for segment in batch])).to(self._device)
        return self.network.encode(self._features(audio), channels).flatten(0, 1)


def _rows_side_by_side(device: torch.device, kept_in: torch.dtype) -> int:
    """Return how many rows a worker decodes at a time."""
    row_bytes = ROW_NUMBERS * max(kept_in.itemsize, 2)  # keys that grow have 16 bits at least
    if device.type == "cpu":
        workers = min(torch.get_num_threads(), MOST_WORKERS)
        return max(LEAST_CPU_ROWS, CPU_BYTES // row_bytes // workers)
    if device.type != "cuda":
        return LEAST_GPU_ROWS
    free_bytes, _ = torch.cuda.mem_get_info(device)
    return max(LEAST_GPU_ROWS, min(GPU_ROWS, free_bytes // 2 // row_bytes))


def _early_notes(written: Written, each: int, on_notes: OnNotes) -> EarlyNotes:
    """Read segments by themselves: what sounds on from one to the next comes in pieces."""

    def read(index: int) -> Sequence[NoteEvent]:
        numbers = range(index * each, (index + 1) * each)
        rows = [[_tokens_at(0.0, written[number])] for number in numbers if number in written]
        return with_written_programs(notes_from_channels(rows, end_s=SEGMENT_S).notes)

    return EarlyNotes(read, SEGMENT_S, on_notes)


def _tokens_at(start_s: float, row: WrittenTokens) -> SegmentTokens:
    return SegmentTokens(start_s, row.tokens, row.log_probabilities)


def _nothing_in(row: int) -> WrittenTokens:
    """Return what a silent segment says: nothing is held over, nothing begins."""
    return WrittenTokens(row, np.array(_SILENCE, np.int32), np.zeros(len(_SILENCE), np.float32))


def _front_end(network: YourMt3) -> LinearMagnitude | MelPower:
    if network.mel_bank is None:
        return LinearMagnitude(network.window)
    return MelPower(network.window, network.mel_bank)
