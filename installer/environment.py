"""Fill Notewright's virtual environment with the packages that pyproject.toml asks for.

Called by prepare.sh under its lock: `python3 -I environment.py run|test CHECKOUT ENVIRONMENT`.
Needs nothing but Python's own library. May be stopped at any moment: a package counts as installed
only once pip has finished with it; the next start mends what was cut off and goes on from there.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

PIP = "pip>=25.2,<27"  # 25.1 goes on with a broken download, 24.1 reports progress in bytes
FRESH_SPACE_GB = 7  # the packages take 6; the largest wheel lies beside them while it is unpacked
HEAVY = (
    "nvidia-",
    "torch",
    "triton",
    "pyside6",
)  # hundreds of MB each: one pip run each, to lose little
BATCH_PACKAGES = 12
UNUSED = "/tests/|/transformers/models/|/pip/"  # two fifths of all code
REPORT_S = 10  # between progress lines that cannot overwrite each other
# Settings of the user's that would send the packages elsewhere than into our environment.
MISLEADING = (
    "PIP_USER",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_REQUIRE_VIRTUALENV",
    "PYTHONHOME",
    "PYTHONPATH",
)

NO_NETWORK = re.compile(
    "NewConnectionError|ConnectTimeout|NameResolutionError|Network is unreachable|ProxyError|"
    "ReadTimeout|ConnectionReset|IncompleteRead|IncompleteDownload"
)


class InstallError(Exception):
    """What failed and the next step, as one line."""


@dataclass(frozen=True, slots=True)
class Package:
    """One distribution at the version that pip chose."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


@dataclass(slots=True)
class ProgressLine:
    """What is going on: one line that overwrites itself on a terminal and is sparing elsewhere."""

    overwrites: bool = field(default_factory=sys.stderr.isatty)
    last_s: float = 0.0
    last_text: str = ""

    def step(self, text: str) -> None:
        """Show that something else has begun."""
        self.last_s = time.monotonic()
        self._write(text)

    def detail(self, text: str) -> None:
        """Show how far it is; dropped where it would follow the previous line too soon."""
        if time.monotonic() - self.last_s >= (0.1 if self.overwrites else REPORT_S):
            self.step(text)

    def close(self) -> None:
        """Leave the line empty for whoever writes next."""
        if self.overwrites:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

    def _write(self, text: str) -> None:
        if text == self.last_text:
            return
        self.last_text = text
        if self.overwrites:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r\033[K  {text}"[: width + 4])
        else:
            sys.stderr.write(f"  {text}\n")
        sys.stderr.flush()


@dataclass(frozen=True, slots=True)
class Environment:
    """The virtual environment at `folder` and our notes in it."""

    folder: Path

    @property
    def notes(self) -> Path:
        """Return the folder of our own files; prepare.sh made it and holds the lock in it."""
        return self.folder / "notewright"

    @property
    def log(self) -> Path:
        """Return the file with everything pip said."""
        return self.notes / "install.log"

    @property
    def python(self) -> Path:
        """Return the environment's interpreter."""
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        """Return the folder that packages are unpacked into."""
        major, minor = sys.version_info[:2]
        return self.folder / "lib" / f"python{major}.{minor}" / "site-packages"

    @property
    def made(self) -> Path:
        """Return the note that the empty environment and its pip are whole."""
        return self.notes / "made"

    @property
    def under_way(self) -> Path:
        """Return the note of the packages that pip is busy with: none of them can be trusted."""
        return self.notes / "under-way"

    def pip(self, arguments: Sequence[str], on_line: Callable[[str], None]) -> None:
        """Run pip and hand over each line it prints; a failure becomes an InstallError."""
        command = [
            str(self.python),
            "-I",
            "-m",
            "pip",
            "--no-input",
            "--disable-pip-version-check",
            *arguments,
        ]
        last_lines: list[str] = []
        with (
            self.log.open("a", encoding="utf-8") as log,
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env=pip_settings(self.notes),
            ) as process,
        ):
            log.write(f"$ pip {' '.join(arguments)}\n")
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    if not line.startswith("Progress "):
                        log.write(line)
                        last_lines = [*last_lines[-200:], line.strip()]
                    on_line(line.strip())
            except BaseException:
                process.terminate()
                raise
        if process.returncode:
            raise InstallError(reason(last_lines) + f" (All of it: {self.log})")


def main(purpose: str, checkout: Path, environment: Environment) -> None:
    """Bring the environment to what `purpose` (run or test) needs, if it is not there already."""
    wanted = requirements(checkout, purpose)
    note = environment.notes / f"packages-{purpose}"
    line = ProgressLine()
    mend(environment)
    if not note.is_file() or note.read_text() != "\n".join(wanted):
        make_environment(environment, line)
        install(wanted, checkout / "installer" / "constraints.txt", environment, line)
        compile_packages(environment, line)
        note.write_text("\n".join(wanted))
        shutil.rmtree(environment.notes / "unpacking", ignore_errors=True)
    line.close()


