"""The names and shapes of published checkpoints, and those of our networks."""

import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

from core.models.mr_mt3 import MrMt3
from core.models.mt3 import Mt3, Mt3Config
from core.models.parameter_names import FAMILIES
from core.models.yourmt3.config import CONFIGS
from core.models.yourmt3.network import YourMt3
from tests.core.models.parity_kit import manifest, needs_kit

PUBLISHED = json.loads(
    (Path(__file__).parents[2] / "golden" / "parameter_names.json").read_text("utf-8")
)


def _yourmt3(family: str) -> YourMt3:
    return YourMt3(CONFIGS[family]())


@pytest.mark.parametrize(
    ("family", "network"),
    [
        ("mt3", lambda: Mt3(Mt3Config())),
        ("ismir2021", lambda: Mt3(Mt3Config(vocab_size=1664, input_frames=512))),
        ("mr_mt3", lambda: MrMt3(Mt3Config(memory_length=64))),
        *((family, partial(_yourmt3, family)) for family in CONFIGS),
    ],
)
def test_our_names_and_shapes_are_those_of_the_network(
    family: str, network: Callable[[], nn.Module]
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


YOURMT3_FILES = [
    ("ymt3plus", "ymt3plus"),
    ("yptf_single", "yptf_single"),
    ("yptf_multi_ps", "yptf_multi"),
    ("yptf_moe_multi_nops", "yptf_moe_multi"),
    ("yptf_moe_multi_ps", "yptf_moe_multi"),
]


@needs_kit
@pytest.mark.parametrize(("file", "family"), YOURMT3_FILES)
def test_yourmt3_has_the_names_and_shapes_of_the_published_files(file: str, family: str) -> None:
    entries = {entry["name"]: entry for entry in manifest(file)["entries"]}
    ours = {spelling.torch: list(spelling.shape) for spelling in FAMILIES[family].spellings}
    rest = {name: entry["kind"] for name, entry in entries.items() if name not in ours}
    assert ours == {name: entry["shape"] for name, entry in entries.items() if name not in rest}
    assert set(rest.values()) <= {"alias", "counter"}
    assert all(FAMILIES[family].is_expected(name) for name in rest)


@pytest.mark.parametrize(
    ("family", "parameters"),
    [
        ("ymt3plus", 45_730_816),
        ("yptf_single", 30_397_824),
        ("yptf_multi", 28_987_008),
        ("yptf_moe_multi", 47_078_022),
    ],
)
def test_yourmt3_has_as_many_parameters_as_published(family: str, parameters: int) -> None:
    no_parameters = ("window", "mel_bank", ".mean", ".variance")
    assert parameters == sum(
        math.prod(spelling.shape)
        for spelling in FAMILIES[family].spellings
        if not spelling.ours.endswith(no_parameters)
    )


@pytest.mark.parametrize(
    ("name", "is_expected"),
    [
        ("pitchshift.pshifters.-2.kernel", True),
        ("pre_encoder.0.blocks.2.bn1.num_batches_tracked", True),
        ("encoder.blocks.2.local_transformer.1.attention.self.rotary_emb.freqs", True),
        ("pre_encoder.0.blocks.3.bn1.weight", False),
        ("encoder.blocks.0.local_transformer.0.mlp.experts.8.w1.weight", False),
    ],
)
def test_only_what_repeats_or_was_for_training_may_lie_beside_yourmt3(
    name: str, is_expected: bool
) -> None:
    assert FAMILIES["yptf_moe_multi"].is_expected(name) is is_expected
