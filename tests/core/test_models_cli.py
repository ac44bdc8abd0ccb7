"""`notewright models ...` as it is typed: what it prints, and how it exits."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from core import models_cli
from core.cli import main
from core.model_manager import importing, store
from core.model_manager.catalog import Catalog, CatalogEntry, the_catalog
from core.models.parameter_names import FAMILIES
from tests.core.model_manager.faulty_server import Faults, serving
from tests.core.model_manager.make_model import entry_of, laid_by_hand, sha256

ROOT = Path(__file__).resolve().parents[2]
BODY = bytes(range(256)) * 2_000


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> store.Store:
    monkeypatch.setenv("MT3_CHECKPOINT_DIR", str(tmp_path / "models"))
    for module in (store, models_cli.sys.modules["core.model_manager.download"]):
        monkeypatch.setattr(module, "check_fits", lambda _entry, _path: None)
    return store.default_store()


def offer(monkeypatch: pytest.MonkeyPatch, *entries: CatalogEntry) -> None:
    """Let the catalogue hold the built-in model and these."""
    catalog = Catalog((the_catalog().entries[0], *entries), {"mine": "demo"})
    for module in (models_cli, store, importing):
        monkeypatch.setattr(module, "the_catalog", lambda: catalog)


@pytest.fixture
def mr_mt3(tmp_path: Path) -> Path:
    """A checkpoint that could be any of MR-MT3's."""
    path = tmp_path / "from" / "mine.safetensors"
    path.parent.mkdir()
    spellings = FAMILIES["mr_mt3"].spellings
    save_file({each.torch: np.zeros(each.shape, np.float16) for each in spellings}, path)
    return path


