"""The built-in models over long files: blocks of audio in, posteriors out, memory flat.

Audio is cut into segments that overlap by what the networks can see, so that neither the segment
borders nor the caller's block lengths change the result.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.codec.families import PackedFamilies, packed
from core.codec.posteriors_to_notes import DRUM_KEYS, DrumPosteriors, PitchPosteriors
from core.codec.struck_keys import StruckKeys, joined
from core.engine.growing_posteriors import GrowingPosteriors
from core.engine.heap import keep_freed_memory
from core.engine.note_hearing import NoteHearing, NoteWeights
from core.features import logmel, vqt
from core.features.tuning import tuning_of
from core.models import drum_net, family_head, stem_net
from core.models.checkpoint import fold_norms, load_weights

SAMPLE_RATE_HZ = vqt.SAMPLE_RATE_HZ
PITCH_LEVEL = 0.7  # where the 95th percentile of the 0.1 s peaks is brought for the pitch network
DRUM_LEVEL = 0.9  # where the highest peak is brought for the drum network
QUIETEST_LEVEL = 1e-6  # below this a file counts as silent and is not amplified without end
OPENING_S = 30.0  # how much tells the tuning
LEAST_AGREEMENT, LEAST_DETUNING_CENTS = 0.3, 10.0  # singers slide, and 10 cents harm nobody
LONG_WINDOWS = vqt.WINDOW_SETS.index(vqt.LONG_WINDOWS)
# Families are told per block of frames, and blocks begin where segments do.
PITCH_CONTEXT_FRAMES = -(-stem_net.CONTEXT_FRAMES // family_head.BLOCK_FRAMES) * (
    family_head.BLOCK_FRAMES
)
ANSWERS = 3  # of the pitch network: onset, frame, velocity; the rest are families
SEGMENT_S = 8.0  # on_seconds_done is called at least this often

Block = npt.NDArray[np.float32]
OnSecondsDone = Callable[[float], None]
OnPitchHeard = Callable[[PitchPosteriors, float], None]
OnDrumsHeard = Callable[[DrumPosteriors, float], None]
Posteriors = npt.NDArray[np.float16]

_log = logging.getLogger(__name__)


def pitch_gain(level_p95: float) -> float:
    """Return the gain for PitchListener from the 95th percentile of a file's 0.1 s peaks."""
    return PITCH_LEVEL / max(level_p95, QUIETEST_LEVEL)


def drum_gain(peak: float) -> float:
    """Return the gain for DrumListener from a file's highest absolute sample."""
    return DRUM_LEVEL / max(peak, QUIETEST_LEVEL)


class PitchListener:
    """Hears which keys are struck, sound, how loud, and on what family of instruments."""

    def __init__(
        self,
        weights: Path,
        note_weights: NoteWeights | None = None,
        *,
        device: str = "cpu",
        threads: int | None = None,
        network: family_head.StemAndFamilies | None = None,
    ) -> None:
        """Load the weights into the released network, or into another one that they are for.

        With `note_weights` each onset is looked at closely as well: who plays it is told better.
        """
        self._device = device
        self._features = vqt.DualWindowVqt().to(device)
        self._hearing = _Hearing(
            _ready(network or family_head.StemAndFamilies(), weights, device),
            _Framing(vqt.HOP_SAMPLES, vqt.CONTEXT_SAMPLES, PITCH_CONTEXT_FRAMES),
            workers=_workers(device, threads),
            notes=NoteHearing(note_weights, device=device) if note_weights else None,
        )

    def posteriors(
        self,
        blocks: Iterable[Block],
        *,
        gain: float,
        on_seconds_done: OnSecondsDone,
        on_heard: OnPitchHeard | None = None,
    ) -> PitchPosteriors:
        """Listen to blocks [sample] at SAMPLE_RATE_HZ, of any lengths, to their end.

        They are mono, or [sample, 2] with what stands apart beside the mono mix: who plays is told
        better then. `on_seconds_done` gets the seconds of audio behind us; what it raises ends the
        listening. Before it `on_heard` gets what was heard since, and from which second on.
        """
        answers = GrowingPosteriors(ANSWERS, stem_net.PITCHES, dtype=np.float16)
        families = GrowingPosteriors(family_head.ROWS, stem_net.PITCHES, dtype=np.uint8)
        struck: list[StruckKeys] = []
        starts_frames: list[int] = []

        def tell(heard_segment: _Heard, end_s: float) -> None:
            segment = heard_segment.posteriors
            if heard_segment.struck is not None:
                struck.append(heard_segment.struck)
                starts_frames.append(answers.frames)
            answers.append(segment[:ANSWERS])
            families.append(packed(segment[ANSWERS:]))
            if on_heard is not None:
                heard = _of_pitch(segment[:ANSWERS], packed(segment[ANSWERS:]))
                on_heard(heard, end_s - segment.shape[1] / vqt.FRAMES_PER_S)
            on_seconds_done(end_s)

        opening, blocks = _opening_of(blocks)
        self._hearing.listen(self._features_for(opening[:, 0], gain), blocks, gain, tell)
        of_keys = joined(struck, starts_frames) if self._hearing.looks_closely else None
        return _of_pitch(answers.whole(), families.whole(), of_keys)

    @torch.inference_mode()
    def _features_for(self, opening: Block, gain: float) -> vqt.DualWindowVqt:
        """Return features in the tuning of the music, where that is clear and far from 440 Hz."""
        if len(opening) < vqt.HOP_SAMPLES:
            return self._features
        audio = torch.from_numpy(opening * np.float32(gain))[None].to(self._device)
        tuning = tuning_of(self._features(audio)[0, LONG_WINDOWS].cpu().numpy())
        if tuning.agreement < LEAST_AGREEMENT or abs(tuning.cents) < LEAST_DETUNING_CENTS:
            return self._features
        _log.info("the music is tuned %+.0f cents from A4 = 440 Hz", tuning.cents)
        return vqt.DualWindowVqt(tuning.cents).to(self._device)


