"""One choice of the recipe changed at a time, on equal compute."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from core.models.stem_net import SMALL
from core.score.note import NoteEvent
from core.training.ablations import (
    ABLATIONS,
    BASE,
    OneWindowNet,
    ablate,
    is_alone,
    is_computed,
    is_of_fonts,
    is_without_performers,
    is_without_recordings,
    is_without_sections,
)
from core.training.evaluate import LabelledClip

FONTS, PLUCKS, REEDS = "piano/fluid:0/hands", "own-pluck/guitar/riff", "performer-reed/reed/melody"

RECORDED, SECTION = (
    "guitar/recorded-1:27/finger",
    "brass/muse:56/section+performer-reed/reed/section",
)


def test_every_row_changes_one_thing_of_the_base() -> None:
    changed = [
        [name for name in ("choices", "size", "network", "is_wanted", "seed", "is_averaged",
                     "decoded_as")
         if getattr(row, name) != getattr(BASE, name)]
        for row in ABLATIONS[1:]
    ]  # fmt: skip
    assert all(len(fields) == 1 for fields in changed), changed
    assert len({row.name for row in ABLATIONS}) == len(ABLATIONS) > 8


def test_the_large_network_hears_less_for_the_same_computing() -> None:
    shares = {row.name: row.share_of_hours for row in ABLATIONS}
    assert shares.pop("large") == pytest.approx(0.532, abs=0.001)
    assert set(shares.values()) == {1.0}


@pytest.mark.parametrize(
    ("is_wanted", "recipes"),
    [
        (is_alone, [FONTS, PLUCKS, REEDS, RECORDED]),
        (is_of_fonts, [FONTS, RECORDED, f"{FONTS}+{FONTS}+drums"]),
        (is_computed, [PLUCKS, REEDS, f"{PLUCKS}+{REEDS}+drums"]),
        (
            is_without_performers,
            [RECORDED, FONTS, PLUCKS, f"{FONTS}+{FONTS}+drums", f"{FONTS}+{PLUCKS}"],
        ),
        (
            is_without_recordings,
            [
                FONTS,
                PLUCKS,
                REEDS,
                f"{FONTS}+{FONTS}+drums",
                f"{FONTS}+{PLUCKS}",
                f"{PLUCKS}+{REEDS}+drums",
                SECTION,
            ],
        ),
        (
            is_without_sections,
            [
                FONTS,
                PLUCKS,
                REEDS,
                f"{FONTS}+{FONTS}+drums",
                f"{FONTS}+{PLUCKS}",
                f"{PLUCKS}+{REEDS}+drums",
                RECORDED,
            ],
        ),
    ],
)
def test_clips_are_chosen_by_who_plays(
    is_wanted: Callable[[str], bool], recipes: list[str]
) -> None:
    every = [FONTS, PLUCKS, REEDS, f"{FONTS}+{FONTS}+drums", f"{FONTS}+{PLUCKS}",
             f"{PLUCKS}+{REEDS}+drums", RECORDED, SECTION]  # fmt: skip
    assert sorted(filter(is_wanted, every)) == sorted(recipes)


def test_one_window_does_not_hear_the_other() -> None:
    network = OneWindowNet(SMALL).eval()
    levels = torch.rand(1, 2, 16, 306)
    other = levels.clone()
    other[:, 1] = torch.rand(1, 16, 306)
    with torch.inference_mode():
        assert torch.equal(network(levels), network(other))


@pytest.mark.slow
def test_rows_are_kept_from_one_call_to_the_next(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    shard = tmp_path / "levels.npz"
    levels = random.random((2, 2, 200, 306)).astype(np.float16)
    notes = np.array([[0, 1.0, 2.0, 60, 80, 0], [1, 1.5, 2.0, 64, 80, 0]], np.float32)
    np.savez(shard, vqt=levels, notes=notes, meta=json.dumps([FONTS, PLUCKS]))
    samples = random.normal(0, 0.1, 44_100).astype(np.float32)
    clip = LabelledClip("noise", "piano", samples, (NoteEvent(0.5, 60, 1.0),), None)

    def run(only: str) -> list[str]:
        table = ablate(
            tmp_path, [shard], clips=[clip], unheard=lambda: [clip], hours=0.003, only=only
        )
        return table.read_text().splitlines()[2:]

    first = run("base")
    assert [row.split("|")[1].strip() for row in first] == [BASE.changed]
    both = run("no-averaging")
    assert both[0] == first[0]
    assert len(both) == 2
