"""Chords, broken ones and two hands."""

import numpy as np
import pytest

from core.training.chordal_styles import arpeggios, block_chords, strummed_chords, two_hands
from core.training.families import FAMILY_NAMED
from core.training.player import Player
from core.training.song import Harmony, Song

DURATION_S = 12.0
SONG = Song(
    0.5,
    0.0,
    0,
    (0, 2, 4, 5, 7, 9, 11),
    (Harmony(0.0, 0, (0, 4, 7)), Harmony(4.0, 5, (0, 4, 7)), Harmony(8.0, 7, (0, 4, 7))),
)
SEEDS = range(12)


def player(family: str, seed: int) -> Player:
    return Player(np.random.default_rng(seed), FAMILY_NAMED[family], DURATION_S, SONG)


def latenesses_s(players: list[Player]) -> list[float]:
    """How long after the note before it each note of a chord is struck."""
    onsets_s = [sorted(note.onset_s for note in player.notes) for player in players]
    return [gap_s for struck in onsets_s for gap_s in np.diff(struck) if gap_s < 0.04]


def test_strummed_keys_are_further_apart_than_those_of_block_chords() -> None:
    strummers, pickers = ([player("guitar", seed) for seed in SEEDS] for _ in range(2))
    for strummer, picker in zip(strummers, pickers, strict=True):
        strummed_chords(strummer)
        block_chords(picker)
    assert np.median(latenesses_s(strummers)) > 1.5 * np.median(latenesses_s(pickers))


@pytest.mark.parametrize("style", [arpeggios, lambda p, low, high: block_chords(p)])
@pytest.mark.parametrize("seed", range(4))
def test_chords_are_those_of_the_song(style, seed: int) -> None:
    pianist = player("piano", seed)
    style(pianist, 48, 80)
    assert len(pianist.notes) > 10
    of_the_chord = [
        note.pitch % 12 in SONG.harmony_at(note.onset_s + 0.05).pitch_classes
        for note in pianist.notes
    ]
    assert float(np.mean(of_the_chord)) > 0.9


def test_two_hands_play_at_once() -> None:
    spans = []
    for seed in SEEDS:
        pianist = player("piano", seed)
        two_hands(pianist)
        pitches = [note.pitch for note in pianist.notes if 4.0 <= note.onset_s < 8.0]
        spans.append(max(pitches) - min(pitches))
    assert np.median(spans) > 24
