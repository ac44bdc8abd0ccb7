"""The models from Python, in the shape that users of mt3-infer know; `from core import ...`.

>>> from core import load_model
>>> model = load_model("mt3_pytorch", device="auto", auto_download=True)
>>> model.transcribe(samples, sr=16_000).save("song.mid")
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.audio.clip import AudioClip
from core.engine.heard import HeardStem
from core.engine.note_choice import AS_USUAL, NoteChoice
from core.engine.options import GREEDY, Device, Precision, Sampling
from core.engine.progress import CancelToken, Progress
from core.engine.transcriber import Transcriber
from core.errors import ModelMissingError
from core.midi.write import DEFAULT_OPTIONS, MidiOptions, write_midi
from core.model_manager.catalog import AUTO_ID, BUILT_IN_ID, CatalogEntry, the_catalog
from core.model_manager.download import download_model as download_into
from core.model_manager.progress import DownloadProgress
from core.model_manager.store import Store, default_store
from core.rhythm.estimate import estimate_tempo
from core.score.instruments import StemKind
from core.score.transcription import Transcription
from core.song import song_from

Audio = npt.NDArray[np.float32] | npt.NDArray[np.float64] | Path | str


@dataclass(frozen=True, slots=True)
class SavableTranscription(Transcription):
    """A transcription that writes itself, as the MIDI files of other tools do."""

    def save(self, path: Path | str, options: MidiOptions = DEFAULT_OPTIONS) -> Path:
        """Write one type-1 MIDI file with tempo, meter, key and a named track per instrument.

        `options` say among others how far the synth's wheel bends, or that it plays MPE.

        Raises:
            ExportError: the file cannot be written.
        """
        return write_midi(self, Path(path), options)


class LoadedModel:
    """A model that stays in memory between transcriptions."""

    def __init__(self, transcriber: Transcriber) -> None:
        self._transcriber = transcriber

    @property
    def model_id(self) -> str:
        return self._transcriber.model

    @property
    def device(self) -> str:
        """Where it runs, as torch names it."""
        return self._transcriber.device.name

    def transcribe(
        self,
        audio: Audio,
        sr: int = 16_000,
        *,
        kind: StemKind | str | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> SavableTranscription:
        """Return the notes in samples [sample] or [sample, channel] at `sr` Hz, or in a file.

        `kind` is what the audio holds ("drums", "bass", ... "mix"); None is found by listening.

        Raises:
            AudioReadError: there is no usable sound in it.
            CancelledError: `cancel` was set.
        """
        heard = self._heard(
            audio,
            sr,
            None if kind is None else StemKind(kind),
            on_progress or _nobody_listens,
            cancel or CancelToken(),
        )
        files = [heard.path] if heard.path.is_file() else []  # listened to if notes do not tell
        tempo = estimate_tempo(files, heard.tracks, cancel=cancel)
        song = song_from([heard], tempo)
        return SavableTranscription(song.tracks, song.tempo, song.key, song.sources)

    def _heard(
        self,
        audio: Audio,
        sr: int,
        kind: StemKind | None,
        on_progress: Callable[[Progress], None],
        cancel: CancelToken,
    ) -> HeardStem:
        if isinstance(audio, (str, Path)):
            return self._transcriber.transcribe(
                Path(audio), kind=kind, on_progress=on_progress, cancel=cancel
            )
        samples = np.asarray(audio, np.float32)
        clip = AudioClip(samples[:, None] if samples.ndim == 1 else samples, sr)
        return self._transcriber.transcribe_clip(
            clip, kind=kind, on_progress=on_progress, cancel=cancel
        )


def list_models() -> tuple[CatalogEntry, ...]:
    """Return every model that can be had, the built-in one first."""
    return the_catalog().entries


def download_model(
    model: str = "default",
    *,
    store: Store | None = None,
    on_progress: Callable[[DownloadProgress], None] | None = None,
    cancel: CancelToken | None = None,
) -> Path:
    """Download, verify and keep a model; return where its weights lie. What is here stays.

    Raises:
        ModelMissingError: there is no such model, or the download failed.
        ModelBrokenError: what came is not what was published.
    """
    entry = the_catalog().entry(model)
    if entry.is_built_in:
        raise ModelMissingError(f"'{entry.id}' comes with Notewright.", "There is nothing to get.")
    return download_into(entry, store or default_store(), on_progress=on_progress, cancel=cancel)


def load_model(  # noqa: PLR0913 (each is asked for by a caller)
    model: str = "default",
    *,
    device: str = "auto",
    auto_download: bool = True,
    checkpoint_path: Path | str | None = None,
    precision: Precision | str = Precision.AUTO,
    notes: NoteChoice = AS_USUAL,
    sampling: Sampling = GREEDY,
) -> LoadedModel:
    """Return a model ready to transcribe; `auto` takes the best installed one for each stem.

    `checkpoint_path` takes the weights from there instead of from the store. `notes` says how
    notes are taken from what the model said: how weak, how short, how readily split.
    `sampling` lets such models draw their notes; by default they take the likeliest.

    Raises:
        ModelMissingError: it is not here and may not or cannot be downloaded.
        TranscriptionFailedError: this machine lacks the device.
    """
    model_id = the_catalog().model_id(model)
    store = default_store()
    if checkpoint_path is None and auto_download and model_id not in (AUTO_ID, BUILT_IN_ID):
        download_model(model_id, store=store)
    checkpoints = store.installed_checkpoints()
    if checkpoint_path is not None:
        checkpoints[model_id] = Path(checkpoint_path)
    return LoadedModel(
        Transcriber(
            model_id,
            Device(device),
            checkpoints=checkpoints,
            precision=Precision(precision),
            notes=notes,
            sampling=sampling,
        )
    )


def transcribe(
    audio: Audio, sr: int = 16_000, *, model: str = "default", device: str = "auto"
) -> SavableTranscription:
    """Return the notes of one recording; to transcribe several, keep a `load_model`."""
    return load_model(model, device=device).transcribe(audio, sr)


def _nobody_listens(_progress: Progress) -> None:
    pass
