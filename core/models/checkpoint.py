"""Weights files to networks: whatever their format, nothing in them is ever executed."""

import logging
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from core.errors import ModelBrokenError, ModelMissingError
from core.models.parameter_names import FAMILIES
from core.models.weights_cache import cached_safetensors, converted_parameters

_REMEDY = "Install the model again."

_log = logging.getLogger(__name__)


def read_checkpoint(path: Path, family: str) -> dict[str, Tensor]:
    """Return the parameters of a published checkpoint under our names.

    Takes `.pth`, Lightning `.ckpt`, `.safetensors` and T5X folders. All are float32, except
    frequencies that were computed, which are float64. A file's own frequencies of positions stay:
    kunato's port divides by 256 where Magenta, whose folders have none, divided by 255.

    Raises:
        ModelMissingError: there is nothing at `path`.
        ModelBrokenError: it is damaged, unsafe, or of another network.
    """
    parameters = converted_parameters(path, FAMILIES[family])
    return {name: torch.from_numpy(values) for name, values in parameters}


def load_published(network: nn.Module, path: Path, family: str) -> None:
    """Fill a network with a published checkpoint and set it to inference.

    The first load writes a copy that is mapped into memory by the later ones, beside the file or,
    for a folder, in it; where that place cannot be written, every load reads the original. The
    network may be on the meta device: it takes over the tensors, which share the mapped memory and
    must not be written to.

    Raises:
        ModelMissingError: there is nothing at `path`.
        ModelBrokenError: it is damaged, unsafe, or of another network.
    """
    tensors = _mapped(path, family)
    for name, buffer in network.named_buffers():
        if name in tensors:  # the file decides on the number format of the positions' frequencies
            buffer.data = buffer.data.to(tensors[name].dtype)
    network.load_state_dict(tensors, assign=True)
    network.eval().requires_grad_(False)


def _mapped(path: Path, family: str) -> dict[str, Tensor]:
    cache = cached_safetensors(path, FAMILIES[family])
    if cache is not None:
        try:
            return load_safetensors(cache)
        except (ModelMissingError, ModelBrokenError) as error:  # removed or replaced meanwhile
            _log.warning("the original is read: %s", error)
    return read_checkpoint(path, family)


def load_safetensors(path: Path) -> dict[str, Tensor]:
    """Read all tensors of a weights file by name.

    Raises:
        ModelMissingError: there is no such file.
        ModelBrokenError: it is damaged or no safetensors file.
    """
    with _opened(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)


def read_metadata(path: Path) -> Mapping[str, str]:
    """Read the header of a weights file: name, version, recipe, what it heard."""
    with _opened(path) as file:
        return dict(file.metadata() or {})


def load_weights(network: nn.Module, path: Path) -> None:
    """Fill a network from a weights file and set it to inference.

    Raises:
        ModelMissingError: there is no such file.
        ModelBrokenError: it is damaged or belongs to another network.
    """
    tensors = load_safetensors(path)
    wanted = {name: value for name, value in network.state_dict().items() if _is_learnt(name)}
    if tensors.keys() != wanted.keys():
        odd = sorted(tensors.keys() ^ wanted.keys())
        raise ModelBrokenError(
            f"The weights file '{path.name}' belongs to another network: {len(odd)} tensors "
            f"differ, the first is '{odd[0]}'.",
            remedy=_REMEDY,
        )
    for name, value in wanted.items():
        if tensors[name].shape != value.shape:
            raise ModelBrokenError(
                f"The weights file '{path.name}' belongs to another network: '{name}' is "
                f"{list(tensors[name].shape)} instead of {list(value.shape)}.",
                remedy=_REMEDY,
            )
    network.load_state_dict(tensors, strict=False)
    network.eval()


def learnt_tensors(network: nn.Module) -> dict[str, Tensor]:
    """Return what a weights file keeps: parameters and running statistics, no step counters."""
    state = network.state_dict()
    return {name: value.contiguous() for name, value in state.items() if _is_learnt(name)}


def fold_norms(network: nn.Module) -> nn.Module:
    """Fold each batch normalisation into the convolution before it; same output, less work."""
    for module in network.modules():
        if not isinstance(module, nn.Sequential) or len(module) < 2:
            continue
        conv, norm = module[0], module[1]
        if isinstance(conv, (nn.Conv1d, nn.Conv2d)) and isinstance(
            norm, (nn.BatchNorm1d, nn.BatchNorm2d)
        ):
            module[0] = fuse_conv_bn_eval(conv, norm)
            module[1] = nn.Identity()
    return network


def _is_learnt(name: str) -> bool:
    return not name.endswith("num_batches_tracked")


def _opened(path: Path) -> safe_open:
    if not path.is_file():
        raise ModelMissingError(
            f"The weights file '{path.name}' is missing in {path.parent}.", remedy=_REMEDY
        )
    try:
        return safe_open(path, framework="pt")
    except (SafetensorError, OSError) as error:
        raise ModelBrokenError(
            f"The weights file '{path.name}' is damaged: {error}.", remedy=_REMEDY
        ) from error
