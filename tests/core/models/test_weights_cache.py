"""The copy for faster loading: current, whole, or made anew; never in the way."""

import errno
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from core.errors import ModelBrokenError, ModelMissingError
from core.models import weights_cache
from core.models.parameter_names import ModelFamily
from core.models.weights_cache import (
    STALE_DRAFT_S,
    cache_path,
    cached_safetensors,
    converted_parameters,
)
from tests.core.models.make_checkpoint import (
    TINY,
    save_lightning,
    save_pth,
    save_safetensors,
    save_t5x,
    weights,
)

ROOT = Path(__file__).resolve().parents[3]
SAVE: dict[str, Callable[[Path], Path]] = {
    "a.pth": save_pth,
    "a.ckpt": save_lightning,
    "a.safetensors": save_safetensors,
    "t5x": save_t5x,
}


@pytest.fixture(params=SAVE)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return SAVE[request.param](tmp_path / request.param)


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return an act after which no checkpoint can be read any more, only copies of them."""

    def forbid() -> None:
        def opened(path: Path) -> object:
            raise AssertionError(f"{path} was read")

        monkeypatch.setattr(weights_cache, "open_checkpoint", opened)

    return forbid


def copy_of(path: Path) -> dict[str, np.ndarray]:
    cache = cached_safetensors(path, TINY)
    assert cache is not None
    return load_file(cache)


def assert_holds_the_weights(found: dict[str, np.ndarray], *, is_t5x: bool = False) -> None:
    wanted = weights()
    if is_t5x:
        wanted = {name: v for name, v in wanted.items() if not name.endswith("frequencies")}
        found = {name: v for name, v in found.items() if not name.endswith("frequencies")}
    assert found.keys() == wanted.keys()
    assert [name for name in wanted if not np.array_equal(found[name], wanted[name])] == []


def test_a_copy_holds_the_weights_under_our_names(source: Path) -> None:
    assert_holds_the_weights(copy_of(source), is_t5x=source.is_dir())


def test_a_copy_lies_beside_its_file_or_in_its_folder(tmp_path: Path) -> None:
    assert cache_path(tmp_path / "a.pth") == tmp_path / "a.pth.notewright.safetensors"
    folder = save_t5x(tmp_path / "mt3")
    assert cache_path(folder) == folder / ".notewright.safetensors"
    assert cache_path(folder / "checkpoint") == folder / ".notewright.safetensors"


def test_frequencies_that_t5x_leaves_out_are_magentas_in_double_precision(tmp_path: Path) -> None:
    found = copy_of(save_t5x(tmp_path / "mt3"))["encoder.positions.frequencies"]
    assert found.dtype == np.float64
    assert found == pytest.approx([1.0, 10_000 ** (-1 / 3), 10_000 ** (-2 / 3), 1e-4], rel=1e-12)


def test_the_second_time_only_the_copy_is_read(source: Path, unread: Callable[[], None]) -> None:
    copy_of(source)
    unread()
    assert_holds_the_weights(copy_of(source), is_t5x=source.is_dir())


def test_a_changed_file_is_copied_anew(source: Path, unread: Callable[[], None]) -> None:
    copy_of(source)
    changed = max(source.rglob("0.0")) if source.is_dir() else source  # one array of many
    status = changed.stat()
    os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    unread()
    with pytest.raises(AssertionError, match="was read"):
        copy_of(source)


def test_a_copy_for_another_family_is_made_anew(source: Path) -> None:
    copy_of(source)
    other = ModelFamily("other", TINY.spellings[:-1])
    cache = cached_safetensors(source, other)
    assert cache is not None
    assert "logits.weight" not in load_file(cache)


def damage(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    match how:
        case "empty":
            content.clear()
        case "cut":
            del content[-40:]
        case "no header":
            content[:8] = bytes(8)
        case "a bit of a value":
            content[-5] ^= 4
        case "zeroed":
            content[-400:] = bytes(400)
        case "longer":
            content += bytes(64)
        case "other shapes":
            content = content.replace(b'"shape":[12,8]', b'"shape":[8,12]')
        case "garbage":
            content = bytearray(b"\xff" * len(content))
    path.write_bytes(content)


@pytest.mark.parametrize(
    "how",
    [
        "empty",
        "cut",
        "no header",
        "a bit of a value",
        "zeroed",
        "longer",
        "other shapes",
        "garbage",
    ],
)
def test_a_damaged_copy_is_made_anew(
    how: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = save_pth(tmp_path / "a.pth")
    copy_of(path)
    before = cache_path(path).read_bytes()
    damage(cache_path(path), how)
    assert_holds_the_weights(copy_of(path))
    assert cache_path(path).read_bytes() == before
    assert "is damaged and will be made anew" in caplog.text


def test_where_nothing_can_be_written_there_is_no_copy_and_the_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
    caplog.set_level(logging.INFO)
    assert cached_safetensors(save_pth(tmp_path / "a.pth"), TINY) is None
    assert "no copy of a.pth is kept for faster loading" in caplog.text
    assert "Permission denied" in caplog.text


@pytest.mark.parametrize("broken", ["write_safetensors", "replace"])
def test_a_full_disk_leaves_nothing_behind(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    target = weights_cache if broken == "write_safetensors" else Path
    monkeypatch.setattr(target, broken, fail)
    path = save_pth(tmp_path / "a.pth")
    assert cached_safetensors(path, TINY) is None
    assert list(tmp_path.iterdir()) == [path]


def test_a_copy_that_another_program_made_meanwhile_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows a file that another program has mapped cannot be replaced."""
    path = save_pth(tmp_path / "a.pth")
    replace = Path.replace

    def in_use(draft: Path, cache: Path) -> None:
        replace(draft, cache)
        raise PermissionError(errno.EACCES, "in use")

    monkeypatch.setattr(Path, "replace", in_use)
    assert cached_safetensors(path, TINY) == cache_path(path)


