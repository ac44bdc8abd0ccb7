from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.midi.file_name import MAX_NAME_CHARACTERS, file_name, free_path


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("Blue",), "Blue.mid"),
        (("Blue", "Bass"), "Blue - Bass.mid"),
        (("AC/DC: live?",), "AC_DC_ live_.mid"),
        (("Größe ♥", "Гитара"), "Größe ♥ - Гитара.mid"),
        (("Cafe\u0301",), "Café.mid"),
        (("  two   spaces ",), "two spaces.mid"),
        (("...and justice.",), "and justice.mid"),
        (("tab\tand\nbreak",), "tab_and_break.mid"),
        (("../../etc/passwd",), "_.._etc_passwd.mid"),
        (("",), "Untitled.mid"),
        (("", "Bass"), "Bass.mid"),
        (("CON",), "_CON.mid"),
        (("nul",), "_nul.mid"),
        (("com1.take 2",), "_com1.take 2.mid"),
        (("CON", "Bass"), "CON - Bass.mid"),
        (("Console",), "Console.mid"),
        (("a\udcffb",), "a_b.mid"),
        (("right\u202eto left",), "rightto left.mid"),
    ],
)
def test_name_is_one_that_every_file_system_takes(parts, expected):
    assert file_name(parts) == expected


def test_number_stands_before_the_suffix():
    assert file_name(("Blue", "Bass"), number=2) == "Blue - Bass (2).mid"


def test_long_song_name_leaves_the_track_name_whole():
    name = file_name(("x" * 300, "Bass"), number=12)
    assert name.endswith("x - Bass (12).mid")
    assert len(name) == MAX_NAME_CHARACTERS - 1


def test_letters_of_several_bytes_are_counted_in_bytes():
    assert len(file_name(("音" * 119,)).encode()) <= 240


@given(st.lists(st.text(max_size=200), min_size=1, max_size=3), st.integers(1, 999))
def test_any_name_is_safe(parts, number):
    name = file_name(parts, number=number)
    assert len(name) <= MAX_NAME_CHARACTERS
    assert len(name.encode()) <= 240
    assert not set(name) & set('<>:"/\\|?*\0\n\r\t')
    assert not name.startswith((".", " "))
    assert name.endswith(".mid")


def test_a_free_name_stays(tmp_path: Path) -> None:
    assert free_path(tmp_path, "Blue - Bass.mid") == tmp_path / "Blue - Bass.mid"


def test_a_taken_name_gets_the_next_number(tmp_path: Path) -> None:
    (tmp_path / "Blue v1.2.mid").touch()
    (tmp_path / "Blue v1.2 (2).mid").touch()
    assert free_path(tmp_path, "Blue v1.2.mid") == tmp_path / "Blue v1.2 (3).mid"


def test_a_dangling_link_counts_as_taken(tmp_path: Path) -> None:
    (tmp_path / "Blue.mid").symlink_to(tmp_path / "gone.mid")
    assert free_path(tmp_path, "Blue.mid") == tmp_path / "Blue (2).mid"
