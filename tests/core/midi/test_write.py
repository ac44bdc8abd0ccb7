"""The twelve points of the file contract; test_other_writers has what other writers get wrong."""

import errno
import os
import warnings
from io import BytesIO
from pathlib import Path

import mido
import pretty_midi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ExportError
from core.midi.read import transcription_of
from core.midi.write import (
    AUDIO_START_MARKER,
    ChannelLayout,
    MidiOptions,
    Timing,
    midi_bytes,
    split_tracks,
    tick_grid,
    write_midi,
)
from core.score.instruments import StemKind
from core.score.tempo import Meter, TempoMap, constant_tempo
from core.score.transcription import Key, Source, Transcription
from tests import make
from tests.midi_content import notes, onsets_s, parsed, timed
from tests.strategies import songs

BASS = make.track(make.note(40, 0.0, 0.4), make.note(43, 0.5, 0.9), name="Bass", program=33)
DRUMS = make.drums(make.note(36, 0.0, 0.01), make.note(38, 0.5, 0.51))


# 1. Format, resolution, what track 0 holds


@pytest.mark.parametrize("ppq", [960, 480])
def test_file_is_of_format_1_with_the_chosen_resolution(ppq: int) -> None:
    midi = parsed(midi_bytes(make.song(BASS), MidiOptions(ppq=ppq)))
    assert (midi.type, midi.ticks_per_beat) == (1, ppq)


def test_other_resolutions_are_refused() -> None:
    with pytest.raises(ValueError, match="220"):
        MidiOptions(ppq=220)


def test_track_0_holds_name_meter_key_and_tempo_at_its_start_and_no_notes() -> None:
    song = make.song(BASS, tempo=constant_tempo(97.3, meter=Meter(3, 4)), key=Key(9, True))
    conductor = parsed(midi_bytes(song, title="My song")).tracks[0]
    assert [(ticks, message.dict() | {"time": 0}) for ticks, message in timed(conductor)[:-1]] == [
        (0, {"type": "track_name", "name": "My song", "time": 0}),
        (
            0,
            {
                "type": "time_signature",
                "numerator": 3,
                "denominator": 4,
                "clocks_per_click": 24,
                "notated_32nd_notes_per_beat": 8,
                "time": 0,
            },
        ),
        (0, {"type": "key_signature", "key": "Am", "time": 0}),
        (0, {"type": "set_tempo", "tempo": 616_650, "time": 0}),
    ]


def test_a_song_without_key_gets_no_key_signature() -> None:
    assert timed(parsed(midi_bytes(make.song(BASS))).tracks[0], "key_signature") == []


# 2. Ticks from absolute time


def test_each_note_lies_at_the_nearest_tick_of_its_own_time() -> None:
    track = make.track(*(make.note(60, k / 3, k / 3 + 0.25) for k in range(500)))
    midi = parsed(midi_bytes(make.song(track, bpm=97.3)))
    assert [on for on, _, _ in notes(midi.tracks[1])] == [
        round(k / 3 * 97.3 / 60 * 960) for k in range(500)
    ]


# 3. Instrument tracks


def test_a_pitched_track_starts_with_its_name_and_program() -> None:
    midi = parsed(midi_bytes(make.song(BASS)))
    name, program = midi.tracks[1][:2]
    assert (name.type, name.name) == ("track_name", "Bass")
    assert (program.type, program.program, program.time) == ("program_change", 33, 0)


@pytest.mark.parametrize("name", ["Бас-гитара", "ピアノ", "Flügelhorn", "🎸 take"])
def test_names_in_any_script_survive(name: str) -> None:
    midi = parsed(midi_bytes(make.song(BASS.renamed(name)), title=name))
    assert [track.name for track in midi.tracks] == [name, name]


