"""The table of models: what each id stands for and where its weights lie."""

from dataclasses import dataclass
from pathlib import Path

from core.engine.options import AUTO_MODEL
from core.errors import ModelMissingError

_WEIGHTS = Path(__file__).resolve().parents[2] / "resources" / "models"


@dataclass(frozen=True, slots=True)
class Model:
    """A published set of weights: one file for pitched notes, one for drums."""

    id: str
    title: str
    good_at: str
    licence: str
    pitch_weights: Path
    drum_weights: Path

    @property
    def size_bytes(self) -> int:
        return sum(path.stat().st_size for path in self._files() if path.exists())

    @property
    def is_installed(self) -> bool:
        return all(path.exists() for path in self._files())

    def _files(self) -> tuple[Path, Path]:
        return (self.pitch_weights, self.drum_weights)


MODELS = (
    Model(
        id="built-in",
        title="Built-in v1",
        good_at="every stem and drums, on any CPU, offline",
        licence="MIT",
        pitch_weights=_WEIGHTS / "pitch_v1.safetensors",
        drum_weights=_WEIGHTS / "drums_v1.safetensors",
    ),
)


def model_named(model_id: str) -> Model:
    """Return the model of this id; `auto` is the best installed one.

    Raises:
        ModelMissingError: no such id, or its weights are not here.
    """
    wanted = MODELS[0].id if model_id == AUTO_MODEL else model_id
    for model in MODELS:
        if model.id == wanted:
            return _installed(model)
    known = ", ".join([AUTO_MODEL, *(model.id for model in MODELS)])
    raise ModelMissingError(f"There is no model '{model_id}'.", f"Choose one of: {known}.")


def _installed(model: Model) -> Model:
    if not model.is_installed:
        raise ModelMissingError(
            f"The weights of '{model.id}' are missing in {model.pitch_weights.parent}.",
            "Install Notewright again.",
        )
    return model
