import pytest

from core.daw.folders import Daw
from core.daw.profiles import PROFILES, Layout, bpm_text, profile_for, profile_named
from core.errors import DeliveryError
from core.midi.write import ChannelLayout, Timing
from core.score.note import NoteEvent
from core.score.tempo import TempoChange, TempoMap, constant_tempo
from core.score.transcription import Track, Transcription
from tests import make

NOTES = (NoteEvent(0.0, 60, 8.0),)


def song_at(tempo):
    return Transcription((Track("Piano", NOTES),), tempo)


@pytest.mark.parametrize("daw", list(Daw))
def test_every_daw_has_a_profile_of_its_own(daw):
    profile = profile_for(daw)
    assert profile.id == daw
    assert profile.display_name == daw.display_name


@pytest.mark.parametrize(
    ("daw", "layout", "has_one_tempo"),
    [
        (Daw.ABLETON_LIVE, Layout.BOTH, True),
        (Daw.LOGIC, Layout.COMBINED, False),
        (Daw.GARAGEBAND, Layout.COMBINED, False),
        (Daw.REAPER, Layout.COMBINED, False),
        (Daw.FL_STUDIO, Layout.COMBINED, True),
        (Daw.CUBASE, Layout.COMBINED, False),
        (Daw.NUENDO, Layout.COMBINED, False),
        (Daw.BITWIG, Layout.PER_TRACK, True),
        (Daw.STUDIO_ONE, Layout.COMBINED, False),
        (Daw.PRO_TOOLS, Layout.COMBINED, False),
        (Daw.ARDOUR, Layout.COMBINED, False),
        (Daw.LMMS, Layout.COMBINED, True),
        (Daw.REASON, Layout.COMBINED, True),
        (None, Layout.COMBINED, False),
    ],
)
def test_profile_follows_how_the_daw_imports(daw, layout, has_one_tempo):
    profile = profile_for(daw)
    assert (profile.layout, profile.has_one_tempo) == (layout, has_one_tempo)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.id)
def test_combined_files_keep_the_tracks_on_channels_of_their_own(profile):
    assert profile.combined.channels is ChannelLayout.UNIQUE
    assert profile.combined.drums_on_channel_10


@pytest.mark.parametrize("daw", [Daw.ABLETON_LIVE, Daw.BITWIG])
def test_clips_play_on_channel_1_even_drums(daw):
    clip = profile_for(daw).per_track
    assert clip.channels is ChannelLayout.SINGLE
    assert not clip.drums_on_channel_10


def test_ardour_gets_names_that_it_can_read():
    assert profile_for(Daw.ARDOUR).combined.has_ascii_names
    assert not profile_for(Daw.LMMS).combined.has_ascii_names


@pytest.mark.parametrize(
    ("text", "profile_id"),
    [("generic", "generic"), ("Generic", "generic"), ("live", "ableton-live"), ("fl", "fl-studio")],
)
def test_profile_is_known_by_the_name_of_its_daw(text, profile_id):
    assert profile_named(text).id == profile_id


def test_unknown_profile_lists_the_choices():
    with pytest.raises(DeliveryError, match="reaper"):
        profile_named("winamp")


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.id)
def test_hint_is_complete_and_names_the_tempo(profile):
    hint = profile.hint(song_at(constant_tempo(97.5)))
    assert "97.5 BPM" in hint
    assert "{" not in hint


def test_hint_for_one_tempo_names_the_average():
    # 8 beats at 120 BPM last 4 s, the 4 s after that hold 4 beats: 12 beats in 8 s are 90 BPM.
    tempo = TempoMap((TempoChange(0.0, 120.0), TempoChange(8.0, 60.0)))
    assert profile_for(Daw.ABLETON_LIVE).hint(song_at(tempo)).startswith("Set Live to 90 BPM")
    assert "120 BPM" in profile_for(Daw.REAPER).hint(song_at(tempo))


def test_hint_says_where_the_recording_belongs():
    # At 120 BPM a bar lasts 2 s: one bar stands before the downbeat at 0.5 s, so 1.5 s are left.
    tempo = constant_tempo(120.0, first_downbeat_s=0.5)
    assert "1.50 s after the start of bar 1" in profile_for(Daw.LMMS).hint(song_at(tempo))


def test_hint_is_silent_where_the_recording_starts_with_the_file():
    tempo = constant_tempo(120.0, first_downbeat_s=0.5)
    recorded = profile_for(None).with_timing(Timing.RECORDED)
    assert recorded.hint(song_at(tempo)) == "Set your DAW to 120 BPM, then drag the file to bar 1."


def test_hint_speaks_of_several_files_where_there_are():
    song = song_at(constant_tempo(120.0))
    assert "drag the files" in profile_for(Daw.BITWIG).hint(song, file_count=3)


@pytest.mark.parametrize(
    ("bpm", "text"), [(104.0, "104"), (97.25, "97.25"), (97.5, "97.5"), (100.001, "100")]
)
def test_tempo_is_written_as_daws_show_it(bpm, text):
    assert bpm_text(bpm) == text


BENT = make.song(make.track(make.bent(60, 0.0, 1.0, (0.0, 0.5))))


@pytest.mark.parametrize(
    ("range_semitones", "is_mpe", "hint"),
    [
        (None, False, "The synth's pitch bend range must be 2 semitones."),
        (1, False, "The synth's pitch bend range must be 1 semitone."),
        (None, True, "Play it with a synth in MPE mode, bend range 48 semitones."),
        (24, True, "Play it with a synth in MPE mode, bend range 24 semitones."),
    ],
)
def test_hint_tells_how_far_the_synth_must_bend_where_notes_do(range_semitones, is_mpe, hint):
    profile = profile_for(None).with_bends(range_semitones, is_mpe=is_mpe)
    assert profile.hint(BENT).endswith(hint)
    assert "bend" not in profile.hint(make.song(make.track(make.note(60))))


def test_mpe_takes_a_file_per_track():
    assert profile_for(None).with_bends(None, is_mpe=True).layout is Layout.PER_TRACK
    assert profile_for(None).with_bends(None).layout is profile_for(None).layout