def requirements(checkout: Path, purpose: str) -> list[str]:
    """Return what pyproject.toml asks for."""
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = project["optional-dependencies"]["test"] if purpose == "test" else []
    return [*project["dependencies"], *extra]


def mend(environment: Environment) -> None:
    """Undo what an interrupted start, or another Python, left half done."""
    for note in environment.notes.glob("ready-*"):
        note.unlink()
    if not environment.made.is_file() or not works(environment.python):
        for left in environment.folder.iterdir():
            if left != environment.notes:
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        for note in [
            environment.made,
            environment.under_way,
            *environment.notes.glob("packages-*"),
        ]:
            note.unlink(missing_ok=True)
    shutil.rmtree(environment.notes / "unpacking", ignore_errors=True)
    if environment.under_way.is_file():
        forget(environment.under_way.read_text().split(), environment)
        environment.under_way.unlink()


def works(python: Path) -> bool:
    """Tell whether the environment's Python starts and is the version that runs this file."""
    question = "import sys; print(sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [python, "-I", "-c", question], capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    return answer.stdout.strip() == str(sys.version_info[:2])


def forget(names: Sequence[str], environment: Environment) -> None:
    """Remove pip's records of these packages, so that it unpacks them anew over what lies there."""
    unknown = {normal(name) for name in names}
    for record in environment.packages.glob("*.dist-info"):
        if normal(record.name.split("-")[0]) in unknown:
            shutil.rmtree(record)
    for renamed in environment.packages.glob("~*"):  # pip's way of putting the old version aside
        shutil.rmtree(renamed, ignore_errors=True)


