"""What players of diatonic harmonicas breathe along with a song."""

from itertools import pairwise

import numpy as np
import pytest

from core.training.harmonica import HOLES, WIDEST_SPLIT, Breath, Harp
from core.training.harmonica_phrases import (
    LONGEST_CHUG_S,
    QUICKEST_S,
    harp_in,
    play_diatonic,
    random_breaths,
)
from core.training.song import random_song

DURATION_S = 12.0
SEEDS = range(40)
IN_C = Harp(60)


def breathed(seed: int, *, has_chords: bool) -> list[Breath]:
    rng = np.random.default_rng(seed)
    song = random_song(rng, DURATION_S)
    return random_breaths(rng, song, IN_C, duration_s=DURATION_S, has_chords=has_chords)


@pytest.fixture(scope="module")
def chordal() -> list[list[Breath]]:
    return [breathed(seed, has_chords=True) for seed in SEEDS]


@pytest.fixture(scope="module")
def chords(chordal: list[list[Breath]]) -> list[Breath]:
    return [breath for breaths in chordal for breath in breaths if len(breath.holes) > 1]


def test_one_breath_follows_another(chordal: list[list[Breath]]) -> None:
    gaps_s = [
        after.onset_s - breath.offset_s
        for breaths in chordal
        for breath, after in pairwise(breaths)
    ]
    assert min(gaps_s) > 0
    assert min(breaths[0].onset_s for breaths in chordal) >= 0
    assert max(breaths[-1].offset_s for breaths in chordal) < DURATION_S


def test_a_mouth_reaches_the_holes_of_a_chord(chords: list[Breath]) -> None:
    assert min(breath.holes[0] for breath in chords) >= 0
    assert max(breath.holes[-1] for breath in chords) < HOLES
    assert max(breath.holes[-1] - breath.holes[0] for breath in chords) <= WIDEST_SPLIT
    assert {len(breath.holes) for breath in chords} == {2, 3, 4}


def test_chords_are_neighbours_or_split_by_the_tongue(chords: list[Breath]) -> None:
    for breath in chords:
        steps = {upper - lower for lower, upper in pairwise(breath.holes)}
        assert steps == {1} or (len(breath.holes) == 2 and steps <= {3, 4})


def test_chords_are_not_bent(chords: list[Breath]) -> None:
    assert {breath.bent for breath in chords} == {0}


def test_bends_go_no_deeper_than_the_reed(chordal: list[list[Breath]]) -> None:
    bent = [breath for breaths in chordal for breath in breaths if breath.bent]
    assert len(bent) > 50
    for breath in bent:
        deepest = IN_C.deepest_bend(breath.holes[0], is_drawn=breath.is_drawn)
        assert 0 < breath.bent <= deepest


def test_a_slide_stays_on_its_hole(chordal: list[list[Breath]]) -> None:
    slides = [
        (breath, after)
        for breaths in chordal
        for breath, after in pairwise(breaths)
        if after.is_slid
    ]
    assert len(slides) > 25
    for breath, after in slides:
        assert (breath.holes, breath.is_drawn) == (after.holes, after.is_drawn)
        assert breath.bent != after.bent


def test_a_slap_leads_to_one_of_its_holes(chordal: list[list[Breath]]) -> None:
    slaps = [
        (breath, after)
        for breaths in chordal
        for breath, after in pairwise(breaths)
        if breath.is_slap
    ]
    assert len(slaps) > 30
    for slap, after in slaps:
        assert slap.offset_s - slap.onset_s < 0.045
        assert after.holes[0] == slap.holes[-1]
        assert after.is_drawn == slap.is_drawn


def test_chugged_chords_follow_each_other_quickly(chordal: list[list[Breath]]) -> None:
    lengths_s = [
        after.onset_s - breath.onset_s
        for breaths in chordal
        for breath, after in pairwise(breaths)
        if breath.holes == after.holes and len(breath.holes) > 1
    ]
    quick = [QUICKEST_S * 0.7 < length_s < LONGEST_CHUG_S * 1.2 for length_s in lengths_s]
    assert len(quick) > 100
    assert float(np.mean(quick)) > 0.5


@pytest.mark.parametrize("seed", range(5))
def test_who_plays_no_chords_plays_single_notes(seed: int) -> None:
    breaths = breathed(seed, has_chords=False)
    assert len(breaths) > 5
    assert {len(breath.holes) for breath in breaths} == {1}


@pytest.mark.parametrize("key", range(12))
def test_a_set_of_harps_reaches_from_g_to_f_sharp(key: int) -> None:
    harp = harp_in(key)
    assert harp.lowest_pitch % 12 == key
    assert 55 <= harp.lowest_pitch <= 66


@pytest.fixture(scope="module")
def playings() -> list[tuple[bool, list[int], float]]:
    """Of some players: whether there are chords, all pitches, what share sounds with others."""
    found = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        playing = play_diatonic(rng, random_song(rng, DURATION_S), duration_s=DURATION_S)
        notes = playing.performance.notes
        onsets_s = np.array([note.onset_s for note in notes])
        together = (np.abs(onsets_s[:, None] - onsets_s) < 0.02).sum(1)
        found.append(
            (playing.has_chords, [note.pitch for note in notes], float(np.mean(together > 1)))
        )
    return found


@pytest.mark.slow
def test_labels_lie_on_the_harps(playings: list[tuple[bool, list[int], float]]) -> None:
    pitches = [pitch for _, written, _ in playings for pitch in written]
    assert min(pitches) >= 55
    assert max(pitches) <= 66 + 36


@pytest.mark.slow
def test_about_two_thirds_of_the_players_play_chords(
    playings: list[tuple[bool, list[int], float]],
) -> None:
    assert 4 <= sum(has_chords for has_chords, _, _ in playings) <= 11
    assert max(share for has_chords, _, share in playings if has_chords) > 0.5
    assert max(share for has_chords, _, share in playings if not has_chords) < 0.1
