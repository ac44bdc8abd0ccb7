"""Models are found by id, and what is missing is said with the choices."""

import pytest

from core.engine.model_set import MODELS, model_named
from core.errors import ModelMissingError


@pytest.mark.parametrize("model_id", ["auto", "built-in"])
def test_the_built_in_model_is_there_from_the_start(model_id: str) -> None:
    assert model_named(model_id).is_installed


def test_the_built_in_weights_are_small() -> None:
    assert sum(model.size_bytes for model in MODELS) < 8_000_000


def test_an_unknown_model_lists_the_choices() -> None:
    with pytest.raises(ModelMissingError, match="Choose one of: auto, built-in"):
        model_named("gpt")
