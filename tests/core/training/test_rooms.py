"""Rooms spread a sound between the middle and the sides."""

import numpy as np
import pytest

from core.training.rooms import random_room, spread

CLICK = np.zeros(44_100)
CLICK[100] = 1.0


def test_rooms_differ_and_some_instruments_are_dry() -> None:
    rng = np.random.default_rng(0)
    rooms = [random_room(rng) for _ in range(50)]
    assert len({room.size for room in rooms}) == 50
    assert 5 < sum(not room.has_reverb for room in rooms) < 30
    assert not any(room.has_chorus and not room.has_reverb for room in rooms)


@pytest.mark.parametrize("field", ["reverb_send", "chorus_send"])
def test_sends_are_those_of_midi(field: str) -> None:
    rng = np.random.default_rng(1)
    assert {0 <= getattr(random_room(rng), field) <= 127 for _ in range(50)} == {True}


def test_a_room_answers_after_the_sound_and_apart_from_it() -> None:
    rng = np.random.default_rng(2)
    answers = [spread(rng, CLICK) for _ in range(30)]
    dry = [side for _, side in answers if not side.any()]
    wet = [(middle, side) for middle, side in answers if side.any()]
    assert 3 < len(dry) < 20
    for middle, side in wet:
        assert len(middle) == len(side) == len(CLICK)
        assert np.abs(side[:100]).max() < 1e-9
        assert abs(np.corrcoef(middle[101:3000], side[101:3000])[0, 1]) < 0.2
        assert middle[100] == pytest.approx(1.0, abs=0.2)
