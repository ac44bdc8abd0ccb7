import contextlib
from io import BytesIO
from pathlib import Path

import mido
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.midi.read import MidiReadError, read_midi, transcription_of
from core.midi.write import MidiOptions, Timing, midi_bytes, write_midi
from core.score.tempo import Meter, constant_tempo
from core.score.transcription import Key, Transcription
from tests import make
from tests.midi_content import notes, parsed, timed
from tests.strategies import songs

BASS = make.track(make.note(40, 0.0, 0.4, 77), make.note(43, 0.5, 0.9), name="Бас", program=33)
DRUMS = make.drums(make.note(36, 0.0, 0.25), make.note(38, 0.5, 0.75))


def _file(*tracks: mido.MidiTrack, **header: int) -> bytes:
    content = BytesIO()
    mido.MidiFile(tracks=list(tracks), **header).save(file=content)
    return content.getvalue()


def _message(kind: str, **settings: int) -> mido.Message:
    return mido.Message(kind, **settings)


def test_a_written_song_reads_back_the_same(tmp_path: Path) -> None:
    tempo = make.tempo_map((0.0, 120.0), (4.0, 100.0)).with_meter(Meter(3, 4))
    song = make.song(BASS, DRUMS, tempo=tempo, key=Key(9, True))
    read = read_midi(write_midi(song, tmp_path / "song.mid"))
    assert read == song


@pytest.mark.parametrize("first_downbeat_s", [0.3, 3.7, -0.4])
def test_notes_keep_their_seconds_of_the_audio_over_bars_in_front(first_downbeat_s: float) -> None:
    song = make.song(BASS, tempo=constant_tempo(97.3, first_downbeat_s=first_downbeat_s))
    read = transcription_of(midi_bytes(song))
    assert [note.onset_s for note in read.tracks[0].notes] == pytest.approx([0.0, 0.5], abs=0.0007)
    assert read.tempo.bpm == pytest.approx(97.3, abs=0.001)


def test_bends_survive() -> None:
    song = make.song(
        make.track(make.bent(60, 0.0, 1.0, (0.0, -2.0), (0.5, 1.0)), make.note(62, 2, 3))
    )
    [track] = transcription_of(midi_bytes(song, MidiOptions(bend_range_semitones=12))).tracks
    assert [[(b.at_s, b.semitones) for b in note.bends] for note in track.notes] == [
        [(0.0, pytest.approx(-2.0, abs=0.002)), (0.5, pytest.approx(1.0, abs=0.002))],
        [],
    ]


@given(songs())
def test_any_song_read_and_written_again_has_the_same_notes_at_the_same_ticks(
    song: Transcription,
) -> None:
    """Ends may move by a tick: the shortest length is in seconds, which tempos round anew."""
    content = midi_bytes(song)
    assume(len(timed(parsed(content).tracks[0], "time_signature")) == 1)  # no pickup bar
    read = transcription_of(content)
    again = midi_bytes(read)
    was = [note for track in parsed(content).tracks for note in notes(track)]
    now = [note for track in parsed(again).tracks for note in notes(track)]
    assert [(on, pitch) for on, _, pitch in now] == [(on, pitch) for on, _, pitch in was]
    assert [off for _, off, _ in now] == pytest.approx([off for _, off, _ in was], abs=1)


@given(
    st.lists(st.tuples(st.integers(0, 127), st.integers(1, 127), st.integers(1, 40)), max_size=40),
    st.floats(40.0, 240.0),
)
def test_notes_survive_within_half_a_tick(strokes: list[tuple[int, int, int]], bpm: float) -> None:
    written = make.track(
        *(
            make.note(pitch, k * 0.31, k * 0.31 + 0.2 + 0.1 * (length % 1), velocity)
            for k, (pitch, velocity, length) in enumerate(strokes)
        )
    )
    read = transcription_of(
        midi_bytes(make.song(written, bpm=bpm), MidiOptions(timing=Timing.RECORDED))
    )
    half_tick_s = 0.5 * 60 / bpm / 960 + 1e-9
    found = [note for track in read.tracks for note in track.notes]
    assert len(found) == len(written.notes)
    for was, now in zip(written.notes, found, strict=True):
        assert (was.pitch, was.velocity) == (now.pitch, now.velocity)
        assert abs(was.onset_s - now.onset_s) <= half_tick_s
        assert abs(was.offset_s - now.offset_s) <= half_tick_s


def test_a_file_of_one_track_is_sorted_by_channel_and_program() -> None:
    track = mido.MidiTrack(
        [
            mido.MetaMessage("track_name", name="All"),
            _message("program_change", channel=0, program=5),
            _message("note_on", channel=0, note=60, velocity=70),
            _message("note_on", channel=9, note=36, velocity=70),
            _message("note_on", channel=0, note=60, velocity=0, time=480),
            _message("note_on", channel=9, note=36, velocity=0),
            _message("program_change", channel=0, program=7),
            _message("note_on", channel=0, note=62, velocity=70),
            _message("note_off", channel=0, note=62, time=480),
        ]
    )
    read = transcription_of(_file(track, type=0))
    assert [(t.name, t.program, t.is_drum, len(t.notes)) for t in read.tracks] == [
        ("All", 5, False, 1),
        ("All 2", 7, False, 1),
        ("All 3", 0, True, 1),
    ]


