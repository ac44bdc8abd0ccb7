"""YourMT3+ over files of any length: each segment is as many rows of tokens as channels are heard.

The kind of a stem says which channels those are: a vocal stem asks for the singing voice alone.
"""

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
from core.codec.yourmt3_notes import ChannelDecoder, notes_from_channels
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
from core.engine.progress import OnNotes
from core.engine.side_by_side import (
    OnFraction,
    RowWriter,
    Segment,
    Segments,
    Written,
    rows_that_fit,
    whole_segments,
    write_side_by_side,
)
from core.engine.told_by_sound import with_bass_heard, with_loudness_heard
from core.features.yourmt3_spectrogram import (
    SAMPLE_RATE_HZ,
    SEGMENT_SAMPLES,
    LinearMagnitude,
    MelPower,
    segment_start_s,
)
from core.models.decoding import StepDecoder
from core.models.packing import pack_bfloat16, pack_float32, pack_int8
from core.models.yourmt3.network import YourMt3
from core.models.yourmt3.published import read_yourmt3
from core.score.instruments import StemKind
from core.score.note import NoteEvent

CPU_ENCODE, GPU_ENCODE = 1, 32  # segments encoded at a time
CPU_ROWS = 26  # decoded at a time by each worker
GPU_ROWS = 1024  # as long as they fit
MOST_WORKERS = 6  # on CPU: each takes 300 MB
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
        self._network = read_yourmt3(checkpoint, model.family).to(self._device)
        self._features = _front_end(self._network)
        self._decoder = _packed(self._network, precision)
        self._rows = CPU_ROWS if self._device.type == "cpu" else GPU_ROWS

    def listen(
        self,
        source: AudioSource,
        kind: StemKind,
        on_fraction: OnFraction,
        *,
        on_notes: OnNotes | None = None,
    ) -> Posteriors:
        """Write the tokens of the channels that a stem of this kind has, over the whole source.

        What `on_fraction` raises ends it. When memory runs out, half as many rows go on side by
        side; what is written stays.

        Raises:
            MemoryError, torch.OutOfMemoryError: there is no room for a single row.
        """
        has_channels = self._network.config.channels > 1
        channels = channels_of(kind) if has_channels else (0,)
        allowed = allowed_tokens(kind, YOURMT3_VOCABULARY, PROGRAMS_OF_STEM)
        written: Written = {}
        early = _early_notes(written, len(channels), on_notes) if on_notes is not None else None
        self._rows = rows_that_fit(
            lambda rows: self._write(source, channels, written, rows, allowed, on_fraction, early),
            self._rows,
            self._device,
        )
        rows_of_channels = [
            tuple(
                SegmentTokens(segment_start_s(row // len(channels)), tokens.tokens,
                              tokens.log_probabilities)
                for row, tokens in sorted(written.items())
                if row % len(channels) == place
            )
            for place in range(len(channels))
        ]  # fmt: skip
        decoded = notes_from_channels(rows_of_channels, end_s=source.duration_s)
        notes = with_bass_heard(with_written_programs(decoded.notes), source)
        return Posteriors(
            tokens=HeardTokens(
                segments=tuple(row for rows in rows_of_channels for row in rows),
                notes=with_loudness_heard(notes, source, kind),
                losses=decoded.losses,
                names=dict(TRACK_NAMES),
                rules=RULES_OF_CHANNELS if has_channels else ALL_RULES,
            )
        )

    def _write(  # noqa: PLR0913 (a step of `listen`, which has them all)
        self,
        source: AudioSource,
        channels: tuple[int, ...],
        written: Written,
        rows: int,
        allowed: Allowed,
        on_fraction: OnFraction,
        early: EarlyNotes | None,
    ) -> None:
        """Fill `written` with the rows that it lacks: those of the channels for every segment."""
        segments = Segments(
            source,
            sample_rate=SAMPLE_RATE_HZ,
            segment_samples=SEGMENT_SAMPLES,
            without=whole_segments(written, len(channels)),
        )

        def report(fraction: float) -> None:
            if early is not None:
                early.tell([*whole_segments(list(written), len(channels)), *segments.silent])
            on_fraction(fraction)

        writer = RowWriter(
            self._decoder,
            lambda batch: self._encoded(batch, channels),
            max_steps=self._network.config.max_steps,
            most_segments=CPU_ENCODE if self._device.type == "cpu" else GPU_ENCODE,
            rows_each=len(channels),
            most_workers=MOST_WORKERS,
            sampling=self._sampling,
        )
        write_side_by_side(
            writer, segments, written, rows=rows, allowed=allowed, on_fraction=report
        )
        for index in segments.silent:
            for row in range(index * len(channels), (index + 1) * len(channels)):
                written[row] = _nothing_in(row)

    def _encoded(self, batch: list[Segment], channels: tuple[int, ...]) -> Tensor:
        audio = torch.from_numpy(np.stack([segment.audio for segment in batch])).to(self._device)
        return self._network.encode(self._features(audio), channels).flatten(0, 1)


def _early_notes(written: Written, channels: int, on_notes: OnNotes) -> EarlyNotes:
    """Read segments by themselves: what sounds on from one to the next comes in pieces."""

    def read(index: int) -> Sequence[NoteEvent]:
        found: list[NoteEvent] = []
        for number in range(index * channels, (index + 1) * channels):
            row = written.get(number) or _nothing_in(number)
            decoder = ChannelDecoder()
            decoder.read(SegmentTokens(0.0, row.tokens, row.log_probabilities))
            decoder.finish(SEGMENT_SAMPLES / SAMPLE_RATE_HZ)
            found += decoder.notes
        return with_written_programs(found)

    return EarlyNotes(read, SEGMENT_SAMPLES / SAMPLE_RATE_HZ, on_notes)


def _nothing_in(row: int) -> WrittenTokens:
    """Return what a silent segment says: nothing is held over, nothing begins."""
    return WrittenTokens(row, np.array(_SILENCE, np.int32), np.zeros(len(_SILENCE), np.float32))


def _front_end(network: YourMt3) -> LinearMagnitude | MelPower:
    if network.mel_bank is None:
        return LinearMagnitude(network.window)
    return MelPower(network.window, network.mel_bank)


def _packed(network: YourMt3, precision: Precision) -> StepDecoder:
    """Return the decoder in the wanted numbers; the encoder stays in float32."""
    match precision:
        case Precision.BFLOAT16:
            return network.step_decoder(pack_bfloat16, cache_dtype=torch.bfloat16)
        case Precision.INT8:
            return network.step_decoder(pack_int8)
        case Precision.AUTO | Precision.FLOAT32:
            return network.step_decoder(pack_float32)
