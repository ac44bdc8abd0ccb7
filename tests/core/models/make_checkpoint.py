"""Checkpoints of a tiny MT3 in every published format, to be read and to be damaged."""

import gzip
import json
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file

from core.models.mt3 import Mt3Config
from core.models.parameter_names import ModelFamily, Mt3Sizes, mt3_spellings

SIZES = Mt3Sizes(tokens=12, bins=4, channels=8, inner=6, hidden=10, layers=1)
TINY = ModelFamily("tiny", mt3_spellings(SIZES))
CONFIG = Mt3Config(
    vocab_size=12, input_bins=4, d_model=8, num_heads=2, d_kv=3, d_ff=10,
    num_encoder_layers=1, num_decoder_layers=1,
)  # fmt: skip

Weights = dict[str, npt.NDArray[np.float32]]
ZarrChunk = Callable[[bytes], bytes]


def weights() -> Weights:
    """Return values under our names; frequencies as kunato's port has them."""
    random = np.random.default_rng(0)
    values = {
        spelling.ours: random.standard_normal(spelling.shape, np.float32)
        for spelling in TINY.spellings
    }
    for name in values:
        if name.endswith("frequencies"):
            values[name] = np.float32(10_000.0) ** (-np.arange(4, dtype=np.float32) / 4)
    return values


def state_dict(prefix: str = "") -> "OrderedDict[str, torch.Tensor]":
    """Return the weights under the names of kunato's port, each alias beside its tensor."""
    values, state = weights(), OrderedDict()
    for spelling in TINY.spellings:
        tensor = torch.from_numpy(values[spelling.ours])
        state[prefix + spelling.torch] = tensor
        if spelling.alias:
            state[prefix + spelling.alias] = tensor
    return state


def save_pth(path: Path, changed: Mapping[str, object] | None = None) -> Path:
    torch.save(state_dict() | dict(changed or {}), path)
    return path


def save_lightning(path: Path, prefix: str = "model.", **parts: object) -> Path:
    """Write what Lightning writes, the moments of an optimiser included."""
    state = state_dict(prefix)
    moments = {
        index: {"step": torch.tensor(1.0), "exp_avg": torch.zeros_like(value)}
        for index, value in enumerate(state.values())
    }
    torch.save(
        {"epoch": 3, "global_step": 9, "pytorch-lightning_version": "2.2.1", "state_dict": state,
         "loops": {}, "callbacks": {}, "optimizer_states": [{"state": moments}],
         "hyper_parameters": {}, **parts},
        path,
    )  # fmt: skip
    return path


def save_safetensors(path: Path) -> Path:
    """Write kunato's names; safetensors takes no tensor twice, so the aliases are left out."""
    aliases = {spelling.alias for spelling in TINY.spellings}
    save_file({n: t.clone() for n, t in state_dict().items() if n not in aliases}, path)
    return path


def save_t5x(
    folder: Path,
    *,
    style: str = "new",
    inline: bool = True,
    dtype: str = "float32",
    chunks: Callable[[tuple[int, ...]], tuple[int, ...]] = lambda shape: shape,
    compress: ZarrChunk | None = gzip.compress,
    separator: str = ".",
) -> Path:
    """Write what T5X writes: `inline` keeps vectors in the tree, as the published folder does."""
    folder.mkdir(parents=True)
    tree: dict[str, Any] = {}
    values = weights()
    for spelling in TINY.spellings:
        if spelling.t5x is None:
            continue
        array = values[spelling.ours]
        array = np.ascontiguousarray(array.T) if spelling.t5x_is_transposed else array
        *parents, last = spelling.t5x.split("/")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        if inline and array.ndim == 1:
            branch[last] = flax_array(array.shape, dtype, encoded(array, dtype))
            continue
        name = "target." + spelling.t5x.replace("/", ".")
        branch[last] = specification(name, style)
        save_zarr(folder / name, array, dtype, chunks(array.shape), compress, separator)
    write_tree(folder, tree)
    return folder


def write_tree(folder: Path, target: object) -> None:
    state = {"step": flax_array((), "int32", b"\0\0\0\0"), "param_states": {}}
    tree = {"version": 3, "optimizer": {"target": target, "state": state}}
    (folder / "checkpoint").write_bytes(msgpack.packb(tree))


def flax_array(shape: object, dtype: str, values: bytes) -> msgpack.ExtType:
    return msgpack.ExtType(1, msgpack.packb((shape, dtype, values)))


def specification(name: str, style: str = "new") -> dict[str, Any]:
    """Return where an array is, as TensorStore wrote it since (`new`) or until (`old`) 2021."""
    if style == "old":
        store = {"driver": "gfile", "bucket": "t5x-dummy-bucket"}
        return {"driver": "zarr", "dtype": "float32", "path": name, "kvstore": store}
    return {"driver": "zarr", "kvstore": {"driver": "file", "path": f"some/where/{name}/"}}


def encoded(array: npt.NDArray[np.float32], dtype: str) -> bytes:
    if dtype == "bfloat16":
        return (array.view(np.uint32) >> 16).astype(np.uint16).tobytes()
    return array.astype(dtype).tobytes()


def save_zarr(
    folder: Path,
    array: npt.NDArray[np.float32],
    dtype: str,
    chunks: tuple[int, ...],
    compress: ZarrChunk | None,
    separator: str,
) -> None:
    folder.mkdir()
    header = {
        "zarr_format": 2, "shape": array.shape, "chunks": chunks, "order": "C", "filters": None,
        "dtype": {"float32": "<f4", "bfloat16": "bfloat16"}[dtype], "fill_value": None,
        "compressor": {"id": "gzip", "level": 1} if compress else None,
        "dimension_separator": separator,
    }  # fmt: skip
    (folder / ".zarray").write_text(json.dumps(header))
    grid = [-(-whole // size) for whole, size in zip(array.shape, chunks, strict=True)]
    for index in np.ndindex(*grid):
        chunk = np.zeros(chunks, np.float32)  # at the borders a chunk is filled up
        part = array[tuple(slice(i * s, (i + 1) * s) for i, s in zip(index, chunks, strict=True))]
        chunk[tuple(slice(0, size) for size in part.shape)] = part
        content = encoded(chunk, dtype)
        file = folder / separator.join(map(str, index))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(compress(content) if compress else content)


def repacked(
    path: Path, changed: Mapping[str, bytes | None], compression: int = zipfile.ZIP_STORED
) -> Path:
    """Write the archive anew with other content of some entries (None: without them)."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    root = next(iter(contents)).split("/")[0]
    contents |= {f"{root}/{name}": content for name, content in changed.items()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in contents.items():
            if content is not None:
                archive.writestr(name, content)
    return path


def pickle_in(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        return archive.read(name)
