"""Opinions on onsets are found again by key and time."""

import numpy as np
import pytest

from core.codec.struck_keys import OPINIONS, StruckKeys, joined, struck_keys


def opinions(*numbers: int) -> np.ndarray:
    """An opinion per number, all of its values that number."""
    return np.repeat(np.array(numbers, np.uint8)[:, None], OPINIONS, 1)


def heard(*onsets: tuple[int, int, int]) -> StruckKeys:
    """Onsets as (frame, key, number of the opinion)."""
    frames, keys, numbers = zip(*onsets, strict=True)
    return struck_keys(np.array(frames), np.array(keys), opinions(*numbers))


@pytest.mark.parametrize("frame", [98, 99, 100, 101, 102])
def test_the_opinion_on_an_onset_is_found_two_frames_off(frame: int) -> None:
    found = heard((100, 40, 7), (100, 41, 8), (200, 40, 9)).opinion_at(frame, 40)
    assert found is not None
    assert found[0] == 7


@pytest.mark.parametrize(("frame", "key"), [(97, 40), (103, 40), (100, 39), (0, 0)])
def test_elsewhere_there_is_none(frame: int, key: int) -> None:
    assert heard((100, 40, 7)).opinion_at(frame, key) is None


def test_of_two_onsets_the_nearer_counts() -> None:
    found = heard((100, 40, 7), (103, 40, 8)).opinion_at(102, 40)
    assert found is not None
    assert found[0] == 8


def test_stretches_are_joined_in_time() -> None:
    whole = joined([heard((10, 40, 7)), heard((10, 40, 8), (0, 3, 9))], [0, 400])
    assert [opinion[0] for opinion in map(whole.opinion_at, (10, 410, 400), (40, 40, 3))] == [
        *(7, 8, 9)
    ]


def test_silence_has_no_opinions() -> None:
    assert joined([], []).opinion_at(0, 0) is None


def test_onsets_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="sorted"):
        StruckKeys(np.array([5, 4]), opinions(1, 2))


def test_onsets_without_opinions_are_refused() -> None:
    with pytest.raises(ValueError, match="opinion"):
        StruckKeys(np.array([4, 5]), opinions(1))