class DrumListener:
    """Hears which drums are struck and how hard."""

    def __init__(self, weights: Path, *, device: str = "cpu", threads: int | None = None) -> None:
        self._features = logmel.DualWindowMel().to(device)
        self._hearing = _Hearing(
            _ready(drum_net.DrumNet(), weights, device),
            _Framing(logmel.HOP_SAMPLES, logmel.CONTEXT_SAMPLES, drum_net.CONTEXT_FRAMES),
            workers=_workers(device, threads),
        )

    def posteriors(
        self,
        blocks: Iterable[Block],
        *,
        gain: float,
        on_seconds_done: OnSecondsDone,
        on_heard: OnDrumsHeard | None = None,
    ) -> DrumPosteriors:
        """Listen to mono blocks [sample] at SAMPLE_RATE_HZ, of any lengths, to their end.

        `on_seconds_done` gets the seconds of audio behind us; what it raises ends the listening.
        Before it `on_heard` gets what was heard since, and from which second on.
        """
        answers = GrowingPosteriors(2 * drum_net.DRUM_CLASSES, dtype=np.float16)

        def tell(heard_segment: _Heard, end_s: float) -> None:
            segment = heard_segment.posteriors
            answers.append(segment)
            if on_heard is not None:
                on_heard(_of_drums(segment), end_s - segment.shape[1] / logmel.FRAMES_PER_S)
            on_seconds_done(end_s)

        self._hearing.listen(self._features, blocks, gain, tell)
        return _of_drums(answers.whole())


class _Features(Protocol):
    def levels_of_padded(self, padded: Tensor, frames: int) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class _Framing:
    """How audio becomes frames, and how far features and network look past a frame."""

    hop_samples: int
    context_samples: int
    context_frames: int

    @property
    def segment_frames(self) -> int:
        return int(SEGMENT_S * SAMPLE_RATE_HZ) // self.hop_samples