def test_names_with_broken_characters_are_written_without_them() -> None:
    midi = parsed(midi_bytes(make.song(BASS.renamed("Ba\udcffss\n\x00"))))
    assert midi.tracks[1].name == "Bass"


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("Flügelhorn", "Flugelhorn"),
        ("Œuvre \N{EN DASH} 2", "Oeuvre - 2"),
        ("Бас", "???"),
        ("Straße", "Strasse"),
    ],
)
def test_names_can_be_spelled_in_ascii(name: str, spelled: str) -> None:
    midi = parsed(midi_bytes(make.song(BASS.renamed(name)), MidiOptions(has_ascii_names=True)))
    assert midi.tracks[1].name == spelled


def test_bends_are_preceded_by_their_range() -> None:
    track = make.track(make.bent(60, 0.0, 1.0, (0.5, 3.0)))
    midi = parsed(midi_bytes(make.song(track), MidiOptions(bend_range_semitones=12)))
    assert [
        (ticks, message.control, message.value)
        for ticks, message in timed(midi.tracks[1], "control_change")
    ] == [(0, 101, 0), (0, 100, 0), (0, 6, 12), (0, 38, 0), (0, 101, 127), (0, 100, 127)]
    assert [(t, m.pitch) for t, m in timed(midi.tracks[1], "pitchwheel")] == [
        (960, 2048),
        (1920, 0),
    ]


def test_a_track_without_bends_has_no_range_and_no_controllers() -> None:
    assert timed(parsed(midi_bytes(make.song(BASS))).tracks[1], "control_change") == []


@pytest.mark.parametrize("semitones", [5.0, -5.0])
def test_bends_beyond_the_range_stop_at_it(semitones: float) -> None:
    track = make.track(make.bent(60, 0.0, 1.0, (0.0, semitones)))
    bends = timed(parsed(midi_bytes(make.song(track))).tracks[1], "pitchwheel")
    assert bends[0][1].pitch == (8191 if semitones > 0 else -8192)


def test_a_bend_that_changes_nothing_is_not_written() -> None:
    track = make.track(make.bent(60, 0.0, 1.0, (0.0, 0.0), (0.25, 1.0), (0.5, 1.0)))
    bends = timed(parsed(midi_bytes(make.song(track))).tracks[1], "pitchwheel")
    assert [(ticks, message.pitch) for ticks, message in bends] == [(480, 4096), (1920, 0)]


def test_a_note_that_ends_unbent_needs_no_reset() -> None:
    track = make.track(make.bent(60, 0.0, 1.0, (0.25, 1.0), (0.5, 0.0)))
    bends = timed(parsed(midi_bytes(make.song(track))).tracks[1], "pitchwheel")
    assert [ticks for ticks, _ in bends] == [480, 960]


def test_bends_can_be_left_out() -> None:
    track = make.track(make.bent(60, 0.0, 1.0, (0.5, 1.0)))
    midi = parsed(midi_bytes(make.song(track), MidiOptions(bend_range_semitones=None)))
    assert timed(midi.tracks[1], "pitchwheel", "control_change") == []


def test_notes_of_a_chord_are_not_bent_because_all_would_be() -> None:
    track = make.track(
        make.bent(60, 0.0, 1.0, (0.5, 1.0)),
        make.note(64, 0.6, 1.5),
        make.bent(67, 2.0, 3.0, (2.0, 1.0)),
    )
    bends = timed(parsed(midi_bytes(make.song(track))).tracks[1], "pitchwheel")
    assert [ticks for ticks, _ in bends] == [2 * 1920, 3 * 1920]


@pytest.mark.parametrize("semitones", [0, 25])
def test_bend_ranges_outside_1_to_24_are_refused(semitones: int) -> None:
    with pytest.raises(ValueError, match="bend range"):
        MidiOptions(bend_range_semitones=semitones)


def test_in_legato_each_note_has_its_own_bends() -> None:
    track = make.track(
        make.bent(60, 0.0, 1.0, (0.0, 1.0), (0.95, 2.0)), make.bent(62, 0.9, 2.0, (0.9, -1.0))
    )
    bends = timed(parsed(midi_bytes(make.song(track))).tracks[1], "pitchwheel")
    assert [(ticks, message.pitch) for ticks, message in bends] == [
        (0, 4096),
        (1728, 0),
        (1728, -4096),
        (3840, 0),
    ]


