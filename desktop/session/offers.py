"""Offers: the models and devices that can be chosen, in words; the tables belong to core.engine."""

from dataclasses import dataclass

from core.engine.model_set import MODELS
from core.engine.options import AUTO_MODEL, Device


@dataclass(frozen=True, slots=True)
class ModelOffer:
    """A model by id and how it is shown."""

    model_id: str
    title: str
    good_at: str


@dataclass(frozen=True, slots=True)
class DeviceOffer:
    """A device and how it is shown."""

    device: Device
    title: str


def model_offers() -> tuple[ModelOffer, ...]:
    """Return the automatic choice, then every model whose weights are installed."""
    best = MODELS[0]
    automatic = ModelOffer(AUTO_MODEL, f"auto: {best.title}", best.good_at)
    installed = [model for model in MODELS if model.is_installed]
    return (automatic, *(ModelOffer(m.id, m.title, m.good_at) for m in installed))


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
