"""Noises of handling come where hands move, and are no notes."""

import numpy as np

from core.training.curve_synth import SAMPLE_RATE_HZ
from core.training.handling import with_hammers, with_muted_strokes
from core.training.part import Part, PlayedNote, Timed


def tone() -> np.ndarray:
    at_s = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    return np.sin(2 * np.pi * 440 * at_s).astype(np.float32)


def added_at_s(noisy: np.ndarray) -> set[float]:
    """Tenths of seconds in which something was added."""
    added = np.flatnonzero(np.abs(noisy - tone()) > 1e-4)
    return set(np.unique(added * 10 // SAMPLE_RATE_HZ / 10).tolist())


def test_hammers_thud_with_their_notes() -> None:
    part = Part([PlayedNote(0.51, 1.91, 60, 120)])
    assert 0.5 in added_at_s(with_hammers(np.random.default_rng(0), tone(), part))


def test_a_part_without_damped_strokes_stays_as_it_is() -> None:
    sound = tone()
    part = Part([PlayedNote(0.5, 0.6, 60, 90)])
    assert with_muted_strokes(np.random.default_rng(0), sound, part) is sound


def test_a_damped_stroke_is_heard_where_it_is() -> None:
    part = Part(muted_strokes=[Timed(1.01, 100)])
    assert added_at_s(with_muted_strokes(np.random.default_rng(0), tone(), part)) == {1.0}
