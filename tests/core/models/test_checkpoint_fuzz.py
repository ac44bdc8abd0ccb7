"""Mutated checkpoints of every format: a clear refusal or the right shapes, and nothing else."""

import gzip
import json
import pickletools
import shutil
import struct
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import numpy as np
import pytest

from core.errors import AppError, ModelBrokenError, ModelMissingError
from core.models import checkpoint_report
from core.models.checkpoint_report import inspect_checkpoint
from core.models.weights_cache import converted_parameters
from tests.core.models.make_checkpoint import (
    TINY,
    pickle_in,
    repacked,
    save_lightning,
    save_pth,
    save_safetensors,
    save_t5x,
)

LONGEST_CPU_S = 10.0  # of one file, on a busy machine; whole ones take milliseconds
MOST_BYTES = 200_000_000  # at once, of files that hold a few kilobytes
SHAPES = {spelling.ours: spelling.shape for spelling in TINY.spellings}

ORIGINALS: dict[str, Callable[[Path], Path]] = {
    "torch": save_pth,
    "lightning": save_lightning,
    "safetensors": save_safetensors,
    "t5x": save_t5x,
    "t5x in chunks": lambda path: save_t5x(
        path, inline=False, style="old", chunks=lambda shape: tuple(min(4, s) for s in shape)
    ),
}


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("originals")
    return {name: save(folder / name) for name, save in ORIGINALS.items()}


@pytest.fixture(autouse=True)
def tiny_family(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint_report, "FAMILIES", {"tiny": TINY})


def mutated(content: bytes, random: Random) -> bytes:
    """Return content damaged in one of the ways that disks, networks and people damage files."""
    changed = bytearray(content)
    start = random.randrange(len(content) + 1)
    end = min(len(content), start + random.choice([1, 4, 16, 100, 1000, 10_000]))
    match random.randrange(8):
        case 0:
            del changed[start:]
        case 1:
            for _ in range(random.choice([1, 1, 2, 8, 64])):
                if changed:
                    changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
        case 2:
            changed[start:end] = bytes(end - start)
        case 3:
            changed[start:end] = random.randbytes(end - start)
        case 4:
            del changed[start:end]
        case 5:
            at = random.randrange(len(content) + 1)
            changed[at:at] = content[start:end]
        case 6:
            at = random.randrange(len(content) + 1)
            changed[at : at + end - start] = content[start:end]
        case _:  # sizes and places are little-endian numbers
            at = max(0, start - 8)
            changed[at : at + 4] = struct.pack(
                "<I", random.choice([0, 1, 0x7FFF_FFFF, 0xFFFF_FFFF, len(content)])
            )
    return bytes(changed)


def damage_archive(path: Path, random: Random) -> None:
    """Damage an entry of the archive, whose checksums then agree: the readers have to notice."""
    with zipfile.ZipFile(path) as archive:
        names = [name.split("/", 1)[1] for name in archive.namelist()]
        name = random.choice(["data.pkl", "data.pkl", "data.pkl", random.choice(names)])
        content = archive.read(f"{archive.namelist()[0].split('/')[0]}/{name}")
    match random.randrange(5):
        case 0:
            changed: bytes | None = None
        case 1 if name == "data.pkl":
            changed = with_other_argument(pickle_in(path), random)
        case _:
            changed = mutated(content, random)
    repacked(path, {name: changed})


def with_other_argument(content: bytes, random: Random) -> bytes:
    """Return a pickle that is well-formed, but in which one step is another one's."""
    steps = [position for _, _, position in pickletools.genops(content)] + [len(content)]
    first, second = (random.randrange(len(steps) - 1) for _ in range(2))
    other = content[steps[second] : steps[second + 1]]
    return content[: steps[first]] + other + content[steps[first + 1] :]


JSON_VALUES = [
    None, 0, -1, 1, 7, 1 << 31, 1 << 63, 1 << 200, 1.5, "", "x", "F16", "I64", "<f2", [], [1], {},
    [1 << 40, 1 << 40], [-1, 8], [8, 8], [0, 32], True,
]  # fmt: skip


def with_other_json(content: bytes, random: Random) -> bytes:
    """Return JSON in which one value is another."""
    root = json.loads(content)
    place = root
    while True:
        key = random.choice(list(place) if isinstance(place, dict) else range(len(place)))
        inner = place[key]
        if not isinstance(inner, (dict, list)) or not inner or random.random() < 0.3:
            place[key] = random.choice(JSON_VALUES)
            return json.dumps(root).encode()
        place = inner


