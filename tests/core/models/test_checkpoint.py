"""Loading weights safely."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from core.errors import ModelBrokenError, ModelMissingError
from core.models import checkpoint
from core.models.blocks import magenta_frequencies
from core.models.checkpoint import (
    load_published,
    load_safetensors,
    load_weights,
    read_checkpoint,
    read_metadata,
)
from core.models.drum_net import DrumNet
from core.models.mt3 import Mt3, Mt3Config
from core.models.parameter_names import FAMILIES
from core.models.stem_net import StemNet
from core.models.weights_cache import cache_path
from tests.core.models.make_checkpoint import (
    CONFIG,
    TINY,
    save_lightning,
    save_pth,
    save_safetensors,
    save_t5x,
    weights,
)

POSITIONS = ("encoder.positions.frequencies", "decoder.positions.frequencies")


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


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Mt3:
    """Return a small network without weights, whose checkpoints can be read."""
    monkeypatch.setattr(checkpoint, "FAMILIES", {"tiny": TINY})
    with torch.device("meta"):
        return Mt3(CONFIG)


def logits_of(network: Mt3) -> torch.Tensor:
    features = torch.linspace(-3, 1, 20).reshape(1, 5, 4)
    return network(features, torch.tensor([[0, 5, 7]]))


@pytest.mark.parametrize("save", [save_pth, save_lightning, save_safetensors])
@pytest.mark.parametrize("times", [1, 2])
def test_a_network_is_filled_from_every_format(
    times: int, save: Callable[[Path], Path], tiny: Mt3, tmp_path: Path
) -> None:
    by_hand = Mt3(CONFIG).requires_grad_(requires_grad=False)  # else another library multiplies
    state = {name: torch.from_numpy(each) for name, each in weights().items()}
    by_hand.load_state_dict(state, assign=True)
    path = save(tmp_path / "model")
    for _ in range(times):  # from the original, and from the copy
        load_published(tiny, path, "tiny")
    assert torch.equal(logits_of(tiny), logits_of(by_hand))
    assert not tiny.training
    assert not any(parameter.requires_grad for parameter in tiny.parameters())


def test_a_t5x_folder_gives_magentas_positions_in_double_precision(
    tiny: Mt3, tmp_path: Path
) -> None:
    load_published(tiny, save_t5x(tmp_path / "mt3"), "tiny")
    assert torch.equal(tiny.encoder.positions.frequencies, magenta_frequencies(8))
    assert tiny.decoder.positions.frequencies.dtype == torch.float64


def test_a_pth_keeps_its_positions(tiny: Mt3, tmp_path: Path) -> None:
    path = save_pth(tmp_path / "a.pth")
    ours = torch.from_numpy(weights()[POSITIONS[0]])
    assert torch.equal(read_checkpoint(path, "tiny")[POSITIONS[0]], ours)
    load_published(tiny, path, "tiny")
    assert torch.equal(tiny.encoder.positions.frequencies, ours)


def test_without_a_copy_the_original_is_read(
    tiny: Mt3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "cached_safetensors", lambda path, family: None)
    load_published(tiny, save_pth(tmp_path / "a.pth"), "tiny")
    assert torch.equal(tiny.logits.weight, torch.from_numpy(weights()["logits.weight"]))


def test_a_copy_that_vanishes_is_not_needed(
    tiny: Mt3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gone = tmp_path / "gone.safetensors"
    monkeypatch.setattr(checkpoint, "cached_safetensors", lambda path, family: gone)
    load_published(tiny, save_pth(tmp_path / "a.pth"), "tiny")
    assert torch.equal(tiny.logits.weight, torch.from_numpy(weights()["logits.weight"]))
    assert "the original is read" in caplog.text


@pytest.mark.slow
def test_a_model_of_full_size_loads_again_in_under_a_second(tmp_path: Path) -> None:
    path = tmp_path / "mt3.pth"
    torch.save({each.torch: torch.zeros(each.shape) for each in FAMILIES["mt3"].spellings}, path)
    with torch.device("meta"):
        network = Mt3(Mt3Config())
    load_published(network, path, "mt3")
    assert cache_path(path).is_file()
    began_s = time.process_time()
    load_published(network, path, "mt3")
    assert time.process_time() - began_s < 1.0
