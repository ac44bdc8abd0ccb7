"""What other MIDI writers get wrong, shown on their way of writing, and that ours does not.

Each `_as_...` function writes the way the named writer does, as far as the defect goes.
"""

from collections.abc import Sequence
from io import BytesIO

import mido
import pretty_midi
import pytest

from core.midi.write import MidiOptions, midi_bytes, split_tracks
from core.score.note import NoteEvent
from core.score.tempo import Meter, constant_tempo
from core.score.transcription import Key, Track
from tests import make
from tests.midi_content import notes, onsets_s, parsed, timed


def _saved(*tracks: mido.MidiTrack, ppq: int = 480, charset: str = "latin1") -> bytes:
    content = BytesIO()
    mido.MidiFile(tracks=list(tracks), ticks_per_beat=ppq, charset=charset).save(file=content)
    return content.getvalue()


def _as_pretty_midi(*tracks: Track, tempo: float = 120.0) -> bytes:
    midi = pretty_midi.PrettyMIDI(initial_tempo=tempo)
    for track in tracks:
        instrument = pretty_midi.Instrument(track.program, track.is_drum, track.name)
        instrument.notes = [
            pretty_midi.Note(note.velocity, note.pitch, note.onset_s, note.offset_s)
            for note in track.notes
        ]
        midi.instruments.append(instrument)
    content = BytesIO()
    midi.write(content)
    return content.getvalue()


def _as_truncated_deltas(events: Sequence[NoteEvent]) -> bytes:
    """Write as mt3-infer's MR-MT3 adapter: each delta cut to whole ticks, the rest forgotten."""
    marks = sorted(
        [(note.onset_s, "note_on", note.pitch) for note in events]
        + [(note.offset_s, "note_off", note.pitch) for note in events]
    )
    track = mido.MidiTrack()
    now_s = 0.0
    for at_s, kind, pitch in marks:
        delta_ticks = int(mido.second2tick(at_s - now_s, 480, 500_000))
        track.append(mido.Message(kind, note=pitch, time=delta_ticks))
        now_s = at_s
    return _saved(track)


def _with_messages_filtered_out(content: bytes, pitch: int) -> bytes:
    """Remove a pitch as mt3-infer's drum filter does: the removed deltas are lost."""
    midi = parsed(content)
    for track in midi.tracks:
        track[:] = [message for message in track if getattr(message, "note", None) != pitch]
    return _saved(*midi.tracks, ppq=midi.ticks_per_beat)


THREE_MINUTES = [
    make.note(60, onset_s, onset_s + 0.0609)
    for onset_s in (k * 0.12 + 0.618 * k % 1 * 0.02 for k in range(1500))
]


def _largest_error_s(content: bytes, expected: Sequence[NoteEvent]) -> float:
    return max(
        abs(found_s - note.onset_s)
        for found_s, note in zip(onsets_s(content), expected, strict=True)
    )


def test_truncated_deltas_drift_by_more_than_half_a_second_in_three_minutes() -> None:
    assert _largest_error_s(_as_truncated_deltas(THREE_MINUTES), THREE_MINUTES) > 0.5


def test_ours_does_not_drift() -> None:
    content = midi_bytes(make.song(make.track(*THREE_MINUTES)))
    assert _largest_error_s(content, THREE_MINUTES) < 0.00027  # half a tick


ZERO_LENGTH = make.track(make.note(60, 1.0, 1.0), make.note(64, 2.0, 3.0))


def test_pretty_midi_hangs_a_note_without_length() -> None:
    with pytest.raises(AssertionError, match="never began"):
        notes(parsed(_as_pretty_midi(ZERO_LENGTH)).tracks[1])


def test_ours_gives_a_note_without_length_a_body() -> None:
    found = notes(parsed(midi_bytes(make.song(ZERO_LENGTH))).tracks[1])
    assert found == [(1920, 1950, 60), (3840, 5760, 64)]


SIXTEEN = [make.track(make.note(60 + k), name=f"T{k}", program=k) for k in range(16)]


def _programs_by_channel(content: bytes) -> dict[int, set[int]]:
    programs: dict[int, set[int]] = {}
    for track in parsed(content).tracks:
        for _, message in timed(track, "program_change"):
            programs.setdefault(message.channel, set()).add(message.program)
    return programs


def test_pretty_midi_puts_the_sixteenth_instrument_on_a_used_channel() -> None:
    assert _programs_by_channel(_as_pretty_midi(*SIXTEEN))[0] == {0, 15}


def test_ours_splits_sixteen_instruments_into_two_files() -> None:
    parts = [midi_bytes(part) for part in split_tracks(make.song(*SIXTEEN))]
    assert len(parts) == 2
    assert all(
        len(programs) == 1 for part in parts for programs in _programs_by_channel(part).values()
    )


def _first_tempo_us(content: bytes) -> int:
    return int(timed(parsed(content).tracks[0], "set_tempo")[0][1].tempo)


def test_pretty_midi_truncates_the_tempo() -> None:
    assert _first_tempo_us(_as_pretty_midi(ZERO_LENGTH, tempo=97.3)) == 616_649


def test_ours_rounds_the_tempo() -> None:
    assert _first_tempo_us(midi_bytes(make.song(ZERO_LENGTH, bpm=97.3))) == 616_650


def test_pretty_midi_ends_its_tracks_a_tick_late_and_off_the_bar() -> None:
    last_ticks = timed(parsed(_as_pretty_midi(ZERO_LENGTH)).tracks[1])[-1][0]
    assert last_ticks == 3 * 2 * 220 + 1


def test_ours_ends_its_tracks_on_a_bar_line() -> None:
    last_ticks = timed(parsed(midi_bytes(make.song(ZERO_LENGTH))).tracks[1])[-1][0]
    assert last_ticks == 2 * 4 * 960


