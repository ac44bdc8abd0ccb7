from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.midi.file_name import free_path, midi_file_name, safe_name

FORBIDDEN = set('<>:"/\\|?*') | {chr(code) for code in range(32)}


@pytest.mark.parametrize(
    ("source", "track", "name"),
    [
        ("Blue", "Bass", "Blue - Bass.mid"),
        ("Blue", None, "Blue.mid"),
        ("Blue", "  ", "Blue.mid"),
        ("AC/DC: live?", "Lead*Gtr", "AC_DC_ live_ - Lead_Gtr.mid"),
        ("take.", "Bass.", "take - Bass.mid"),
        ("  two\n lines ", "a\tb", "two lines - a b.mid"),
        ("CON", None, "_CON.mid"),
        ("lpt1.x", "Bass", "_lpt1.x - Bass.mid"),
        ("Concert", None, "Concert.mid"),
        ("..", None, "Untitled.mid"),
        ("", "Bass", "Untitled - Bass.mid"),
        ("Cafe\N{COMBINING ACUTE ACCENT}", "Бас", "Café - Бас.mid"),
        ("v1.2", "Bass", "v1.2 - Bass.mid"),
        ("gift\u202ednim", None, "giftdnim.mid"),
    ],
)
def test_names_suit_every_system(source: str, track: str | None, name: str) -> None:
    assert midi_file_name(source, track) == name


def test_a_long_name_loses_the_end_of_its_source() -> None:
    name = midi_file_name("x" * 300, "Bass")
    assert name == "x" * 109 + " - Bass.mid"
    assert len(name) == 120


@given(st.text(), st.none() | st.text())
def test_any_text_makes_a_name_that_every_system_accepts(source: str, track: str | None) -> None:
    name = midi_file_name(source, track)
    stem = name.removesuffix(".mid")
    assert name.endswith(".mid")
    assert not FORBIDDEN & set(name)
    assert len(name) <= 120
    assert len(name.encode()) <= 250
    assert stem == stem.strip(" .")
    assert stem
    assert stem.upper().split(".")[0] not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}


@pytest.mark.parametrize(
    ("text", "name"),
    [("AC/DC", "AC_DC"), ("nul", "_nul"), ("", "Untitled"), ("a" * 200, "a" * 120)],
)
def test_any_text_makes_a_folder_name(text: str, name: str) -> None:
    assert safe_name(text) == name


def test_a_free_name_stays(tmp_path: Path) -> None:
    assert free_path(tmp_path, "Blue - Bass.mid") == tmp_path / "Blue - Bass.mid"


def test_a_taken_name_gets_the_next_number(tmp_path: Path) -> None:
    (tmp_path / "Blue v1.2.mid").touch()
    (tmp_path / "Blue v1.2 (2).mid").touch()
    assert free_path(tmp_path, "Blue v1.2.mid") == tmp_path / "Blue v1.2 (3).mid"


def test_a_dangling_link_counts_as_taken(tmp_path: Path) -> None:
    (tmp_path / "Blue.mid").symlink_to(tmp_path / "gone.mid")
    assert free_path(tmp_path, "Blue.mid") == tmp_path / "Blue (2).mid"
