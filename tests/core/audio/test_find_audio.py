import os
from pathlib import Path

import pytest

from core.audio.read import AUDIO_SUFFIXES, find_audio
from core.errors import AppError
from tests.make_bad_audio import GOOD_BUT_ODD_NAMES


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def found_names(*paths: Path) -> list[str]:
    return [path.name for path in find_audio(paths).files]


def skipped(*paths: Path) -> dict[str, str]:
    return {each.path.name: each.reason for each in find_audio(paths).skipped}


def test_folders_are_searched_to_any_depth_in_natural_order(tmp_path):
    tree(tmp_path, "Take 10.wav", "take 2.wav", "b/1.flac", "a/z.mp3", "a/deep/er/0.m4a")
    assert found_names(tmp_path) == ["take 2.wav", "Take 10.wav", "z.mp3", "0.m4a", "1.flac"]


def test_two_hundred_mixed_files_are_taken_or_listed_once_with_a_reason(tmp_path):
    names = [
        f"{level}{number}.{suffix}"
        for level in ("", "a/", "a/b/")
        for number in range(17)
        for suffix in ("wav", "mp3", "txt", "als")
    ]
    found = find_audio([tree(tmp_path, *names)])
    assert len(found.files) == len(set(found.files)) == 102
    assert len(found.skipped) == len({each.path for each in found.skipped}) == 102
    assert {each.reason for each in found.skipped} == {"is not an audio file"}


@pytest.mark.parametrize("suffix", sorted(AUDIO_SUFFIXES))
def test_every_audio_suffix_is_taken_in_any_case(suffix, tmp_path):
    tree(tmp_path, f"a{suffix}", f"B{suffix.upper()}")
    assert found_names(tmp_path) == [f"a{suffix}", f"B{suffix.upper()}"]


def test_hidden_files_and_folders_are_passed_over_unsaid(tmp_path):
    tree(tmp_path, "._bass.wav", ".DS_Store", ".cache/a.wav", "bass.wav")
    assert found_names(tmp_path) == ["bass.wav"]
    assert skipped(tmp_path) == {}


@pytest.mark.parametrize("name", ["notes.txt", ".hidden.wav", "gone.wav"])
def test_a_file_named_directly_is_always_tried(name, tmp_path):
    assert find_audio([tmp_path / name]).files == (tmp_path / name,)


def test_order_of_named_paths_is_kept(tmp_path):
    tree(tmp_path, "z.wav", "folder/m.wav", "a.wav")
    named = [tmp_path / "z.wav", tmp_path / "folder", tmp_path / "a.wav"]
    assert found_names(*named) == ["z.wav", "m.wav", "a.wav"]


def test_a_file_is_taken_once_however_often_it_is_named(tmp_path):
    tree(tmp_path, "a.wav", "b.wav")
    (tmp_path / "link to a.wav").symlink_to(tmp_path / "a.wav")
    assert found_names(tmp_path / "b.wav", tmp_path, tmp_path / "." / "b.wav") == ["b.wav", "a.wav"]


def test_links_that_lead_in_circles_end(tmp_path):
    tree(tmp_path, "a/b/c.wav")
    (tmp_path / "a/b/up").symlink_to(tmp_path)
    (tmp_path / "a/loop.wav").symlink_to(tmp_path / "a/loop.wav")
    assert found_names(tmp_path) == ["c.wav"]
    assert skipped(tmp_path) == {"loop.wav": "is a broken link or no regular file"}


def test_a_pipe_within_a_folder_is_not_tried(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    assert skipped(tmp_path) == {"pipe.wav": "is a broken link or no regular file"}


def test_a_folder_that_may_not_be_opened_is_listed(tmp_path, monkeypatch):
    tree(tmp_path, "locked/a.wav", "open/b.wav")
    iterdir = Path.iterdir

    def guarded(folder: Path):
        if folder.name == "locked":
            raise PermissionError(13, "Permission denied")
        return iterdir(folder)

    monkeypatch.setattr(Path, "iterdir", guarded)
    assert found_names(tmp_path) == ["b.wav"]
    assert skipped(tmp_path) == {"locked": "cannot be opened (Permission denied)"}


def test_an_empty_folder_is_said_to_be_empty(tmp_path):
    (tmp_path / "empty").mkdir()
    assert skipped(tmp_path / "empty") == {
        "empty": "holds no audio files that are not in the list already"
    }


def test_odd_names_are_found(tmp_path):
    names = {name for name in GOOD_BUT_ODD_NAMES if Path(name).suffix.lower() in AUDIO_SUFFIXES}
    found = find_audio([tree(tmp_path, *names)])
    assert {path.name for path in found.files} == names


def test_nothing_named_is_nothing_found():
    found = find_audio([])
    assert (found.files, found.skipped) == ((), ())


def test_searching_raises_nothing_for_what_is_missing(tmp_path):
    try:
        found = find_audio([tmp_path / ("x" * 300), tmp_path / "a\udcff"])
    except AppError:
        pytest.fail("searching must leave the errors to reading")
    assert len(found.files) == 2