# 4. Order at one tick


def test_at_one_tick_a_bend_is_reset_before_notes_end_before_bends_before_notes_begin() -> None:
    track = make.track(make.bent(60, 0.0, 1.0, (0.5, 1.0)), make.bent(60, 1.0, 2.0, (1.0, -1.0)))
    midi = parsed(midi_bytes(make.song(track)))
    assert [message.type for ticks, message in timed(midi.tracks[1]) if ticks == 1920] == [
        "pitchwheel",
        "note_off",
        "pitchwheel",
        "note_on",
    ]


def test_note_ends_are_real_note_offs() -> None:
    midi = parsed(midi_bytes(make.song(BASS, DRUMS)))
    assert all(
        message.velocity > 0 for track in midi.tracks for _, message in timed(track, "note_on")
    )
    assert [len(timed(track, "note_off")) for track in midi.tracks] == [0, 2, 2]


# 5. No note too short


@pytest.mark.parametrize(("bpm", "shortest_ticks"), [(120.0, 30), (240.0, 39)])
def test_no_note_is_shorter_than_a_128th_or_10_ms(bpm: float, shortest_ticks: int) -> None:
    track = make.track(make.note(60, 1.0, 1.0))
    [(on, off, _)] = notes(parsed(midi_bytes(make.song(track, bpm=bpm))).tracks[1])
    assert off - on == shortest_ticks


def test_drums_last_at_least_a_32nd() -> None:
    midi = parsed(midi_bytes(make.song(DRUMS)))
    assert [off - on for on, off, _ in notes(midi.tracks[1])] == [120, 120]


def test_velocity_is_written_as_it_is() -> None:
    track = make.track(*(make.note(60, k, k + 0.5, velocity=v) for k, v in enumerate([1, 64, 127])))
    midi = parsed(midi_bytes(make.song(track)))
    assert [message.velocity for _, message in timed(midi.tracks[1], "note_on")] == [1, 64, 127]


# 6. One pitch sounds once


def test_a_pitch_struck_again_ends_where_it_begins_again() -> None:
    track = make.track(make.note(60, 0.0, 2.0), make.note(60, 1.0, 1.5))
    midi = parsed(midi_bytes(make.song(track)))
    assert notes(midi.tracks[1]) == [(0, 1920, 60), (1920, 2880, 60)]


def test_two_strokes_at_one_tick_become_the_louder_and_longer() -> None:
    track = make.track(make.note(60, 0.0, 2.0, 50), make.note(60, 0.0001, 1.0, 90))
    midi = parsed(midi_bytes(make.song(track)))
    assert notes(midi.tracks[1]) == [(0, 3840, 60)]
    assert [message.velocity for _, message in timed(midi.tracks[1], "note_on")] == [90]


def test_a_fast_drum_roll_keeps_each_stroke() -> None:
    roll = make.drums(*(make.note(38, k * 0.02, k * 0.02 + 0.01) for k in range(10)))
    assert len(notes(parsed(midi_bytes(make.song(roll))).tracks[1])) == 10


# 7. Clips of whole bars


def test_all_tracks_end_at_the_end_of_the_last_bar() -> None:
    song = make.song(BASS, make.track(make.note(60, 2.5, 3.0)), DRUMS, bpm=120.0)
    midi = parsed(midi_bytes(song))
    assert [timed(track)[-1][0] for track in midi.tracks] == [2 * 3840] * 4
    assert all(timed(track)[-1][1].type == "end_of_track" for track in midi.tracks)


def test_the_file_is_as_long_as_the_audio() -> None:
    source = Source("bass.wav", 7.0, StemKind.BASS, "built-in")
    song = Transcription((BASS,), constant_tempo(120.0), sources=(source,))
    assert timed(parsed(midi_bytes(song)).tracks[0])[-1][0] == 4 * 3840


