"""Who doubles a player is told by all notes of that player together."""

import numpy as np
import pytest

from core.codec.unisons import FEWEST_NOTES, LEAST_SHARE, USUAL_OPINION, also_playing

PIANO, GUITAR, BASS = 0, 3, 4


def opinions(notes: int, **families: float) -> np.ndarray:
    """How likely each family plays: as likely as usual, except those named."""
    named = {"piano": PIANO, "guitar": GUITAR, "bass": BASS}
    each = np.full((notes, 12), USUAL_OPINION / 4)
    for name, opinion in families.items():
        each[:, named[name]] = opinion
    return each


def players(notes: int, player: int = PIANO) -> np.ndarray:
    return np.full(notes, player)


def test_faint_evidence_that_agrees_tells_who_doubles_a_player() -> None:
    also = also_playing(players(20), opinions(20, piano=0.9, guitar=0.4))
    assert also[:, GUITAR].all()
    assert also.sum() == 20


def test_the_player_does_not_double_itself() -> None:
    assert not also_playing(players(20), opinions(20, piano=0.99)).any()


def test_strong_evidence_that_stands_alone_is_no_one() -> None:
    heard = opinions(20, piano=0.9)
    heard[7, GUITAR] = 0.7
    assert not also_playing(players(20), heard).any()


def test_of_a_player_who_is_doubled_most_of_the_time_the_other_notes_stay_alone() -> None:
    heard = opinions(20, piano=0.9, guitar=0.5)
    heard[15:, GUITAR] = 0.02
    also = also_playing(players(20), heard)[:, GUITAR]
    assert also[:15].all()
    assert not also[15:].any()


def test_who_would_double_only_a_few_notes_is_left_out() -> None:
    heard = opinions(20, piano=0.9)
    few = int(20 * LEAST_SHARE) - 3
    heard[:few, GUITAR] = 0.95
    assert not also_playing(players(20), heard).any()


@pytest.mark.parametrize(("notes", "is_told"), [(FEWEST_NOTES - 1, False), (FEWEST_NOTES, True)])
def test_a_few_notes_do_not_tell_who_doubles_them(notes: int, is_told: bool) -> None:
    assert also_playing(players(notes), opinions(notes, guitar=0.9)).any() == is_told


def test_each_player_is_judged_apart() -> None:
    both = np.concatenate([players(10), players(10, BASS)])
    heard = np.concatenate([opinions(10, guitar=0.6), opinions(10)])
    also = also_playing(both, heard)
    assert also[:10, GUITAR].all()
    assert not also[10:].any()


def test_where_nobody_looked_nobody_else_is_heard() -> None:
    assert not also_playing(players(20), np.full((20, 12), np.nan)).any()
    assert not also_playing(players(0), np.zeros((0, 12))).any()