@dataclass(frozen=True, slots=True)
class _Segment:
    """Frames to hear, with the audio they and their context frames need.

    `audio` [sample, channel] starts framing.context_samples before the centre of the first
    context frame.
    """

    audio: Block
    frames: int
    end_s: float


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a segment says: [output, frame, ...], and of its onsets if they were looked at."""

    posteriors: Posteriors
    struck: StruckKeys | None


class _Hearing:
    """A network over the features of a stream of blocks.

    Segments are independent, so each worker hears one on a single torch thread: threads that split
    every layer wait for each other at its end, which is ruinous on a busy machine.
    """

    def __init__(
        self,
        network: nn.Module,
        framing: _Framing,
        *,
        workers: int,
        notes: NoteHearing | None = None,
    ) -> None:
        self._network = network
        self._notes = notes
        self._framing = framing
        self._workers = workers
        weights = next(network.parameters())
        self._dtype, self._device = weights.dtype, weights.device

    @property
    def looks_closely(self) -> bool:
        return self._notes is not None

    def listen(
        self,
        features: _Features,
        blocks: Iterable[Block],
        gain: float,
        tell: Callable[[_Heard, float], None],
    ) -> None:
        """Tell posteriors segment by segment: [output, frame, pitch] or [output, frame].

        `tell` gets each in order, and the second at which it ends.
        """
        waiting: deque[tuple[Future[_Heard], float]] = deque()
        if self._device.type == "cpu":
            keep_freed_memory()

        def collect() -> None:
            future, end_s = waiting.popleft()
            tell(future.result(), end_s)

        with ThreadPoolExecutor(self._workers, thread_name_prefix="hearing") as pool:
            for segment in _segments(map(_in_columns, blocks), self._framing):
                future = pool.submit(self._one_segment, features, segment, gain)
                waiting.append((future, segment.end_s))
                if len(waiting) > self._workers:
                    collect()
            while waiting:
                collect()

    def _one_segment(self, features: _Features, segment: _Segment, gain: float) -> _Heard:
        torch.set_num_threads(1)  # of this worker; those of other threads stay as they are
        return self._heard(features, segment, gain)

    @torch.inference_mode()
    def _heard(self, features: _Features, segment: _Segment, gain: float) -> _Heard:
        channels = np.ascontiguousarray(segment.audio.T) * np.float32(gain)
        padded = torch.from_numpy(channels).to(self._device)
        around_frames = self._framing.context_frames
        frames = around_frames + segment.frames + around_frames
        levels = features.levels_of_padded(padded, frames)
        seen = levels[:1].to(self._dtype).contiguous(memory_format=torch.channels_last)
        logits = self._network(seen)[0]
        wanted = logits[:, around_frames : around_frames + segment.frames]
        halves: Posteriors = torch.sigmoid(wanted.float()).half().cpu().numpy()
        if self._notes is None:
            return _Heard(halves, None)
        struck = self._notes.opinions(levels, halves[0], first_frame=around_frames)
        return _Heard(halves, struck)


def _opening_of(blocks: Iterable[Block]) -> tuple[Block, Iterable[Block]]:
    """Return the first OPENING_S [sample, channel], and all blocks as if none had been taken."""
    coming = map(_in_columns, blocks)
    wanted, taken = int(OPENING_S * SAMPLE_RATE_HZ), list[Block]()
    for block in coming:
        taken.append(block)
        if sum(map(len, taken)) >= wanted:
            break
    opening = np.concatenate(taken)[:wanted] if taken else np.zeros((0, 1), np.float32)
    return opening, chain(taken, coming)


def _in_columns(block: Block) -> Block:
    """Return a block as [sample, channel]."""
    return block[:, None] if block.ndim == 1 else block


def _of_pitch(
    answers: Posteriors, families: PackedFamilies, struck: StruckKeys | None = None
) -> PitchPosteriors:
    """Name the outputs of the pitch network [output, frame, pitch]."""
    onset, frame, velocity = answers
    return PitchPosteriors(
        onset,
        frame,
        velocity,
        vqt.FRAMES_PER_S,
        stem_net.LOWEST_PITCH,
        family=families,
        struck=struck,
    )


def _of_drums(rows: Posteriors) -> DrumPosteriors:
    """Name the outputs of the drum network [output, frame]: onsets, then velocities."""
    onset, velocity = rows[: drum_net.DRUM_CLASSES].T, rows[drum_net.DRUM_CLASSES :].T
    return DrumPosteriors(onset, velocity, logmel.FRAMES_PER_S, DRUM_KEYS)


def _segments(blocks: Iterable[Block], framing: _Framing) -> Iterator[_Segment]:
    """Cut a stream of blocks [sample, channel]; holds little more than one segment of audio."""
    hop, context = framing.hop_samples, framing.context_samples
    coming = iter(blocks)
    first = next(coming, np.zeros((0, 1), np.float32))
    channels = first.shape[1]
    # Silence before and after the file, as much as the networks can see: without it they take the
    # first sound for one that sounded before, and a note on beat 1 of bar 1 is lost.
    silence = np.zeros((context + framing.context_frames * hop, channels), np.float32)
    held = silence
    held_from = -len(silence)
    first_frame = 0
    for block in chain([first], coming):
        held = np.concatenate([held, block])
        while True:
            seen_frames = first_frame + framing.segment_frames + framing.context_frames
            if held_from + len(held) < seen_frames * hop + context:
                break
            yield _segment(
                held, held_from, framing, first_frame=first_frame, all_frames=seen_frames
            )
            first_frame += framing.segment_frames
            keep_from = (first_frame - framing.context_frames) * hop - context
            if keep_from > held_from:
                held, held_from = held[keep_from - held_from :], keep_from
    all_frames = (held_from + len(held)) // hop
    held = np.concatenate([held, silence, np.zeros((hop, channels), np.float32)])
    while first_frame < all_frames:
        yield _segment(held, held_from, framing, first_frame=first_frame, all_frames=all_frames)
        first_frame += framing.segment_frames


def _segment(
    held: Block, held_from: int, framing: _Framing, *, first_frame: int, all_frames: int
) -> _Segment:
    """Return the segment of up to `all_frames` at `first_frame`, with context on both sides."""
    hop, context = framing.hop_samples, framing.context_samples
    around_frames = framing.context_frames
    frames = min(framing.segment_frames, all_frames - first_frame)
    first_sample = (first_frame - around_frames) * hop - context
    end_sample = (first_frame + frames + around_frames) * hop + context
    return _Segment(
        audio=held[first_sample - held_from : end_sample - held_from],
        frames=frames,
        end_s=(first_frame + frames) * hop / SAMPLE_RATE_HZ,
    )


def _ready(network: nn.Module, weights: Path, device: str) -> nn.Module:
    """Return the network on `device`, filled, folded and in the number format that is fastest."""
    load_weights(network, weights)
    dtype = _fastest_cpu_dtype() if device == "cpu" else torch.float32
    network = fold_norms(network).to(device=device, dtype=dtype)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]  # the stub lacks this form


def _workers(device: str, threads: int | None) -> int:
    """Return how many segments are heard side by side; a GPU takes them one after another."""
    return (threads or torch.get_num_threads()) if device == "cpu" else 1


def _fastest_cpu_dtype() -> torch.dtype:
    """Return bf16 where the CPU multiplies it in hardware; emulated, it is slower than f32."""
    has_bfloat16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if has_bfloat16 else torch.float32
