"""Bows, winds and voices come into tune and last."""

import numpy as np
import pytest

from core.training.sustained_notes import (
    TooShortError,
    from_where_heard,
    in_tune,
    looped,
    semitones_off,
)

RATE_HZ = 22_050
A3 = 57


def blown(length_s: float, *, off: float = 0.0, fades: bool = False) -> np.ndarray:
    """A3 with eight partials, up to a few semitones off; it swells and ends as a breath does."""
    at_s = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
    frequency_hz = 220 * 2 ** (off / 12)
    sound = sum(np.sin(2 * np.pi * order * frequency_hz * at_s) / order for order in range(1, 9))
    breath = np.minimum(1, np.minimum(at_s / 0.1, (length_s - at_s) / 0.2))
    if fades:
        breath *= np.linspace(1, 0.7, len(at_s))
    return (0.1 * sound * breath).astype(np.float32)


@pytest.mark.parametrize("off", [-1.9, -0.3, 0.0, 0.4, 1.47])  # 1.47: 48 kHz said to be 44.1
def test_a_note_that_is_off_is_measured_and_mended(off: float) -> None:
    assert semitones_off(blown(2.0, off=off), A3, RATE_HZ) == pytest.approx(off, abs=0.05)
    mended = in_tune(blown(2.0, off=off), A3, RATE_HZ)
    assert semitones_off(mended, A3, RATE_HZ) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("whispered_s", [0.0, 0.1, 1.0])
def test_a_note_begins_where_it_is_heard(whispered_s: float) -> None:
    whisper = 0.05 * blown(whispered_s + 0.5)[: int(whispered_s * RATE_HZ)]
    note = from_where_heard(np.concatenate([whisper, blown(2.0)]), RATE_HZ)
    at_once = np.abs(note[: int(0.05 * RATE_HZ)]).max()
    assert at_once > 0.3 * np.abs(note).max()
    assert len(note) == pytest.approx(2.0 * RATE_HZ, abs=0.05 * RATE_HZ)


@pytest.mark.parametrize("length_s", [1.0, 2.5])
@pytest.mark.parametrize("fades", [False, True])
def test_a_loop_goes_on_without_a_click(length_s: float, fades: bool) -> None:
    note, (start, end) = looped(blown(length_s, fades=fades), RATE_HZ)
    assert 0 < start < end == len(note)
    held = np.concatenate([note, note[start:end], note[start:end]])
    joint = slice(end - 200, end + 200)
    steps = np.abs(np.diff(held))
    assert steps[joint].max() <= 1.15 * steps[start:].max()
    assert np.abs(held[end : end + 1]) == pytest.approx(np.abs(held[start : start + 1]))
    level = np.sqrt((held[start:].reshape(-1)[: 4096 * 4].reshape(-1, 4096) ** 2).mean(1))
    assert level.min() > 0.5 * level.max()


def test_a_note_that_falls_silent_is_repeated_from_where_it_sounds() -> None:
    late = np.concatenate([blown(2.0), np.zeros(RATE_HZ, np.float32)])
    _, (_, end) = looped(late, RATE_HZ)
    assert end < 2.0 * RATE_HZ


@pytest.mark.parametrize("length_s", [0.01, 0.15])
def test_a_scrap_cannot_be_repeated(length_s: float) -> None:
    with pytest.raises(TooShortError):
        looped(blown(length_s), RATE_HZ)
