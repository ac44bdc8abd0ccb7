"""The device is chosen for a reason, or refused with the next step."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from core.engine.device import choose_device, is_out_of_memory
from core.engine.options import Device
from core.errors import TranscriptionFailedError


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.usefixtures("no_gpu")
def test_auto_takes_the_cpu_and_says_why() -> None:
    chosen = choose_device(Device.AUTO)
    assert chosen.name == "cpu"
    assert "no NVIDIA GPU" in chosen.reason or "without CUDA" in chosen.reason


def test_auto_takes_a_cuda_card_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "RTX 4090")
    chosen = choose_device(Device.AUTO)
    assert (chosen.name, chosen.reason) == ("cuda", "RTX 4090")


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("wanted", [Device.CUDA, Device.MPS])
def test_a_device_asked_for_by_name_is_never_replaced_in_silence(wanted: Device) -> None:
    with pytest.raises(TranscriptionFailedError, match=r"Choose the device 'auto' or 'cpu'\."):
        choose_device(wanted)


def real_failure(allocate: Callable[[], object]) -> BaseException:
    with pytest.raises((RuntimeError, MemoryError)) as failed:
        allocate()
    return failed.value


@pytest.mark.parametrize(
    "allocate",
    [lambda: torch.empty(1 << 50, dtype=torch.uint8), lambda: np.empty(1 << 50, np.uint8)],
    ids=["torch", "numpy"],
)
def test_what_does_not_fit_is_recognised(allocate: Callable[[], object]) -> None:
    assert is_out_of_memory(real_failure(allocate))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_other_failures_are_not(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected
