"""Listeners: a model on a device, asked what is in a source of sound."""

from collections.abc import Callable
from typing import Protocol

from core.audio.source import AudioSource
from core.engine.built_in import (
    SAMPLE_RATE_HZ,
    DrumListener,
    PitchListener,
    drum_gain,
    pitch_gain,
)
from core.engine.heard import Posteriors
from core.engine.model_set import BUILT_IN
from core.score.instruments import StemKind

OnFraction = Callable[[float], None]


class Listener(Protocol):
    """What the transcriber needs of a model."""

    def listen(self, source: AudioSource, kind: StemKind, on_fraction: OnFraction) -> Posteriors:
        """Hear the whole source; what `on_fraction` (0..1 of the work) raises ends it."""
        ...


class BuiltInListener:
    """The built-in networks, each loaded when first asked."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._pitch: PitchListener | None = None
        self._drums: DrumListener | None = None

    def listen(
        self,
        source: AudioSource,
        kind: StemKind,
        on_fraction: OnFraction,
        *,
        until_s: float | None = None,
    ) -> Posteriors:
        """Ask the networks that suit the kind about the first `until_s` seconds, or all."""
        heard_s = min(source.duration_s, until_s or source.duration_s)
        networks = 2 if kind is StemKind.MIX else 1
        drums = pitch = None
        if kind in (StemKind.DRUMS, StemKind.MIX):
            self._drums = self._drums or DrumListener(BUILT_IN.drum_weights, device=self._device)
            drums = self._drums.posteriors(
                source.blocks(SAMPLE_RATE_HZ, until_s=until_s),
                gain=drum_gain(source.peak),
                on_seconds_done=lambda done_s: on_fraction(done_s / heard_s / networks),
            )
        if kind is not StemKind.DRUMS:
            before = (networks - 1) / networks
            self._pitch = self._pitch or PitchListener(BUILT_IN.pitch_weights, device=self._device)
            pitch = self._pitch.posteriors(
                source.blocks(SAMPLE_RATE_HZ, until_s=until_s),
                gain=pitch_gain(source.level_p95),
                on_seconds_done=lambda done_s: on_fraction(before + done_s / heard_s / networks),
            )
        return Posteriors(pitch, drums)
