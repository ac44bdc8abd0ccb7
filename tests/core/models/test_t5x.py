"""T5X folders, whole, incomplete and malicious."""

import gzip
import json
import os
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgpack
import numpy as np
import pytest

from core.errors import ModelBrokenError, ModelMissingError
from core.models.t5x import MOST_LEAVES, t5x_parameters
from tests.core.models.make_checkpoint import (
    SIZES,
    TINY,
    encoded,
    flax_array,
    save_t5x,
    save_zarr,
    specification,
    weights,
    write_tree,
)

KERNEL = "target.encoder.layers_0.mlp.wo.kernel"
KERNEL_NAME = "encoder/layers_0/mlp/wo/kernel"

no_links = pytest.mark.skipif(os.name == "nt", reason="Windows lets few users make links")


def read(folder: Path) -> dict[str, np.ndarray]:
    return {parameter.name: parameter.read() for parameter in t5x_parameters(folder)}


def as_stored(dtype: str = "float32") -> dict[str, np.ndarray]:
    """Return what a whole folder holds: kernels [in, out]."""
    values = weights()
    found = {}
    for spelling in TINY.spellings:
        if spelling.t5x is not None:
            array = values[spelling.ours]
            if dtype == "bfloat16":
                halves = np.frombuffer(encoded(array, dtype), np.uint16).astype(np.uint32)
                array = (halves << 16).view(np.float32).reshape(array.shape)
            found[spelling.t5x] = array.T if spelling.t5x_is_transposed else array
    return found


def assert_same(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    assert found.keys() == wanted.keys()
    assert [name for name in wanted if not np.array_equal(found[name], wanted[name])] == []
    assert {values.dtype for values in found.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize("style", ["new", "old"])
def test_every_way_of_writing_is_read(style: str, inline: bool, dtype: str, tmp_path: Path) -> None:
    folder = save_t5x(tmp_path / "mt3", style=style, inline=inline, dtype=dtype)
    assert_same(read(folder), as_stored(dtype))


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress, None])
@pytest.mark.parametrize("separator", [".", "/"])
def test_arrays_in_several_chunks_are_joined(
    separator: str, compress: Callable[[bytes], bytes] | None, tmp_path: Path
) -> None:
    folder = save_t5x(
        tmp_path / "mt3",
        inline=False,
        chunks=lambda shape: tuple(min(3, size) for size in shape),  # does not divide the sizes
        compress=compress,
        separator=separator,
    )
    assert (folder / KERNEL / separator.join("32")).is_file()
    assert_same(read(folder), as_stored())


def test_a_tree_without_optimiser_is_read(tmp_path: Path) -> None:
    folder = save_t5x(tmp_path / "mt3")
    tree = msgpack.unpackb((folder / "checkpoint").read_bytes())
    (folder / "checkpoint").write_bytes(msgpack.packb({"target": tree["optimizer"]["target"]}))
    assert_same(read(folder), as_stored())


def test_headers_are_enough_to_list_parameters(tmp_path: Path) -> None:
    folder = save_t5x(tmp_path / "mt3")
    for chunk in folder.glob("*/0*"):
        chunk.write_bytes(b"damaged")
    listed = {each.name: (each.shape, each.dtype) for each in t5x_parameters(folder)}
    assert listed[KERNEL_NAME] == ((SIZES.hidden, SIZES.channels), "float32")


@pytest.mark.parametrize("gone", [f"{KERNEL}/.zarray", f"{KERNEL}/0.0"])
def test_an_incomplete_folder_is_refused_with_the_name_of_what_is_missing(
    gone: str, tmp_path: Path
) -> None:
    folder = save_t5x(tmp_path / "mt3")
    (folder / gone).unlink()
    with pytest.raises(
        ModelBrokenError, match=rf"'mt3': it is incomplete: 1 of 28 .* the first is '{KERNEL}"
    ):
        t5x_parameters(folder)


def test_what_a_broken_off_download_left_is_counted(tmp_path: Path) -> None:
    folder = save_t5x(tmp_path / "mt3")
    (folder / KERNEL / "0.0").rename(folder / KERNEL / "0.0_.gstmp")
    with pytest.raises(ModelBrokenError, match="; 1 files of a broken-off download lie in it"):
        t5x_parameters(folder)


