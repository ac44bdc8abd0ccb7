import errno
import io
from pathlib import Path

import mido
import pytest

from core.daw.deliver import deliver, undo_delivery
from core.daw.folders import Daw
from core.daw.profiles import Layout, profile_for
from core.errors import DeliveryError
from core.score.instruments import StemKind
from core.score.note import NoteEvent
from core.score.tempo import constant_tempo
from core.score.transcription import Source, Track, Transcription

GENERIC = profile_for(None)
LIVE = profile_for(Daw.ABLETON_LIVE)
BITWIG = profile_for(Daw.BITWIG)


def track(name, *, program=0, is_drum=False):
    pitch = 36 if is_drum else 60
    notes = (NoteEvent(0.5, pitch, 0.9, 80, program, is_drum),)
    return Track(name, notes, program, is_drum)


def song_of_tracks(*tracks, bpm=104.0):
    source = Source("take.wav", 9.0, StemKind.MIX, "built-in")
    return Transcription(tracks, constant_tempo(bpm), None, (source,))


SONG = song_of_tracks(track("Piano"), track("Bass", program=33), track("Drums", is_drum=True))


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def notes_of(path):
    midi = mido.MidiFile(path)
    return [m for t in midi.tracks for m in t if m.type == "note_on"]


def failing_after(count, error):
    """Return a stand-in for Path.replace that fails from call `count` + 1 on."""
    calls = []
    replace = Path.replace

    def stand_in(self, target):
        calls.append(target)
        if len(calls) > count:
            raise error
        return replace(self, target)

    return stand_in


def test_combined_file_holds_every_track(tmp_path):
    delivery = deliver(SONG, "Blue", tmp_path, GENERIC)
    assert names_in(tmp_path) == ["Blue.mid"]
    assert delivery.files == (tmp_path / "Blue.mid",)
    assert len(notes_of(delivery.files[0])) == 3


def test_live_gets_the_song_and_one_file_per_track(tmp_path):
    delivery = deliver(SONG, "Blue", tmp_path, LIVE)
    assert names_in(tmp_path) == [
        "Blue - Bass.mid",
        "Blue - Drums.mid",
        "Blue - Piano.mid",
        "Blue.mid",
    ]
    drums = tmp_path / "Blue - Drums.mid"
    assert [(message.channel, message.note) for message in notes_of(drums)] == [(0, 36)]
    assert delivery.folder == tmp_path


def test_bitwig_gets_one_file_per_track(tmp_path):
    deliver(SONG, "Blue", tmp_path, BITWIG)
    assert names_in(tmp_path) == ["Blue - Bass.mid", "Blue - Drums.mid", "Blue - Piano.mid"]


@pytest.mark.parametrize(
    ("layout", "count"), [(Layout.COMBINED, 1), (Layout.PER_TRACK, 3), (Layout.BOTH, 4)]
)
def test_layout_that_the_user_chose_comes_before_the_profile(tmp_path, layout, count):
    assert len(deliver(SONG, "Blue", tmp_path, LIVE, layout=layout).files) == count


def test_all_files_of_a_song_are_equally_long(tmp_path):
    files = deliver(SONG, "Blue", tmp_path, LIVE).files
    ticks = {sum(message.time for message in mido.MidiFile(file).tracks[1]) for file in files}
    assert len(ticks) == 1


def test_tracks_without_notes_get_no_file(tmp_path):
    song = song_of_tracks(track("Piano"), Track("Bass", ()))
    assert len(deliver(song, "Blue", tmp_path, BITWIG).files) == 1


def test_song_without_notes_is_refused(tmp_path):
    with pytest.raises(DeliveryError, match="'Blue' has no notes"):
        deliver(song_of_tracks(Track("Bass", ())), "Blue", tmp_path, GENERIC)
    assert names_in(tmp_path) == []


def test_more_pitched_tracks_than_channels_make_several_files(tmp_path):
    song = song_of_tracks(*(track(f"Part {number}") for number in range(17)))
    delivery = deliver(song, "Blue", tmp_path, GENERIC)
    assert names_in(tmp_path) == ["Blue - part 1 of 2.mid", "Blue - part 2 of 2.mid"]
    channels = [message.channel for message in notes_of(delivery.files[0])]
    assert len(set(channels)) == len(channels) == 15


