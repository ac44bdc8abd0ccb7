"""Loading what upstream publishes: Lightning's dictionary with all that its training left in it."""

import pickle
import sys
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor

from core.errors import ModelBrokenError
from core.models import checkpoint, parameter_names
from core.models.checkpoint_report import inspect_checkpoint
from core.models.parameter_names import ModelFamily, Mt3Sizes, YourMt3Sizes, yourmt3_spellings
from core.models.weights_cache import cache_path
from core.models.yourmt3 import published
from core.models.yourmt3.config import YourMt3Config
from core.models.yourmt3.network import YourMt3
from core.models.yourmt3.published import read_yourmt3
from tests.core.models.yourmt3.small import small_config

STACK = Mt3Sizes(tokens=12, channels=16, inner=8, hidden=8, layers=2)
NORM_HAS_BIAS = {"yptf_moe_multi": True, "yptf_moe_multi_rms": False}
NORM = {"yptf_moe_multi": "layer", "yptf_moe_multi_rms": "rms"}


def small(family: str) -> YourMt3Config:
    return small_config(conv_channels=8, rotated_pairs=2, norm=NORM[family])


@pytest.fixture
def families(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModelFamily]:
    """Let the published families be small ones."""
    kept = parameter_names.FAMILIES["yptf_moe_multi"]
    made = {
        name: ModelFamily(
            name,
            yourmt3_spellings(
                YourMt3Sizes(latents=6, heard=16, experts=4, norm_has_bias=has_bias, dimensions=8,
                             expert_hidden=16, blocks=2, stack=STACK)
            ),
            kept.ignored,
            kept.repeated,
        )
        for name, has_bias in NORM_HAS_BIAS.items()
    }  # fmt: skip
    configs: dict[str, Callable[[], YourMt3Config]] = {name: partial(small, name) for name in made}
    for module in (checkpoint, published, checkpoint_report_module()):
        monkeypatch.setattr(module, "FAMILIES", made)
    monkeypatch.setattr(published, "CONFIGS", configs)
    return made


def checkpoint_report_module() -> ModuleType:
    return sys.modules[inspect_checkpoint.__module__]


def weights(family: str) -> YourMt3:
    torch.manual_seed(0)
    return YourMt3(small(family))


def save(path: Path, family: ModelFamily, without: str = "") -> dict[str, Tensor]:
    """Write what Lightning writes; return the network's tensors under our names."""
    ours = weights(family.name).state_dict()
    state = OrderedDict((spelling.torch, ours[spelling.ours]) for spelling in family.spellings)
    state["pitchshift.pshifters.-1.kernel"] = torch.zeros(3, 1, 7)
    state["pre_encoder.0.blocks.0.bn1.num_batches_tracked"] = torch.tensor(9)
    state["encoder.blocks.0.spectral_cross_attention.self.rotary_emb.freqs"] = torch.ones(2)
    state.pop(without, None)
    utils = ModuleType("utils.task_manager")
    manager = type("TaskManager", (), {"__module__": utils.__name__})
    utils.TaskManager = manager  # type: ignore[attr-defined]
    sys.modules["utils"], sys.modules[utils.__name__] = ModuleType("utils"), utils
    try:
        torch.save(
            {"epoch": 1, "state_dict": state, "hyper_parameters": {"task_manager": manager()},
             "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(3)}}}]},
            path,
        )  # fmt: skip
    finally:
        del sys.modules["utils"], sys.modules[utils.__name__]
    return ours


@pytest.mark.parametrize("norm", NORM_HAS_BIAS)
def test_the_file_decides_on_the_norm(
    tmp_path: Path, families: dict[str, ModelFamily], norm: str
) -> None:
    wanted = save(tmp_path / "last.ckpt", families[norm])
    network = read_yourmt3(tmp_path / "last.ckpt", "yptf_moe_multi")
    assert network.config.norm == NORM[norm]
    found = network.state_dict()
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name], value) for name, value in wanted.items())
    assert not network.training


def test_a_loaded_network_hears_what_the_saved_one_heard(
    tmp_path: Path, families: dict[str, ModelFamily]
) -> None:
    save(tmp_path / "last.ckpt", families["yptf_moe_multi"])
    loaded = read_yourmt3(tmp_path / "last.ckpt", "yptf_moe_multi")
    features = torch.rand(1, 9, 64)
    with torch.inference_mode():
        saved = weights("yptf_moe_multi").eval()
        assert torch.equal(loaded.encode(features), saved.encode(features))


@pytest.mark.parametrize("norm", NORM_HAS_BIAS)
def test_the_copy_beside_the_file_holds_what_is_needed_alone(
    tmp_path: Path, families: dict[str, ModelFamily], norm: str
) -> None:
    path = tmp_path / "last.ckpt"
    wanted = save(path, families[norm])
    first = read_yourmt3(path, "yptf_moe_multi")
    copy = cache_path(path)
    assert checkpoint.load_safetensors(copy).keys() == wanted.keys()
    alone = read_yourmt3(copy.rename(tmp_path / "kept.safetensors"), "yptf_moe_multi")
    assert alone.config.norm == first.config.norm


def test_a_file_that_lacks_a_tensor_is_refused(
    tmp_path: Path, families: dict[str, ModelFamily]
) -> None:
    lacking = "pre_encoder.0.blocks.1.bn2.running_var"
    save(tmp_path / "last.ckpt", families["yptf_moe_multi"], without=lacking)
    with pytest.raises(ModelBrokenError, match=f"'{lacking}' is not in it"):
        read_yourmt3(tmp_path / "last.ckpt", "yptf_moe_multi")


def test_the_classes_of_the_trainer_are_never_made(
    tmp_path: Path, families: dict[str, ModelFamily]
) -> None:
    save(tmp_path / "last.ckpt", families["yptf_moe_multi"])
    with pytest.raises(pickle.UnpicklingError, match="weights_only"):
        torch.load(tmp_path / "last.ckpt", weights_only=True)
    report = inspect_checkpoint(tmp_path / "last.ckpt")
    assert report.family == "yptf_moe_multi"
    assert report.unexpected == ()
