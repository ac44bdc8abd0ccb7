"""A Python with a venv and a pip that install nothing: stands in for all that the installer calls.

Each pip call is appended to $FAKE_LOG. $FAKE_PIP says what pip does when it comes to a package:
`hang:NAME`, or `fail:NAME` with the words in $FAKE_SAYS. The disk has $FAKE_FREE_GB left.
"""

import json
import os
import sys
import time
from pathlib import Path

CHOSEN = {
    "torch": "2.11.0",
    "numpy": "2.4.6",
    "mido": "1.3.3",
    "ruff": "0.17.5",
}  # what the made-up index has


def main() -> None:
    arguments = [argument for argument in sys.argv[1:] if argument not in ("-I", "-P")]
    if arguments[0] == "-c":
        if "ensurepip" in arguments[1] and "FAKE_NO_VENV" in os.environ:
            sys.exit(1)
        exec(arguments[1])
    elif arguments[0].endswith("environment.py"):
        import runpy  # here, as nine of ten starts do without it
        import shutil

        free = int(os.environ.get("FAKE_FREE_GB", "50")) * 10**9  # whatever this machine has left
        shutil.disk_usage = lambda _: shutil._ntuple_diskusage(10**12, 10**12 - free, free)
        sys.executable = str(Path(sys.argv[0]).absolute())
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")
    elif arguments[1] == "venv":
        make_environment(Path(arguments[2]))
    elif arguments[1] == "pip":
        log(" ".join(arguments[1:]))
        pip(arguments[2:])
    elif arguments[1] == "pytest":
        log(" ".join(arguments[1:]))
        sys.exit(os.environ.get("FAKE_FAILS") == "pytest")
    elif arguments[1] != "compileall":
        say(json.dumps(arguments))
        sys.exit(int(os.environ.get("FAKE_STATUS", "0")))


def make_environment(folder: Path) -> None:
    (folder / "bin").mkdir(parents=True)
    site_packages(folder).mkdir(parents=True)
    python = folder / "bin" / "python"
    python.write_bytes(Path(sys.argv[0]).read_bytes())
    python.chmod(0o755)
    for tool in ("ruff", "mypy", "lint-imports"):
        (folder / "bin" / tool).write_text(
            f'#!/bin/sh\necho "{tool} $*" >>"$FAKE_LOG"\ntest "$FAKE_FAILS" != {tool}\n'
        )
        (folder / "bin" / tool).chmod(0o755)


def pip(arguments: list[str]) -> None:
    packages = site_packages(Path(sys.argv[0]).parent.parent)
    if "--dry-run" in arguments:
        wanted = Path(arguments[arguments.index("-r") + 1]).read_text().split()
        missing = [name for name in wanted if not list(packages.glob(f"{name}-*.dist-info"))]
        entries = [{"metadata": {"name": n, "version": CHOSEN[n]}} for n in missing]
        report = Path(arguments[arguments.index("--report") + 1])
        report.write_text(json.dumps({"install": entries}))
        return
    way, _, victim = os.environ.get("FAKE_PIP", "").partition(":")
    for package in [argument for argument in arguments if "==" in argument]:
        name, _, version = package.partition("==")
        say(f"Collecting {package}")
        # As real pip may leave it: a record, and not all the files that it lists.
        (packages / f"{name}-{version}.dist-info").mkdir(exist_ok=True)
        if (name, way) == (victim, "fail"):
            say(os.environ["FAKE_SAYS"])
            sys.exit(1)
        if (name, way) == (victim, "hang"):
            log("hanging")
            time.sleep(60)
        (packages / f"{name}.py").write_text("whole")


def site_packages(environment: Path) -> Path:
    major, minor = sys.version_info[:2]
    return environment / "lib" / f"python{major}.{minor}" / "site-packages"


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def log(line: str) -> None:
    with Path(os.environ["FAKE_LOG"]).open("a") as file:
        file.write(line + "\n")


if __name__ == "__main__":
    main()
