"""One file to notes: how the kind is decided, progress and cancel. Uses the built-in weights."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import soundfile
import torch

from core.codec.tokens_to_notes import DecodeLosses
from core.engine import transcriber as engine_transcriber
from core.engine.heard import HeardTokens, Posteriors
from core.engine.listeners import BuiltInListener
from core.engine.note_choice import NoteChoice
from core.engine.options import ChosenDevice
from core.engine.progress import CancelToken, Progress
from core.engine.transcriber import Transcriber
from core.errors import AudioReadError, CancelledError, TranscriptionFailedError
from core.score.instruments import StemKind
from core.score.note import NoteEvent

RATE = 22_050


def noted(path: Path, *pitches: int, length_s: float) -> Path:
    """Write decaying notes one second apart."""
    sound = np.zeros(round(length_s * RATE), np.float32)
    seconds = np.arange(RATE) / RATE
    for index, pitch in enumerate(pitches):
        hertz = 440 * 2 ** ((pitch - 69) / 12)
        note = sum(np.sin(2 * np.pi * hertz * k * seconds) * np.exp(-3 * k * seconds) / k
                   for k in range(1, 7))  # fmt: skip
        sound[index * RATE : index * RATE + RATE] += 0.3 * note[: len(sound) - index * RATE]
    soundfile.write(path, sound, RATE)
    return path


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    return Transcriber()


def ignore(_: Progress) -> None:
    pass


def test_the_file_name_decides_the_kind(transcriber: Transcriber, tmp_path: Path) -> None:
    audio = noted(tmp_path / "Blue - Bass.wav", 40, 45, 43, length_s=3)
    heard = transcriber.transcribe(audio, on_progress=ignore, cancel=CancelToken())
    assert (heard.source.kind, heard.kind_found_by) == (StemKind.BASS, "file name")
    assert [note.pitch for track in heard.tracks for note in track.notes] == [40, 45, 43]
    assert heard.posteriors.drums is None


@pytest.mark.parametrize(("kind", "is_kept"), [(StemKind.VOCALS, True), (StemKind.KEYS, False)])
def test_pitch_is_kept_where_one_voice_may_sound(
    tmp_path: Path, kind: StemKind, is_kept: bool
) -> None:
    audio = noted(tmp_path / "take.wav", 60, 62, length_s=2)
    transcriber = Transcriber(keeps_pitch=True)
    heard = transcriber.transcribe(audio, kind=kind, on_progress=ignore, cancel=CancelToken())
    assert (heard.posteriors.candidates is not None) is is_kept


def test_pitch_is_not_heard_unless_asked_for(transcriber: Transcriber, tmp_path: Path) -> None:
    audio = noted(tmp_path / "Vocals.wav", 60, 62, length_s=2)
    heard = transcriber.transcribe(audio, on_progress=ignore, cancel=CancelToken())
    assert heard.posteriors.candidates is None


def test_the_users_word_goes_over_the_file_name(transcriber: Transcriber, tmp_path: Path) -> None:
    audio = noted(tmp_path / "Bass.wav", 60, 64, length_s=2)
    heard = transcriber.transcribe(
        audio, kind=StemKind.KEYS, on_progress=ignore, cancel=CancelToken()
    )
    assert (heard.source.kind, heard.kind_found_by) == (StemKind.KEYS, "chosen")


def test_a_name_that_says_nothing_is_decided_by_listening(
    transcriber: Transcriber, tmp_path: Path
) -> None:
    audio = noted(tmp_path / "take 7.wav", *(60 + k % 12 for k in range(12)), length_s=12)
    heard = transcriber.transcribe(audio, on_progress=ignore, cancel=CancelToken())
    assert heard.kind_found_by == "listening"
    assert heard.source.kind not in (StemKind.DRUMS, StemKind.MIX, StemKind.BASS)


def test_progress_rises_in_seconds_of_the_file_to_its_end(
    transcriber: Transcriber, tmp_path: Path
) -> None:
    audio = noted(tmp_path / "Full Mix.wav", 60, 62, 64, length_s=20)
    seen: list[Progress] = []
    transcriber.transcribe(audio, on_progress=seen.append, cancel=CancelToken())
    done_s = [progress.done_s for progress in seen]
    assert done_s == sorted(done_s)
    assert len(done_s) >= 4
    assert done_s[-1] == pytest.approx(20.0, abs=0.1)
    assert {progress.total_s for progress in seen} == {20.0}


def test_notes_are_told_as_they_are_found_and_are_nearly_the_result(
    transcriber: Transcriber, tmp_path: Path
) -> None:
    played = [60 + 5 * k % 12 for k in range(20)]
    audio = noted(tmp_path / "Piano.wav", *played, length_s=20)
    told: list[NoteEvent] = []
    edges_s: list[float] = []

    def take(notes: Sequence[NoteEvent], _start_s: float, end_s: float) -> None:
        told.extend(notes)
        edges_s.append(end_s)

    heard = transcriber.transcribe(audio, on_progress=ignore, cancel=CancelToken(), on_notes=take)
    (track,) = heard.tracks
    assert [note.pitch for note in track.notes] == played
    assert away_from_borders(told) == away_from_borders(track.notes)
    assert edges_s == pytest.approx([8.0, 16.0, 20.0], abs=0.05)


def away_from_borders(notes: Sequence[NoteEvent]) -> list[tuple[int, float]]:
    """Return pitches and onsets, but for those where a stretch of 8 s ends and the next begins."""
    near = [(note.pitch, round(note.onset_s, 2)) for note in sorted(notes)]
    return [(pitch, onset_s) for pitch, onset_s in near if 0.1 < onset_s % 8.0 < 7.9]


def test_of_a_mix_drums_are_told_first_then_pitched_notes(
    transcriber: Transcriber, tmp_path: Path
) -> None:
    audio = noted(tmp_path / "Full Mix.wav", 60, 62, 64, length_s=12)
    edges_s: list[float] = []
    transcriber.transcribe(
        audio,
        on_progress=ignore,
        cancel=CancelToken(),
        on_notes=lambda _notes, _start_s, end_s: edges_s.append(end_s),
    )
    assert edges_s == pytest.approx([8.0, 12.0, 8.0, 12.0], abs=0.05)


def test_a_cancel_in_the_middle_ends_the_work(transcriber: Transcriber, tmp_path: Path) -> None:
    audio = noted(tmp_path / "Piano.wav", 60, 62, 64, length_s=60)
    flag = threading.Event()
    seen: list[Progress] = []

    def stop_soon(progress: Progress) -> None:
        seen.append(progress)
        flag.set()

    with pytest.raises(CancelledError):
        transcriber.transcribe(audio, on_progress=stop_soon, cancel=CancelToken(flag))
    assert len(seen) == 1


def test_a_missing_file_is_an_error_that_names_it(transcriber: Transcriber, tmp_path: Path) -> None:
    with pytest.raises(AudioReadError, match=r"gone\.wav"):
        transcriber.transcribe(tmp_path / "gone.wav", on_progress=ignore, cancel=CancelToken())


class HopsBetweenPrograms:
    """A token model that hears the notes of one guitar as a guitar and a piano in turn."""

    def listen(self, *_asked: object, **_options: object) -> Posteriors:
        notes = [NoteEvent(k / 2, 60 + k, k / 2 + 0.4, 80, 24 * (k % 2)) for k in range(4)]
        return Posteriors(tokens=HeardTokens((), tuple(notes), DecodeLosses()))


@pytest.mark.parametrize(("is_tidied", "programs"), [(True, [24]), (False, [0, 24])])
def test_the_note_choice_decides_whether_instruments_are_repaired(
    is_tidied: bool, programs: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Transcriber, "_listener", lambda *_: HopsBetweenPrograms())
    audio = noted(tmp_path / "guitar.wav", 60, length_s=2)
    transcriber = Transcriber(
        "mt3_magenta",
        checkpoints={"mt3_magenta": tmp_path},
        notes=NoteChoice(is_tidied=is_tidied),
    )
    heard = transcriber.transcribe(audio, on_progress=ignore, cancel=CancelToken())
    assert [track.program for track in heard.tracks] == programs


class Ears:
    """A listener that finds no room on the devices named."""

    too_small: ClassVar[set[str]] = set()

    def __init__(self, device: str) -> None:
        self._device = device
        self._built_in = BuiltInListener("cpu")

    def listen(self, *asked: Any, **options: Any) -> Posteriors:
        if self._device in self.too_small:
            raise torch.OutOfMemoryError(f"{self._device} out of memory")
        return self._built_in.listen(*asked, **options)


@pytest.fixture
def on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> Transcriber:
    monkeypatch.setattr(engine_transcriber, "choose_device", lambda _: ChosenDevice("cuda", "RTX"))
    monkeypatch.setattr(engine_transcriber, "BuiltInListener", Ears)
    return Transcriber()


@pytest.mark.parametrize("name", ["Bass.wav", "take 7.wav"], ids=["hearing", "finding the kind"])
def test_a_gpu_that_is_too_small_gives_way_to_the_cpu_and_says_so(
    name: str, on_a_gpu: Transcriber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ears, "too_small", {"cuda"})
    audio = noted(tmp_path / name, 40, 45, length_s=2)
    heard = on_a_gpu.transcribe(audio, on_progress=ignore, cancel=CancelToken())
    assert heard.note_count == 2
    assert (heard.source.device, heard.device_reason) == ("cpu", "the GPU ran out of memory")


def test_a_computer_that_is_too_small_says_what_to_do(
    on_a_gpu: Transcriber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ears, "too_small", {"cuda", "cpu"})
    audio = noted(tmp_path / "Bass.wav", 40, length_s=1)
    with pytest.raises(TranscriptionFailedError, match=r"ran out of memory\. Close other programs"):
        on_a_gpu.transcribe(audio, on_progress=ignore, cancel=CancelToken())
