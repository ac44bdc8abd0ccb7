"""Unisons: who else plays the notes of a player, in mixes where several play the same.

A close look at one onset hardly tells one player from two. But who doubles another does so for
whole stretches of a song: all notes of a player are judged together, so that faint evidence that
agrees counts, and strong evidence that stands alone does not.
"""

import numpy as np
import numpy.typing as npt

USUAL_OPINION = 0.21  # that a family plays, of those that do not: it was taught on many unisons
EXPECTED_SHARE, EXPECTED_NOTES = 0.1, 5.0  # of a player's notes another one doubles; as many notes
LEAST_SHARE = 0.5  # of a player's notes; who seems to double fewer is mistaken for others
SURE = 0.6
FEWEST_NOTES = 6  # of a player; fewer do not tell who doubles them
ROUNDS = 20
SUREST = 1e-3  # what an opinion is worth at most

Probabilities = npt.NDArray[np.float64]


def also_playing(players: npt.NDArray[np.int_], opinions: Probabilities) -> npt.NDArray[np.bool_]:
    """Return who else plays each note [note, family].

    `players` [note] are the families that play them for sure, `opinions` [note, family] how likely
    each family plays, be it with others; NaN where nobody looked.
    """
    opinions = np.where(np.isnan(opinions), USUAL_OPINION, opinions)
    evidence = _logit(np.clip(opinions, SUREST, 1 - SUREST)) - _logit(USUAL_OPINION)
    also = np.zeros(opinions.shape, np.bool_)
    for player in np.unique(players):
        own = np.flatnonzero(players == player)
        if len(own) >= FEWEST_NOTES:
            also[own] = _beside(player, evidence[own])
    return also


def _beside(player: int, evidence: Probabilities) -> npt.NDArray[np.bool_]:
    """Return who else plays the notes of one player [note, family], by the evidence for each."""
    share = np.full(evidence.shape[1], EXPECTED_SHARE)
    belief = np.zeros(evidence.shape)
    for _ in range(ROUNDS):
        belief = 1 / (1 + np.exp(-evidence - _logit(share)))
        belief[:, player] = 0.0
        expected = EXPECTED_NOTES * EXPECTED_SHARE
        share = (belief.sum(0) + expected) / (len(belief) + EXPECTED_NOTES)
    return (belief > SURE) & (share >= LEAST_SHARE)


def _logit(probability: Probabilities | float) -> Probabilities:
    return np.asarray(np.log(probability) - np.log1p(-np.asarray(probability)), np.float64)