@pytest.mark.parametrize(
    ("meter", "bar_ticks"), [(Meter(3, 4), 2880), (Meter(6, 8), 2880), (Meter(7, 8), 3360)]
)
def test_bars_are_those_of_the_meter(meter: Meter, bar_ticks: int) -> None:
    midi = parsed(midi_bytes(make.song(BASS, tempo=constant_tempo(120.0, meter=meter))))
    assert timed(midi.tracks[0])[-1][0] == bar_ticks


def test_a_song_without_notes_is_one_empty_bar() -> None:
    midi = parsed(midi_bytes(make.song(make.track())))
    assert [timed(track)[-1][0] for track in midi.tracks] == [3840, 3840]


# 8. and 12. Channels


def _channels(content: bytes) -> list[set[int]]:
    return [
        {message.channel for message in track if hasattr(message, "channel")}
        for track in parsed(content).tracks
    ]


def test_drums_play_on_channel_10_and_each_other_track_on_its_own() -> None:
    tracks = [make.track(make.note(), name=f"T{k}", program=k) for k in range(15)]
    channels = _channels(midi_bytes(make.song(*tracks[:8], DRUMS, *tracks[8:])))
    assert channels == [set(), *({c} for c in [0, 1, 2, 3, 4, 5, 6, 7, 9, 8, *range(10, 16)])]


def test_drums_can_have_a_channel_like_any_track() -> None:
    channels = _channels(midi_bytes(make.song(BASS, DRUMS), MidiOptions(drums_on_channel_10=False)))
    assert channels == [set(), {0}, {1}]


def test_all_tracks_can_play_on_channel_1() -> None:
    options = MidiOptions(channels=ChannelLayout.SINGLE, drums_on_channel_10=False)
    assert _channels(midi_bytes(make.song(BASS, DRUMS), options)) == [set(), {0}, {0}]


def test_more_tracks_than_channels_are_split_and_drums_go_with_the_first_part() -> None:
    tracks = [make.track(make.note(), name=f"T{k}") for k in range(31)]
    parts = split_tracks(make.song(*tracks, DRUMS))
    assert [len(part.tracks) for part in parts] == [16, 15, 1]
    assert [any(track.is_drum for track in part.tracks) for part in parts] == [True, False, False]
    assert {track for part in parts for track in part.tracks} == {*tracks, DRUMS}


def test_a_song_that_fits_stays_whole() -> None:
    song = make.song(BASS, DRUMS)
    assert split_tracks(song) == (song,)


def test_more_tracks_than_channels_in_one_file_are_refused() -> None:
    tracks = [make.track(make.note(), name=f"T{k}") for k in range(16)]
    with pytest.raises(ValueError, match="split_tracks"):
        midi_bytes(make.song(*tracks))


# 9. Pickup and where the audio starts


@pytest.mark.parametrize(
    ("first_downbeat_s", "pickup_bar", "pickup_ticks"),
    [
        (0.5, (1, 4), 960),
        (0.52, (1, 4), 960),
        (0.03, (1, 16), 240),
        (1.2, (5, 8), 2400),
        (-0.2, (7, 8), 3360),
    ],
)
def test_a_pickup_bar_brings_the_first_downbeat_to_a_bar_line_and_keeps_every_second(
    first_downbeat_s: float, pickup_bar: tuple[int, int], pickup_ticks: int
) -> None:
    track = make.track(*(make.note(60, k * 0.3, k * 0.3 + 0.2) for k in range(20)))
    tempo = constant_tempo(120.0, first_downbeat_s=first_downbeat_s)
    content = midi_bytes(make.song(track, tempo=tempo))
    meters = timed(parsed(content).tracks[0], "time_signature")
    assert [(ticks, (m.numerator, m.denominator)) for ticks, m in meters] == [
        (0, pickup_bar),
        (pickup_ticks, (4, 4)),
    ]
    assert onsets_s(content) == pytest.approx([k * 0.3 for k in range(20)], abs=0.0005)
    bar_s = first_downbeat_s if first_downbeat_s > 0 else first_downbeat_s + 2.0
    read = transcription_of(content)
    assert read.tempo.first_downbeat_s == pytest.approx(bar_s, abs=1e-5)
    assert read.tempo.bpm == pytest.approx(120.0)


