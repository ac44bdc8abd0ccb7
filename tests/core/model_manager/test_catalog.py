"""The catalogue names every model once and contradicts itself nowhere."""

import copy
import json
from typing import Any

import pytest

from core.engine.model_set import TOKEN_MODELS
from core.errors import ModelMissingError
from core.model_manager.catalog import CATALOG_PATH, catalog_of, the_catalog


@pytest.fixture
def content() -> dict[str, Any]:
    return json.loads(CATALOG_PATH.read_text(encoding="utf-8"))


def test_the_built_in_model_comes_first() -> None:
    assert the_catalog().entries[0].is_built_in


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
    with pytest.raises(ValueError, match="one and the same file"):
        catalog_of(content)


def test_two_models_with_one_id_are_refused(content: dict[str, Any]) -> None:
    content["models"].append(content["models"][1])
    with pytest.raises(ValueError, match="share an id"):
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
