"""Models that write notes as tokens, over files of any length: audio in, tokens out, memory flat.

Segments are independent, so on CPU each worker decodes its own batch of them on one torch thread:
threads that split every product wait for each other at its end. MR-MT3 alone has to go in order.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.audio.source import AudioSource
from core.codec.bass_octave import with_bass_octaves
from core.codec.token_rules import allowed_tokens
from core.codec.tokens_to_notes import SegmentTokens, notes_from_tokens, segment_start_s
from core.codec.velocity import with_fixed_velocity, with_velocities
from core.codec.vocabulary import ISMIR2021_VOCABULARY, MT3_VOCABULARY, Vocabulary
from core.engine.generate import Allowed, WrittenTokens, generate
from core.engine.heard import HeardTokens, Posteriors
from core.engine.model_set import Family, TokenModel
from core.engine.options import ChosenDevice, Precision
from core.features.mt3_logmel import (
    FRAMES_PER_S,
    HOP_SAMPLES,
    SAMPLE_RATE_HZ,
    Mt3LogMel,
    frame_count,
    scaled_for_mr_mt3,
)
from core.models.checkpoint import load_published
from core.models.decoding import StepDecoder
from core.models.mr_mt3 import MrMt3, memory_ids
from core.models.mt3 import Mt3, Mt3Config
from core.models.packing import pack_bfloat16, pack_float32, pack_int8
from core.score.instruments import StemKind

ENCODE_SEGMENTS = 4  # encoded at a time
CPU_ROWS = 12  # decoded at a time by each worker; more is hardly faster and costs 14 MB a row
GPU_ROWS = 256
LOOK_EVERY_S = 0.05  # for progress, and for a cancel

OnFraction = Callable[[float], None]
Samples = npt.NDArray[np.float32]


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


@dataclass(frozen=True, slots=True)
class _Segment:
    """Audio [sample] of one segment, filled up with silence, and how many frames are the file's."""

    index: int
    audio: Samples
    frames: int


