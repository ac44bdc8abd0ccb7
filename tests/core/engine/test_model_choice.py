"""The model asked for is taken; `auto` takes the best of what is installed for the kind of stem."""

import pytest

from core.engine.model_choice import check_model, choose_model
from core.errors import ModelMissingError
from core.score.instruments import StemKind


@pytest.mark.parametrize("model", ["auto", "built-in"])
def test_auto_and_the_built_in_model_need_no_installation(model: str) -> None:
    check_model(model, ())


def test_an_unknown_model_is_refused_with_the_choices() -> None:
    with pytest.raises(ModelMissingError, match="Choose one of: auto, built-in, mt3_magenta"):
        check_model("mt4", ())


def test_a_model_that_is_not_installed_is_refused_with_the_way_to_get_it() -> None:
    with pytest.raises(ModelMissingError, match="notewright models download mt3_pytorch"):
        check_model("mt3_pytorch", ("mt3_magenta",))


def test_the_users_choice_goes_over_the_scores() -> None:
    assert choose_model("mt3_magenta", StemKind.BASS, ("mt3_magenta",)).model_id == "mt3_magenta"


@pytest.mark.parametrize("kind", list(StemKind))
def test_on_a_fresh_machine_auto_is_the_built_in_model(kind: StemKind) -> None:
    assert choose_model("auto", kind, ()).model_id == "built-in"


@pytest.mark.parametrize(
    ("kind", "model_id"),
    [
        (StemKind.GUITAR, "mt3_magenta"),
        (StemKind.KEYS, "mt3_magenta"),
        (StemKind.MIX, "built-in"),
        (StemKind.VOCALS, "built-in"),
        (StemKind.WINDS, "built-in"),
        (StemKind.BASS, "built-in"),
        (StemKind.DRUMS, "built-in"),
    ],
)
def test_with_mt3_installed_auto_takes_the_better_of_both(kind: StemKind, model_id: str) -> None:
    chosen = choose_model("auto", kind, ("mt3_magenta",))
    assert chosen.model_id == model_id
    assert "against" in chosen.reason
