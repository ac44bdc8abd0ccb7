"""Which files belong to one song, and what it is called."""

from pathlib import Path

import pytest

from core.song_files import SongFiles, one_song_of, songs_in


def songs(*names: str, folder: str = "Summer") -> list[tuple[str, list[str]]]:
    found = songs_in(Path(folder) / name for name in names)
    return [(song.name, [file.name for file in song.files]) for song in found]


def test_stems_of_one_name_are_one_song() -> None:
    assert songs("Blue - drums.wav", "Blue - bass.wav", "Blue - keys.wav") == [
        ("Blue", ["Blue - drums.wav", "Blue - bass.wav", "Blue - keys.wav"])
    ]


def test_bare_stem_names_are_one_song_called_like_their_folder() -> None:
    assert songs("drums.wav", "bass.wav") == [("Summer", ["drums.wav", "bass.wav"])]


def test_track_numbers_do_not_part_a_song() -> None:
    assert songs("01 Drums.wav", "02 Bass.wav", "03 Lead Vox.wav") == [
        ("Summer", ["01 Drums.wav", "02 Bass.wav", "03 Lead Vox.wav"])
    ]


def test_a_mix_beside_its_stems_is_a_song_of_its_own() -> None:
    assert songs("drums.wav", "bass.wav", "mix.wav") == [
        ("Summer", ["drums.wav", "bass.wav"]),
        ("mix", ["mix.wav"]),
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("Blue - drums.wav", "Red - drums.wav"),
        ("take one.wav", "take two.wav"),
        ("vocals_ssvd_1325.flac", "vocals_ssvd_5163.flac"),
        ("drums_mdb_Punk.flac", "drums_mdb_Grunge.flac"),
    ],
)
def test_files_that_share_no_song_stay_apart(names: tuple[str, ...]) -> None:
    assert songs(*names) == [(Path(name).stem, [name]) for name in names]


def test_equal_names_in_two_folders_are_two_songs() -> None:
    files = [Path("One/drums.wav"), Path("Two/drums.wav"), Path("One/bass.wav")]
    assert songs_in(files) == (
        SongFiles("One", (Path("One/drums.wav"), Path("One/bass.wav"))),
        SongFiles("drums", (Path("Two/drums.wav"),)),
    )


def test_the_user_may_call_any_files_one_song() -> None:
    files = [Path("Blue/Blue take one.wav"), Path("Blue/Blue take two.wav")]
    assert one_song_of(files) == SongFiles("Blue take", tuple(files))