class TokenListener:
    """A model of the MT3 family on a device."""

    def __init__(
        self,
        model: TokenModel,
        checkpoint: Path,
        device: ChosenDevice,
        *,
        precision: Precision = Precision.AUTO,
    ) -> None:
        """Load the weights.

        Raises:
            ModelMissingError: they are not at `checkpoint`.
            ModelBrokenError: they are damaged or of another network.
        """
        self._model = model
        self._traits = TRAITS[model.family]
        self._device = torch.device(device.name)
        self._network = _network(model, self._traits)
        load_published(self._network, checkpoint, model.family)
        self._network.to(self._device)
        self._features = Mt3LogMel().to(self._device)
        self._decoder = _packed(self._network, precision)

    def listen(self, source: AudioSource, kind: StemKind, on_fraction: OnFraction) -> Posteriors:
        """Write the tokens of the whole source; what `on_fraction` raises ends it."""
        segments = _Segments(source, self._traits.segment_frames)
        allowed = allowed_tokens(kind, self._traits.vocabulary)
        if isinstance(self._network, MrMt3) and self._network.config.memory_length:
            written = self._in_order(self._network, segments, allowed, on_fraction)
        else:
            written = self._side_by_side(segments, allowed, on_fraction)
        rows = [
            SegmentTokens(
                segment_start_s(row.segment * self._traits.segment_frames, FRAMES_PER_S),
                row.tokens,
                row.log_probabilities,
            )
            for row in sorted(written, key=lambda row: row.segment)
        ]
        return Posteriors(tokens=self._named(tuple(rows), source, kind))

    def _named(
        self, rows: tuple[SegmentTokens, ...], source: AudioSource, kind: StemKind
    ) -> HeardTokens:
        """Decode all notes, and ask the sound for what the model does not tell."""
        vocabulary = self._traits.vocabulary
        decoded = notes_from_tokens(rows, vocabulary, end_s=source.duration_s)
        notes = decoded.notes
        if vocabulary.has_programs:
            notes = with_bass_octaves(notes, source.blocks(SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
        if vocabulary.velocity_bins == 1:
            notes = with_velocities(notes, source.blocks(SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
            if kind is StemKind.MIX:  # what sounds beside a note there says more than the note
                level = with_fixed_velocity(notes)
                notes = tuple(
                    note if note.is_drum else flat for note, flat in zip(notes, level, strict=True)
                )
        return HeardTokens(rows, notes, decoded.losses)

    def _side_by_side(
        self, segments: "_Segments", allowed: Allowed, on_fraction: OnFraction
    ) -> list[WrittenTokens]:
        is_cpu = self._device.type == "cpu"
        workers = torch.get_num_threads() if is_cpu else 1
        written: list[WrittenTokens] = []
        stop = threading.Event()

        def work() -> None:
            if is_cpu:
                torch.set_num_threads(1)  # of this worker; those of other threads stay as they are
            taken: list[int] = []
            encoded = self._encoded(segments, taken)
            rows = CPU_ROWS if is_cpu else GPU_ROWS
            for row in generate(
                self._decoder,
                encoded,
                rows=rows,
                max_steps=self._network.config.max_steps,
                allowed=allowed,
                on_step=lambda: _raise_if(stop),
            ):
                written.append(WrittenTokens(taken[row.segment], row.tokens, row.log_probabilities))

        with ThreadPoolExecutor(workers, thread_name_prefix="decoding") as pool:
            running = {pool.submit(work) for _ in range(workers)}
            try:
                while running:
                    done, running = wait(running, LOOK_EVERY_S, "FIRST_EXCEPTION")
                    for future in done:
                        future.result()
                    on_fraction(min(1.0, len(written) / segments.about))
            finally:
                stop.set()
        return written

    @torch.inference_mode()
    def _encoded(self, segments: "_Segments", taken: list[int]) -> Iterator[Tensor]:
        """Yield encoded batches; note in `taken` which segments they are."""
        while batch := segments.take(ENCODE_SEGMENTS):
            taken += [segment.index for segment in batch]
            yield self._network.encode(self._features_of(batch))

    def _in_order(
        self,
        network: MrMt3,
        segments: "_Segments",
        allowed: Allowed,
        on_fraction: OnFraction,
    ) -> list[WrittenTokens]:
        """Decode one segment after the other, each remembering the one before."""
        length = network.config.max_steps
        written: list[WrittenTokens] = []
        before: list[int] | None = None
        while batch := segments.take(1):
            with torch.inference_mode():
                ids = torch.tensor([memory_ids(before, length)], device=self._device)
                encoded = network.encode_after(self._features_of(batch), ids)
            (row,) = generate(
                self._decoder,
                iter([encoded]),
                rows=1,
                max_steps=length,
                allowed=allowed,
                on_step=lambda: on_fraction(min(1.0, len(written) / segments.about)),
            )
            before = row.tokens.tolist()
            written.append(WrittenTokens(batch[0].index, row.tokens, row.log_probabilities))
        on_fraction(1.0)
        return written

    def _features_of(self, batch: "list[_Segment]") -> Tensor:
        audio = torch.from_numpy(np.stack([segment.audio for segment in batch])).to(self._device)
        frames = torch.tensor([segment.frames for segment in batch], device=self._device)
        features: Tensor = self._features(audio, frames)
        if self._model.family is Family.MR_MT3:
            return scaled_for_mr_mt3(features, frames)
        return features


class _Segments:
    """Cuts a source into segments, a few at a time, for several workers."""

    def __init__(self, source: AudioSource, segment_frames: int) -> None:
        samples = source.duration_s * SAMPLE_RATE_HZ
        self.about = max(1, frame_count(int(samples)) // segment_frames)
        self._iterator = _cut(source.blocks(SAMPLE_RATE_HZ), segment_frames)
        self._lock = threading.Lock()

    def take(self, most: int) -> list[_Segment]:
        """Return the next segments in order, none at the end."""
        with self._lock:
            return [segment for _, segment in zip(range(most), self._iterator, strict=False)]


def _cut(blocks: Iterator[Samples], segment_frames: int) -> Iterator[_Segment]:
    length = segment_frames * HOP_SAMPLES
    held = np.empty(0, np.float32)
    index = 0
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) >= length:
            yield _Segment(index, held[:length], segment_frames)
            held, index = held[length:], index + 1
    last = np.zeros(length, np.float32)
    last[: len(held)] = held
    yield _Segment(index, last, frame_count(len(held)))


def _network(model: TokenModel, traits: FamilyTraits) -> Mt3:
    """Return the network without weights: they are mapped in from the file."""
    config = Mt3Config(
        vocab_size=traits.vocabulary.size,
        input_frames=traits.segment_frames,
        memory_length=model.memory_length,
    )
    with torch.device("meta"):
        return MrMt3(config) if model.family is Family.MR_MT3 else Mt3(config)


def _packed(network: Mt3, precision: Precision) -> StepDecoder:
    """Return the decoder in the wanted numbers; bfloat16 puts the encoder into them as well."""
    match precision:
        case Precision.BFLOAT16:
            decoder = network.step_decoder(pack_bfloat16, cache_dtype=torch.bfloat16)
            for module in network.modules():
                if isinstance(module, nn.Linear):
                    module.to(torch.bfloat16)
            return decoder
        case Precision.INT8:
            return network.step_decoder(pack_int8)
        case Precision.AUTO | Precision.FLOAT32:
            return network.step_decoder(pack_float32)


class _StoppedError(Exception):
    """Another worker failed, or the user stopped the work."""


def _raise_if(stop: threading.Event) -> None:
    if stop.is_set():
        raise _StoppedError
