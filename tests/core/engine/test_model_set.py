"""The built-in weights are in the program, and small."""

from core.engine.model_set import BUILT_IN, TOKEN_MODELS


def test_the_built_in_weights_are_there_and_small() -> None:
    pitched = (BUILT_IN.pitch_weights, BUILT_IN.family_weights, BUILT_IN.unison_weights)
    assert sum(path.stat().st_size for path in pitched) < 6_000_000
    assert BUILT_IN.drum_weights.stat().st_size < 4_000_000


def test_every_model_is_listed_under_its_own_id() -> None:
    assert all(model.id == model_id for model_id, model in TOKEN_MODELS.items())
