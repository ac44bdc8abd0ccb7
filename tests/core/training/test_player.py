"""What all styles ask of a player."""

from itertools import pairwise

import numpy as np
import pytest

from core.training.families import FAMILY_NAMED
from core.training.player import PACES_BEATS, SHORTEST_SLOT_S, Player
from core.training.song import Harmony, Song

DURATION_S = 12.0
C_MAJOR = Song(0.5, 0.2, 0, (0, 2, 4, 5, 7, 9, 11), (Harmony(0.0, 0, (0, 4, 7)),))


def player(seed: int = 0, family: str = "guitar") -> Player:
    return Player(np.random.default_rng(seed), FAMILY_NAMED[family], DURATION_S, C_MAJOR)


@pytest.mark.parametrize(
    ("onset_s", "pitch"), [(1.0, 39), (1.0, 87), (-0.1, 60), (11.99, 60), (13.0, 60)]
)
def test_what_the_instrument_cannot_play_is_left_out(onset_s: float, pitch: int) -> None:
    guitarist = player()
    guitarist.add(onset_s, 0.5, pitch, 80)
    assert guitarist.notes == []


def test_a_note_is_never_shorter_than_can_be_heard() -> None:
    guitarist = player()
    guitarist.add(1.0, 0.001, 60, 80)
    assert guitarist.notes[0].offset_s == 1.05


@pytest.mark.parametrize("pace", list(PACES_BEATS))
def test_slots_of_a_rhythm_do_not_overlap(pace: str) -> None:
    slots = [player(seed).rhythm(pace) for seed in range(5)]
    gaps_s = [
        after_s - at_s - slot_s
        for rhythm in slots
        for (at_s, slot_s), (after_s, _) in pairwise(rhythm)
    ]
    assert min(gaps_s) > -1e-9
    assert min(slot_s for rhythm in slots for _, slot_s in rhythm) >= SHORTEST_SLOT_S


@pytest.mark.parametrize("size", [3, 6])
def test_a_voicing_holds_keys_of_the_chord_only(size: int) -> None:
    voicings = [player(seed).voicing(C_MAJOR.harmonies[0], 40, 86, size) for seed in range(20)]
    assert {key % 12 for keys in voicings for key in keys} == {0, 4, 7}
    assert max(len(keys) for keys in voicings) == size


def test_a_melody_has_the_steps_of_the_scale() -> None:
    assert player().steps_between(60, 67).tolist() == [60, 62, 64, 65, 67]


def test_a_melody_has_all_keys_where_the_scale_has_too_few() -> None:
    assert player().steps_between(60, 63).tolist() == [60, 61, 62, 63]