@pytest.mark.parametrize("taken", ["Blue.mid", "Blue - Bass.mid"])
def test_one_taken_name_numbers_the_whole_delivery(tmp_path, taken):
    (tmp_path / taken).write_text("the musician's own")
    deliver(SONG, "Blue", tmp_path, LIVE)
    assert (tmp_path / taken).read_text() == "the musician's own"
    assert set(names_in(tmp_path)) == {
        taken,
        "Blue (2).mid",
        "Blue - Bass (2).mid",
        "Blue - Drums (2).mid",
        "Blue - Piano (2).mid",
    }


def test_each_further_delivery_gets_the_next_number(tmp_path):
    for _ in range(3):
        deliver(SONG, "Blue", tmp_path, GENERIC)
    assert names_in(tmp_path) == ["Blue (2).mid", "Blue (3).mid", "Blue.mid"]


def test_tracks_whose_names_become_equal_are_counted(tmp_path):
    song = song_of_tracks(track("Lead/1"), track("lead?1"), track("Lead:1"))
    deliver(song, "Blue", tmp_path, BITWIG)
    assert names_in(tmp_path) == ["Blue - Lead_1 3.mid", "Blue - Lead_1.mid", "Blue - lead_1 2.mid"]


def test_reserved_and_hostile_names_stay_in_the_folder(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    deliver(song_of_tracks(track("../x")), "NUL", folder, LIVE)
    assert names_in(folder) == ["NUL - _x.mid", "_NUL.mid"]
    assert names_in(tmp_path) == ["out"]


def test_missing_sub_folders_are_made(tmp_path):
    folder = tmp_path / "Library" / "Clips" / "Notewright"
    deliver(SONG, "Blue", folder, GENERIC, root=tmp_path)
    assert names_in(folder) == ["Blue.mid"]


def test_root_of_a_daw_is_never_made(tmp_path):
    root = tmp_path / "Cubase Projects"
    with pytest.raises(DeliveryError, match="Cubase Projects' does not exist"):
        deliver(SONG, "Blue", root / "Notewright", GENERIC, root=root)
    assert names_in(tmp_path) == []


def test_folder_whose_drive_is_gone_is_not_made(tmp_path):
    with pytest.raises(DeliveryError, match="Connect its drive"):
        deliver(SONG, "Blue", tmp_path / "usb" / "Bitwig" / "Library" / "Clips", GENERIC)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("bundle", ["Song.logicx", "Song.band"])
def test_bundles_are_never_written_into(tmp_path, bundle):
    (tmp_path / bundle).mkdir()
    with pytest.raises(DeliveryError, match="beside the project"):
        deliver(SONG, "Blue", tmp_path / bundle / "Media", GENERIC)
    assert names_in(tmp_path / bundle) == []


def test_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "Clips").write_text("")
    with pytest.raises(DeliveryError, match="is a file"):
        deliver(SONG, "Blue", tmp_path / "Clips", GENERIC)


@pytest.mark.parametrize("finished", [0, 1, 3])
@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EACCES, "may not write there"),
        (errno.EROFS, "is read-only"),
        (errno.ENAMETOOLONG, "too long"),
        (errno.ENOENT, "does not exist"),
        (errno.EIO, "error"),
    ],
)
def test_failure_leaves_nothing_behind_and_says_why(
    tmp_path, monkeypatch, finished, number, reason
):
    (tmp_path / "Blue.txt").write_text("other")
    folder = tmp_path / "Clips" / "Notewright"
    error = OSError(number, "Input/output error")
    monkeypatch.setattr(Path, "replace", failing_after(finished, error))
    with pytest.raises(DeliveryError, match=reason) as caught:
        deliver(SONG, "Blue", folder, LIVE)
    assert str(folder) in str(caught.value)
    assert names_in(tmp_path) == ["Blue.txt"]


