"""Weights files to networks: whatever their format, nothing in them is ever executed."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from core.errors import ModelBrokenError, ModelMissingError, printable_name
from core.models.blocks import magenta_frequencies
from core.models.checkpoint_report import (
    FAMILIES,
    FileFormat,
    ModelFamily,
    expected_shape,
    file_names,
    open_checkpoint,
)

_REMEDY = "Install the model again."
_CACHE_SUFFIX = ".notewright.safetensors"

_log = logging.getLogger(__name__)


def read_checkpoint(path: Path, family: str) -> dict[str, Tensor]:
    """Return the parameters of a published checkpoint under our names, in float32.

    Takes `.pth`, Lightning `.ckpt`, `.safetensors` and T5X folders. T5X files leave the frequencies
    of the positions to Magenta's formula.

    Raises:
        ModelMissingError: there is nothing at `path`.
        ModelBrokenError: it is damaged, unsafe, or of another network.
    """
    file_format, parameters = open_checkpoint(path)
    found = {parameter.name: parameter for parameter in parameters}
    kind = FAMILIES[family]
    tensors = {}
    for name, spelling in file_names(kind, file_format, list(found)).items():
        if name not in found:
            raise _other_network(path, family, f"'{name}' is not in it")
        values = found[name].read()
        if file_format is FileFormat.T5X and spelling.t5x_is_transposed:
            values = np.ascontiguousarray(values.T)
        if values.shape != expected_shape(spelling, kind.tokens):
            raise _other_network(path, family, f"'{name}' is {list(values.shape)}")
        if not np.isfinite(values).all():
            raise ModelBrokenError(
                f"Cannot use '{printable_name(path)}': '{name}' holds values that are no numbers.",
                _REMEDY,
            )
        tensors[spelling.ours] = torch.from_numpy(values)
    return tensors | _computed(kind, tensors)


def load_published(network: nn.Module, path: Path, family: str) -> None:
    """Fill a network with a published checkpoint and set it to inference.

    The first load writes a copy that is mapped into memory by the later ones, beside the file or,
    for a folder, in it; where that place cannot be written, every load reads the original.

    Raises:
        ModelMissingError: there is nothing at `path`.
        ModelBrokenError: it is damaged, unsafe, or of another network.
    """
    tensors = _cached(path, family)
    if tensors is None:
        tensors = read_checkpoint(path, family)
        _write_cache(path, family, tensors)
    for name, buffer in network.named_buffers():
        if name in tensors:  # the file decides on the number format of the positions' frequencies
            buffer.data = buffer.data.to(tensors[name].dtype)
    network.load_state_dict(tensors, assign=True)
    network.eval().requires_grad_(False)


def _computed(family: ModelFamily, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    names = [spelling.ours for spelling in family.spellings if spelling.ours not in tensors]
    return {name: magenta_frequencies(512) for name in names if name.endswith("frequencies")}


def _other_network(path: Path, family: str, why: str) -> ModelBrokenError:
    return ModelBrokenError(
        f"'{printable_name(path)}' is no checkpoint of {family}: {why}.",
        "Look what it is with 'notewright models inspect', and choose that model.",
    )


def _cache_path(path: Path) -> Path:
    return path / _CACHE_SUFFIX if path.is_dir() else path.with_name(path.name + _CACHE_SUFFIX)


def _stamp(path: Path, family: str) -> dict[str, str]:
    """Return what tells whether a cache was made from the file as it is."""
    source = path / "checkpoint" if path.is_dir() else path
    stat = source.stat()
    return {"family": family, "size": str(stat.st_size), "modified_ns": str(stat.st_mtime_ns)}


def _cached(path: Path, family: str) -> dict[str, Tensor] | None:
    cache = _cache_path(path)
    try:
        if not cache.is_file() or read_metadata(cache) != _stamp(path, family):
            return None
        return load_safetensors(cache)
    except (ModelBrokenError, OSError) as error:
        _log.warning("the copy %s is made anew: %s", cache.name, error)
        return None


def _write_cache(path: Path, family: str, tensors: Mapping[str, Tensor]) -> None:
    cache = _cache_path(path)
    draft = cache.with_name(f"{cache.name}.{os.getpid()}")
    try:
        save_file(dict(tensors), draft, metadata=_stamp(path, family))
        draft.replace(cache)
    except (OSError, SafetensorError) as error:
        _log.info("no copy for faster loading beside %s: %s", path.name, error)
        draft.unlink(missing_ok=True)


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
