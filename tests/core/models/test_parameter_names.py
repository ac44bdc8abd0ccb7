"""The names and shapes of published checkpoints, and those of our networks."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from core.models.mr_mt3 import MrMt3
from core.models.mt3 import Mt3, Mt3Config
from core.models.parameter_names import FAMILIES

PUBLISHED = json.loads(
    (Path(__file__).parents[2] / "golden" / "parameter_names.json").read_text("utf-8")
)


@pytest.mark.parametrize(
    ("family", "network"),
    [
        ("mt3", lambda: Mt3(Mt3Config())),
        ("ismir2021", lambda: Mt3(Mt3Config(vocab_size=1664, input_frames=512))),
        ("mr_mt3", lambda: MrMt3(Mt3Config(memory_length=64))),
    ],
)
def test_our_names_and_shapes_are_those_of_the_network(
    family: str, network: Callable[[], Mt3]
) -> None:
    with torch.device("meta"):
        state = network().state_dict()
    assert {spelling.ours: spelling.shape for spelling in FAMILIES[family].spellings} == {
        name: tuple(value.shape) for name, value in state.items()
    }


def test_mr_mt3_has_the_names_and_shapes_of_the_published_state_dict() -> None:
    spellings = FAMILIES["mr_mt3"].spellings
    assert {spelling.torch: list(spelling.shape) for spelling in spellings} == PUBLISHED["mr_mt3"]
    aliases = {spelling.alias: spelling.torch for spelling in spellings if spelling.alias}
    assert aliases == PUBLISHED["aliases"]


def test_mt3_is_mr_mt3_without_the_memory() -> None:
    names = {spelling.torch for spelling in FAMILIES["mt3"].spellings}
    assert names == {name for name in PUBLISHED["mr_mt3"] if not name.startswith("segmem_")}


def test_mt3_has_the_names_and_shapes_of_magentas_tree() -> None:
    tree = {
        name: list(spelling.shape[::-1] if spelling.t5x_is_transposed else spelling.shape)
        for name, spelling in FAMILIES["mt3"].names_in_t5x().items()
    }
    assert tree == PUBLISHED["mt3_t5x"]


def test_ismir2021_differs_from_mt3_by_its_tokens() -> None:
    differing = {
        ours.ours: theirs.shape
        for ours, theirs in zip(
            FAMILIES["mt3"].spellings, FAMILIES["ismir2021"].spellings, strict=True
        )
        if ours != theirs
    }
    assert differing == {"token_embedding.weight": (1664, 512), "logits.weight": (1664, 512)}


def test_an_alias_stands_in_for_a_tensor_that_is_not_there() -> None:
    family = FAMILIES["mt3"]
    present = {spelling.torch for spelling in family.spellings} - {"proj.weight"}
    names = family.names_among(present | {"encoder.embed_tokens.weight"})
    assert names["encoder.embed_tokens.weight"].ours == "input_projection.weight"
    assert "proj.weight" not in names


@pytest.mark.parametrize("prefix", ["", "model."])
def test_the_prefix_of_a_trainer_is_found_even_if_a_name_is_missing(prefix: str) -> None:
    family = FAMILIES["mt3"]
    present = [prefix + spelling.torch for spelling in family.spellings[1:]]
    assert set(present) <= family.names_among(present).keys()
