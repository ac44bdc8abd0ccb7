"""The catalogue names every model once and contradicts itself nowhere."""

import copy
import json
from typing import Any

import pytest

from core.engine.model_set import BUILT_IN, TOKEN_MODELS
from core.errors import ModelMissingError
from core.model_manager.catalog import CATALOG_PATH, CatalogEntry, catalog_of, the_catalog
from core.models.checkpoint import read_metadata


@pytest.fixture
def content() -> dict[str, Any]:
    return json.loads(CATALOG_PATH.read_text(encoding="utf-8"))


def test_the_built_in_model_comes_first() -> None:
    assert the_catalog().entries[0].is_built_in


def test_the_built_in_model_bears_the_version_of_its_newest_weights() -> None:
    files = (BUILT_IN.pitch_weights, BUILT_IN.family_weights, BUILT_IN.unison_weights)
    version = max(int(read_metadata(file)["version"]) for file in (*files, BUILT_IN.drum_weights))
    assert the_catalog().entries[0].title == f"Built-in v{version}"


def test_the_engine_runs_what_the_catalogue_offers_and_nothing_else() -> None:
    offered = {entry.id: entry.family for entry in the_catalog().entries if not entry.is_built_in}
    assert offered == {model.id: model.family for model in TOKEN_MODELS.values()}


@pytest.mark.parametrize("alias", ["default", "fast", "accurate", "multitask", "auto"])
def test_the_aliases_of_other_tools_are_known(alias: str) -> None:
    the_catalog().entry(alias)


def test_an_unknown_model_is_refused_with_the_choices() -> None:
    with pytest.raises(ModelMissingError, match="Choose one of: auto, built-in, mt3_magenta"):
        the_catalog().entry("mt4")


def test_two_models_with_one_digest_are_refused(content: dict[str, Any]) -> None:
    twin = copy.deepcopy(next(m for m in content["models"] if m["id"] == "mt3_pytorch"))
    content["models"].append({**twin, "id": "mr_mt3_twin", "family": "mr_mt3"})
    with pytest.raises(ValueError, match="one and the same model"):
        catalog_of(content)


def test_two_models_with_one_id_are_refused(content: dict[str, Any]) -> None:
    content["models"].append(content["models"][1])
    with pytest.raises(ValueError, match="share the id 'mt3_magenta'"):
        catalog_of(content)


def test_two_folders_with_the_same_files_are_refused(content: dict[str, Any]) -> None:
    twin = copy.deepcopy(next(m for m in content["models"] if m["id"] == "mt3_magenta"))
    content["models"].append({**twin, "id": "another"})
    with pytest.raises(ValueError, match="one and the same model"):
        catalog_of(content)


def test_a_planned_model_may_be_no_twin_either(content: dict[str, Any]) -> None:
    twin = copy.deepcopy(next(m for m in content["models"] if m["id"] == "yourmt3"))
    content["models"].append({**twin, "id": "another", "is_planned": True})
    with pytest.raises(ValueError, match="one and the same model"):
        catalog_of(content)


def test_an_alias_of_nothing_is_refused(content: dict[str, Any]) -> None:
    content["aliases"]["best"] = "mt4"
    with pytest.raises(ValueError, match="'best' stands for 'mt4'"):
        catalog_of(content)


@pytest.mark.parametrize("digest", ["", "b8a3", "B8A3807ED265059A" * 4, "sha256:" + "0" * 64])
def test_a_digest_that_is_none_is_refused(content: dict[str, Any], digest: str) -> None:
    content["models"][2]["files"][0]["sha256"] = digest
    with pytest.raises(ValueError, match="is no SHA-256"):
        catalog_of(content)


@pytest.mark.parametrize("name", ["../evil.pth", "/etc/passwd", "a\\b.pth", "c:evil.pth"])
def test_a_file_outside_its_folder_is_refused(content: dict[str, Any], name: str) -> None:
    content["models"][2]["files"] = [{"name": name}]
    with pytest.raises(ValueError, match="no place within"):
        catalog_of(content)


def test_every_file_of_mt3_has_its_size_and_digest() -> None:
    entry = the_catalog().entry("mt3_magenta")
    assert len(entry.files) == 295  # the tree, and a header and a chunk for each of 147 matrices
    assert all(file.size_bytes and file.sha256 for file in entry.files)


def test_models_are_fetched_over_encrypted_connections_only() -> None:
    urls = [file.url for entry in the_catalog().entries for file in entry.files]
    assert all(url.startswith("https://") for url in urls)


