"""What holds for the whole of core: no screen, no torch where none is needed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

WALK = """
import importlib, pathlib, sys
for name in {blocked}:
    sys.modules[name] = None
for file in sorted(pathlib.Path("core").rglob("*.py")):
    if file.name == "__main__.py":
        continue
    parts = file.with_suffix("").parts
    importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_every_module_of_core_imports_without_qt() -> None:
    blocked = ["PySide6", "shiboken6", "pyqtgraph", "desktop"]
    ran = run(WALK.format(blocked=blocked))
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("arguments", [["--version"], ["daws"], ["models"]])
def test_short_commands_do_not_wait_for_torch(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['librosa'] = None\n"
        "from core.cli import main\n"
        f"sys.exit(main({arguments!r}))"
    )
    ran = run(code)
    assert ran.returncode == 0, ran.stderr


def test_the_terminal_never_imports_qt() -> None:
    code = (
        "import sys\n"
        "sys.modules['PySide6'] = None\n"
        "import core.cli, core.song\n"
        "assert not any(name.startswith('PySide6.') for name in sys.modules)"
    )
    ran = run(code)
    assert ran.returncode == 0, ran.stderr


def test_the_top_level_holds_only_what_the_plan_names() -> None:
    git = shutil.which("git")
    if git is None:
        pytest.skip("no git here")
    listed = subprocess.run(
        [git, "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    planned = {"desktop", "core", "resources", "tests", "installer"}
    planned |= {"pyproject.toml", "README.md", "LICENSE"}
    tops = {line.split("/")[0] for line in listed.stdout.splitlines()}
    assert {top for top in tops if not top.startswith(".")} <= planned
