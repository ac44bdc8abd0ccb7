"""What a file is, told from its headers."""

import math
import os
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.errors import ModelBrokenError, ModelMissingError
from core.models import checkpoint_report
from core.models.checkpoint_report import (
    CheckpointReport,
    FileFormat,
    checkpoint_files,
    inspect_checkpoint,
)
from core.models.parameter_names import FAMILIES, ModelFamily, Spelling, mr_mt3_spellings
from core.models.weights_cache import cached_safetensors
from tests.core.models.make_checkpoint import (
    SIZES,
    TINY,
    save_lightning,
    save_pth,
    save_safetensors,
    save_t5x,
    state_dict,
)

ROOT = Path(__file__).resolve().parents[3]
PARAMETERS = sum(math.prod(spelling.shape) for spelling in TINY.spellings)


@pytest.fixture(autouse=True)
def tiny_families(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be small networks only, with the relations that the real ones have."""
    *others, logits = TINY.spellings
    more = Spelling(logits.ours, (20, 8), logits.torch)
    families = {
        "tiny": TINY,
        "more tokens": ModelFamily("more tokens", (*others, more)),
        "memory": ModelFamily("memory", mr_mt3_spellings(SIZES), ignored=("pitchshift.",)),
    }
    monkeypatch.setattr(checkpoint_report, "FAMILIES", families)


@pytest.mark.parametrize(
    ("save", "expected"),
    [
        (save_pth, FileFormat.TORCH),
        (save_lightning, FileFormat.LIGHTNING),
        (lambda path: save_lightning(path, prefix=""), FileFormat.LIGHTNING),
        (save_safetensors, FileFormat.SAFETENSORS),
    ],
)
def test_every_format_is_recognised_and_fits(
    save: Callable[[Path], Path], expected: FileFormat, tmp_path: Path
) -> None:
    path = save(tmp_path / "model")
    report = inspect_checkpoint(path)
    assert (report.format, report.family, report.fits) == (expected, "tiny", True)
    assert (report.missing, report.unexpected, report.misshapen) == ((), (), ())
    assert report.parameter_count == PARAMETERS
    assert report.dtypes == ("float32",)
    assert report.size_bytes == path.stat().st_size


@pytest.mark.parametrize("named", ["", "checkpoint"])
def test_a_t5x_folder_is_recognised_by_itself_or_its_file(named: str, tmp_path: Path) -> None:
    folder = save_t5x(tmp_path / "mt3")
    report = inspect_checkpoint(folder / named)
    assert (report.format, report.family, report.fits) == (FileFormat.T5X, "tiny", True)
    assert report.parameter_count == PARAMETERS - 2 * SIZES.channels // 2  # it computes positions
    assert report.size_bytes == sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def test_a_copy_for_faster_loading_is_no_part_of_a_folder(tmp_path: Path) -> None:
    folder = save_t5x(tmp_path / "mt3")
    before = inspect_checkpoint(folder).size_bytes
    cached_safetensors(folder, TINY)
    assert inspect_checkpoint(folder).size_bytes == before
    assert all("safetensors" not in file.name for file in checkpoint_files(folder))


def test_a_copy_for_faster_loading_is_itself_a_checkpoint(tmp_path: Path) -> None:
    cache = cached_safetensors(save_pth(tmp_path / "a.pth"), TINY)
    assert cache is not None
    report = inspect_checkpoint(cache)
    assert (report.family, report.fits, report.unexpected) == ("tiny", True, ())


def test_what_differs_is_named_as_in_the_file(tmp_path: Path) -> None:
    state = state_dict()
    del state["encoder.block.0.layer.1.DenseReluDense.wo.weight"]
    state["proj.weight"] = torch.zeros(8, 5)
    state["lm_head.weight"] = torch.zeros(12, 8, dtype=torch.int8)
    state["head.bias"] = torch.zeros(3)
    state["note"] = "a text"
    torch.save(state, tmp_path / "a.pth")
    report = inspect_checkpoint(tmp_path / "a.pth")
    assert (report.family, report.fits) == ("tiny", False)
    assert report.missing == ("encoder.block.0.layer.1.DenseReluDense.wo.weight",)
    assert report.misshapen == ("proj.weight", "lm_head.weight")
    assert report.unexpected == ("head.bias", "note")
    assert report.dtypes == ("float32", "int8")


def test_the_family_with_the_fewest_differences_is_meant(tmp_path: Path) -> None:
    state = state_dict("model.")
    extra = {spelling.torch: spelling.shape for spelling in mr_mt3_spellings(SIZES)}
    for name, shape in extra.items():
        state.setdefault(f"model.{name}", torch.zeros(shape))
    state["model.pitchshift.kernel"] = torch.zeros(3)
    torch.save({"state_dict": state}, tmp_path / "a.ckpt")
    report = inspect_checkpoint(tmp_path / "a.ckpt")
    assert (report.family, report.fits, report.unexpected) == ("memory", True, ())


def test_other_numbers_of_tokens_are_told_apart(tmp_path: Path) -> None:
    path = save_pth(tmp_path / "a.pth", {"lm_head.weight": torch.zeros(20, 8)})
    assert inspect_checkpoint(path).family == "more tokens"


def test_a_file_that_resembles_nothing_fits_nothing(tmp_path: Path) -> None:
    torch.save({"conv.weight": torch.zeros(3, 3), "conv.bias": torch.zeros(3)}, tmp_path / "a.pth")
    report = inspect_checkpoint(tmp_path / "a.pth")
    assert (report.family, report.fits, report.missing) == (None, False, ())
    assert report.parameter_count == 12


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "only a pointer"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "format from before version 1.6"),
        (b"a.txt".ljust(257, b"\0") + b"ustar\x0000", "format from before version 1.6"),
        (b"<!DOCTYPE html><title>Sign in</title>", "it is a web page"),
        (b"RIFF....WAVEfmt ", "no checkpoint of a known format"),
    ],
)
def test_what_a_wrong_file_is_is_said(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(ModelBrokenError, match=rf"Cannot use 'a\.pth': .*{says}"):
        inspect_checkpoint(tmp_path / "a.pth")


def test_the_old_format_of_torch_is_refused_as_such(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save(OrderedDict(a=torch.ones(2)), path, _use_new_zipfile_serialization=False)
    with pytest.raises(ModelBrokenError, match=r"before version 1\.6.*save its weights again"):
        inspect_checkpoint(path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pth")
    with pytest.raises(ModelBrokenError, match="it is no file"):
        inspect_checkpoint(tmp_path / "pipe.pth")


@pytest.mark.parametrize("name", ["gone.pth", "a.pth/gone.pth"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    save_pth(tmp_path / "a.pth")
    with pytest.raises(ModelMissingError, match=r"There is no file 'gone\.pth'"):
        inspect_checkpoint(tmp_path / name)


def test_an_empty_folder_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ModelBrokenError, match="it has no file 'checkpoint'"):
        inspect_checkpoint(tmp_path)


def test_looking_at_a_file_needs_no_torch(tmp_path: Path) -> None:
    path = save_pth(tmp_path / "a.pth")
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from pathlib import Path\n"
        "from core.models.checkpoint_report import inspect_checkpoint\n"
        f"print(inspect_checkpoint(Path({str(path)!r})).format)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT
    )
    assert run.stdout == "PyTorch\n", run.stderr


def test_the_real_table_knows_the_published_families() -> None:
    assert {"mt3", "ismir2021", "mr_mt3"} <= FAMILIES.keys()


@pytest.mark.parametrize(
    ("found", "wanted", "can_be"),
    [
        ("yptf_moe_multi", "yptf_moe_multi", True),
        ("yptf_moe_multi_rms", "yptf_moe_multi", True),
        ("yptf_multi", "yptf_moe_multi", False),
        ("yptf_moe_multi", "yptf_multi", False),
        (None, "yptf_multi", False),
    ],
)
def test_norms_without_biases_make_no_other_family(
    found: str | None, wanted: str, can_be: bool
) -> None:
    whole = CheckpointReport(
        Path("last.ckpt"), FileFormat.LIGHTNING, found, (), (), (), 47_078_022, ("float32",), 1
    )
    assert whole.can_be(wanted) is can_be
    assert not replace(whole, missing=("lm_head.weight",)).can_be(wanted)
