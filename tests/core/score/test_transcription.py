import pytest

from core.score.instruments import StemKind
from core.score.tempo import TempoMap, constant_tempo
from core.score.transcription import Key, Source, Track, Transcription, song_of
from tests import make

BASS = make.track(make.note(40, 0.0, 0.5), make.note(41, 1.0, 3.0), name="Bass", program=33)
PIANO = make.track(make.note(60, 0.0, 0.5), name="Piano")


@pytest.mark.parametrize("tonic", [-1, 12])
def test_a_tonic_is_one_of_twelve(tonic: int) -> None:
    with pytest.raises(ValueError, match="tonic"):
        Key(tonic, is_minor=False)


def test_a_track_keeps_its_notes_in_time_order() -> None:
    late, early = make.note(40, 1.0, 2.0), make.note(60, 0.0, 0.5)
    assert Track("Piano", (late, early)).notes == (early, late)


def test_renaming_a_track_changes_nothing_else() -> None:
    assert BASS.renamed("Sub") == Track("Sub", BASS.notes, 33)


def test_a_song_counts_the_notes_of_all_tracks() -> None:
    assert make.song(BASS, PIANO).note_count == 3


def test_a_song_ends_with_its_last_note() -> None:
    assert make.song(BASS, PIANO).end_s == 3.0


def test_a_song_ends_with_its_longest_source_if_that_is_later() -> None:
    sources = tuple(Source(f"{s}.wav", s, StemKind.BASS, "built-in") for s in (2.0, 95.0, 4.0))
    assert Transcription((BASS,), sources=sources).end_s == 95.0


def test_a_song_of_nothing_ends_at_its_start() -> None:
    assert make.song().end_s == 0.0


def test_a_song_can_be_cut_down_to_one_track() -> None:
    song = make.song(BASS, PIANO, bpm=97.0, key=Key(9, is_minor=True))
    only = song.only(PIANO)
    assert only.tracks == (PIANO,)
    assert (only.tempo, only.key) == (song.tempo, song.key)


def test_tempo_and_key_can_be_set() -> None:
    song = make.song(BASS).with_tempo(constant_tempo(90.0)).with_key(Key(2, is_minor=False))
    assert (song.tempo.bpm, song.key) == (90.0, Key(2, is_minor=False))
    assert song.tracks == (BASS,)


def test_stems_join_into_a_song_in_the_order_given() -> None:
    source = Source("bass.wav", 4.0, StemKind.BASS, "built-in")
    parts = [Transcription((BASS,), sources=(source,)), make.song(PIANO, bpm=50.0)]
    song = song_of(parts, tempo=TempoMap(), key=None)
    assert song.tracks == (BASS, PIANO)
    assert song.sources == (source,)
    assert song.tempo == TempoMap()


def test_tracks_of_one_name_get_numbers_when_stems_join() -> None:
    song = song_of([make.song(PIANO)] * 3, tempo=TempoMap(), key=None)
    assert [track.name for track in song.tracks] == ["Piano", "Piano 2", "Piano 3"]


def test_a_number_that_a_track_has_already_is_not_given_to_another() -> None:
    tracks = [PIANO, PIANO, PIANO.renamed("Piano 2")]
    song = song_of([make.song(*tracks)], tempo=TempoMap(), key=None)
    assert [track.name for track in song.tracks] == ["Piano", "Piano 3", "Piano 2"]
