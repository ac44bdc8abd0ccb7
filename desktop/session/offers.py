"""Offers: the models and devices that can be chosen, in words; the tables belong to core.engine."""

from dataclasses import dataclass

from core.engine.model_set import BUILT_IN
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
    good_at = "every stem and drums, on any CPU, offline"
    automatic = ModelOffer(AUTO_MODEL, f"auto: {BUILT_IN.title}", good_at)
    return (automatic, ModelOffer(BUILT_IN.id, BUILT_IN.title, good_at))


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
