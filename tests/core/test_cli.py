"""The terminal: what goes in, where the MIDI goes, and what is said about it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from core.cli import main
from core.codec.bends import Bends
from core.engine.note_choice import NoteChoice
from core.engine.transcriber import Transcriber
from core.errors import CancelledError
from tests.make_bad_audio import BAD_INPUTS, without_rights
from tests.make_sound import seconds, tone

ROOT = Path(__file__).resolve().parents[2]
RATE = 22_050
# Root may read everything; a folder is searched for audio files instead of being read.
REFUSED = [
    case for case in BAD_INPUTS if case.build is not without_rights and case.name != "folder"
]


def plucked_tone(pitch: int) -> np.ndarray:
    seconds = np.arange(RATE) / RATE
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    partials = (np.sin(2 * np.pi * hertz * k * seconds) * np.exp(-3 * k * seconds) / k
                for k in range(1, 9))  # fmt: skip
    return sum(partials, np.zeros(RATE))


def plucked(path: Path, *pitches: int, every_s: float = 0.5) -> Path:
    """Write a melody of plucked strings, a note every `every_s` seconds."""
    sound = np.zeros(round((len(pitches) * every_s + 1) * RATE), np.float32)
    tones = {pitch: plucked_tone(pitch) for pitch in pitches}
    for index, pitch in enumerate(pitches):
        start = round(index * every_s * RATE)
        sound[start : start + RATE] += 0.3 * tones[pitch]
    soundfile.write(path, sound, RATE)
    return path


def note_ons(path: Path) -> list[int]:
    return [
        message.note
        for midi_track in mido.MidiFile(path).tracks
        for message in midi_track
        if message.type == "note_on"
    ]


@pytest.mark.slow
def test_a_melody_becomes_a_midi_file_of_the_same_notes(tmp_path: Path) -> None:
    melody = (60, 64, 67, 72, 67, 64, 60, 62)
    audio = plucked(tmp_path / "tune piano.wav", *melody)
    assert main(["transcribe", str(audio), "--out", str(tmp_path / "midi")]) == 0
    assert note_ons(tmp_path / "midi" / "tune piano.mid") == list(melody)


@pytest.mark.slow
def test_without_a_folder_the_midi_lies_beside_the_audio(tmp_path: Path) -> None:
    audio = plucked(tmp_path / "bass.wav", 40, 43, 45)
    assert main(["transcribe", str(audio)]) == 0
    assert (tmp_path / "bass.mid").exists()


@pytest.mark.slow
def test_stems_of_a_song_share_one_file_and_json_says_what_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plucked(tmp_path / "Blue - bass.wav", 40, 43, 45, 40)
    plucked(tmp_path / "Blue - keys.wav", 64, 67, 69, 64)
    assert main(["transcribe", str(tmp_path), "--tempo", "120", "--json"]) == 0
    (song,) = json.loads(capsys.readouterr().out)
    assert song["song"] == "Blue"
    assert song["bpm"] == 120
    assert [file["kind"] for file in song["files"]] == ["bass", "keys"]
    assert song["midi"] == [str(tmp_path / "Blue.mid")]
    names = [midi_track.name for midi_track in mido.MidiFile(tmp_path / "Blue.mid").tracks]
    assert names[1:] == ["Bass", "Keys"]


@pytest.mark.slow
def test_a_second_run_never_overwrites_the_first(tmp_path: Path) -> None:
    audio = plucked(tmp_path / "bass.wav", 40, 43, 45)
    assert main(["transcribe", str(audio)]) == 0
    first = (tmp_path / "bass.mid").read_bytes()
    assert main(["transcribe", str(audio), "--tempo", "77"]) == 0
    assert (tmp_path / "bass.mid").read_bytes() == first
    assert (tmp_path / "bass (2).mid").exists()


@pytest.mark.slow
def test_a_daw_gets_the_file_where_it_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".lmmsrc.xml").write_text(
        f'<?xml version="1.0"?><lmms><paths workingdir="{tmp_path}/beats/"/></lmms>'
    )
    (tmp_path / "beats" / "projects").mkdir(parents=True)
    audio = plucked(tmp_path / "bass.wav", 40, 43, 45)
    assert main(["transcribe", str(audio), "--daw", "lmms"]) == 0
    (written,) = (tmp_path / "beats").rglob("bass.mid")
    assert str(written) in capsys.readouterr().out


@pytest.mark.slow
def test_no_bad_file_ends_the_batch_and_each_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = []
    for number, case in enumerate(REFUSED):
        folder = tmp_path / str(number)
        folder.mkdir()
        bad.append((case, case.build(folder)))
    good = plucked(tmp_path / "good bass.wav", 40, 43, 45)
    out = tmp_path / "midi"
    arguments = [*(str(path) for _, path in bad), str(good), "--separate", "--out", str(out)]
    assert main(["transcribe", *arguments]) == 1
    said = capsys.readouterr().err
    missing = [case.name for case, _ in bad if case.phrase not in said]
    assert missing == []
    assert len(bad) >= 40
    assert [file.name for file in out.iterdir()] == ["good bass.mid"]


def test_an_unknown_daw_is_answered_with_the_choices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["transcribe", str(tmp_path / "x.wav"), "--daw", "gadget"]) == 1
    assert "Choose one of: ableton-live" in capsys.readouterr().err


@pytest.mark.parametrize("tempo", ["fast", "5000", "0"])
def test_a_tempo_that_no_daw_takes_is_a_usage_error(tempo: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["transcribe", "x.wav", "--tempo", tempo])


def test_models_are_listed_as_json_the_built_in_one_first(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MT3_CHECKPOINT_DIR", str(tmp_path))
    assert main(["models", "--json"]) == 0
    first, *others = json.loads(capsys.readouterr().out)
    assert (first["id"], first["installed"]) == ("built-in", True)
    assert {model["installed"] for model in others} == {False}


def test_a_cancel_ends_with_130(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cancelled(*_: object, **__: object) -> None:
        raise CancelledError

    monkeypatch.setattr(Transcriber, "transcribe", cancelled)
    assert main(["transcribe", str(tmp_path / "bass.wav")]) == 130
    assert "no unfinished file" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to the whole console")
def test_ctrl_c_leaves_no_half_file(tmp_path: Path) -> None:
    audio = plucked(tmp_path / "long bass.wav", *([40, 43, 45, 47] * 600))
    out = tmp_path / "midi"
    command = [sys.executable, "-m", "core.cli", "transcribe", str(audio), "--out", str(out)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert "%" in running.stderr.readline()
        stopped_s = time.monotonic()
        running.send_signal(signal.SIGINT)
        said = running.stderr.read()
        assert running.wait(timeout=30) == 130
    assert "no unfinished file" in said
    assert time.monotonic() - stopped_s < 10
    assert not out.exists() or list(out.iterdir()) == []


class StopsOnceMade(Transcriber):
    """Keeps the note choice it was made with and goes no further."""

    made_with: NoteChoice | None = None

    def __init__(self, *args: object, notes: NoteChoice, **options: object) -> None:
        StopsOnceMade.made_with = notes
        raise CancelledError


@pytest.mark.parametrize(
    ("options", "choice"),
    [
        ([], NoteChoice()),
        (["--no-tidy"], NoteChoice(is_tidied=False)),
        (["--sensitivity", "30"], NoteChoice(sensitivity=0.3)),
        (["--split", "-50"], NoteChoice(split=-0.5)),
        (["--shortest-note", "80"], NoteChoice(min_note_s=0.08)),
        (["--bends", "continuous"], NoteChoice(bends=Bends.CONTINUOUS)),
        (["--mpe"], NoteChoice(bends=Bends.CONTINUOUS)),
        (["--mpe", "--bends", "static"], NoteChoice(bends=Bends.STATIC)),
    ],
)
def test_notes_are_taken_as_the_options_say(
    options: list[str], choice: NoteChoice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.engine.transcriber.Transcriber", StopsOnceMade)
    audio = plucked(tmp_path / "guitar.wav", 60)
    assert main(["transcribe", str(audio), *options]) == 130
    assert StopsOnceMade.made_with == choice


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--sensitivity", "101", "outside -100..100"),
        ("--split", "much", "is not a number"),
        ("--shortest-note", "-5", "outside 0..10000"),
        ("--bend-range", "0", "from 1 to 24"),
        ("--bend-range", "97", "with --mpe to 96"),
    ],
)
def test_a_wish_out_of_range_is_refused_with_the_range(
    option: str, value: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["transcribe", "guitar.wav", f"{option}={value}"])
    assert words in capsys.readouterr().err


def test_a_range_that_only_mpe_has_is_refused_with_the_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["transcribe", str(tmp_path / "Lead.wav"), "--bend-range", "48"]) == 1
    assert "Take at most 24, or add --mpe." in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "data_entries"),
    [(["--bends", "continuous", "--bend-range", "12"], {12}), (["--mpe"], {15, 48}), ([], set())],
)
def test_a_glide_reaches_the_file_in_the_range_asked_for(
    options: list[str], data_entries: set[int], tmp_path: Path
) -> None:
    steady = np.concatenate([tone(pitch, 0.6) for pitch in (60, 64, 62)])
    glide = tone(64 - 1.5 * np.exp(-seconds(1.2) / 0.15), 1.2)
    soundfile.write(tmp_path / "Vocals.wav", np.concatenate([steady, glide]), RATE)
    out = tmp_path / "out"
    assert main(["transcribe", str(tmp_path / "Vocals.wav"), "--out", str(out), *options]) == 0
    [midi] = [mido.MidiFile(path) for path in out.iterdir()]
    messages = [message for track in midi.tracks for message in track]
    entered = {m.value for m in messages if m.type == "control_change" and m.control == 6}
    assert entered == data_entries
    assert any(message.type == "pitchwheel" for message in messages) is bool(options)


@pytest.mark.parametrize("odd", [["--temperature", "-1"], ["--top-p", "0"], ["--top-k", "-2"]])
def test_an_impossible_way_to_draw_is_refused_with_the_next_step(
    odd: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    melody = tmp_path / "Lead.wav"
    melody.write_bytes(b"")
    assert main(["transcribe", str(melody), *odd]) == 1
    assert "Leave them out to take the likeliest notes." in capsys.readouterr().err
