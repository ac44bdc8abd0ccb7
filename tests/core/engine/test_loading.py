"""Each installed model is loaded as what it is."""

from pathlib import Path

import pytest

from core.engine import loading
from core.engine.loading import load_listener
from core.engine.model_set import TOKEN_MODELS
from core.engine.options import ChosenDevice, Precision, Sampling

CPU = ChosenDevice("cpu", "chosen")


@pytest.fixture(autouse=True)
def _listeners_that_tell_what_they_were_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("TokenListener", "ChannelListener"):

        def told(*given: object, kind: str = kind, **more: object) -> tuple[object, ...]:
            return kind, given, more

        monkeypatch.setattr(loading, kind, told)


@pytest.mark.parametrize("model", TOKEN_MODELS.values(), ids=TOKEN_MODELS)
def test_models_with_channels_listen_otherwise_than_those_of_mt3(model) -> None:
    kind, *_ = load_listener(model, Path("weights"), CPU)
    assert kind == ("ChannelListener" if model.id.startswith("yourmt3") else "TokenListener")


@pytest.mark.parametrize("model_id", ["mt3_magenta", "yourmt3"])
def test_how_to_compute_and_to_choose_tokens_is_passed_on(model_id: str) -> None:
    drawn = Sampling(temperature=0.7)
    _, given, more = load_listener(
        TOKEN_MODELS[model_id], Path("weights"), CPU, precision=Precision.INT8, sampling=drawn
    )
    assert given == (TOKEN_MODELS[model_id], Path("weights"), CPU)
    assert more == {"precision": Precision.INT8, "sampling": drawn}
