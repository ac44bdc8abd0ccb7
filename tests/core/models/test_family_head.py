"""The family head and how its answers are packed."""

import pytest
import torch

from core.models.family_head import FAMILIES, StemAndFamilies, interleaved


def test_four_frames_share_the_means_of_twelve_families() -> None:
    families = torch.arange(FAMILIES * 8.0).reshape(1, FAMILIES, 8, 1)
    rows = interleaved(families)
    assert rows.shape == (1, 3, 8, 1)
    means = families[0, :, :4, 0].mean(1)
    assert rows[0, :, :4, 0].flatten().tolist() == means.tolist()
    assert rows[0, 1, 6, 0] == families[0, 6, 4:, 0].mean()  # row 1, frame 2 of a block: family 6


@pytest.mark.parametrize("frames", [1, 6, 8])
def test_a_last_block_may_be_short(frames: int) -> None:
    assert interleaved(torch.rand(1, FAMILIES, frames, 88)).shape == (1, 3, frames, 88)


def test_it_answers_onset_frame_velocity_and_families() -> None:
    network = StemAndFamilies().eval()
    levels = torch.rand(1, 2, 16, 306)
    with torch.inference_mode():
        logits = network(levels)
        assert torch.equal(logits[:, :3], network.network(levels))
    assert logits.shape == (1, 6, 16, 88)
    totals = torch.sigmoid(logits[0, 3:]).reshape(3, 4, 4, 88).sum((0, 2))
    assert totals == pytest.approx(torch.ones(4, 88), abs=1e-3)