@pytest.mark.parametrize("first_downbeat_s", [0.0, 0.015, -0.015, 2.01])
def test_a_bar_line_at_the_start_needs_no_pickup_bar(first_downbeat_s: float) -> None:
    track = make.track(*(make.note(60, k * 0.3, k * 0.3 + 0.2) for k in range(20)))
    tempo = constant_tempo(120.0, first_downbeat_s=first_downbeat_s)
    content = midi_bytes(make.song(track, tempo=tempo))
    assert len(timed(parsed(content).tracks[0], "time_signature")) == 1
    assert onsets_s(content) == pytest.approx([k * 0.3 for k in range(20)], abs=0.0005)


def test_with_one_tempo_bars_in_front_hold_the_audio_before_the_first_downbeat() -> None:
    song = make.song(BASS, tempo=constant_tempo(120.0, first_downbeat_s=0.5))
    midi = parsed(midi_bytes(song, MidiOptions(has_one_tempo=True)))
    assert notes(midi.tracks[1])[1][0] == 3840  # at 0.5 s
    assert [(ticks, message.text) for ticks, message in timed(midi.tracks[0], "marker")] == [
        (0, "Audio starts 1.500 s after the start of this file"),
        (3 * 960, AUDIO_START_MARKER),
    ]


def test_a_file_that_starts_with_the_audio_has_no_markers() -> None:
    assert timed(parsed(midi_bytes(make.song(BASS))).tracks[0], "marker") == []


@pytest.mark.parametrize(
    "tempo",
    [
        constant_tempo(97.3, first_downbeat_s=0.5),
        make.tempo_map((0.0, 90.0), (4.0, 150.0), first_downbeat_s=0.5),
    ],
)
def test_recorded_timing_keeps_seconds_at_one_tempo_and_has_no_markers(tempo: TempoMap) -> None:
    track = make.track(*(make.note(60, k * 0.5, k * 0.5 + 0.2) for k in range(20)))
    content = midi_bytes(make.song(track, tempo=tempo), MidiOptions(timing=Timing.RECORDED))
    assert onsets_s(content) == pytest.approx([k * 0.5 for k in range(20)], abs=0.0004)
    assert len(timed(parsed(content).tracks[0], "set_tempo")) == 1
    assert timed(parsed(content).tracks[0], "marker") == []


# 10. Tempo map


def test_tempo_changes_are_written_and_notes_keep_their_seconds() -> None:
    tempo = make.tempo_map((0.0, 90.0), (4.0, 150.0), (8.0, 97.3))
    track = make.track(*(make.note(60, k * 0.3, k * 0.3 + 0.1) for k in range(40)))
    content = midi_bytes(make.song(track, tempo=tempo))
    assert [
        (ticks, message.tempo) for ticks, message in timed(parsed(content).tracks[0], "set_tempo")
    ] == [(0, 666_667), (3840, 400_000), (7680, 616_650)]
    assert onsets_s(content) == pytest.approx([k * 0.3 for k in range(40)], abs=0.0004)


def test_one_tempo_keeps_notes_of_a_map_on_their_beats() -> None:
    tempo = make.tempo_map((0.0, 60.0), (4.0, 120.0))
    track = make.track(*(make.note(60, at_s, at_s + 0.2) for at_s in (0.0, 2.0, 4.0, 4.5, 6.0)))
    midi = parsed(midi_bytes(make.song(track, tempo=tempo), MidiOptions(has_one_tempo=True)))
    assert [on for on, _, _ in notes(midi.tracks[1])] == [0, 1920, 3840, 4800, 7680]
    [(_, only_tempo)] = timed(midi.tracks[0], "set_tempo")
    assert 60e6 / only_tempo.tempo == pytest.approx(8.4 / 6.2 * 60, abs=0.01)


