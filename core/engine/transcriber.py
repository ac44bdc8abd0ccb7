"""One audio file to the notes in it: `Transcriber.transcribe` is the main path of the engine."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from core.audio.read import AudioScan, scan_audio, stream_mono
from core.engine.built_in import (
    SAMPLE_RATE_HZ,
    DrumListener,
    PitchListener,
    drum_gain,
    pitch_gain,
)
from core.engine.device import choose_device
from core.engine.heard import HeardStem, Posteriors, tracks_from
from core.engine.model_set import model_named
from core.engine.options import AUTO_MODEL, Device
from core.engine.progress import CancelToken, OnProgress, Progress
from core.engine.stem_listening import kind_from_posteriors
from core.score.instruments import StemKind, kind_from_name
from core.score.transcription import Source

LISTENING_S = 60.0  # this much of a file tells what kind of stem it is

_log = logging.getLogger(__name__)


class Transcriber:
    """A model on a device, loaded at its first file and kept warm for the next ones."""

    def __init__(self, model: str = AUTO_MODEL, device: Device = Device.AUTO) -> None:
        self.model = model_named(model)
        self.device = choose_device(device)
        self._pitch: PitchListener | None = None
        self._drums: DrumListener | None = None

    def transcribe(
        self,
        path: Path,
        *,
        kind: StemKind | None = None,
        on_progress: OnProgress,
        cancel: CancelToken,
    ) -> HeardStem:
        """Return the notes of one audio file.

        `kind` None means: from the file name, else by listening to the first minute.

        Raises:
            AudioReadError: the file cannot be used.
            CancelledError: `cancel` was set.
        """
        started_s = time.monotonic()
        cancel.raise_if_set()
        scan = scan_audio(path, on_fraction=lambda _: cancel.raise_if_set())
        kind, found_by = self._kind_of(scan, kind, cancel)
        posteriors = self._hear(scan, kind, _reporter(scan, kind, on_progress, cancel))
        tracks = tracks_from(posteriors, kind)
        source = Source(path.name, scan.duration_s, kind, self.model.id, self.device.name)
        elapsed_s = time.monotonic() - started_s
        _log.info("%s: %s in %.1f s on %s", path.name, kind, elapsed_s, self.device.name)
        return HeardStem(path, source, tracks, found_by, self.device.reason, elapsed_s, posteriors)

    def _kind_of(
        self, scan: AudioScan, wanted: StemKind | None, cancel: CancelToken
    ) -> tuple[StemKind, str]:
        if wanted is not None:
            return wanted, "chosen"
        named = kind_from_name(scan.path.stem)
        if named is not None:
            return named, "file name"
        heard = self._hear(scan, StemKind.MIX, lambda _: cancel.raise_if_set(), until_s=LISTENING_S)
        assert heard.pitch is not None
        assert heard.drums is not None
        return kind_from_posteriors(heard.pitch, heard.drums), "listening"

    def _hear(
        self,
        scan: AudioScan,
        kind: StemKind,
        on_done_s: Callable[[float], None],
        *,
        until_s: float | None = None,
    ) -> Posteriors:
        """Ask the networks that suit the kind; `on_done_s` counts seconds of audio over both."""
        heard_s = min(scan.duration_s, until_s or scan.duration_s)
        drums = pitch = None
        if kind in (StemKind.DRUMS, StemKind.MIX):
            blocks = stream_mono(scan.path, SAMPLE_RATE_HZ, until_s=until_s)
            listener = self._drums = self._drums or DrumListener(
                self.model.drum_weights, device=self.device.name
            )
            drums = listener.posteriors(
                blocks, gain=drum_gain(scan.peak), on_seconds_done=on_done_s
            )
        if kind is not StemKind.DRUMS:
            before_s = heard_s if drums is not None else 0.0
            blocks = stream_mono(scan.path, SAMPLE_RATE_HZ, until_s=until_s)
            ears = self._pitch = self._pitch or PitchListener(
                self.model.pitch_weights, device=self.device.name
            )
            pitch = ears.posteriors(
                blocks,
                gain=pitch_gain(scan.level_p95),
                on_seconds_done=lambda done_s: on_done_s(before_s + done_s),
            )
        return Posteriors(pitch, drums)


def _reporter(
    scan: AudioScan, kind: StemKind, on_progress: OnProgress, cancel: CancelToken
) -> Callable[[float], None]:
    """Turn seconds heard, over all networks, into Progress in seconds of the file."""
    networks = 2 if kind is StemKind.MIX else 1
    started_s = time.monotonic()

    def report(done_s: float) -> None:
        cancel.raise_if_set()
        elapsed_s = time.monotonic() - started_s
        on_progress(Progress("transcribing", done_s / networks, scan.duration_s, elapsed_s))

    return report
