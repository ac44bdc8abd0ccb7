"""Headers of safetensors files, and files written one tensor after the other."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from core.errors import ModelBrokenError
from core.models.safetensors_file import (
    is_as_written,
    safetensors_metadata,
    safetensors_parameters,
    write_safetensors,
)

TENSORS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones((), np.float64)}
SHAPES = {name: (values.shape, values.dtype) for name, values in TENSORS.items()}


def header_of(header: object, values: bytes = b"") -> bytes:
    written = json.dumps(header).encode()
    return struct.pack("<Q", len(written)) + written + values


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "a.safetensors"
    write_safetensors(path, TENSORS.items(), SHAPES, {"family": "mt3"})
    return path


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_values_are_those_of_the_library(dtype: torch.dtype, tmp_path: Path) -> None:
    values = torch.randn(3, 5).to(dtype)
    save_file({"a": values, "scalar": values[0, 0].clone()}, tmp_path / "a.safetensors")
    found = {each.name: each.read() for each in safetensors_parameters(tmp_path / "a.safetensors")}
    assert np.array_equal(found["a"], values.float().numpy())
    assert np.array_equal(found["scalar"], values[0, 0].float().numpy())


def test_what_is_written_is_read_by_the_library(written: Path) -> None:
    with safe_open(written, framework="np") as file:
        assert file.metadata()["family"] == "mt3"
        for name, values in TENSORS.items():
            found = file.get_tensor(name)
            assert found.dtype == values.dtype
            assert np.array_equal(found, values)


def test_a_whole_file_proves_itself(written: Path) -> None:
    assert is_as_written(written)
    assert len(safetensors_metadata(written)["crc32"]) == 8


@pytest.mark.parametrize("place", [-1, -10, -32])
def test_a_changed_value_is_noticed(place: int, written: Path) -> None:
    content = bytearray(written.read_bytes())
    content[place] ^= 1
    written.write_bytes(content)
    assert not is_as_written(written)


def test_tensors_other_than_announced_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not"):
        write_safetensors(tmp_path / "a", [("a", np.zeros(4, np.float32))], {"a": SHAPES["a"]}, {})


def test_tensors_of_unknown_formats_are_listed_but_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(header_of({"a": {"dtype": "F4", "shape": [2], "data_offsets": [0, 1]}}, b"\0"))
    (parameter,) = safetensors_parameters(path)
    assert (parameter.dtype, parameter.is_floating) == ("F4", False)
    with pytest.raises(ModelBrokenError, match="no weights but F4"):
        parameter.read()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 7,
        b"\xff" * 8 + b"{}",
        struct.pack("<Q", 1 << 40) + b"{}",
        struct.pack("<Q", 2) + b"{",
        header_of([1]),
        header_of({"a": 1}),
        header_of({"a": {}}),
        header_of({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}),
        header_of({"a": {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]}}, bytes(8)),
        header_of({"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}}, bytes(8)),
        header_of({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}, bytes(8)),
        header_of({"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}, bytes(8)),
        header_of({"a": {"dtype": "F32", "shape": [2.0], "data_offsets": [0, 8]}}, bytes(8)),
        header_of({"a": {"dtype": "F32", "shape": "2", "data_offsets": [0, 8]}}, bytes(8)),
        header_of({"a": {"dtype": "F32", "shape": [0, 1 << 62], "data_offsets": [0, 0]}}),
        header_of({"a": {"dtype": "F32", "shape": [1 << 40] * 8, "data_offsets": [0, 0]}}),
        header_of({"a": {"dtype": "F32", "shape": [1] * 99, "data_offsets": [0, 4]}}, bytes(4)),
        struct.pack("<Q", 100_000) + b"[" * 100_000,
        struct.pack("<Q", 5000) + b"9" * 5000,
    ],
    ids=range(20),
)
def test_damaged_files_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(ModelBrokenError, match=r"'a\.safetensors': it is damaged or breaks off"):
        safetensors_parameters(tmp_path / "a.safetensors")


def test_a_file_cut_after_its_header_was_read_is_noticed(written: Path) -> None:
    (first, _) = safetensors_parameters(written)
    written.write_bytes(written.read_bytes()[:-20])
    with pytest.raises(ModelBrokenError, match="breaks off"):
        first.read()