def test_mido_by_itself_fails_on_a_name_beyond_latin_1() -> None:
    with pytest.raises(UnicodeEncodeError):
        _saved(mido.MidiTrack([mido.MetaMessage("track_name", name="Бас")]))


def test_ours_writes_it_whatever_a_failed_save_did_to_the_charset() -> None:
    charset = mido.midifiles.meta._charset
    mido.midifiles.meta._charset = "ascii"
    try:
        content = midi_bytes(make.song(ZERO_LENGTH.renamed("Бас")))
    finally:
        mido.midifiles.meta._charset = charset
    assert parsed(content).tracks[1].name == "Бас"


def _synth_bends(content: bytes) -> list[float]:
    """Return the semitones that a synth bends by which starts out with a range of two."""
    range_semitones = 2
    parameter: dict[int, int] = {}
    bends = []
    for _, message in timed(parsed(content).tracks[-1], "control_change", "pitchwheel"):
        if message.type == "pitchwheel":
            bends.append(round(message.pitch / 8192 * range_semitones, 2))
        elif message.control in (100, 101):
            parameter[message.control] = message.value
        elif message.control == 6 and parameter == {100: 0, 101: 0}:
            range_semitones = message.value
    return bends


def test_a_bend_scaled_for_four_semitones_without_saying_so_bends_half() -> None:
    wheel = mido.Message("pitchwheel", pitch=round(3 / 4 * 8192))  # NeuralNote, three semitones up
    assert _synth_bends(_saved(mido.MidiTrack([wheel]))) == [1.5]


def test_ours_says_what_range_its_bends_have() -> None:
    song = make.song(make.track(make.bent(60, 0.0, 1.0, (0.2, 3.0))))
    assert _synth_bends(midi_bytes(song, MidiOptions(bend_range_semitones=4))) == [3.0, 0.0]


def _bend_of_last_note(content: bytes) -> int:
    wheel = 0
    for _, message in timed(parsed(content).tracks[-1], "pitchwheel", "note_on"):
        wheel = message.pitch if message.type == "pitchwheel" else wheel
        if message.type == "note_on" and message.velocity > 0 and message.note == 64:
            return wheel
    raise AssertionError("no note 64")


def test_a_bend_that_is_not_reset_detunes_the_next_note() -> None:
    basic_pitch = mido.MidiTrack(
        [
            mido.Message("note_on", note=60),
            mido.Message("pitchwheel", pitch=2000, time=100),
            mido.Message("note_off", note=60, time=100),
            mido.Message("note_on", note=64, time=100),
            mido.Message("note_off", note=64, time=100),
        ]
    )
    assert _bend_of_last_note(_saved(basic_pitch)) == 2000


def test_ours_resets_the_bend_before_the_next_note() -> None:
    track = make.track(make.bent(60, 0.0, 1.0, (0.2, 0.5)), make.note(64, 1.0, 2.0))
    assert _bend_of_last_note(midi_bytes(make.song(track))) == 0


HIT = make.drums(make.note(36, 1.0, 1.01))


def test_drum_notes_of_10_ms_have_no_body() -> None:
    [(on, off, _)] = notes(parsed(_as_pretty_midi(HIT)).tracks[1])
    assert (off - on) / 220 < 1 / 32


def test_ours_gives_drums_a_32nd() -> None:
    [(on, off, _)] = notes(parsed(midi_bytes(make.song(HIT))).tracks[1])
    assert (off - on) / 960 == 4 / 32


def test_a_writer_that_says_nothing_about_tempo_plays_in_4_4_at_120() -> None:
    yourmt3 = _saved(mido.MidiTrack([mido.Message("note_on", note=60)]))
    assert not [m for m in parsed(yourmt3).tracks[0] if m.type in ("set_tempo", "time_signature")]


def test_ours_says_tempo_meter_and_key_at_the_start() -> None:
    tempo = constant_tempo(90.0, meter=Meter(6, 8))
    content = midi_bytes(make.song(HIT, tempo=tempo, key=Key(2, False)))
    conductor = timed(parsed(content).tracks[0], "set_tempo", "time_signature", "key_signature")
    assert {(ticks, message.type) for ticks, message in conductor} == {
        (0, "set_tempo"),
        (0, "time_signature"),
        (0, "key_signature"),
    }


KICK_AND_SNARE = make.drums(
    *(make.note(36 + 2 * (k % 2), k * 0.5, k * 0.5 + 0.1) for k in range(8))
)


def test_filtering_messages_with_their_deltas_moves_what_follows() -> None:
    filtered = _with_messages_filtered_out(_as_pretty_midi(KICK_AND_SNARE), pitch=36)
    assert onsets_s(filtered)[-1] < 3.0  # instead of 3.5


def test_leaving_notes_out_of_ours_moves_nothing() -> None:
    snare = make.drums(*(note for note in KICK_AND_SNARE.notes if note.pitch == 38))
    assert onsets_s(midi_bytes(make.song(snare))) == pytest.approx([0.5, 1.5, 2.5, 3.5])


def test_velocities_are_not_made_constant() -> None:
    track = make.track(make.note(60, 0, 1, 20), make.note(62, 1, 2, 110))
    on = timed(parsed(midi_bytes(make.song(track))).tracks[1], "note_on")
    assert [message.velocity for _, message in on] == [20, 110]


def test_ours_ends_a_note_before_the_same_pitch_begins_again_at_that_tick() -> None:
    track = make.track(make.note(60, 0.0, 1.0), make.note(60, 1.0, 2.0))
    at_border = [
        message.type
        for ticks, message in timed(parsed(midi_bytes(make.song(track))).tracks[1])
        if ticks == 1920
    ]
    assert at_border == ["note_off", "note_on"]
