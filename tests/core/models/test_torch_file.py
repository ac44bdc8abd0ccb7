"""Files of torch.save, whole, damaged and malicious."""

import builtins
import functools
import os
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import ModelBrokenError, ModelMissingError
from core.models.torch_file import open_torch_file
from tests.core.models.make_checkpoint import pickle_in, repacked, save_lightning, save_pth

NAME = "proj.weight"


class Reduced:
    """Is pickled as whatever is given."""

    def __init__(self, *reduced: object) -> None:
        self.reduced = reduced

    def __reduce_ex__(self, _protocol: object) -> tuple[object, ...]:
        return self.reduced


def tensor_with(*, size: object = (2, 3), stride: object = (3, 1), offset: object = 0) -> Reduced:
    """Return what is pickled as a tensor of six values with a layout that may be false."""
    rebuild, (storage, _, _, _, *rest) = torch.arange(6.0).reshape(2, 3).__reduce_ex__(2)
    return Reduced(rebuild, (storage, offset, size, stride, *rest))


def read(path: Path) -> dict[str, np.ndarray]:
    return {parameter.name: parameter.read() for parameter in open_torch_file(path).parameters}


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(12.0).reshape(3, 4),
        torch.arange(12.0).reshape(3, 4).T,
        torch.arange(12.0).reshape(3, 4)[1:, ::2],
        torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1),
        torch.arange(6.0, dtype=torch.float64),
        torch.arange(6.0, dtype=torch.float16).reshape(2, 3).T,
        torch.arange(6.0).reshape(2, 3).T.to(torch.bfloat16),
        torch.tensor(3.5),
        torch.tensor(3.5, dtype=torch.bfloat16),
        torch.empty(0, 4),
        torch.nn.Parameter(torch.ones(3)),
    ],
    ids=lambda tensor: f"{tensor.dtype}-{list(tensor.shape)}-{list(tensor.stride())}",
)
def test_values_are_those_of_torch(tensor: torch.Tensor, tmp_path: Path) -> None:
    torch.save({"first": torch.zeros(5), "a": tensor}, tmp_path / "a.pth")
    found = read(tmp_path / "a.pth")["a"]
    assert found.dtype == np.float32
    assert found.shape == tuple(tensor.shape)
    assert np.array_equal(found, tensor.detach().float().numpy())


def test_tensors_that_share_their_values_are_both_read(tmp_path: Path) -> None:
    whole = torch.arange(12.0)
    torch.save({"whole": whole, "part": whole[3:6]}, tmp_path / "a.pth")
    assert read(tmp_path / "a.pth")["part"].tolist() == [3.0, 4.0, 5.0]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_that_torch_writes_is_read(protocol: int, tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2)}, tmp_path / "a.pth", pickle_protocol=protocol)
    assert read(tmp_path / "a.pth")["a"].tolist() == [1.0, 1.0]


def test_a_file_saved_without_checksums_is_read(tmp_path: Path) -> None:
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"a": torch.ones(2)}, tmp_path / "a.pth")
    finally:
        torch.serialization.set_crc32_options(True)
    assert read(tmp_path / "a.pth")["a"].tolist() == [1.0, 1.0]


def test_whole_numbers_are_listed_but_not_read_as_weights(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2), "count": torch.tensor(7)}, tmp_path / "a.pth")
    dtypes = {each.name: each.dtype for each in open_torch_file(tmp_path / "a.pth").parameters}
    assert dtypes == {"a": "float32", "count": "int64"}


def test_lightning_is_told_by_its_state_dict_and_no_optimiser_is_counted(tmp_path: Path) -> None:
    file = open_torch_file(save_lightning(tmp_path / "a.ckpt"))
    assert file.is_lightning
    assert all(parameter.name.startswith("model.") for parameter in file.parameters)


