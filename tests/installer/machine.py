"""A made-up machine for the installer: a checkout, a user and a PATH with only what is named."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
# Essential on Debian: dash, coreutils, util-linux, sed.
TOOLS = [
    "sh",
    "cat",
    "cksum",
    "ln",
    "readlink",
    "mkdir",
    "ls",
    "mv",
    "sed",
    "tail",
    "date",
    "env",
    "flock",
    "true",
    "sleep",
]
WINDOW_LIBRARIES = [
    "libEGL.so.1",
    "libGL.so.1",
    "libglib-2.0.so.0",
    "libfontconfig.so.1",
    "libdbus-1.so.3",
    "libxkbcommon-x11.so.0",
    "libxcb-cursor.so.0",
    "libxcb-icccm.so.4",
    "libxcb-keysyms.so.1",
    "libxcb-shape.so.0",
    "libwayland-cursor.so.0",
    "libwayland-egl.so.1",
    "libportaudio.so.2",
]
PYPROJECT = """
[project]
name = "notewright"
dependencies = ["numpy", "mido", "torch"]
[project.optional-dependencies]
test = ["ruff"]
"""


@dataclass(slots=True)
class Machine:
    """`run` and `test` start the scripts; `log` has what pip, apt-get and checks were asked."""

    folder: Path
    surroundings: dict[str, str] = field(default_factory=dict)
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def checkout(self) -> Path:
        return self.folder / "check out"

    @property
    def programs(self) -> Path:
        return self.folder / "bin"

    @property
    def log_file(self) -> Path:
        return self.folder / "log"

    @property
    def log(self) -> list[str]:
        return self.log_file.read_text().splitlines() if self.log_file.exists() else []

    @property
    def installed(self) -> dict[str, str]:
        """Return what each installed package's file says."""
        files = self.checkout.glob(".venv/lib/python3*/site-packages/*.py")
        return {file.stem: file.read_text() for file in files}

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            **self.command("run", *arguments, **settings), timeout=60, check=False
        )

    def test(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            **self.command("test", *arguments, **settings), timeout=60, check=False
        )

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        """Start installer/run in a process group of its own."""
        process = subprocess.Popen(
            **self.command("run", *arguments, **settings), start_new_session=True
        )
        self.running.append(process)
        return process

    def switch_off(self) -> None:
        """Kill what a failed test left running: it would outlive the tests."""
        for process in self.running:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def command(self, script: str, *arguments: str, **settings: str) -> dict[str, object]:
        return {
            "args": [self.checkout / "installer" / script, *arguments],
            "env": {
                "PATH": str(self.programs),
                "HOME": str(self.folder / "home"),
                "FAKE_LOG": str(self.log_file),
                **self.surroundings,
                **settings,
            },
            "cwd": self.folder,
            "text": True,
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
        }

    def program(self, name: str, script: str) -> None:
        """Put a shell script on the PATH."""
        (self.programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.programs / name).chmod(0o755)

    def is_used_by_root(self) -> None:
        self.program("id", "echo 0")

    def has_sudo(self, *, asks_for_password: bool) -> None:
        self.program("sudo", "exit 1" if asks_for_password else 'shift; exec "$@"')

    def has_libraries(self, names: list[str]) -> None:
        lines = "\n".join(f"\t{name} (libc6,x86-64) => /lib/{name}" for name in names)
        self.program("ldconfig", f"cat <<'END'\n{lines}\nEND")

    def write_pyproject(self, text: str) -> None:
        (self.checkout / "pyproject.toml").write_text(text)


def make_machine(folder: Path) -> Machine:
    """Return a machine with Python, apt-get and all libraries, used by someone who is not root."""
    machine = Machine(folder)
    shutil.copytree(REPOSITORY / "installer", machine.checkout / "installer")
    machine.write_pyproject(PYPROJECT)
    machine.programs.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (machine.programs / tool).symlink_to(found)
    python = machine.programs / "python3"
    python.write_text(
        f"#!{sys.executable} -IS\n" + Path(__file__).with_name("fake_python.py").read_text()
    )
    python.chmod(0o755)
    machine.program("id", "echo 1000")
    machine.program(
        "apt-get",
        'echo "apt-get $*" >>"$FAKE_LOG"\n'
        'test -z "$FAKE_APT_HANGS" || sleep 60\n'
        'echo "E: $FAKE_APT_SAYS"\n'
        "exit ${FAKE_APT_STATUS:-0}",
    )
    machine.has_libraries(WINDOW_LIBRARIES)
    return machine
