"""Loading weights safely."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from core.errors import ModelBrokenError, ModelMissingError
from core.models.checkpoint import load_safetensors, load_weights, read_metadata
from core.models.drum_net import DrumNet
from core.models.stem_net import StemNet


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"'gone\.safetensors' is missing"):
        load_safetensors(tmp_path / "gone.safetensors")


@pytest.mark.parametrize("content", [b"", b"not safetensors at all", b"\xff" * 4000])
def test_a_damaged_file_is_named_with_a_remedy(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelBrokenError, match=r"'bad\.safetensors' is damaged.*Install"):
        load_weights(StemNet(), path)


def test_a_truncated_file_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    save_file({"a": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ModelBrokenError, match="damaged"):
        load_safetensors(path)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "drums.safetensors"
    save_file(DrumNet().state_dict(), path)
    with pytest.raises(ModelBrokenError, match="belongs to another network"):
        load_weights(StemNet(), path)


def test_a_misshapen_tensor_is_named(tmp_path: Path) -> None:
    state = {
        name: value
        for name, value in StemNet().state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    state["logits.bias"] = torch.zeros(4)
    path = tmp_path / "odd.safetensors"
    save_file(state, path)
    with pytest.raises(ModelBrokenError, match=r"'logits\.bias' is \[4\] instead of \[3\]"):
        load_weights(StemNet(), path)


def test_metadata_comes_from_the_header(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata={"name": "a"})
    assert read_metadata(path) == {"name": "a"}