def test_classes_in_the_hyper_parameters_are_tolerated(tmp_path: Path) -> None:
    path = save_lightning(
        tmp_path / "a.ckpt",
        hyper_parameters={
            "config": Reduced(Reduced, ("OmegaConf",), {"_content": {"a": [1]}}),
            "partial": functools.partial(torch.optim.Adam, lr=1e-3),
            "score": np.float32(0.5),
            "dtype": torch.float32,
            "path": tmp_path,
        },
    )
    assert open_torch_file(path).is_lightning


def calls_of(trace: Path) -> dict[str, Reduced]:
    shell = f"touch '{trace}'"
    return {
        "os.system": Reduced(os.system, (shell,)),
        "subprocess.Popen": Reduced(subprocess.Popen, (["touch", str(trace)],)),
        "eval": Reduced(eval, (f"open({str(trace)!r}, 'w')",)),
        "exec": Reduced(exec, (f"open({str(trace)!r}, 'w')",)),
        "open": Reduced(builtins.open, (str(trace), "w")),
        "partial": Reduced(functools.partial(os.system, shell), ()),
        "torch.load": Reduced(torch.load, (str(trace),)),
        "torch.hub.load": Reduced(torch.hub.load, ("a/b", "c")),
        "state": Reduced(Reduced, (), Reduced(os.system, (shell,))),
        "items": Reduced(dict, (), None, None, iter([("a", Reduced(os.system, (shell,)))])),
        "setter": Reduced(Reduced, (), {"a": 1}, None, None, exec),
    }


