"""Synthetic checkpoints and the numbers that the original implementations computed with them.

The kit lies beside a checkout, in ../shared/goldens; without it the tests that need it are skipped.
"""

import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

KIT = Path(__file__).resolve().parents[4] / "shared" / "goldens"
needs_kit = pytest.mark.skipif(
    not (KIT / "weights.py").is_file(), reason="the parity kit does not lie beside this checkout"
)


@cache
def kit_module(name: str) -> ModuleType:
    """Return a module of the kit: `weights` or `testaudio`."""
    spec = importlib.util.spec_from_file_location(f"parity_{name}", KIT / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def goldens(name: str) -> Mapping[str, npt.NDArray[Any]]:
    with np.load(KIT / f"{name}.npz") as stored:
        return dict(stored)


def manifest(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = kit_module("weights").load_manifest(KIT / "manifests" / f"{name}.json")
    return loaded


def noise(name: str, segments: int, frames: int) -> npt.NDArray[np.float32]:
    """Return the kit's made-up features [segment, frame, bin]."""
    values = kit_module("weights").unit_noise(f"input:{name}", segments * frames * 512)
    return (values * 2.5 - 5).astype(np.float32).reshape(segments, frames, 512)


def test_audio() -> npt.NDArray[np.float32]:
    """Return the kit's 8 s of music [sample] at 16 kHz."""
    audio: npt.NDArray[np.float32] = kit_module("testaudio").render(8)
    return audio


test_audio.__test__ = False  # type: ignore[attr-defined]