def test_failure_keeps_a_folder_that_was_there(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "replace", failing_after(2, OSError(errno.ENOSPC, "full")))
    with pytest.raises(DeliveryError):
        deliver(SONG, "Blue", tmp_path, LIVE)
    assert names_in(tmp_path) == []


def test_stopping_in_the_middle_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "replace", failing_after(1, KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        deliver(SONG, "Blue", tmp_path / "Clips", LIVE)
    assert names_in(tmp_path) == []


def test_full_disk_while_writing_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DeliveryError, match="the disk is full"):
        deliver(SONG, "Blue", tmp_path, LIVE)
    assert names_in(tmp_path) == []


def test_folder_that_may_not_be_written_is_named(tmp_path, monkeypatch):
    open_file = Path.open

    def refused(self, mode="r", *args, **kwargs):
        if "x" in mode:
            raise PermissionError(errno.EACCES, "Permission denied")
        return open_file(self, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(DeliveryError, match="Choose another folder") as caught:
        deliver(SONG, "Blue", tmp_path, GENERIC)
    assert str(tmp_path) in caught.value.problem


def test_file_that_appears_at_the_last_moment_is_not_overwritten(tmp_path, monkeypatch):
    open_file = Path.open

    def raced(self, mode="r", *args, **kwargs):
        if mode == "xb" and self.name == "Blue.mid":
            self.write_text("another program's")
        return open_file(self, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", raced)
    with pytest.raises(DeliveryError, match="has just appeared"):
        deliver(SONG, "Blue", tmp_path, GENERIC)
    assert names_in(tmp_path) == ["Blue.mid"]
    assert (tmp_path / "Blue.mid").read_text() == "another program's"


def test_broken_link_of_the_same_name_counts_as_taken(tmp_path):
    try:
        (tmp_path / "Blue.mid").symlink_to(tmp_path / "gone")
    except OSError:
        pytest.skip("this system makes no links")
    delivery = deliver(SONG, "Blue", tmp_path, GENERIC)
    assert delivery.files == (tmp_path / "Blue (2).mid",)


def test_undo_removes_the_files_and_the_folders_made_for_them(tmp_path):
    delivery = deliver(SONG, "Blue", tmp_path / "Clips" / "Notewright", LIVE)
    assert undo_delivery(delivery) == ()
    assert names_in(tmp_path) == []


def test_undo_keeps_what_the_musician_changed(tmp_path):
    delivery = deliver(SONG, "Blue", tmp_path / "Clips", LIVE)
    changed = tmp_path / "Clips" / "Blue - Bass.mid"
    changed.write_bytes(b"edited")
    assert undo_delivery(delivery) == (changed,)
    assert names_in(tmp_path / "Clips") == ["Blue - Bass.mid"]


def test_undo_leaves_other_files_and_older_folders_alone(tmp_path):
    folder = tmp_path / "Clips"
    folder.mkdir()
    (folder / "mine.mid").write_bytes(b"mine")
    delivery = deliver(SONG, "Blue", folder, LIVE)
    undo_delivery(delivery)
    assert names_in(folder) == ["mine.mid"]


def test_undo_twice_is_harmless(tmp_path):
    delivery = deliver(SONG, "Blue", tmp_path, GENERIC)
    undo_delivery(delivery)
    assert undo_delivery(delivery) == ()


def test_hint_names_the_tempo_to_set(tmp_path):
    assert "Set Live to 104 BPM" in deliver(SONG, "Blue", tmp_path, LIVE).hint


def test_json_comes_only_when_asked_for(tmp_path):
    deliver(SONG, "Blue", tmp_path, GENERIC.with_notes_json())
    assert names_in(tmp_path) == ["Blue.json", "Blue.mid"]


def test_delivered_file_is_complete_midi(tmp_path):
    (file,) = deliver(SONG, "Blue", tmp_path, GENERIC).files
    midi = mido.MidiFile(file=io.BytesIO(file.read_bytes()))
    assert (midi.type, [t.name for t in midi.tracks]) == (1, ["Blue", "Piano", "Bass", "Drums"])
