from datetime import date

import mido
import pytest

from core.errors import ExportError
from desktop.session.drag_files import DragFiles
from tests import make

SONG = make.song(make.track(make.note(60, 0.0, 0.5), name="Piano"))


def test_files_lie_in_a_folder_of_the_day(tmp_path, today):
    (file,) = DragFiles(tmp_path, today).write(SONG, "Blue")
    assert file == tmp_path / "2026-11-20" / "Blue.mid"
    assert len(mido.MidiFile(file).tracks) == 2


def test_a_track_has_its_name_in_the_file_name(tmp_path, today):
    (file,) = DragFiles(tmp_path, today).write(SONG, "Blue", track_name="Piano")
    assert file.name == "Blue - Piano.mid"


def test_the_same_notes_twice_are_one_file(tmp_path, today):
    files = DragFiles(tmp_path, today)
    assert files.write(SONG, "Blue") == files.write(SONG, "Blue")


def test_other_notes_do_not_change_the_file_dragged_before(tmp_path, today):
    files = DragFiles(tmp_path, today)
    (before,) = files.write(SONG, "Blue")
    content = before.read_bytes()
    (after,) = files.write(make.song(make.track(make.note(72, 0.0, 0.5))), "Blue")
    assert after.name == "Blue (2).mid"
    assert before.read_bytes() == content


def test_a_song_with_more_tracks_than_channels_is_several_files(tmp_path, today):
    tracks = [make.track(make.note(60, 0.0, 0.5), name=f"T{number}") for number in range(17)]
    names = [file.name for file in DragFiles(tmp_path, today).write(make.song(*tracks), "Blue")]
    assert names == ["Blue 1.mid", "Blue 2.mid"]


def test_two_weeks_later_the_files_go_and_nothing_else(tmp_path):
    for name in ("2026-11-05", "2026-11-06", "notes"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.mid").touch()
    DragFiles(tmp_path, lambda: date(2026, 11, 20)).prune()
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["2026-11-06", "notes"]


def test_a_cache_that_cannot_be_made_is_an_export_error(tmp_path, today):
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="for dragging"):
        DragFiles(tmp_path / "file", today).write(SONG, "Blue")
