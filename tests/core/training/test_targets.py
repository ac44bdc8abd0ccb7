"""What the networks are asked to answer."""

import numpy as np
import pytest

from core.training.drum_patterns import Hit
from core.training.drum_synth import Drum
from core.training.part import PlayedNote
from core.training.train_drums import targets_of as drum_targets_of
from core.training.train_pitch import targets_of


def test_an_onset_is_a_triangle_around_its_time() -> None:
    note = PlayedNote(0.21, 0.5, 60, 127)  # frame 10.5
    targets = targets_of((note,), first_frame=0, frames=40, shift=0)
    assert targets.onset[8:14, 60 - 21].tolist() == pytest.approx([0, 0.25, 0.75, 0.75, 0.25, 0])
    assert targets.velocity[10, 60 - 21] == 1.0


def test_a_key_sounds_from_onset_to_offset() -> None:
    note = PlayedNote(0.2, 0.4, 60, 80)
    targets = targets_of((note,), first_frame=0, frames=40, shift=0)
    assert np.flatnonzero(targets.frame[:, 60 - 21]).tolist() == list(range(10, 20))


def test_a_shifted_segment_moves_keys_and_drops_those_beyond_the_range() -> None:
    notes = (PlayedNote(0.2, 0.4, 60, 80), PlayedNote(0.2, 0.4, 107, 80))
    targets = targets_of(notes, first_frame=0, frames=40, shift=2)
    assert np.flatnonzero(targets.frame.sum(0)).tolist() == [62 - 21]


def test_a_note_before_the_segment_only_sounds_in_it() -> None:
    targets = targets_of((PlayedNote(0.2, 1.0, 60, 80),), first_frame=20, frames=40, shift=0)
    assert targets.onset.max() == 0
    assert targets.frame[:, 60 - 21].sum() == 30


PIANO, VIOLIN = 0, 40


def families(*notes: PlayedNote) -> list[int]:
    """The families at C4, frame by frame."""
    return targets_of(notes, first_frame=0, frames=60, shift=0).family[:, 60 - 21].tolist()


def test_the_family_is_asked_of_the_first_part_of_a_note() -> None:
    found = families(PlayedNote(0.2, 1.1, 60, 80, VIOLIN))
    assert found == [-1] * 10 + [5] * 20 + [-1] * 30


def test_a_sound_of_no_family_teaches_none() -> None:
    assert max(families(PlayedNote(0.2, 1.1, 60, 80))) < 0


@pytest.mark.parametrize("others", [VIOLIN, -1])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_key_that_two_hold_is_not_asked_about(others: int, *, is_first: bool) -> None:
    notes = [PlayedNote(0.2, 1.1, 60, 80, PIANO), PlayedNote(0.3, 0.5, 60, 80, others)]
    found = families(*(notes if is_first else notes[::-1]))
    assert [frame for frame, family in enumerate(found) if family == 0] == [
        *range(10, 15),
        *range(25, 30),
    ]


def test_a_hit_is_a_triangle_on_its_drum() -> None:
    onset, strength = drum_targets_of(
        (Hit(10 * 220 / 22_050, Drum.TOM, 0.7),), first_frame=0, frames=30
    )
    assert onset[Drum.TOM, 8:13].tolist() == pytest.approx([0, 0.5, 1.0, 0.5, 0])
    assert strength[Drum.TOM, 10] == pytest.approx(0.7)
    assert onset.sum() == pytest.approx(2.0)