def test_mt3_is_offered_once_under_its_own_name_and_mr_mt3_is_another_file() -> None:
    mt3 = the_catalog().entry("mt3_pytorch").files[0]
    assert mt3.sha256 == "b8a3807ed265059abd25ad7f68142c06c35e8f6144dcaa45bd55946a3745398f"
    assert mt3.size_bytes == 183_672_643
    remembering = [entry for entry in the_catalog().entries if entry.family == "mr_mt3"]
    assert len(remembering) == 4
    assert mt3.url not in {entry.files[0].url for entry in remembering}


def test_the_memory_of_the_catalogue_is_that_of_the_engine() -> None:
    entries = [entry for entry in the_catalog().entries if not entry.is_built_in]
    ours = {entry.id: entry.memory_length for entry in entries}
    assert ours == {model.id: model.memory_length for model in TOKEN_MODELS.values()}


def test_the_piano_model_has_the_files_of_mt3_but_no_digests() -> None:
    mt3, piano = the_catalog().entry("mt3_magenta"), the_catalog().entry("mt3_ismir2021")
    assert [file.name for file in piano.files] == [file.name for file in mt3.files]
    assert not piano.has_published_digests
    assert piano.size_bytes is None
    assert piano.expected_bytes == pytest.approx(172e6, rel=0.01)


@pytest.mark.parametrize(
    "entry",
    [*the_catalog().entries[1:], *the_catalog().planned],
    ids=lambda entry: entry.id,
)
def test_every_model_says_what_it_is_for_and_where_it_is_from(entry: CatalogEntry) -> None:
    assert all((entry.good_at, entry.suits, entry.licence, entry.digests_from))
    assert entry.paper.startswith("https://")
    assert entry.expected_bytes


def test_a_planned_model_is_known_but_cannot_be_chosen(content: dict[str, Any]) -> None:
    for model in content["models"]:
        if model["id"] == "yourmt3":
            model["is_planned"] = True
    catalog = catalog_of(content)
    assert [entry.id for entry in catalog.planned] == ["yourmt3"]
    with pytest.raises(ModelMissingError, match="cannot run 'yourmt3' yet"):
        catalog.entry("yourmt3")


LONG_FOLDER = (
    "ptf_mc13_256_all_cross_v6_xk5_amp0811_edr005_attend_c_full_plus_2psn_nl26_sb_b26r_800k"
)


# The five files as the publisher's git-lfs pointers name them.
@pytest.mark.parametrize(
    ("model", "size_bytes", "sha256", "path"),
    [
        ("yourmt3", 561_544_628, "ae38e415c79efd5592dcb9b658cdb99ddb11d4c4e1eaa364cab04a052473fc25",
         "mc13_256_g4_all_v7_mt3f_sqr_rms_moe_wf4_n8k2_silu_rope_rp_b36_nops/checkpoints/last.ckpt"),
        ("yourmt3_moe_ps", 758_957_292,
         "7427055b51c3c8c86f6a35493cf0741d8db29186052055b59193590a82e6ec01",
         "mc13_256_g4_all_v7_mt3f_sqr_rms_moe_wf4_n8k2_silu_rope_rp_b80_ps2/checkpoints/model.ckpt"),
        ("yourmt3_multi_ps", 541_553_263,
         "f7ed46a7c61244bd35485143a791b3cf46515ef96239793845ae8e4084865130",
         LONG_FOLDER + "/checkpoints/model.ckpt"),
        ("yourmt3_single", 361_050_039,
         "507ff129bf68f65b3b3439368706fc413523fc729d994e4da2c3f50860b05dde",
         "ptf_all_cross_rebal5_mirst_xk2_edr005_attend_c_full_plus_b100/checkpoints/model.ckpt"),
        ("yourmt3_ymt3plus", 542_707_465,
         "76673d4289aae1a66984b3fee59157d484cda8fdf9b56279251b137321d448e6",
         "notask_all_cross_v6_xk2_amp0811_gm_ext_plus_nops_b72/checkpoints/model.ckpt"),
    ],
)  # fmt: skip
def test_the_five_of_yourmt3_are_offered_as_published(
    model: str, size_bytes: int, sha256: str, path: str
) -> None:
    (file,) = the_catalog().entry(model).files
    assert (file.size_bytes, file.sha256) == (size_bytes, sha256)
    host = "https://huggingface.co/spaces/mimbres/YourMT3/resolve/main/amt/logs/2024/"
    assert file.url == host + path
