from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from core.score.tempo import constant_tempo
from core.training.demo_song import BARS, BPM, MAX_OFF_GRID_S, PLAYERS, SONG_S, score, tracks

DEMO = Path(__file__).parents[3] / "resources" / "demo"
STEMS = ("drums.flac", "bass.flac", "keys.flac", "lead.flac")


def test_song_ends_on_a_bar_line_at_30_s() -> None:
    assert constant_tempo(BPM).beats_to_seconds(BARS * 4) == pytest.approx(30.0)
    assert pytest.approx(30.0) == SONG_S


def test_first_note_is_exactly_at_the_start() -> None:
    assert min(track.notes[0].onset_s for track in tracks()) == 0.0


@pytest.mark.parametrize("player", PLAYERS, ids=lambda player: player.name)
def test_nobody_plays_further_off_the_beat_than_a_tight_band(player: object) -> None:
    name = player.name  # type: ignore[attr-defined]
    written_s = np.array([note.at_beat * 60.0 / BPM for note in score()[name]])
    played = next(track for track in tracks() if track.name == name)

    off_s = [np.abs(written_s - note.onset_s).min() for note in played.notes]

    assert max(off_s) <= MAX_OFF_GRID_S + 1e-9


def test_two_performances_are_the_same() -> None:
    assert tracks() == tracks()


@pytest.mark.parametrize("name", STEMS)
def test_each_stem_lasts_exactly_the_song(name: str) -> None:
    info = soundfile.info(DEMO / name)

    assert (info.samplerate, info.channels, info.frames) == (44_100, 1, 1_323_000)


def test_stems_add_up_to_the_middle_of_the_mix() -> None:
    stems = np.sum([soundfile.read(DEMO / name)[0] for name in STEMS], axis=0)
    mix = soundfile.read(DEMO / "mix.ogg")[0]

    rest = mix.mean(axis=1) - stems

    # What Vorbis leaves out stays 20 dB below the music.
    assert np.abs(mix).max() < 1.0
    assert np.std(rest) < 0.1 * np.std(stems)


def test_midi_file_holds_the_notes_that_were_played() -> None:
    file = mido.MidiFile(DEMO / "song.mid")
    played = [
        sum(message.type == "note_on" and message.velocity > 0 for message in track)
        for track in file.tracks[1:]
    ]

    assert played == [len(track.notes) for track in tracks()]
    assert file.length == pytest.approx(30.0, abs=0.001)
