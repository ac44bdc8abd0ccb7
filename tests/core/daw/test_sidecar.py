import json

from core.daw.sidecar import notes_json
from core.score.instruments import StemKind
from core.score.note import NoteEvent
from core.score.tempo import constant_tempo
from core.score.transcription import Key, Source, Track, Transcription

NOTE = NoteEvent(1.0, 60, 1.5, 90, confidence=0.75)
SONG = Transcription(
    (
        Track("Klavier ♥", (NOTE,)),
        Track("Drums", (NoteEvent(0.0, 36, 0.1, is_drum=True),), 0, True),
    ),
    constant_tempo(120.0, first_downbeat_s=0.5),
    Key(9, is_minor=True),
    (Source("take.wav", 9.0, StemKind.KEYS, "built-in", "cpu"),),
)


def described():
    return json.loads(notes_json(SONG, "Blue"))


def test_song_is_described():
    song = described()
    tracks = song.pop("tracks")
    assert [each["name"] for each in tracks] == ["Klavier ♥", "Drums"]
    assert song == {
        "version": 1,
        "name": "Blue",
        "duration_s": 9.0,
        "key": "A minor",
        "meter": "4/4",
        "tempo": [{"at_beat": 0.0, "bpm": 120.0}],
        "first_downbeat_s": 0.5,
        "pickup_bars": 1,
        "audio_starts_at_file_beat": 0.0,
        "sources": [
            {
                "file": "take.wav",
                "duration_s": 9.0,
                "kind": "keys",
                "model": "built-in",
                "device": "cpu",
            }
        ],
    }


def test_note_stands_in_seconds_and_beats():
    assert described()["tracks"][0] == {
        "name": "Klavier ♥",
        "program": 0,
        "is_drum": False,
        "notes": [
            {
                "onset_s": 1.0,
                "offset_s": 1.5,
                "onset_beats": 1.0,
                "duration_beats": 1.0,
                "pitch": 60,
                "velocity": 90,
                "confidence": 0.75,
            }
        ],
    }


def test_pickup_has_negative_beats_and_unknown_confidence_is_null():
    (note,) = described()["tracks"][1]["notes"]
    assert note["onset_beats"] == -1.0
    assert note["confidence"] is None


def test_letters_stay_readable():
    assert "Klavier ♥" in notes_json(SONG, "Blue")
