"""Hears where the pitch of one-voiced stems goes between the keys."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from core.audio.clip import Samples
from core.audio.source import AudioSource
from core.codec.contours import PitchCandidates
from core.features.pitch_track import (
    CANDIDATES,
    FRAMES_PER_S,
    HOP_SAMPLES,
    LOWEST_PITCH,
    OCTAVES,
    SAMPLE_RATE_HZ,
    PitchTracker,
)

SEGMENT_FRAMES = 512  # what is at hand stays small enough for the caches of a CPU


def candidates_in(
    source: AudioSource,
    *,
    on_seconds_done: Callable[[float], None] = lambda _: None,
) -> PitchCandidates:
    """Listen to the whole source; what `on_seconds_done` raises ends it."""
    tracker = PitchTracker()
    pitch, strength = [], []
    with torch.inference_mode():
        for number, segment in enumerate(_segments(source)):
            found = tracker(torch.from_numpy(segment)).numpy()
            pitch.append(found[..., 0])
            strength.append(found[..., 1].astype(np.float16))
            on_seconds_done((number + 1) * SEGMENT_FRAMES / FRAMES_PER_S)
    if not pitch:
        pitch = [np.zeros((0, OCTAVES, CANDIDATES), np.float32)]
        strength = [np.zeros((0, OCTAVES, CANDIDATES), np.float16)]
    return PitchCandidates(
        np.concatenate(pitch), np.concatenate(strength), FRAMES_PER_S, LOWEST_PITCH
    )


def _segments(source: AudioSource) -> Iterator[Samples]:
    """Cut the source into segments of SEGMENT_FRAMES frames, with what is heard around them."""
    context = PitchTracker.CONTEXT_SAMPLES
    step = SEGMENT_FRAMES * HOP_SAMPLES
    wanted = step - HOP_SAMPLES + 2 * context
    held = np.zeros(context, np.float32)
    for block in source.blocks(SAMPLE_RATE_HZ):
        held = np.concatenate([held, block])
        while len(held) >= wanted:
            yield held[:wanted]
            held = held[step:]
    if len(held) > context:
        yield np.concatenate([held, np.zeros(context, np.float32)])
