"""Recorded notes become banks: the right pitch, the right layer, from where they speak."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.training import recorded_notes
from core.training.families import FAMILIES
from core.training.part import PlayedNote
from core.training.recorded_notes import BANKS, INSTRUMENTS, RecordedNotes, sources_of, write_bank
from core.training.sound_sources import SoundSource, Use
from core.training.soundfonts import SAMPLE_RATE_HZ, SoundFont

RATE_HZ = 44_100
SILENCE_S = 0.25


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoundSource:
    """A guitar of two recorded notes in two layers, the loud one an octave above what it says."""
    folder = tmp_path / "guitar"
    folder.mkdir()
    for name, frequency_hz in {
        "a2_p": 110.0,
        "a2_f": 220.0,
        "bb3_p": 233.08,
        "bb3_f": 466.16,
        "a2_release": 50.0,
    }.items():
        at_s = np.arange(2 * RATE_HZ) / RATE_HZ
        sound = 0.2 * np.sin(2 * np.pi * frequency_hz * at_s) * (at_s >= SILENCE_S)
        soundfile.write(folder / f"{name}.wav", sound, RATE_HZ)
    made = SoundSource(
        "guitar", folder, "CC0-1.0", "", "", Use.RELEASE, "https://example.org/guitar"
    )
    monkeypatch.setattr(recorded_notes, "source_named", lambda _: made)
    notes = RecordedNotes(
        BANKS[0], 27, "guitar", rf"{recorded_notes.NOTE}_(?P<layer>\w)\.wav", 12, ("p", "f")
    )
    monkeypatch.setattr(recorded_notes, "INSTRUMENTS", (notes,))
    return made


def heard_hz(sound: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 17))
    return float(np.argmax(spectrum) * SAMPLE_RATE_HZ / (1 << 17))


@pytest.mark.parametrize(
    ("pitch", "velocity", "frequency_hz"),
    [(45, 40, 110), (45, 100, 220), (58, 40, 233.08), (58, 100, 466.16), (40, 40, 82.4)],
)
def test_notes_are_found_by_the_names_of_their_files(
    source: SoundSource, tmp_path: Path, pitch: int, velocity: int, frequency_hz: float
) -> None:
    write_bank(tmp_path / "bank.sf2", BANKS[0])
    try:
        font = SoundFont(tmp_path / "bank.sf2")
    except OSError:
        pytest.skip("libfluidsynth is not installed")
    sound = font.play(27, [PlayedNote(0.0, 1.0, pitch, velocity)], duration_s=1.0)
    assert sound is not None
    assert heard_hz(sound[2000:20_000]) == pytest.approx(frequency_hz, rel=0.01)


@pytest.mark.parametrize(
    ("files", "name", "pitch"),
    [
        (recorded_notes.NOTE, "cis4", 61),
        (recorded_notes.NOTE, "H3", 59),
        (recorded_notes.NOTE, "F#-1", 6),
        (rf"note-{recorded_notes.KEY}-\w+", "note-62-D4", 62),
    ],
)
def test_names_of_notes_in_other_tongues_are_understood(
    source: SoundSource, monkeypatch: pytest.MonkeyPatch, files: str, name: str, pitch: int
) -> None:
    assert source.path is not None
    (source.path / "a2_p.wav").rename(source.path / f"{name}.wav")
    notes = RecordedNotes(BANKS[0], 27, "guitar", rf"{files}\.wav")
    (zone,) = recorded_notes.preset_of(notes).zones
    assert zone.root_pitch == pitch


def test_what_is_sustained_is_in_tune_and_held(
    source: SoundSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert source.path is not None
    at_s = np.arange(RATE_HZ) / RATE_HZ
    low_hz = 220 * 2 ** (-0.5 / 12)
    sung = sum(np.sin(2 * np.pi * low_hz * order * at_s) / order for order in (1, 2, 3))
    soundfile.write(source.path / "sung-57.wav", 0.1 * sung, RATE_HZ)
    soundfile.write(source.path / "sung-58.wav", 0.1 * sung[:1000], RATE_HZ)
    notes = RecordedNotes(
        BANKS[0], 53, "guitar", rf"sung-{recorded_notes.KEY}\.wav", is_sustained=True
    )
    monkeypatch.setattr(recorded_notes, "INSTRUMENTS", (notes,))
    write_bank(tmp_path / "bank.sf2", BANKS[0])
    try:
        font = SoundFont(tmp_path / "bank.sf2")
    except OSError:
        pytest.skip("libfluidsynth is not installed")
    sound = font.play(53, [PlayedNote(0.0, 3.0, 57, 90)], duration_s=3.0)
    assert sound is not None
    assert heard_hz(sound[-30_000:]) == pytest.approx(220, rel=0.01)
    assert np.abs(sound[-3_000:]).max() > 0.5 * np.abs(sound).max()


def test_silence_before_a_note_is_cut(source: SoundSource) -> None:
    assert source.path is not None
    note = recorded_notes.recorded_note(source.path / "a2_p.wav")
    loud = np.abs(note) > 0.5 * np.abs(note).max()
    assert np.argmax(loud) < 0.01 * SAMPLE_RATE_HZ
    assert len(note) < (2 - SILENCE_S + 0.02) * SAMPLE_RATE_HZ


def test_what_lacks_is_named_with_the_way_to_get_it(source: SoundSource, tmp_path: Path) -> None:
    assert source.path is not None
    for file in source.path.iterdir():
        file.unlink()
    with pytest.raises(FileNotFoundError, match=r"git clone .*https://example\.org/guitar"):
        write_bank(tmp_path / "bank.sf2", BANKS[0])


@pytest.mark.parametrize("notes", INSTRUMENTS, ids=lambda notes: f"{notes.bank} {notes.name}")
def test_every_instrument_is_one_the_composer_knows(notes: RecordedNotes) -> None:
    assert notes.bank in BANKS
    assert any(notes.program in family.programs for family in FAMILIES)


@pytest.mark.parametrize("bank", BANKS)
def test_a_bank_plays_each_program_once(bank: str) -> None:
    programs = [notes.program for notes in INSTRUMENTS if notes.bank == bank]
    assert len(programs) == len(set(programs))
    assert all(source.repository for source in sources_of(bank))
