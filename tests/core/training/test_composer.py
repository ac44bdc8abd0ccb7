"""Composed parts are playable and well labelled."""

from itertools import pairwise

import numpy as np
import pytest

from core.training.composer import compose, one_voice_of, sounding
from core.training.families import FAMILIES, Family
from core.training.part import PlayedNote, Timed

DURATION_S = 12.0


def composed(family: Family, seed: int) -> list[PlayedNote]:
    return compose(np.random.default_rng(seed), family, DURATION_S).part.notes


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_notes_lie_within_range_and_duration(family: Family) -> None:
    notes = [note for seed in range(10) for note in composed(family, seed)]
    assert min(note.pitch for note in notes) >= family.lowest_pitch
    assert max(note.pitch for note in notes) <= family.highest_pitch
    assert max(note.offset_s for note in notes) <= DURATION_S


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_notes_of_one_pitch_do_not_overlap(family: Family) -> None:
    overlaps = 0
    for seed in range(10):
        last_offset_s: dict[int, float] = {}
        for note in composed(family, seed):
            overlaps += last_offset_s.get(note.pitch, 0.0) > note.onset_s
            last_offset_s[note.pitch] = note.offset_s
    assert overlaps == 0


def test_one_seed_composes_one_part() -> None:
    assert composed(FAMILIES[0], 5) == composed(FAMILIES[0], 5)


def test_the_pedal_holds_a_note_until_it_is_let_go() -> None:
    pedal = [Timed(0.5, 127), Timed(2.0, 0)]
    (held,) = sounding([PlayedNote(0.4, 0.8, 60, 80)], pedal)
    assert held.offset_s == 2.0


def test_the_pedal_does_not_hold_a_note_past_its_repetition() -> None:
    notes = [PlayedNote(0.4, 0.8, 60, 80), PlayedNote(1.5, 1.8, 60, 80)]
    first, _ = sounding(notes, [Timed(0.5, 127), Timed(2.0, 0)])
    assert first.offset_s == pytest.approx(1.49)


def test_one_voice_plays_one_note_at_a_time() -> None:
    chords = composed(FAMILIES[0], 3)
    voice = one_voice_of(chords, DURATION_S)
    assert len(voice) > 5
    gaps_s = [after.onset_s - note.offset_s for note, after in pairwise(voice)]
    assert min(gaps_s) >= 0


def test_keyboards_double_in_octaves_at_times() -> None:
    doubled = 0
    for seed in range(30):
        onsets = {(round(note.onset_s, 1), note.pitch) for note in composed(FAMILIES[0], seed)}
        octaves = sum((at_s, pitch + 12) in onsets for at_s, pitch in onsets)
        doubled += octaves > 0.25 * len(onsets)
    assert 4 <= doubled <= 20
