"""One audio file to the notes in it: `Transcriber.transcribe` is the main path of the engine."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from core.audio.clip import AudioClip
from core.audio.read import scan_audio
from core.audio.source import AudioSource, FileSource, clip_source
from core.codec.bends import Bends, may_bend
from core.engine.device import choose_device, is_out_of_memory
from core.engine.heard import HeardStem, Posteriors
from core.engine.listeners import BuiltInListener, Listener
from core.engine.model_choice import check_model, choose_model
from core.engine.model_set import BUILT_IN, TOKEN_MODELS
from core.engine.note_choice import AS_USUAL, NoteChoice, chosen_tracks
from core.engine.options import (
    AUTO_MODEL,
    GREEDY,
    ChosenDevice,
    Device,
    Precision,
    Sampling,
)
from core.engine.pitch_hearing import candidates_in
from core.engine.progress import CancelToken, OnNotes, OnProgress, Progress
from core.engine.stem_listening import kind_from_posteriors
from core.errors import TranscriptionFailedError
from core.score.instruments import StemKind, kind_from_name
from core.score.transcription import Source

LISTENING_S = 60.0  # this much of a file tells what kind of stem it is

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Transcriber:
    """A model on a device, loaded at its first file and kept warm for the next ones.

    `checkpoints` says where the weights of installed models lie, by id; the built-in ones need no
    entry. With the model `auto` each kind of stem gets the best of them. Beside the built-in
    networks, which are small, one model is held in memory at a time. `notes` says how
    notes are taken from what a model said. With `keeps_pitch` the pitch between the keys is heard
    where one voice may sound, even if no bends are asked for, so that they can be later.
    """

    def __init__(  # noqa: PLR0913 (each is asked for by a caller)
        self,
        model: str = AUTO_MODEL,
        device: Device = Device.AUTO,
        *,
        checkpoints: Mapping[str, Path] | None = None,
        precision: Precision = Precision.AUTO,
        notes: NoteChoice = AS_USUAL,
        sampling: Sampling = GREEDY,
        keeps_pitch: bool = False,
    ) -> None:
        """Check that the model can be had; raises ModelMissingError if not."""
        self._checkpoints = dict(checkpoints or {})
        check_model(model, self._checkpoints)
        self.model = model
        self.device = choose_device(device)
        self._precision = precision
        self._notes = notes
        self._sampling = sampling
        self._hears_pitch = keeps_pitch or notes.bends is not Bends.OFF
        self._built_in = BuiltInListener(self.device.name)
        self._resident: tuple[str, Listener] | None = None

    def transcribe(
        self,
        path: Path,
        *,
        kind: StemKind | None = None,
        on_progress: OnProgress,
        cancel: CancelToken,
        on_notes: OnNotes | None = None,
    ) -> HeardStem:
        """Return the notes of one audio file.

        `kind` None means: from the file name, else by listening to the first minute. `on_notes`
        gets notes as they are found, before they are repaired.

        Raises:
            AudioReadError: the file cannot be used.
            ModelBrokenError: the model's weights cannot be.
            CancelledError: `cancel` was set.
        """
        started_s = time.monotonic()
        cancel.raise_if_set()
        scan = scan_audio(path, on_fraction=lambda _: cancel.raise_if_set())
        return self._heard(FileSource(scan), kind, on_progress, cancel, started_s, on_notes)

    def transcribe_clip(
        self,
        clip: AudioClip,
        *,
        kind: StemKind | None = None,
        on_progress: OnProgress,
        cancel: CancelToken,
    ) -> HeardStem:
        """Return the notes of samples in memory; otherwise as `transcribe`."""
        started_s = time.monotonic()
        return self._heard(clip_source(clip), kind, on_progress, cancel, started_s, None)

    def _heard(
        self,
        source: AudioSource,
        wanted: StemKind | None,
        on_progress: OnProgress,
        cancel: CancelToken,
        started_s: float,
        on_notes: OnNotes | None,
    ) -> HeardStem:
        kind, kind_found_by = self._where_it_fits(lambda: self._kind_of(source, wanted, cancel))
        choice = choose_model(self.model, kind, self._checkpoints)

        def listen() -> Posteriors:
            listener = self._listener(choice.model_id)
            report = _reporter(source.duration_s, on_progress, cancel)
            return listener.listen(source, kind, report, on_notes=on_notes)

        heard = self._where_it_fits(listen)
        if self._hears_pitch and may_bend(kind):
            candidates = candidates_in(source, on_seconds_done=lambda _: cancel.raise_if_set())
            heard = replace(heard, candidates=candidates)
        tracks = chosen_tracks(heard, kind, self._notes)
        device = self.device
        elapsed_s = time.monotonic() - started_s
        _log.info(
            "%s: %s by %s in %.1f s on %s",
            source.path.name, kind, choice.model_id, elapsed_s, device.name,
        )  # fmt: skip
        return HeardStem(
            path=source.path,
            source=Source(source.path.name, source.duration_s, kind, choice.model_id, device.name),
            tracks=tracks,
            kind_found_by=kind_found_by,
            model_reason=choice.reason,
            device_reason=device.reason,
            elapsed_s=elapsed_s,
            posteriors=heard,
        )

    def _kind_of(
        self, source: AudioSource, wanted: StemKind | None, cancel: CancelToken
    ) -> tuple[StemKind, str]:
        if wanted is not None:
            return wanted, "chosen"
        named = kind_from_name(source.path.stem)
        if named is not None:
            return named, "file name"
        heard = self._built_in.listen(
            source, StemKind.MIX, lambda _: cancel.raise_if_set(), until_s=LISTENING_S
        )
        assert heard.pitch is not None
        assert heard.drums is not None
        return kind_from_posteriors(heard.pitch, heard.drums), "listening"

    def _where_it_fits(self, work: Callable[[], T]) -> T:
        """Do the work; once more on the CPU if the GPU's memory is too small for it.

        Raises:
            TranscriptionFailedError: the computer's memory is too small as well.
        """
        try:
            return work()
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            if self.device.name == "cpu":
                raise TranscriptionFailedError(
                    "This computer ran out of memory.",
                    "Close other programs, or choose the built-in model, and try again.",
                ) from error
        _log.warning("out of memory on %s: going on on the CPU", self.device.name)
        self.device = ChosenDevice("cpu", "the GPU ran out of memory")
        self._built_in = BuiltInListener(self.device.name)
        self._resident = None
        return self._where_it_fits(work)

    def _listener(self, model_id: str) -> Listener:
        """Return the model ready to listen; the one held before leaves memory first."""
        if model_id == BUILT_IN.id:
            return self._built_in
        if self._resident is None or self._resident[0] != model_id:
            self._resident = None
            from core.engine.loading import load_listener  # transformers loads slowly

            listener = load_listener(
                TOKEN_MODELS[model_id],
                self._checkpoints[model_id],
                self.device,
                precision=self._precision,
                sampling=self._sampling,
            )
            self._resident = (model_id, listener)
        return self._resident[1]


def _reporter(
    total_s: float, on_progress: OnProgress, cancel: CancelToken
) -> Callable[[float], None]:
    """Turn fractions of the work into Progress in seconds of the file."""
    started_s = time.monotonic()

    def report(fraction: float) -> None:
        cancel.raise_if_set()
        elapsed_s = time.monotonic() - started_s
        on_progress(Progress("transcribing", fraction * total_s, total_s, elapsed_s))

    return report
