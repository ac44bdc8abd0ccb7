"""Notes that go along with notes."""

import numpy as np

from core.training.doubling import beside, in_unison, is_one_voice
from core.training.families import FAMILY_NAMED
from core.training.part import PlayedNote

LINE = [PlayedNote(at / 2, at / 2 + 0.45, 60 + at % 7, 80) for at in range(16)]


def test_a_part_in_unison_starts_with_the_other_in_one_octave_or_another() -> None:
    for seed in range(20):
        doubled = in_unison(np.random.default_rng(seed), LINE, FAMILY_NAMED["piano"])
        steps = {note.pitch - other.pitch for note, other in zip(doubled, LINE, strict=True)}
        assert len(steps) == 1
        assert steps <= {-12, 0, 12, 24}
        late_s = [note.onset_s - other.onset_s for note, other in zip(doubled, LINE, strict=True)]
        assert np.abs(late_s).max() < 0.05


def test_what_an_instrument_cannot_reach_it_does_not_double() -> None:
    family = FAMILY_NAMED["bass"]
    for seed in range(20):
        for note in in_unison(np.random.default_rng(seed), LINE, family):
            assert family.lowest_pitch <= note.pitch <= family.highest_pitch


def test_double_stops_sound_with_some_notes_only() -> None:
    seconds = beside(np.random.default_rng(1), LINE, (4, 7), FAMILY_NAMED["strings"])
    starts = {note.onset_s: note.pitch for note in LINE}
    assert 0 < len(seconds) < len(LINE)
    assert {note.pitch - starts[note.onset_s] for note in seconds} <= {4, 7}


def test_a_line_is_one_voice_and_chords_are_not() -> None:
    assert is_one_voice(LINE)
    assert not is_one_voice([*LINE, PlayedNote(0.1, 1.0, 72, 80)])
