"""`from core import ...`: what users of other toolkits type works here, with the built-in model."""

from pathlib import Path

import numpy as np
import pytest

import core
from core import api, download_model, list_models, load_model, transcribe
from core.codec.bends import Bends
from core.engine.note_choice import NoteChoice
from core.errors import ModelMissingError
from core.midi.read import read_midi
from core.midi.write import MidiOptions
from core.model_manager.catalog import BUILT_IN_ID
from tests.make_sound import RATE_HZ, seconds, tone

RATE = 16_000


@pytest.fixture(scope="module")
def tones() -> np.ndarray:
    """Four decaying notes, a second apart."""
    seconds = np.arange(RATE) / RATE
    notes = [
        sum(
            np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * k * seconds)
            * np.exp(-3 * k * seconds) / k
            for k in range(1, 7)
        )
        for pitch in (60, 64, 67, 72)
    ]  # fmt: skip
    return (0.3 * np.concatenate(notes)).astype(np.float32)


def test_an_array_becomes_a_transcription_that_saves_itself(
    tones: np.ndarray, tmp_path: Path
) -> None:
    model = load_model("built-in", device="cpu")
    song = model.transcribe(tones, sr=RATE, kind="keys")
    path = song.save(tmp_path / "song.mid")
    (track,) = read_midi(path).tracks
    assert [note.pitch for note in track.notes] == [60, 64, 67, 72]


def test_bends_are_heard_and_written_in_the_range_asked_for(tmp_path: Path) -> None:
    steady = np.concatenate([tone(pitch, 0.6) for pitch in (60, 64, 62)])
    scoop = tone(64 - 1.5 * np.exp(-seconds(1.2) / 0.15), 1.2)
    model = load_model("built-in", device="cpu", notes=NoteChoice(bends=Bends.CONTINUOUS))
    song = model.transcribe(np.concatenate([steady, scoop]), sr=RATE_HZ, kind="vocals")
    path = song.save(tmp_path / "song.mid", MidiOptions(bend_range_semitones=12))
    (track,) = read_midi(path).tracks
    deepest = min(bend.semitones for note in track.notes for bend in note.bends)
    assert -1.7 < deepest < -0.5


def test_stereo_and_double_precision_are_taken(tones: np.ndarray) -> None:
    stereo = np.stack([tones, tones], axis=1).astype(np.float64)
    assert transcribe(stereo, RATE, device="cpu").note_count == 4


def test_the_models_are_listed_the_built_in_one_first() -> None:
    models = list_models()
    assert models[0].id == BUILT_IN_ID
    assert {"mt3_pytorch", "mt3_magenta", "mt3_ismir2021", "mr_mt3"} <= {m.id for m in models}


def test_without_download_a_missing_model_is_named_with_the_next_step() -> None:
    with pytest.raises(ModelMissingError, match="models download mt3_pytorch"):
        load_model("mt3_pytorch", auto_download=False)


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(ModelMissingError, match="There is no model"):
        load_model("mt4")


def test_the_package_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="no attribute"):
        core.nothing_of_this_name  # noqa: B018 (the access is what is tried)


def test_what_belongs_to_the_program_need_not_be_downloaded() -> None:
    with pytest.raises(ModelMissingError, match="comes with Notewright"):
        download_model("built-in")


def test_notes_are_taken_as_the_caller_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, object]] = []
    monkeypatch.setattr(api, "Transcriber", lambda *_, **options: made.append(options))
    load_model("built-in")
    load_model("built-in", notes=NoteChoice(split=-0.5))
    assert [options["notes"] for options in made] == [NoteChoice(), NoteChoice(split=-0.5)]
