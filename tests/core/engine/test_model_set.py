"""The built-in weights are in the program, and small."""

from core.engine.model_set import BUILT_IN, TOKEN_MODELS


def test_the_built_in_weights_are_there_and_small() -> None:
    files = (BUILT_IN.pitch_weights, BUILT_IN.family_weights, BUILT_IN.drum_weights)
    sizes = [path.stat().st_size for path in files]
    assert sum(sizes) < 8_000_000


def test_every_model_is_listed_under_its_own_id() -> None:
    assert all(model.id == model_id for model_id, model in TOKEN_MODELS.items())