@pytest.mark.parametrize("place", ["/etc/passwd", "../../outside", "C:\\outside", "a/../outside"])
def test_only_the_last_component_of_a_path_counts(place: str, tmp_path: Path) -> None:
    outside = save_t5x(tmp_path / "outside" / "mt3", inline=False)
    (outside / KERNEL).rename(tmp_path / "outside" / "array")
    folder = tmp_path / "mt3"
    folder.mkdir()
    write_tree(folder, {"a": specification(place + "/", "old")})
    with pytest.raises(
        ModelBrokenError, match=r"incomplete: 1 of 1 .* the first is '(passwd|outs)"
    ):
        t5x_parameters(folder)


@pytest.mark.parametrize("place", ["", ".", "..", "/", "a/..", "C:", "nul\0", "x" * 300, 7, None])
def test_paths_that_name_nothing_are_refused(place: object, tmp_path: Path) -> None:
    leaf = {"driver": "zarr", "path": place, "kvstore": {"driver": "file"}}
    write_tree(tmp_path, {"a": leaf})
    with pytest.raises(ModelBrokenError, match="it does not say where 'a' is"):
        t5x_parameters(tmp_path)


@no_links
@pytest.mark.parametrize("linked", ["", "/.zarray", "/0.0"])
def test_links_out_of_the_folder_are_refused(linked: str, tmp_path: Path) -> None:
    folder = save_t5x(tmp_path / "mt3")
    inside, outside = folder / (KERNEL + linked), tmp_path / "outside"
    inside.rename(outside)
    inside.symlink_to(outside)
    with pytest.raises(ModelBrokenError, match="is a link out of it"):
        read(folder)


@no_links
def test_a_link_to_the_whole_folder_is_followed(tmp_path: Path) -> None:
    save_t5x(tmp_path / "real")
    (tmp_path / "mt3").symlink_to(tmp_path / "real")
    assert_same(read(tmp_path / "mt3"), as_stored())


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [1 << 40, 1 << 40]},
        {"shape": [1 << 20, 1 << 20], "chunks": [1, 1]},
        {"shape": [-10, 8]},
        {"shape": [10.0, 8]},
        {"shape": "ab"},
        {"shape": None},
        {"shape": [10]},
        {"shape": [1] * 40, "chunks": [1] * 40},
        {"chunks": [0, 8]},
        {"chunks": [11, 8]},
        {"chunks": [1 << 40, 8]},
        {"chunks": [1, 1, 1]},
        {"dtype": ["<f4"]},
    ],
    ids=str,
)
def test_absurd_headers_are_refused_before_anything_is_allotted(
    change: dict[str, object], tmp_path: Path
) -> None:
    folder = save_t5x(tmp_path / "mt3")
    header = json.loads((folder / KERNEL / ".zarray").read_text())
    (folder / KERNEL / ".zarray").write_text(json.dumps(header | change))
    with pytest.raises(ModelBrokenError, match=f"the header of '{KERNEL}' in it is damaged"):
        t5x_parameters(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"zarr_format": 3},
        {"order": "F"},
        {"filters": [{"id": "delta"}]},
        {"compressor": {"id": "blosc"}},
        {"dimension_separator": ":"},
    ],
    ids=str,
)
def test_other_ways_of_storing_are_named_as_such(change: dict[str, object], tmp_path: Path) -> None:
    folder = save_t5x(tmp_path / "mt3")
    header = json.loads((folder / KERNEL / ".zarray").read_text())
    (folder / KERNEL / ".zarray").write_text(json.dumps(header | change))
    with pytest.raises(ModelBrokenError, match="stored in a way that is not known here"):
        t5x_parameters(folder)


def test_whole_numbers_are_listed_but_not_read_as_weights(tmp_path: Path) -> None:
    folder = save_t5x(tmp_path / "mt3")
    header = json.loads((folder / KERNEL / ".zarray").read_text())
    (folder / KERNEL / ".zarray").write_text(json.dumps(header | {"dtype": "<i4"}))
    found = {each.name: each for each in t5x_parameters(folder)}
    assert found[KERNEL_NAME].dtype == "<i4"
    with pytest.raises(ModelBrokenError, match="is no weights"):
        found[KERNEL_NAME].read()