def test_a_program_set_in_another_track_holds_for_the_channel() -> None:
    setup = mido.MidiTrack([_message("program_change", channel=3, program=40)])
    music = mido.MidiTrack(
        [_message("note_on", channel=3, note=60), _message("note_off", channel=3, note=60, time=9)]
    )
    [track] = transcription_of(_file(setup, music)).tracks
    assert (track.name, track.program) == ("Track 2", 40)


def test_two_tracks_on_one_channel_each_end_their_own_notes() -> None:
    early = make.drums(make.note(36, 0.0, 2.0), name="Early")
    late = make.drums(make.note(36, 0.5, 1.0), name="Late")
    read = transcription_of(midi_bytes(make.song(late, early)))
    assert [(t.name, t.notes[0].onset_s, t.notes[0].offset_s) for t in read.tracks] == [
        ("Late", 0.5, 1.0),
        ("Early", 0.0, 2.0),
    ]


def test_a_note_without_end_lasts_to_the_end_of_the_file() -> None:
    track = mido.MidiTrack(
        [_message("note_on", note=60), mido.MetaMessage("end_of_track", time=960)]
    )
    [read] = transcription_of(_file(track)).tracks
    assert [(note.onset_s, note.offset_s) for note in read.notes] == [(0.0, 1.0)]


def test_a_note_end_without_note_is_passed_over() -> None:
    assert transcription_of(_file(mido.MidiTrack([_message("note_off", note=60)]))).tracks == ()


def test_a_file_without_tempo_plays_in_4_4_at_120() -> None:
    tempo = transcription_of(_file(mido.MidiTrack())).tempo
    assert (tempo.bpm, tempo.is_constant, tempo.meter) == (120.0, True, Meter(4, 4))


@pytest.mark.parametrize(("tempo_us", "bpm"), [(16_777_215, 20.0), (1, 999.0), (0, 999.0)])
def test_tempos_beyond_the_range_of_daws_are_brought_into_it(tempo_us: int, bpm: float) -> None:
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=tempo_us)])
    assert transcription_of(_file(track)).tempo.bpm == bpm


def test_a_meter_no_bar_ruler_shows_counts_as_4_4() -> None:
    odd = mido.MidiTrack([mido.MetaMessage("time_signature", numerator=99, denominator=64)])
    assert transcription_of(_file(odd)).tempo.meter == Meter(4, 4)


def test_names_of_older_programs_are_read_as_latin_1() -> None:
    track = mido.MidiTrack(
        [
            mido.MetaMessage("track_name", name="Flügel"),
            _message("note_on", note=60),
            _message("note_off", note=60, time=1),
        ]
    )
    assert transcription_of(_file(track)).tracks[0].name == "Flügel"


@pytest.mark.parametrize("signature", ["C", "Am", "F#", "Bb", "Cb", "A#m"])
def test_each_key_signature_is_read(signature: str) -> None:
    track = mido.MidiTrack([mido.MetaMessage("key_signature", key=signature)])
    key = transcription_of(_file(track)).key
    assert key is not None
    assert key.is_minor == signature.endswith("m")


GOOD = midi_bytes(make.song(BASS, DRUMS))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is not a MIDI file. Choose a .mid file."),
        (b"RIFF1234WAVE", "it is not a MIDI file. Choose a .mid file."),
        (b"MThd", "the file is damaged. Export it again"),
        (GOOD[:60], "the file is damaged. Export it again"),
        (GOOD.replace(b"MTrk", b"XTrk"), "the file is damaged. Export it again"),
        (GOOD[:12] + b"\xe7\x28" + GOOD[14:], "it counts in video frames"),
        (GOOD[:9] + b"\x02" + GOOD[10:], "it counts in video frames or patterns"),
    ],
)
def test_a_malformed_file_is_named_with_what_to_do(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "take.mid"
    path.write_bytes(content)
    with pytest.raises(MidiReadError) as failure:
        read_midi(path)
    assert str(failure.value).startswith("Cannot read 'take.mid': ")
    assert said in str(failure.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MidiReadError, match=r"gone\.mid.*no such file.*still there"):
        read_midi(tmp_path / "gone.mid")


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_file_with_any_wrong_byte_is_read_or_refused_with_words(place: int, byte: int) -> None:
    with contextlib.suppress(MidiReadError):
        transcription_of(GOOD[:place] + bytes([byte]) + GOOD[place + 1 :])


@given(st.binary(max_size=80))
def test_any_bytes_in_a_track_are_read_or_refused_with_words(content: bytes) -> None:
    track = b"MTrk" + len(content).to_bytes(4, "big") + content
    with contextlib.suppress(MidiReadError):
        transcription_of(GOOD[:14] + track * 3)
