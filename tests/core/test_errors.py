"""Errors say what is wrong and what to do, and survive the way between processes."""

import pickle
from pathlib import Path

import pytest

from core.errors import AppError, AudioReadError, CancelledError, DeliveryError, printable_name


@pytest.mark.parametrize(
    "error",
    [
        DeliveryError("The drive is full.", "Free some space."),
        AudioReadError(Path("a/take3.ogg"), "the file ends after 2 s", "Export it again."),
        CancelledError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_crosses_a_process_border_unchanged(error: AppError) -> None:
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert arrived.remedy == error.remedy


def test_a_read_error_names_the_file_the_problem_and_the_next_step() -> None:
    error = AudioReadError(Path("songs/take3.ogg"), "the file is empty", "Export it again.")
    assert str(error) == "Cannot read 'take3.ogg': the file is empty. Export it again."


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("take3.wav", "take3.wav"),
        ("Größe 音.wav", "Größe 音.wav"),
        ("two\nlines.wav", "two\\nlines.wav"),
        ("bad\udcffbyte.wav", "bad\\udcffbyte.wav"),
    ],
)
def test_a_name_is_shown_on_one_printable_line(name: str, shown: str) -> None:
    assert printable_name(Path(name)) == shown


def test_a_very_long_name_loses_its_middle() -> None:
    shown = printable_name(Path("a" * 120 + "-take-7.wav"))
    assert len(shown) == 80
    assert shown.endswith("-take-7.wav")