def test_a_broken_checkpoint_leaves_no_copy(tmp_path: Path) -> None:
    path = save_pth(tmp_path / "a.pth", {"lm_head.weight": torch.full((12, 8), torch.nan)})
    with pytest.raises(ModelBrokenError, match=r"'lm_head\.weight' in it holds values that are no"):
        cached_safetensors(path, TINY)
    assert list(tmp_path.iterdir()) == [path]


def test_numbers_too_large_for_single_precision_are_no_weights(tmp_path: Path) -> None:
    huge = torch.full((12, 8), 1e300, dtype=torch.float64)
    path = save_pth(tmp_path / "a.pth", {"lm_head.weight": huge})
    with pytest.raises(ModelBrokenError, match="values that are no numbers"):
        cached_safetensors(path, TINY)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"proj.weight": torch.zeros(8, 5)}, r"'proj\.weight' has another shape"),
        ({"proj.weight": "text"}, r"'proj\.weight' is not in it"),
        ({"proj.weight": torch.zeros(8, 4, dtype=torch.int32)}, r"'proj\.weight' has another"),
    ],
)
def test_a_checkpoint_of_another_network_is_refused_before_it_is_read(
    changed: dict[str, object], says: str, tmp_path: Path
) -> None:
    state = save_pth(tmp_path / "a.pth", changed)
    if isinstance(changed["proj.weight"], str):
        content = torch.load(state)
        del content["encoder.embed_tokens.weight"]  # which would stand in for it
        torch.save(content, state)
    with pytest.raises(
        ModelBrokenError, match=f"'a.pth' is no checkpoint of tiny: {says}.*inspect"
    ):
        cached_safetensors(state, TINY)


def test_a_missing_checkpoint_is_missing_even_if_its_copy_is_there(source: Path) -> None:
    copy_of(source)
    source.rename(source.with_name("elsewhere"))
    with pytest.raises(ModelMissingError, match="There is no file"):
        cached_safetensors(source, TINY)


def test_parameters_come_in_the_order_of_the_table(source: Path) -> None:
    names = [name for name, _ in converted_parameters(source, TINY)]
    assert names == [spelling.ours for spelling in TINY.spellings]


def test_many_threads_at_once_get_whole_copies(tmp_path: Path) -> None:
    path = save_pth(tmp_path / "a.pth")
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: copy_of(path), range(40)):
            assert_holds_the_weights(found)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.pth", cache_path(path).name]


@pytest.mark.parametrize(("age_s", "is_kept"), [(60.0, True), (STALE_DRAFT_S + 60.0, False)])
def test_drafts_of_programs_that_were_killed_are_removed(
    age_s: float, is_kept: bool, tmp_path: Path
) -> None:
    path = save_pth(tmp_path / "a.pth")
    draft = tmp_path / f"{cache_path(path).name}.draft"
    draft.touch()
    os.utime(draft, (time.time() - age_s,) * 2)
    copy_of(path)
    assert draft.exists() is is_kept


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_who_may_read_the_file_may_read_the_copy(tmp_path: Path) -> None:
    path = save_pth(tmp_path / "a.pth")
    path.chmod(0o644)
    copy_of(path)
    assert cache_path(path).stat().st_mode & 0o777 == 0o644


CONVERT_FOR_EVER = """
import sys
from pathlib import Path
from core.models.weights_cache import cache_path, cached_safetensors
from tests.core.models.make_checkpoint import TINY
path = Path(sys.argv[1])
print("ready", flush=True)
while True:
    cached_safetensors(path, TINY)
    cache_path(path).unlink(missing_ok=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no such signal")
def test_programs_that_are_killed_while_they_copy_break_nothing(tmp_path: Path) -> None:
    path = save_pth(tmp_path / "a.pth")
    command = [sys.executable, "-c", CONVERT_FOR_EVER, str(path)]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    try:
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for _ in range(50):
            found = cached_safetensors(path, TINY)
            if found is not None and found.exists():
                with_suppressed_removal(found)
    finally:
        for process in running:
            process.send_signal(signal.SIGKILL)
            process.communicate()
    assert_holds_the_weights(copy_of(path))


def with_suppressed_removal(cache: Path) -> None:
    """Compare a copy that another program may remove at any time."""
    try:
        content = load_file(cache)
    except FileNotFoundError:
        return
    assert_holds_the_weights(content)
