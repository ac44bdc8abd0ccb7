"""Onsets of a segment are looked at closely."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.codec.struck_keys import StruckKeys
from core.engine.note_hearing import NoteHearing, NoteWeights

MODELS = Path(__file__).resolve().parents[3] / "resources" / "models"
WEIGHTS = NoteWeights(MODELS / "families_v5.safetensors", MODELS / "unisons_v1.safetensors")
AROUND = 36


@pytest.fixture(scope="module")
def hearing() -> NoteHearing:
    return NoteHearing(WEIGHTS)


def opinions(hearing: NoteHearing, *peaks: tuple[int, int, float], channels: int = 1) -> StruckKeys:
    """Opinions on a segment of 20 frames where (frame, key, onset) say so."""
    onset = np.zeros((20, 88), np.float16)
    for frame, key, height in peaks:
        onset[frame, key] = height
    return hearing.opinions(levels(channels), onset, first_frame=AROUND)


def levels(channels: int) -> torch.Tensor:
    shape = (channels, 2, 20 + 2 * AROUND, 306)
    return torch.rand(shape, generator=torch.Generator().manual_seed(5))


def test_every_peak_gets_probabilities(hearing: NoteHearing) -> None:
    found = opinions(hearing, (5, 40, 0.8)).opinion_at(5, 40)
    assert found is not None
    assert ((found[:12] / 255) ** 2).sum() == pytest.approx(1.0, abs=0.05)
    assert found.shape == (24,)


def test_what_stands_apart_is_heard_as_well(hearing: NoteHearing) -> None:
    mono, stereo = (opinions(hearing, (5, 40, 0.8), channels=count) for count in (1, 2))
    assert np.array_equal(mono.places, stereo.places)
    assert np.array_equal(mono.family[:, :12], stereo.family[:, :12])
    assert np.abs(mono.family[:, 12:].astype(int) - stereo.family[:, 12:]).max() > 2


@pytest.mark.parametrize("frame", [0, 19])
def test_so_does_one_at_the_end_of_a_segment(hearing: NoteHearing, frame: int) -> None:
    assert opinions(hearing, (frame, 40, 0.8)).opinion_at(frame, 40) is not None


def test_only_the_top_of_a_rise_is_looked_at(hearing: NoteHearing) -> None:
    assert len(opinions(hearing, (5, 40, 0.4), (6, 40, 0.8), (7, 40, 0.3)).places) == 1


def test_faint_rises_are_passed_over(hearing: NoteHearing) -> None:
    assert len(opinions(hearing, (5, 40, 0.1)).places) == 0
