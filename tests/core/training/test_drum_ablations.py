"""One choice of the drum training changed at a time."""

from pathlib import Path

import numpy as np
import pytest

from core.training.drum_ablations import BASE, DRUM_ABLATIONS, ablate_drums
from core.training.evaluate import LabelledClip


def test_every_row_changes_one_thing_of_the_base() -> None:
    changed = [
        [name for name in ("choices", "seed") if getattr(row, name) != getattr(BASE, name)]
        for row in DRUM_ABLATIONS[1:]
    ]
    assert all(len(fields) == 1 for fields in changed), changed
    assert len({row.name for row in DRUM_ABLATIONS}) == len(DRUM_ABLATIONS)


@pytest.mark.slow
def test_drum_rows_are_kept_from_one_call_to_the_next(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    shard = tmp_path / "drums.npz"
    hits = np.array([[0, 1.0, 0, 0.8], [1, 1.5, 2, 0.5]], np.float32)
    np.savez(shard, levels=random.random((2, 2, 400, 96)).astype(np.float16), hits=hits)
    samples = random.normal(0, 0.1, 44_100).astype(np.float32)
    clip = LabelledClip("noise", "drums", samples, None, ((0.5, 36),))

    def run(only: str) -> list[str]:
        table = ablate_drums(
            tmp_path, [shard], clips=[clip], unheard=lambda: [clip], hours=0.006, only=only
        )
        return table.read_text().splitlines()

    first = run(BASE.name)
    assert first[0] == "| changed | hours | Drm | unheard Drm |"
    assert [row.split("|")[1].strip() for row in first[2:]] == [BASE.changed]
    both = run("drums-ghosts")
    assert both[2] == first[2]
    assert len(both) == 4
