"""The MT3 family over files of any length: audio in, tokens out, memory flat.

Segments go side by side; MR-MT3 alone, which remembers the one before, has to go in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.audio.source import AudioSource
from core.codec.events import Event, EventKind
from core.codec.token_rules import allowed_tokens
from core.codec.tokens_to_notes import (
    NoteDecoder,
    SegmentTokens,
    notes_from_tokens,
    segment_start_s,
)
from core.codec.vocabulary import EOS, ISMIR2021_VOCABULARY, MT3_VOCABULARY, Vocabulary
from core.engine.early_notes import EarlyNotes
from core.engine.generate import Allowed, WrittenTokens, generate
from core.engine.heard import HeardTokens, Posteriors
from core.engine.model_set import Family, TokenModel
from core.engine.options import GREEDY, ChosenDevice, Precision, Sampling
from core.engine.precision import decoder_in
from core.engine.progress import OnNotes
from core.engine.side_by_side import (
    OnFraction,
    RowWriter,
    Segment,
    Segments,
    Written,
    rows_that_fit,
    write_side_by_side,
)
from core.engine.told_by_sound import with_bass_heard, with_loudness_heard
from core.features.mt3_logmel import (
    FRAMES_PER_S,
    HOP_SAMPLES,
    SAMPLE_RATE_HZ,
    Mt3LogMel,
    frame_count,
    scaled_for_mr_mt3,
)
from core.models.checkpoint import load_published
from core.models.mr_mt3 import MrMt3, memory_ids
from core.models.mt3 import Mt3, Mt3Config
from core.score.instruments import StemKind
from core.score.note import NoteEvent

CPU_ENCODE, GPU_ENCODE = 4, 32  # segments encoded at a time
CPU_ROWS = 12  # decoded at a time by each worker; more is hardly faster and costs 14 MB a row
GPU_ROWS = 256  # as long as they fit


@dataclass(frozen=True, slots=True)
class FamilyTraits:
    """What the models of a family share besides the network."""

    vocabulary: Vocabulary
    segment_frames: int


TRAITS = {
    Family.MT3: FamilyTraits(MT3_VOCABULARY, 256),
    Family.ISMIR2021: FamilyTraits(ISMIR2021_VOCABULARY, 512),
    Family.MR_MT3: FamilyTraits(MT3_VOCABULARY, 256),
}


class TokenListener:
    """A model of the MT3 family on a device."""

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
        self._model = model
        self._sampling = sampling
        self._traits = TRAITS[model.family]
        self._device = torch.device(device.name)
        self._network = _network(model, self._traits)
        load_published(self._network, checkpoint, model.family)
        self._network.to(self._device)
        self._features = Mt3LogMel().to(self._device)
        self._decoder = decoder_in(precision, self._network)
        self._rows = CPU_ROWS if self._device.type == "cpu" else GPU_ROWS

    def listen(
        self,
        source: AudioSource,
        kind: StemKind,
        on_fraction: OnFraction,
        *,
        on_notes: OnNotes | None = None,
    ) -> Posteriors:
        """Write the tokens of the whole source; what `on_fraction` raises ends it.

        `on_notes` gets notes as they are written, before the sound is asked about them. When memory
        runs out, half as many segments go on side by side; what is written stays.

        Raises:
            MemoryError, torch.OutOfMemoryError: there is no room for a single segment.
        """
        allowed = allowed_tokens(kind, self._traits.vocabulary)
        written: Written = {}
        early = self._early_notes(written, on_notes) if on_notes is not None else None
        self._rows = rows_that_fit(
            lambda rows: self._write(source, written, rows, allowed, on_fraction, early),
            self._rows,
            self._device,
        )
        rows = [self._segment_tokens(index, row) for index, row in sorted(written.items())]
        return Posteriors(tokens=self._named(tuple(rows), source, kind))

    def _write(
        self,
        source: AudioSource,
        written: Written,
        rows: int,
        allowed: Allowed,
        on_fraction: OnFraction,
        early: EarlyNotes | None,
    ) -> None:
        """Fill `written`, by segment, with what it lacks."""
        segments = Segments(
            source,
            sample_rate=SAMPLE_RATE_HZ,
            segment_samples=self._traits.segment_frames * HOP_SAMPLES,
            without=written,
        )

        def report(fraction: float) -> None:
            if early is not None:
                early.tell([*written, *segments.silent])
            on_fraction(fraction)

        if isinstance(self._network, MrMt3) and self._network.config.memory_length:
            self._in_order(self._network, segments, written, allowed, report)
        else:
            writer = RowWriter(
                self._decoder,
                self._encoded,
                max_steps=self._network.config.max_steps,
                most_segments=CPU_ENCODE if self._device.type == "cpu" else GPU_ENCODE,
                sampling=self._sampling,
            )
            write_side_by_side(
                writer, segments, written, rows=rows, allowed=allowed, on_fraction=report
            )
        written |= {index: self._nothing_in(index) for index in segments.silent}

    def _nothing_in(self, index: int) -> WrittenTokens:
        """Return what a silent segment says: nothing is held over, nothing begins."""
        vocabulary = self._traits.vocabulary
        ties = [vocabulary.token_of(Event(EventKind.TIE, 0))] if vocabulary.has_ties else []
        tokens = [*ties, EOS]
        return WrittenTokens(index, np.array(tokens, np.int32), np.zeros(len(tokens), np.float32))

    def _early_notes(self, written: Written, on_notes: OnNotes) -> EarlyNotes:
        """Read segments by themselves: what sounds on from one to the next comes in pieces."""
        segment_s = self._traits.segment_frames / FRAMES_PER_S

        def read(index: int) -> Sequence[NoteEvent]:
            row, nothing = written.get(index), self._nothing_in(index)
            if row is None:
                return ()
            decoder = NoteDecoder(self._traits.vocabulary, mends_ties=True)
            decoder.read(SegmentTokens(0.0, row.tokens, row.log_probabilities), segment_s)
            decoder.read(SegmentTokens(segment_s, nothing.tokens, nothing.log_probabilities), None)
            return decoder.finish().notes

        return EarlyNotes(read, segment_s, on_notes)

    def _segment_tokens(self, index: int, row: WrittenTokens) -> SegmentTokens:
        return SegmentTokens(self._start_s(index), row.tokens, row.log_probabilities)

    def _start_s(self, index: int) -> float:
        return segment_start_s(index * self._traits.segment_frames, FRAMES_PER_S)

    def _named(
        self, rows: tuple[SegmentTokens, ...], source: AudioSource, kind: StemKind
    ) -> HeardTokens:
        """Decode all notes, and ask the sound for what the model does not tell."""
        vocabulary = self._traits.vocabulary
        decoded = notes_from_tokens(rows, vocabulary, end_s=source.duration_s, mends_ties=True)
        notes = decoded.notes
        if vocabulary.has_programs:
            notes = with_bass_heard(notes, source)
        if vocabulary.velocity_bins == 1:
            notes = with_loudness_heard(notes, source, kind)
        return HeardTokens(rows, notes, decoded.losses)

    def _encoded(self, batch: list[Segment]) -> Tensor:
        return self._network.encode(self._features_of(batch))

    def _in_order(
        self,
        network: MrMt3,
        segments: Segments,
        written: Written,
        allowed: Allowed,
        on_fraction: OnFraction,
    ) -> None:
        """Decode one segment after the other, each remembering the one before."""
        length = network.config.max_steps
        while batch := segments.take(1):
            index = batch[0].index
            before = written.get(index - 1) or self._nothing_in(index - 1)
            with torch.inference_mode():
                remembered = before.tokens.tolist() if index > 0 else None
                ids = torch.tensor([memory_ids(remembered, length)], device=self._device)
                encoded = network.encode_after(self._features_of(batch), ids)
            (row,) = generate(
                self._decoder,
                iter([encoded]),
                rows=1,
                max_steps=length,
                allowed=allowed,
                sampling=self._sampling,
                number_of=[index].__getitem__,
                on_step=lambda: on_fraction(segments.fraction(len(written))),
            )
            written[index] = row
        on_fraction(1.0)

    def _features_of(self, batch: list[Segment]) -> Tensor:
        audio = torch.from_numpy(np.stack([segment.audio for segment in batch])).to(self._device)
        frames = torch.tensor([self._frames_of(segment) for segment in batch], device=self._device)
        features: Tensor = self._features(audio, frames)
        if self._model.family is Family.MR_MT3:
            return scaled_for_mr_mt3(features, frames)
        return features

    def _frames_of(self, segment: Segment) -> int:
        """Return how many frames of a segment are the file's."""
        return min(self._traits.segment_frames, frame_count(segment.samples))


def _network(model: TokenModel, traits: FamilyTraits) -> Mt3:
    """Return the network without weights: they are mapped in from the file."""
    config = Mt3Config(
        vocab_size=traits.vocabulary.size,
        input_frames=traits.segment_frames,
        memory_length=model.memory_length,
    )
    with torch.device("meta"):
        return MrMt3(config) if model.family is Family.MR_MT3 else Mt3(config)
