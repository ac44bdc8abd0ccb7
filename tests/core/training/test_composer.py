"""Composed parts are playable and well labelled."""

from itertools import pairwise

import numpy as np
import pytest

from core.training.composer import compose, one_player_of, one_voice_of, sounding
from core.training.families import FAMILIES, FAMILY_NAMED, Family
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


def octaves_of(notes: list[PlayedNote]) -> list[tuple[PlayedNote, PlayedNote]]:
    """Pairs of a note and one that starts an octave over it while it sounds."""
    return [
        (lower, upper)
        for lower in notes
        for upper in notes
        if upper.pitch == lower.pitch + 12
        and lower.onset_s - 0.02 < upper.onset_s < lower.offset_s - 0.02
    ]


def pianos_in_octaves() -> list[list[tuple[PlayedNote, PlayedNote]]]:
    pianos = (octaves_of(composed(FAMILIES[0], seed)) for seed in range(40))
    return [pairs for pairs in pianos if len(pairs) > 10]


def test_some_octaves_come_while_the_lower_note_rings() -> None:
    shares = [
        float(np.mean([upper.onset_s - lower.onset_s > 0.05 for lower, upper in pairs]))
        for pairs in pianos_in_octaves()
    ]
    assert 2 <= sum(share > 0.5 for share in shares) <= len(shares) / 2


def test_some_octaves_are_much_softer_than_what_they_double() -> None:
    ratios = [
        float(np.median([upper.velocity / lower.velocity for lower, upper in pairs]))
        for pairs in pianos_in_octaves()
    ]
    likeness = [min(ratio, 1 / ratio) for ratio in ratios]
    assert min(likeness) < 0.7
    assert max(likeness) > 0.95


def test_hands_that_meet_strike_a_key_one_after_another() -> None:
    left, right = PlayedNote(0.0, 2.0, 60, 80), PlayedNote(1.0, 3.0, 60, 80)
    first, second = one_player_of([right, left], DURATION_S)
    assert first.offset_s < second.onset_s


def test_slides_arrive_where_their_note_is() -> None:
    guitar = FAMILY_NAMED["guitar"]
    bends = [
        bend
        for seed in range(60)
        for bend in compose(np.random.default_rng(seed), guitar, DURATION_S).part.bends
    ]
    assert min(bend.amount for bend in bends) == -2.0
    assert max(bend.amount for bend in bends) < 0.5