def damage_header(path: Path, random: Random) -> None:
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = with_other_json(content[8 : 8 + length], random)
    path.write_bytes(struct.pack("<Q", len(header)) + header + content[8 + length :])


def damage_folder(path: Path, random: Random) -> Path:
    """Damage a file of a folder and return which."""
    files = sorted(file for file in path.rglob("*") if file.is_file())
    file = random.choice([path / "checkpoint", random.choice(files), random.choice(files)])
    match random.randrange(5):
        case 0:
            file.unlink()
        case 1:
            file.write_bytes(random.choice(files).read_bytes())
        case 2 if file.name == ".zarray":
            file.write_bytes(with_other_json(file.read_bytes(), random))
        case 2 if file.name[0] == "0":
            file.write_bytes(gzip.compress(mutated(gzip.decompress(file.read_bytes()), random)))
        case _:
            file.write_bytes(mutated(file.read_bytes(), random))
    return file


@contextmanager
def damaged(original: Path, copy: Path, random: Random) -> Iterator[Path]:
    """Give a damaged copy; that of a folder is used again, because copying many files is slow."""
    if original.is_dir():
        if not copy.exists():
            shutil.copytree(original, copy)
        changed = damage_folder(copy, random)
        yield copy
        shutil.copy(original / changed.relative_to(copy), changed)
        return
    shutil.copy(original, copy)
    match random.randrange(2):
        case 0 if original.read_bytes().startswith(b"PK"):
            damage_archive(copy, random)
        case 0:
            damage_header(copy, random)
        case _:
            copy.write_bytes(mutated(copy.read_bytes(), random))
    yield copy


def outcome(path: Path) -> str:
    """Look at a file and read it; return whether it loaded or was refused."""
    refusal: AppError | None = None
    try:
        report = inspect_checkpoint(path)
        shapes = {name: values.shape for name, values in converted_parameters(path, TINY)}
    except (ModelBrokenError, ModelMissingError) as error:
        refusal = error
    if refusal is not None:
        assert path.name in str(refusal)
        assert "\n" not in str(refusal)
        assert refusal.remedy.endswith(".")
        return "refused"
    assert report.fits
    assert shapes == SHAPES
    return "loaded"


def try_many(originals: dict[str, Path], folder: Path, seeds: range) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    for seed in seeds:
        random = Random(seed)
        name = random.choice(sorted(originals))
        with damaged(originals[name], folder / name, random) as target:
            began_s = time.process_time()
            outcomes[outcome(target)] += 1
            assert time.process_time() - began_s < LONGEST_CPU_S, f"seed {seed}, {name}"
    return outcomes


def memory_bytes(line: str) -> int:
    """Return the process's memory at present (VmRSS) or at most (VmHWM)."""
    for each in Path("/proc/self/status").read_text().splitlines():
        if each.startswith(line):
            return int(each.split()[1]) * 1024
    raise ValueError(line)


def test_whole_files_load(originals: dict[str, Path]) -> None:
    assert {name: outcome(path) for name, path in originals.items()} == dict.fromkeys(
        originals, "loaded"
    )


def test_mutated_files_are_refused_or_load(originals: dict[str, Path], tmp_path: Path) -> None:
    assert try_many(originals, tmp_path, range(60))["refused"] > 30


@pytest.mark.slow
def test_a_thousand_mutated_files_are_refused_or_load(
    originals: dict[str, Path], tmp_path: Path
) -> None:
    outcomes = try_many(originals, tmp_path, range(1000, 2000))
    assert outcomes.total() == 1000
    assert outcomes["refused"] > 500


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells the peak")
def test_mutated_files_take_little_memory(originals: dict[str, Path], tmp_path: Path) -> None:
    Path("/proc/self/clear_refs").write_text("5")  # starts the peak anew
    before = memory_bytes("VmRSS")
    try_many(originals, tmp_path, range(100, 160))
    assert memory_bytes("VmHWM") - before < MOST_BYTES


def test_mutations_of_values_alone_can_load(originals: dict[str, Path], tmp_path: Path) -> None:
    """The judgement above is not idle: a file whose numbers differ is still a file."""
    path = shutil.copy(originals["safetensors"], tmp_path / "a")
    content = bytearray(path.read_bytes())
    content[-4:] = np.float32(1.5).tobytes()
    path.write_bytes(content)
    assert outcome(path) == "loaded"