# 11. Writing


def test_writing_replaces_an_older_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "Blue - Bass.mid"
    path.write_text("older")
    assert write_midi(make.song(BASS), path) == path
    assert [found.name for found in tmp_path.iterdir()] == ["Blue - Bass.mid"]
    assert mido.MidiFile(path).tracks[0].name == "Blue - Bass"


def test_a_written_file_has_the_rights_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "other.mid").touch()
    path = write_midi(make.song(BASS), tmp_path / "song.mid")
    assert path.stat().st_mode == (tmp_path / "other.mid").stat().st_mode


def test_a_missing_folder_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"song\.mid.*gone.*the folder is gone.*choose another"):
        write_midi(make.song(BASS), tmp_path / "gone" / "song.mid")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full. Free some space"),
        (errno.EACCES, "write-protected or in use by another program. Choose another folder"),
        (errno.EIO, "Input/output error. Choose another folder"),
    ],
)
def test_a_failed_write_says_why_and_leaves_the_older_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    def failing(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", failing)
    path = tmp_path / "song.mid"
    path.write_text("older")
    with pytest.raises(ExportError) as failure:
        write_midi(make.song(BASS), path)
    assert said in str(failure.value)
    assert [found.read_text() for found in tmp_path.iterdir()] == ["older"]


def test_an_interrupted_write_leaves_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_midi(make.song(BASS), tmp_path / "song.mid")
    assert list(tmp_path.iterdir()) == []


def test_the_same_song_gives_the_same_bytes() -> None:
    assert midi_bytes(make.song(BASS, DRUMS)) == midi_bytes(make.song(BASS, DRUMS))


# 12. Other readers


@given(
    songs(),
    st.sampled_from(
        [
            MidiOptions(),
            MidiOptions(ppq=480),
            MidiOptions(timing=Timing.RECORDED),
            MidiOptions(bend_range_semitones=12),
            MidiOptions(has_one_tempo=True),
        ]
    ),
)
def test_in_any_song_each_note_that_begins_ends_before_the_pitch_begins_again(
    song: Transcription, options: MidiOptions
) -> None:
    midi = parsed(midi_bytes(song, options))
    for track in midi.tracks:
        assert all(off > on for on, off, _ in notes(track))


@given(songs())
def test_in_any_song_no_channel_is_used_by_two_programs(song: Transcription) -> None:
    programs: dict[int, set[int]] = {}
    for track in parsed(midi_bytes(song)).tracks:
        for _, message in timed(track, "program_change"):
            programs.setdefault(message.channel, set()).add(message.program)
    assert all(len(used) == 1 for used in programs.values())
    assert 9 not in programs


@given(songs())
def test_in_any_song_every_bend_is_undone_when_its_note_ends(song: Transcription) -> None:
    for track in parsed(midi_bytes(song)).tracks:
        wheel = sounding = 0
        for _, message in timed(track, "pitchwheel", "note_on", "note_off"):
            if message.type == "pitchwheel":
                wheel = message.pitch
            else:
                sounding += 1 if message.type == "note_on" else -1
                assert wheel == 0 or sounding  # in legato the next note may be bent already


@given(songs())
def test_pretty_midi_reads_the_same_notes_within_half_a_tick(song: Transcription) -> None:
    grid = tick_grid(song, MidiOptions())
    content = midi_bytes(song)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = pretty_midi.PrettyMIDI(BytesIO(content))
    expected = [
        sorted((on, off, pitch) for on, off, pitch in notes(track))
        for track in parsed(content).tracks
        if timed(track, "note_on")
    ]
    found = [
        sorted(
            (read.time_to_tick(note.start), read.time_to_tick(note.end), note.pitch)
            for note in instrument.notes
        )
        for instrument in read.instruments
    ]
    assert sorted(found) == sorted(expected)
    assert grid.ppq == read.resolution