@pytest.mark.parametrize("kind", calls_of(Path()))
@pytest.mark.parametrize("place", ["beside the tensors", "as a tensor", "in hyper_parameters"])
def test_a_call_in_a_file_is_refused_and_not_made(kind: str, place: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    call = calls_of(trace)[kind]
    match place:
        case "beside the tensors":
            path = save_pth(tmp_path / "a.pth", {"extra": call})
        case "as a tensor":
            path = save_pth(tmp_path / "a.pth", {NAME: call})
        case _:
            path = save_lightning(tmp_path / "a.ckpt", hyper_parameters={"a": [{"b": (call,)}]})
    with pytest.raises(ModelBrokenError, match=r"not safe: it names '.*Nothing of it was run"):
        open_torch_file(path)
    assert not trace.exists()


def test_a_call_to_an_unknown_package_in_place_of_a_tensor_is_no_tensor(tmp_path: Path) -> None:
    path = save_pth(tmp_path / "a.pth", {NAME: Reduced(Reduced, ("harmless",))})
    file = open_torch_file(path)
    assert file.others == (NAME,)
    assert NAME not in {parameter.name for parameter in file.parameters}


@pytest.mark.parametrize(
    "layout",
    [
        {"size": (1 << 40, 3)},
        {"size": (2, 1 << 62)},
        {"size": (3, 3)},
        {"stride": (4, 1)},
        {"stride": (-3, 1)},
        {"stride": (1 << 60, 1)},
        {"offset": 1},
        {"offset": -1},
        {"offset": 1 << 62},
        {"size": (1000, 1000), "stride": (0, 0)},
        {"size": (2,)},
        {"size": (2, 3.0)},
        {"size": (True, 3)},
        {"size": (1,) * 9, "stride": (1,) * 9},
    ],
    ids=str,
)
def test_a_layout_outside_its_values_is_refused(layout: dict[str, object], tmp_path: Path) -> None:
    path = save_pth(tmp_path / "a.pth", {NAME: tensor_with(**layout)})
    with pytest.raises(ModelBrokenError, match=NAME):
        open_torch_file(path)


def test_a_state_given_to_a_tensor_does_not_change_its_layout(tmp_path: Path) -> None:
    rebuild, arguments = tensor_with().reduced
    state = (None, {"shape": (9,), "strides": (-1000,), "offset": 5})
    path = save_pth(tmp_path / "a.pth", {NAME: Reduced(rebuild, arguments, state)})
    assert read(path)[NAME].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("key", ["../version", "../../data/0", "999", ""])
def test_values_are_only_taken_from_where_values_lie(key: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save({"a": torch.ones(2)}, path)
    content = pickle_in(path).replace(
        b"X\x01\x00\x00\x000q", b"X" + struct.pack("<I", len(key)) + key.encode() + b"q"
    )
    with pytest.raises(ModelBrokenError, match="the values of 'a' are not in it"):
        open_torch_file(repacked(path, {"data.pkl": content}))


def test_entries_outside_the_folder_are_neither_used_nor_unpacked(tmp_path: Path) -> None:
    path = repacked(save_pth(tmp_path / "a.pth"), {"../../evil": b"x", "/etc/evil": b"x"})
    before = set(tmp_path.parent.rglob("*"))
    assert len(read(path)) > 10
    assert set(tmp_path.parent.rglob("*")) == before


def with_claim(path: Path, name: str, field: int, size: int) -> Path:
    """Change a number in the table of contents: 20 is the stored size, 24 the size unpacked."""
    content = bytearray(path.read_bytes())
    entry = content.rindex(name.encode()) - 46
    assert content[entry : entry + 4] == b"PK\x01\x02"
    content[entry + field : entry + field + 4] = struct.pack("<I", size)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("field", [20, 24])
@pytest.mark.parametrize("name", ["a/data.pkl", "a/data/3", "a/byteorder"])
@pytest.mark.parametrize("size", [0xFFFF_FFF0, 0x7000_0000, 0])
def test_claimed_sizes_are_compared_with_the_file(
    name: str, field: int, size: int, tmp_path: Path
) -> None:
    path = with_claim(save_pth(tmp_path / "a.pth"), name, field, size)
    with pytest.raises(ModelBrokenError, match=r"breaks off|damaged|too large"):
        open_torch_file(path)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    zeros = bytes(50_000_000)
    path = repacked(save_pth(tmp_path / "a.pth"), {"data.pkl": zeros}, zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelBrokenError, match="compressed, which PyTorch never does"):
        open_torch_file(path)


def test_a_list_of_tensors_beyond_all_measure_is_not_read(tmp_path: Path) -> None:
    path = repacked(save_pth(tmp_path / "a.pth"), {"data.pkl": bytes(70_000_000)})
    with pytest.raises(ModelBrokenError, match=r"'data\.pkl' in it is far too large"):
        open_torch_file(path)


def test_a_value_changed_in_the_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save({"a": torch.full((100,), 1.25)}, path)
    content = bytearray(path.read_bytes())
    content[content.index(struct.pack("<3f", 1.25, 1.25, 1.25)) + 2] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(ModelBrokenError, match="the values of 'a' are damaged"):
        read(path)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: torch.save([1, 2], path), "no parameters by name"),
        (lambda path: torch.save({}, path), "no parameters by name"),
        (lambda path: torch.save({"a": 1}, path), "no parameters by name"),
        (lambda path: torch.save({"state_dict": {}}, path), "no parameters by name"),
        (lambda path: zipfile.ZipFile(path, "w").close(), "not one of PyTorch"),
        (lambda path: zip_of(path, {"notes.txt": b"x"}), "not one of PyTorch"),
        (lambda path: zip_of(path, {"a/data.pkl": b"", "b/data.pkl": b""}), "not one of PyTorch"),
        (
            lambda path: zip_of(path, {"a/data.pkl": b"\x80\x02garbage"}),
            "list of tensors is damaged",
        ),
        (lambda path: repacked(save_pth(path), {"byteorder": b"big"}), "another byte order"),
        (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(100)), "damaged or was not written"),
    ],
)
def test_other_archives_are_told_apart(
    make: Callable[[Path], object], says: str, tmp_path: Path
) -> None:
    make(tmp_path / "a.pth")
    with pytest.raises(ModelBrokenError, match=f"'a.pth': .*{says}"):
        open_torch_file(tmp_path / "a.pth")


def zip_of(path: Path, contents: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"'gone\.pth' is missing"):
        open_torch_file(tmp_path / "gone.pth")
