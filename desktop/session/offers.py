"""Offers: the models and devices that can be chosen, in words; the tables belong to core.engine."""

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from core.engine.model_set import BUILT_IN
from core.engine.options import AUTO_MODEL, Device
from core.score.instruments import StemKind
from desktop.session.document import Document, Stem
from desktop.session.model_library import ModelLibrary
from desktop.session.model_work import LibraryModel


@dataclass(frozen=True, slots=True)
class ModelOffer:
    """A model by id and how it is shown; `size_bytes` is what a download takes, if known."""

    model_id: str
    title: str
    good_at: str
    is_installed: bool
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ModelWish:
    """A chosen model that is missing, or has come since, and what stands in for it."""

    model: LibraryModel
    stand_in: str


@dataclass(frozen=True, slots=True)
class DeviceOffer:
    """A device and how it is shown."""

    device: Device
    title: str


def model_offers(library: ModelLibrary) -> tuple[ModelOffer, ...]:
    """Return the automatic choice, then every model, those that are installed first."""
    best = QCoreApplication.translate("offers", "the best installed model for each kind of stem")
    title = QCoreApplication.translate("offers", "Auto (best installed)")
    models = sorted(library.models, key=lambda model: not model.is_installed)
    return (
        ModelOffer(AUTO_MODEL, title, best, is_installed=True),
        *(
            ModelOffer(
                model.model_id,
                model.entry.title,
                model.entry.good_at,
                is_installed=model.is_installed,
                size_bytes=model.entry.size_bytes,
            )
            for model in models
        ),
    )


def wish_of(stem: Stem, library: ModelLibrary) -> ModelWish | None:
    """Return the chosen model that did not hear the stem, because it was not here."""
    model = library.model(stem.choice.model)
    if model is None:
        return None
    is_idle = not stem.state.is_waiting
    heard_by = stem.heard.source.model if stem.heard is not None else None
    if heard_by == model.model_id and is_idle:
        return None  # though it may have been removed since
    if model.is_installed and (heard_by is None or not is_idle):
        return None
    return ModelWish(model, library.title_of(BUILT_IN.id))


def stems_for(model_id: str, document: Document, library: ModelLibrary) -> tuple[Stem, ...]:
    """Return the stems that this model would hear, and another one has heard."""
    return tuple(
        stem
        for stem in document.stems
        if stem.heard is not None
        and not stem.state.is_waiting
        and stem.heard.source.model != model_id
        and _model_for(stem, stem.heard.source.kind, library) == model_id
    )


def _model_for(stem: Stem, kind: StemKind, library: ModelLibrary) -> str:
    is_auto = stem.choice.model == AUTO_MODEL
    return library.best_for(kind).model_id if is_auto else stem.choice.model


def device_offers() -> tuple[DeviceOffer, ...]:
    """Return every device; which of them this machine has, only the worker process knows."""
    return (
        DeviceOffer(Device.AUTO, "auto"),
        DeviceOffer(Device.CPU, "CPU"),
        DeviceOffer(Device.CUDA, "NVIDIA GPU"),
        DeviceOffer(Device.MPS, "Apple GPU"),
    )


def device_named(value: str) -> Device:
    """Return the device of an offer by its value."""
    return Device(value)
