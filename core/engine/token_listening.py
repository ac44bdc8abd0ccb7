"""Models that write notes as tokens, over files of any length: audio in, tokens out, memory flat.

Segments are independent, so on CPU each worker decodes its own batch of them on one torch thread:
threads that split every product wait for each other at its end. MR-MT3 alone has to go in order.
Silent segments are not shown to the network, which writes nothing for them.
"""

import logging
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.audio.source import AudioSource
from core.codec.bass_octave import with_bass_octaves
from core.codec.events import Event, EventKind
from core.codec.token_rules import allowed_tokens
from core.codec.tokens_to_notes import SegmentTokens, notes_from_tokens, segment_start_s
from core.codec.velocity import with_fixed_velocity, with_velocities
from core.codec.vocabulary import EOS, ISMIR2021_VOCABULARY, MT3_VOCABULARY, Vocabulary
from core.engine.device import free_memory, is_out_of_memory
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

CPU_ENCODE, GPU_ENCODE = 4, 32  # segments encoded at a time
CPU_ROWS = 12  # decoded at a time by each worker; more is hardly faster and costs 14 MB a row
GPU_ROWS = 256  # as long as they fit
SILENCE = 1e-4  # no sample of a silent segment is farther from zero: -80 dBFS
LOOK_EVERY_S = 0.05  # for progress, and for a cancel

_log = logging.getLogger(__name__)

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
        self._rows = CPU_ROWS if self._device.type == "cpu" else GPU_ROWS

    def listen(self, source: AudioSource, kind: StemKind, on_fraction: OnFraction) -> Posteriors:
        """Write the tokens of the whole source; what `on_fraction` raises ends it.

        When memory runs out, half as many segments go on side by side; what is written stays.

        Raises:
            MemoryError, torch.OutOfMemoryError: there is no room for a single segment.
        """
        allowed = allowed_tokens(kind, self._traits.vocabulary)
        written: dict[int, WrittenTokens] = {}
        while not self._write(source, written, allowed, on_fraction):
            self._rows = -(-self._rows // 2)
            free_memory(self._device)
            _log.warning("out of memory: %d segments side by side from here on", self._rows)
        rows = [
            SegmentTokens(
                segment_start_s(index * self._traits.segment_frames, FRAMES_PER_S),
                row.tokens,
                row.log_probabilities,
            )
            for index, row in sorted(written.items())
        ]
        return Posteriors(tokens=self._named(tuple(rows), source, kind))

    def _write(
        self,
        source: AudioSource,
        written: dict[int, WrittenTokens],
        allowed: Allowed,
        on_fraction: OnFraction,
    ) -> bool:
        """Fill `written`, by segment, with what it lacks; False if fewer at a time might fit."""
        segments = _Segments(source, self._traits.segment_frames, without=written)
        try:
            if isinstance(self._network, MrMt3) and self._network.config.memory_length:
                self._in_order(self._network, segments, written, allowed, on_fraction)
            else:
                self._side_by_side(segments, written, allowed, on_fraction)
        except (MemoryError, RuntimeError) as error:
            if self._rows == 1 or not is_out_of_memory(error):
                raise
            return False
        written |= {index: self._nothing_in(index) for index in segments.silent}
        return True

    def _nothing_in(self, index: int) -> WrittenTokens:
        """Return what a silent segment says: nothing is held over, nothing begins."""
        vocabulary = self._traits.vocabulary
        ties = [vocabulary.token_of(Event(EventKind.TIE, 0))] if vocabulary.has_ties else []
        tokens = [*ties, EOS]
        return WrittenTokens(index, np.array(tokens, np.int32), np.zeros(len(tokens), np.float32))

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
        self,
        segments: "_Segments",
        written: dict[int, WrittenTokens],
        allowed: Allowed,
        on_fraction: OnFraction,
    ) -> None:
        is_cpu = self._device.type == "cpu"
        workers = torch.get_num_threads() if is_cpu else 1
        stop = threading.Event()

        def work() -> None:
            if is_cpu:
                torch.set_num_threads(1)  # of this worker; those of other threads stay as they are
            taken: list[int] = []
            for row in generate(
                self._decoder,
                self._encoded(segments, taken),
                rows=self._rows,
                max_steps=self._network.config.max_steps,
                allowed=allowed,
                on_step=lambda: _raise_if(stop),
            ):
                written[taken[row.segment]] = row

        with ThreadPoolExecutor(workers, thread_name_prefix="decoding") as pool:
            running = {pool.submit(work) for _ in range(workers)}
            try:
                while running:
                    done, running = wait(running, LOOK_EVERY_S, "FIRST_EXCEPTION")
                    for future in done:
                        future.result()
                    on_fraction(segments.fraction(len(written)))
            finally:
                stop.set()

    @torch.inference_mode()
    def _encoded(self, segments: "_Segments", taken: list[int]) -> Iterator[Tensor]:
        """Yield encoded batches; note in `taken` which segments they are."""
        most = min(self._rows, CPU_ENCODE if self._device.type == "cpu" else GPU_ENCODE)
        while batch := segments.take(most):
            taken += [segment.index for segment in batch]
            yield self._network.encode(self._features_of(batch))

    def _in_order(
        self,
        network: MrMt3,
        segments: "_Segments",
        written: dict[int, WrittenTokens],
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
                on_step=lambda: on_fraction(segments.fraction(len(written))),
            )
            written[index] = row
        on_fraction(1.0)

    def _features_of(self, batch: "list[_Segment]") -> Tensor:
        audio = torch.from_numpy(np.stack([segment.audio for segment in batch])).to(self._device)
        frames = torch.tensor([segment.frames for segment in batch], device=self._device)
        features: Tensor = self._features(audio, frames)
        if self._model.family is Family.MR_MT3:
            return scaled_for_mr_mt3(features, frames)
        return features


class _Segments:
    """Cuts a source into segments, a few at a time, for several workers.

    Leaves out those that are written already, and notes in `silent` those without sound.
    """

    def __init__(
        self, source: AudioSource, segment_frames: int, *, without: Collection[int] = ()
    ) -> None:
        samples = source.duration_s * SAMPLE_RATE_HZ
        self._about = max(1, frame_count(int(samples)) // segment_frames)
        self.silent: list[int] = []
        self._left = self._with_sound(_cut(source.blocks(SAMPLE_RATE_HZ), segment_frames), without)
        self._lock = threading.Lock()

    def take(self, most: int) -> list[_Segment]:
        """Return the next segments in order, none at the end."""
        with self._lock:
            return [segment for _, segment in zip(range(most), self._left, strict=False)]

    def fraction(self, written: int) -> float:
        """Return how much of the file `written` segments and the silent ones so far are."""
        return min(1.0, (written + len(self.silent)) / self._about)

    def _with_sound(
        self, segments: Iterator[_Segment], without: Collection[int]
    ) -> Iterator[_Segment]:
        known = frozenset(without)
        for segment in segments:
            if segment.index in known:
                continue
            if np.abs(segment.audio).max() <= SILENCE:
                self.silent.append(segment.index)
            else:
                yield segment


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