def make_environment(environment: Environment, line: ProgressLine) -> None:
    """Make the empty environment with a pip that reports its progress, unless it is there."""
    if environment.made.is_file():
        return
    free_gb = shutil.disk_usage(environment.notes).free / 1e9
    if free_gb < FRESH_SPACE_GB:
        raise InstallError(
            f"it needs {FRESH_SPACE_GB} GB; the disk of '{environment.folder}' has {free_gb:.1f}."
            " Free some space or set NOTEWRIGHT_ENVIRONMENT to a folder elsewhere, and start again"
        )
    sys.stderr.write(
        "Installing Notewright's packages, only this once: 3 GB to download, 6 GB on the disk.\n"
        "It can be stopped at any time and goes on from there.\n"
    )
    line.step("Making the environment")
    command = [sys.executable, "-I", "-m", "venv", str(environment.folder)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    with environment.log.open("a", encoding="utf-8") as log:
        log.write(made.stdout + made.stderr)
    if made.returncode:
        said = (made.stdout + made.stderr).strip().splitlines() or ["venv said nothing"]
        raise InstallError(
            f"Python could not make an environment: {said[-1]} (All of it: {environment.log})"
        )
    environment.pip(["install", "--quiet", "--upgrade", PIP], lambda _: None)
    environment.made.touch()


def install(
    wanted: Sequence[str], constraints: Path, environment: Environment, line: ProgressLine
) -> None:
    """Install what is missing of `wanted`, a few packages at a time."""
    missing = resolve(wanted, constraints, environment, line)
    done = 0
    for batch in batches(missing):
        environment.under_way.write_text("\n".join(package.name for package in batch))
        show = install_progress(batch, done, len(missing), line)
        arguments = ["install", "--no-deps", "--no-compile", "--progress-bar=raw"]
        if "PIP_CACHE_DIR" not in os.environ:  # a second copy of 3 GB nobody asked for
            arguments.append("--no-cache-dir")
        environment.pip([*arguments, *map(str, batch)], show)
        environment.under_way.unlink()
        done += len(batch)


def resolve(
    wanted: Sequence[str], constraints: Path, environment: Environment, line: ProgressLine
) -> list[Package]:
    """Let pip choose the versions; return those that are not installed."""

    def show(said: str) -> None:
        if said.startswith("Collecting "):
            line.detail(f"Choosing versions: {said.split()[1]}")

    line.step("Choosing versions")
    asked = environment.notes / "requirements.txt"
    asked.write_text("\n".join(wanted) + "\n", encoding="utf-8")
    answer = environment.notes / "chosen.json"
    arguments = ["install", "--dry-run", "--report", str(answer), "-r", str(asked)]
    environment.pip([*arguments, "-c", str(constraints)], show)
    chosen = json.loads(answer.read_text(encoding="utf-8"))["install"]
    return [Package(entry["metadata"]["name"], entry["metadata"]["version"]) for entry in chosen]


def batches(packages: Sequence[Package]) -> Iterator[list[Package]]:
    """Yield the small packages a dozen at a time, then each of the heavy ones alone."""
    light = [package for package in packages if not normal(package.name).startswith(HEAVY)]
    for first in range(0, len(light), BATCH_PACKAGES):
        yield light[first : first + BATCH_PACKAGES]
    for package in packages:
        if package not in light:
            yield [package]


def install_progress(
    batch: Sequence[Package], done: int, total: int, line: ProgressLine
) -> Callable[[str], None]:
    """Return a reader of pip's lines that shows the package, its number and its bytes."""
    by_name = {normal(package.name): package for package in batch}
    begun: list[Package] = []

    def read(said: str) -> None:
        at = f"[{done + max(1, len(begun))}/{total}]"
        if said.startswith("Collecting "):
            name = normal(re.split(r"[=<>!~\[ ]", said.removeprefix("Collecting "), maxsplit=1)[0])
            begun.append(by_name.get(name, batch[0]))
            show = line.step if len(batch) == 1 else line.detail
            show(f"[{done + len(begun)}/{total}] {begun[-1].name} {begun[-1].version}")
        elif said.startswith("Progress ") and begun:
            _, got, _, size = said.split()
            line.detail(f"{at} {begun[-1].name}: {int(got) / 1e6:.0f} of {int(size) / 1e6:.0f} MB")
        elif said.startswith("Installing collected packages"):
            line.detail(f"{at} unpacking")

    return read


def compile_packages(environment: Environment, line: ProgressLine) -> None:
    """Compile what may be imported, on all cores; a first start that compiles feels broken."""
    line.step("Compiling")
    begun_s = time.monotonic()
    python, packages = str(environment.python), str(environment.packages)
    command = [python, "-I", "-m", "compileall", "-q", "-j", "0", "-x", UNUSED, packages]
    # Some packages carry templates that are not Python; they fail here and are never imported.
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as compiling:
        while compiling.poll() is None:
            time.sleep(0.1)
            line.detail(f"Compiling: {time.monotonic() - begun_s:.0f} s")


def pip_settings(notes: Path) -> dict[str, str]:
    """Return the surroundings pip runs in: the user's, less what would lead it astray."""
    settings = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    unpacking = (
        notes / "unpacking"
    )  # /tmp is memory on many machines, and the largest wheel is over 500 MB
    unpacking.mkdir(exist_ok=True)
    return {
        "TMPDIR": str(unpacking),
        "PIP_ROOT_USER_ACTION": "ignore",
        "PYTHONUNBUFFERED": "1",
    } | settings


def reason(said: Sequence[str]) -> str:
    """Return what made pip fail, and the next step."""
    text = "\n".join(said)
    if "No space left on device" in text:
        return "the disk is full. Free some space and start again"
    if NO_NETWORK.search(text):
        return (
            "the package index cannot be reached. Check the network connection and start again;"
            " what is done is kept"
        )
    if match := re.search(r"No matching distribution found for (\S+)", text):
        system = f"Python {sys.version_info[0]}.{sys.version_info[1]} on {os.uname().machine}"
        return f"there is no '{match[1]}' for {system}. Set NOTEWRIGHT_PYTHON to another Python"
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
    return f"pip says: {(errors or list(said) or ['nothing'])[-1]} Start again to retry"


def normal(name: str) -> str:
    """Return a distribution's name as the packaging specification compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def stop(*_: object) -> NoReturn:
    """Turn a request to end into the same way out as Ctrl-C."""
    raise KeyboardInterrupt


def say_why(environment: Environment, kind: type[BaseException], error: BaseException) -> None:
    """Tell in one line what ended us; what only we understand goes to the log."""
    ProgressLine().close()
    if issubclass(kind, KeyboardInterrupt):
        sys.stderr.write("Stopped. Start again to go on with what is missing.\n")
        return
    if isinstance(error, OSError):
        what = f"{error.strerror} ('{error.filename}'). Mend that and start again"
    elif isinstance(error, InstallError):
        what = str(error)
    else:
        with environment.log.open("a", encoding="utf-8") as log:
            log.writelines(traceback.format_exception(error))
        what = f"the installer itself is at fault. Please report what '{environment.log}' says"
    sys.stderr.write(f"Notewright could not be installed: {what}.\n")


if __name__ == "__main__":
    the_environment = Environment(Path(sys.argv[3]))
    sys.excepthook = lambda kind, error, _: say_why(the_environment, kind, error)
    signal.signal(signal.SIGTERM, stop)
    main(sys.argv[1], Path(sys.argv[2]), the_environment)
