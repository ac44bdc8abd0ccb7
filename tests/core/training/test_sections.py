"""Sections: every player has one voice of what all play together."""

import numpy as np
import pytest

from core.training.sections import LINE_UPS, MOST_PLAYERS, Voice, section
from core.training.song import random_song

DURATION_S = 10.0
TOGETHER_S = 0.1


def drawn(seed: int) -> list[Voice]:
    rng = np.random.default_rng(seed)
    return section(rng, random_song(rng, DURATION_S), DURATION_S)


@pytest.mark.parametrize("seed", range(20))
def test_each_player_plays_one_note_at_a_time(seed: int) -> None:
    for voice in drawn(seed):
        ends_s = [note.offset_s for note in voice.notes[:-1]]
        starts_s = [note.onset_s for note in voice.notes[1:]]
        assert all(end <= start for end, start in zip(ends_s, starts_s, strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_players_keep_to_the_range_of_their_instrument(seed: int) -> None:
    for voice in drawn(seed):
        pitches = [note.pitch for note in voice.notes]
        assert voice.family.lowest_pitch <= min(pitches)
        assert max(pitches) <= voice.family.highest_pitch


@pytest.mark.parametrize("seed", range(20))
def test_players_are_of_one_line_up(seed: int) -> None:
    voices = drawn(seed)
    assert len(voices) <= MOST_PLAYERS
    names = {voice.family.name for voice in voices}
    assert any(names <= set(line_up) for line_up in LINE_UPS)


def test_players_start_their_notes_together() -> None:
    near = []
    for seed in range(20):
        first, *others = drawn(seed) or [None]
        for voice in others:
            starts_s = np.array([note.onset_s for note in voice.notes])
            near += [np.abs(starts_s - note.onset_s).min() < TOGETHER_S for note in first.notes]
    assert np.mean(near) > 0.9


def test_most_sections_have_several_voices() -> None:
    different = [len({voice.notes[0].pitch for voice in drawn(seed)}) for seed in range(20)]
    assert np.mean([count >= 3 for count in different]) > 0.5