VALUES = np.zeros((SIZES.hidden, SIZES.channels), np.float32).tobytes()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        gzip.compress(VALUES)[:-1],
        gzip.compress(VALUES)[:15],
        gzip.compress(VALUES) + b"more",
        gzip.compress(VALUES)[:-8] + bytes(8),
        gzip.compress(VALUES[:-4]),
        gzip.compress(VALUES + b"more"),
        gzip.compress(bytes(20_000_000)),
        bytes(10_000_000),
        VALUES,
    ],
    ids=["empty", "cut", "half", "longer", "checksum", "few", "many", "bomb", "huge", "plain"],
)
def test_a_damaged_chunk_is_named(content: bytes, tmp_path: Path) -> None:
    folder = save_t5x(tmp_path / "mt3")
    (folder / KERNEL / "0.0").write_bytes(content)
    with pytest.raises(ModelBrokenError, match=rf"'{KERNEL}/0\.0' in it is damaged or breaks off"):
        read(folder)


@contextmanager
def at_most(megabytes: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < megabytes * 1_000_000
    finally:
        tracemalloc.stop()


def test_a_chunk_that_swells_is_not_inflated_beyond_its_array(tmp_path: Path) -> None:
    name = "target.a"
    write_tree(tmp_path, {"a": specification(name)})
    array = np.zeros((1000, 1000), np.float32)
    save_zarr(tmp_path / name, array, "float32", array.shape, gzip.compress, ".")
    (tmp_path / name / "0.0").write_bytes(gzip.compress(bytes(200_000_000), 1))
    with at_most(20), pytest.raises(ModelBrokenError, match="is damaged or breaks off"):
        read(tmp_path)


def test_lists_that_only_claim_to_be_long_are_not_allotted(tmp_path: Path) -> None:
    claims = b"\xdd\x00\x0f\x00\x00" * 100  # each in the one before, with room for a million
    (tmp_path / "checkpoint").write_bytes(claims + bytes(1_000_000))
    with at_most(5), pytest.raises(ModelBrokenError, match="'checkpoint' in it is damaged"):
        t5x_parameters(tmp_path)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ({}, "holds no parameters"),
        ([1], "holds no parameters"),
        ({"a": 1}, "'a' is neither an array"),
        ({"a": flax_array((2,), "float32", b"1234")}, "the array 'a' in it is damaged"),
        ({"a": flax_array((1 << 40, 9), "float32", b"")}, "the array 'a' in it is damaged"),
        ({"a": flax_array("no shape", "float32", b"")}, "the array 'a' in it is damaged"),
        ({"a": flax_array((1,), 7, b"1234")}, "the array 'a' in it is damaged"),
        ({"a": msgpack.ExtType(1, b"\xc1")}, "the array 'a' in it is damaged"),
        ({"a": msgpack.ExtType(3, b"")}, "the array 'a' in it is damaged"),
    ],
)
def test_a_damaged_tree_is_refused(target: object, says: str, tmp_path: Path) -> None:
    write_tree(tmp_path, target)
    with pytest.raises(ModelBrokenError, match=says):
        t5x_parameters(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xc1",
        b"\xdf\xff\xff\xff\xff",
        b"\xdd\xff\xff\xff\xff" * 1000,
        b"\xdd\x00\x10\x00\x00" * 1000,
        b"\x81\xa1a" * 2000 + b"\xc0",
        b"\x91" * 100_000,
        b"\x81\xa9optimizer\x81\xa6target" + b"\x81\xa1a" * 100 + b"\x81\xa1a\xc0",
        msgpack.packb({"optimizer": {"target": {"a": {b"driver": 1}}}}, use_bin_type=False)[:-3],
        msgpack.packb(7),
    ],
    ids=range(10),
)
def test_a_damaged_file_of_the_tree_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(content)
    with pytest.raises(ModelBrokenError, match=r"'checkpoint' in it|its tree of parameters"):
        t5x_parameters(tmp_path)


def test_a_tree_of_endless_leaves_is_refused(tmp_path: Path) -> None:
    leaf = flax_array((1,), "float32", b"1234")
    half = {str(index): leaf for index in range(MOST_LEAVES // 2)}
    write_tree(tmp_path, {"a": half, "b": half, "c": half})
    with pytest.raises(ModelBrokenError, match="its tree of parameters is too large"):
        t5x_parameters(tmp_path)


def test_a_missing_folder_and_a_folder_without_checkpoint_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="The folder 'gone' is missing"):
        t5x_parameters(tmp_path / "gone")
    with pytest.raises(ModelBrokenError, match="it has no file 'checkpoint'"):
        t5x_parameters(tmp_path)
