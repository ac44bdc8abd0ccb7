"""Pick the device a job runs on and say why; tell when its memory is full."""

import gc

import torch

from core.engine.options import ChosenDevice, Device
from core.errors import TranscriptionFailedError


def choose_device(wanted: Device) -> ChosenDevice:
    """Return where to run.

    Raises:
        TranscriptionFailedError: a device was asked for by name that this machine lacks.
    """
    if wanted is Device.CPU:
        return ChosenDevice("cpu", "chosen")
    if wanted is Device.CUDA:
        return _demanded("cuda", _why_no_cuda())
    if wanted is Device.MPS:
        return _demanded("mps", _why_no_mps())
    if _why_no_cuda() is None:
        return ChosenDevice("cuda", torch.cuda.get_device_name())
    if _why_no_mps() is None:
        return ChosenDevice("mps", "Apple GPU")
    return ChosenDevice("cpu", _why_no_cuda() or "")


def _demanded(name: str, why_not: str | None) -> ChosenDevice:
    if why_not is not None:
        raise TranscriptionFailedError(
            f"Cannot run on {name}: {why_not}.", "Choose the device 'auto' or 'cpu'."
        )
    return ChosenDevice(name, "chosen")


def _why_no_cuda() -> str | None:
    if torch.version.cuda is None:
        return "this PyTorch is built without CUDA"
    if not torch.cuda.is_available():
        return "no NVIDIA GPU with a working driver"
    return None


def _why_no_mps() -> str | None:
    return None if torch.backends.mps.is_available() else "no Apple GPU"


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether there was no room for a tensor or array; on CPU torch has no class for that."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    told = str(error).casefold()
    return isinstance(error, RuntimeError) and ("out of memory" in told or "can't allocate" in told)


def free_memory(device: torch.device) -> None:
    """Give back what torch keeps for later."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
