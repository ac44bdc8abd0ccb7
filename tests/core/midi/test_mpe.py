"""MPE files: one channel per note, read back to the same notes, and by other programs."""

import warnings
from io import BytesIO

import mido
import pretty_midi
import pytest
from hypothesis import given

from core.midi.mpe import members_of
from core.midi.read import transcription_of
from core.midi.write import MidiOptions, midi_bytes
from core.score.note import NoteEvent
from core.score.transcription import Track, Transcription
from tests import make
from tests.midi_content import parsed, timed
from tests.strategies import songs

MPE = MidiOptions(bend_range_semitones=48, is_mpe=True)
CHORD = make.track(
    make.bent(60, 0.0, 1.0, (0.0, 0.0), (0.5, 1.5)),
    make.bent(64, 0.0, 1.0, (0.0, -0.25)),
    make.note(67, 0.5, 1.5),
    make.bent(60, 2.0, 3.0, (2.0, 0.75), (2.5, 0.0)),
    name="Pedal steel",
    program=25,
)


def track_of(song: Transcription, options: MidiOptions = MPE) -> mido.MidiTrack:
    return parsed(midi_bytes(song, options)).tracks[1]


def test_each_note_has_a_channel_of_its_own() -> None:
    starts = [(m.channel, m.note) for _, m in timed(track_of(make.song(CHORD)), "note_on")]
    assert starts == [(1, 60), (2, 64), (3, 67), (4, 60)]


def test_the_file_says_how_many_members_there_are_and_how_far_each_bends() -> None:
    messages = timed(track_of(make.song(CHORD)), "control_change", "program_change")
    said = [(m.channel, m.control, m.value) for _, m in messages if m.type == "control_change"]
    assert said[:5] == [(0, 101, 0), (0, 100, 6), (0, 6, 15), (0, 101, 127), (0, 100, 127)]
    assert [each for each in said if each[1] == 6] == [(0, 6, 15)] + [
        (member, 6, 48) for member in (1, 2, 3, 4)
    ]
    assert [(m.channel, m.program) for _, m in messages if m.type == "program_change"] == [(0, 25)]


def test_a_wheel_is_set_before_its_note_and_reset_after_the_last() -> None:
    wheels = [(t, m.channel, m.pitch) for t, m in timed(track_of(make.song(CHORD)), "pitchwheel")]
    assert wheels == [
        (0, 2, -43),
        (960, 1, 256),
        (1920, 1, 0),
        (1920, 2, 0),
        (3840, 4, 128),
        (4800, 4, 0),
    ]


def test_notes_of_a_chord_keep_bends_of_their_own_when_read_back() -> None:
    [track] = transcription_of(midi_bytes(make.song(CHORD), MPE)).tracks
    assert (track.name, track.program, track.is_drum) == ("Pedal steel", 25, False)
    assert [(note.onset_s, note.pitch, _bends(note)) for note in sorted(track.notes)] == [
        (0.0, 60, [(0.5, 1.5)]),
        (0.0, 64, [(0.0, -0.25)]),
        (0.5, 67, []),
        (2.0, 60, [(2.0, 0.75), (2.5, 0.0)]),
    ]


def _bends(note: NoteEvent) -> list[tuple[float, float]]:
    return [(bend.at_s, round(bend.semitones, 2)) for bend in note.bends]


def test_other_programs_read_the_same_notes_and_bends() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = pretty_midi.PrettyMIDI(BytesIO(midi_bytes(make.song(CHORD), MPE)))
    notes = sorted((n.start, n.pitch, n.end) for i in read.instruments for n in i.notes)
    assert notes == [(0.0, 60, 1.0), (0.0, 64, 1.0), (0.5, 67, 1.5), (2.0, 60, 3.0)]
    bends = sorted((b.time, b.pitch) for i in read.instruments for b in i.pitch_bends if b.pitch)
    assert bends == [(0.0, -43), (0.5, 256), (2.0, 128)]


def test_beside_drums_the_zone_leaves_them_their_channel() -> None:
    song = make.song(CHORD, make.drums(make.note(36, 0.0, 0.1)))
    bent, drums = parsed(midi_bytes(song, MPE)).tracks[1:]
    assert (0, 6, 8) in [(m.channel, m.control, m.value) for _, m in timed(bent, "control_change")]
    assert {m.channel for _, m in timed(drums, "note_on")} == {9}
    read = transcription_of(midi_bytes(song, MPE))
    assert [(len(track.notes), track.is_drum) for track in read.tracks] == [(4, False), (1, True)]


@pytest.mark.parametrize(
    "tracks",
    [
        pytest.param((CHORD, make.track(make.note(40, 0, 1))), id="two pitched tracks"),
        pytest.param((make.track(make.note(60, 0, 1)),), id="nothing bends"),
    ],
)
def test_where_a_zone_has_no_place_or_use_tracks_keep_their_channels(
    tracks: tuple[Track, ...],
) -> None:
    plain = MidiOptions(bend_range_semitones=24)
    single = MidiOptions(bend_range_semitones=24, is_mpe=True)
    assert midi_bytes(make.song(*tracks), single) == midi_bytes(make.song(*tracks), plain)


def test_more_notes_than_members_share() -> None:
    cluster = make.track(*(make.bent(40 + n, 0.0, 1.0, (0.0, 0.5)) for n in range(20)))
    starts = [m.channel for _, m in timed(track_of(make.song(cluster)), "note_on")]
    assert (len(starts), set(starts)) == (20, set(range(1, 16)))


def test_a_zone_may_hang_from_the_highest_channel() -> None:
    assert members_of(15, 3) == (14, 13, 12)


@pytest.mark.parametrize("semitones", [0, 97])
def test_ranges_of_zones_go_to_96(semitones: int) -> None:
    MidiOptions(bend_range_semitones=96, is_mpe=True)
    with pytest.raises(ValueError, match="bend range"):
        MidiOptions(bend_range_semitones=semitones, is_mpe=True)


@given(songs())
def test_any_track_comes_back_as_one_track_with_all_its_notes(song: Transcription) -> None:
    for track in song.tracks:
        alone = song.only(track)
        plain = transcription_of(midi_bytes(alone, MidiOptions())).tracks
        zoned = transcription_of(midi_bytes(alone, MPE)).tracks
        assert [_notes_of(each) for each in zoned] == [_notes_of(each) for each in plain]


def _notes_of(track: Track) -> tuple[str, int, list[tuple[float, int, float]]]:
    notes = sorted((note.onset_s, note.pitch, note.offset_s) for note in track.notes)
    return track.name, track.program, notes