def test_models_alone_lists_them(kept: store.Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["ID", "STATE", "SIZE", "LICENCE", "GOOD", "AT"]
    assert lines[1].split()[:2] == ["built-in", "installed"]
    (mt3,) = (line for line in lines if line.startswith("mt3_pytorch"))
    assert re.split(r"  +", mt3)[1:4] == [
        "not installed",
        "184 MB",
        "none declared (from Apache-2.0)",
    ]
    (yourmt3,) = (line for line in lines if line.startswith("yourmt3 "))
    assert re.split(r"  +", yourmt3)[1:4] == ["not installed", "562 MB", "Apache-2.0"]
    assert f"Models lie in {kept.root}" in lines
    assert lines[-1].startswith("Other names: default = auto,")


def test_the_list_says_in_json_all_that_is_known(
    kept: store.Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = entry_of("https://models.invalid/", BODY)
    offer(monkeypatch, entry)
    laid_by_hand(kept, entry, {"model.bin": BODY})
    assert main(["models", "list", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)[1]
    assert {key: row[key] for key in ("id", "state", "installed", "size_bytes", "path")} == {
        "id": "demo",
        "state": "not verified",
        "installed": False,
        "size_bytes": len(BODY),
        "path": None,
    }


def test_a_download_says_where_the_model_lies(
    kept: store.Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(Faults(BODY)) as url:
        offer(monkeypatch, entry_of(url, BODY))
        assert main(["models", "download", "mine"]) == 0
        assert main(["models", "download", "demo", "built-in"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"demo is installed in {kept.root / 'demo' / 'model.bin'} (verified).",
        "demo is installed already.",
        "built-in comes with Notewright; there is nothing to get.",
    ]


def test_a_digest_that_nobody_published_is_said_to_be_remembered(
    kept: store.Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(Faults(BODY)) as url:
        offer(monkeypatch, entry_of(url, BODY, sha256=None))
        assert main(["models", "download", "demo"]) == 0
        assert main(["models", "verify"]) == 0
    out = capsys.readouterr().out
    assert "its digest is remembered for the next time" in out
    assert "demo is whole: compared with the digests of the first verified copy." in out


def test_what_cannot_be_downloaded_is_said_and_exits_with_1(
    kept: store.Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(Faults(BODY, statuses=[404])) as url:
        offer(monkeypatch, entry_of(url, BODY))
        assert main(["models", "download", "demo"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("notewright: 127.0.0.1 does not give the file /model.bin")


def test_verifying_names_what_is_damaged_and_goes_on(
    kept: store.Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = entry_of("https://models.invalid/", BODY)
    other = replace(entry, id="other", files=(replace(entry.files[0], sha256=sha256(b"x")),))
    offer(monkeypatch, other, entry)
    laid_by_hand(kept, entry, {"model.bin": BODY})
    laid_by_hand(kept, other, {"model.bin": BODY})
    assert main(["models", "verify", "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out) == [
        {"id": "other", "whole": False},
        {"id": "demo", "whole": True, "compared_with": "the published digests"},
    ]
    assert "'model.bin' is damaged, or not what was published as 'other'" in captured.err


def test_without_models_there_is_nothing_to_verify(
    kept: store.Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "verify"]) == 0
    assert capsys.readouterr().out == f"No model is installed in {kept.root}.\n"


def test_removing_says_how_much_is_free_again(
    kept: store.Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = entry_of("https://models.invalid/", BODY)
    offer(monkeypatch, entry)
    laid_by_hand(kept, entry, {"model.bin": BODY})
    assert main(["models", "remove", "demo"]) == 0
    assert main(["models", "remove", "demo"]) == 1
    captured = capsys.readouterr()
    assert captured.out == "demo is removed; 0.5 MB are free again.\n"
    assert "There is nothing to remove." in captured.err


def test_importing_asks_which_one_it_is_and_takes_the_answer(
    kept: store.Store, mr_mt3: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "import", str(mr_mt3)]) == 1
    assert (
        "could be one of mr_mt3, mr_mt3_64, mr_mt3_32, mr_mt3_prevaug8" in capsys.readouterr().err
    )
    assert main(["models", "import", str(mr_mt3), "--as", "mr_mt3_32"]) == 0
    assert capsys.readouterr().out.startswith(f"mr_mt3_32 is installed in {kept.root}")


def test_a_folder_without_models_is_named(
    kept: store.Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "import", str(tmp_path)]) == 1
    assert f"There is no model in '{tmp_path.name}'" in capsys.readouterr().err


def test_inspecting_tells_what_a_file_is(mr_mt3: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "inspect", str(mr_mt3)]) == 0
    facts = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert facts["format"] == "safetensors"
    assert facts["model"] == "mr_mt3"
    assert facts["fits"] == "yes"
    assert facts["missing"] == "0"


def test_what_fits_no_model_exits_with_1_and_says_so_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"weight": np.zeros(3, np.float32)}, path)
    assert main(["models", "inspect", str(path), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["model"] == "none that Notewright knows"
    assert report["fits"] is False


TYPED = """
import sys
from core import models_cli
from core.cli import main
from core.model_manager.catalog import Catalog, CatalogEntry, CatalogFile
file = CatalogFile("model.bin", sys.argv[1] + "model.bin", int(sys.argv[2]), "0" * 64)
entry = CatalogEntry("demo", "Demo", "mt3", "", "MIT", "", "", "", False, (file,))
models_cli.the_catalog = lambda: Catalog((entry,), {})
sys.exit(main(["models", "download", "demo"]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no Ctrl-C can be sent to one process there")
def test_ctrl_c_keeps_what_came_and_says_so(kept: store.Store) -> None:
    faults = Faults(BODY, seconds_per_byte=0.001)
    with serving(faults) as url:
        child = subprocess.Popen(
            [sys.executable, "-c", TYPED, url, str(len(BODY))],
            cwd=ROOT, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        part = kept.root / "demo.part" / "model.bin.part"
        while child.poll() is None and not (part.is_file() and part.stat().st_size):
            time.sleep(0.02)
        pressed_s = time.monotonic()
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=20)
        assert time.monotonic() - pressed_s < 2.0
    assert child.returncode == 130
    assert "What was downloaded is kept: the next download goes on from it." in said
    assert "no unfinished file" not in said
    assert part.stat().st_size > 0


class Terminal:
    """A stream that says it is a terminal."""

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        ((50_000_000, 200_000_000, 2.5e6), "demo:  25%  50.0 of 200 MB  2.5 MB/s  1 min 00 s left"),
        ((1_000_000, None, 500_000.0), "demo: 1.0 MB  0.5 MB/s"),
        ((10, 1_000_000_000, 0.0), "demo:   0%  0.0 of 1000 MB  0.0 MB/s"),
        ((1_000_000, 3_700_000_000, 1e6), "demo:   0%  1.0 of 3700 MB  1.0 MB/s  1 h 01 min left"),
        ((500, 500, 1e6), "demo: checking what came"),
    ],
)  # fmt: skip
def test_one_line_tells_share_rate_and_time_left(
    progress: tuple[int, int | None, float], line: str
) -> None:
    now = models_cli.DownloadProgress("model.bin", *progress)
    assert models_cli._rate(entry_of("https://models.invalid/", BODY), now) == line


def test_the_line_is_no_wider_than_the_terminal_and_gone_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: shutil.os.terminal_size((20, 5)))
    stream = Terminal()
    with models_cli._line(stream) as show:
        show("a line that is longer than the terminal is wide")
    assert stream.text == "\r\x1b[Ka line that is long\r\x1b[K"


def test_elsewhere_than_on_a_terminal_nothing_is_rewritten(
    kept: store.Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(Faults(BODY)) as url:
        offer(monkeypatch, entry_of(url, BODY))
        main(["models", "download", "demo"])
    assert capsys.readouterr().err == ""
