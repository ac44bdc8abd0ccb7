"""Which model hears a stem: the one asked for, or the best installed one for its kind."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.engine.model_set import BUILT_IN, TOKEN_MODELS
from core.engine.options import AUTO_MODEL
from core.errors import ModelMissingError
from core.score.instruments import StemKind

# F1 in percent on the development clips of the evaluation kit, each model with its defaults
# (`python -m tests.benchmarks.bench_models CLIPS`): the mean of onset F1 with and without the end
# of the note; of drums the hits, of mixes the mean of onset F1 with and without the right
# instrument. Kinds without clips have no figures: there the built-in model stays.
SCORES: Mapping[StemKind, Mapping[str, float]] = MappingProxyType(
    {
        StemKind.DRUMS: {"built-in": 89.6, "mt3": 77.0},
        StemKind.BASS: {"built-in": 100.0, "mt3": 93.6},
        StemKind.VOCALS: {"built-in": 78.2, "mt3": 35.7},
        StemKind.KEYS: {"built-in": 75.3, "mt3": 77.9},
        StemKind.GUITAR: {"built-in": 89.4, "mt3": 100.0},
        StemKind.WINDS: {"built-in": 88.8, "mt3": 54.0},
        StemKind.MIX: {"built-in": 65.1, "mt3": 58.3},
    }
)


@dataclass(frozen=True, slots=True)
class ChosenModel:
    """`reason` is shown beside the job."""

    model_id: str
    reason: str


def check_model(model: str, installed: Collection[str]) -> None:
    """Raise ModelMissingError unless `model` is `auto`, built in, or one of the installed ones."""
    if model in (AUTO_MODEL, BUILT_IN.id):
        return
    if model not in TOKEN_MODELS:
        known = ", ".join([AUTO_MODEL, BUILT_IN.id, *TOKEN_MODELS])
        raise ModelMissingError(f"There is no model '{model}'.", f"Choose one of: {known}.")
    if model not in installed:
        raise ModelMissingError(
            f"The model '{model}' is not on this machine.",
            f"Get it in the Models panel or with 'notewright models download {model}', "
            f"or choose '{BUILT_IN.id}'.",
        )


def choose_model(model: str, kind: StemKind, installed: Collection[str]) -> ChosenModel:
    """Return the model for a stem of this kind; `auto` takes the best installed one by SCORES."""
    if model != AUTO_MODEL:
        return ChosenModel(model, "chosen")
    scores = SCORES.get(kind, {})
    rivals = [
        (scores[token_model.family], token_model.id)
        for token_model in TOKEN_MODELS.values()
        if token_model.id in installed and token_model.family in scores
    ]
    built_in_score = scores.get(BUILT_IN.id, 0.0)
    best_score, best_id = max(rivals, key=lambda rival: rival[0], default=(0.0, BUILT_IN.id))
    if best_score > built_in_score:
        return ChosenModel(
            best_id, f"best for {kind}: {best_score:.0f} against {built_in_score:.0f}"
        )
    if rivals:
        return ChosenModel(
            BUILT_IN.id, f"best for {kind}: {built_in_score:.0f} against {best_score:.0f}"
        )
    return ChosenModel(BUILT_IN.id, "always here")
