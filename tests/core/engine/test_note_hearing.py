"""Onsets of a segment are looked at closely."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.codec.struck_keys import StruckKeys
from core.engine.note_hearing import NoteHearing

WEIGHTS = Path(__file__).resolve().parents[3] / "resources" / "models" / "families_v5.safetensors"
AROUND = 36


@pytest.fixture(scope="module")
def hearing() -> NoteHearing:
    return NoteHearing(WEIGHTS)


def opinions(hearing: NoteHearing, *peaks: tuple[int, int, float]) -> StruckKeys:
    """Opinions on a segment of 20 frames where (frame, key, onset) say so."""
    onset = np.zeros((20, 88), np.float16)
    for frame, key, height in peaks:
        onset[frame, key] = height
    levels = torch.rand(2, 20 + 2 * AROUND, 306, generator=torch.Generator().manual_seed(5))
    return hearing.opinions(levels, onset, first_frame=AROUND)


def test_every_peak_gets_probabilities(hearing: NoteHearing) -> None:
    found = opinions(hearing, (5, 40, 0.8)).opinion_at(5, 40)
    assert found is not None
    assert ((found / 255) ** 2).sum() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("frame", [0, 19])
def test_so_does_one_at_the_end_of_a_segment(hearing: NoteHearing, frame: int) -> None:
    assert opinions(hearing, (frame, 40, 0.8)).opinion_at(frame, 40) is not None


def test_only_the_top_of_a_rise_is_looked_at(hearing: NoteHearing) -> None:
    assert len(opinions(hearing, (5, 40, 0.4), (6, 40, 0.8), (7, 40, 0.3)).places) == 1


def test_faint_rises_are_passed_over(hearing: NoteHearing) -> None:
    assert len(opinions(hearing, (5, 40, 0.1)).places) == 0
