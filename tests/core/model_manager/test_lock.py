"""A lock is held by one at a time and ends with its process."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.model_manager.lock import LockHeldError, held

HOLD = """
import sys, time
from pathlib import Path
from core.model_manager.lock import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.lock"


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_file_is_gone_afterwards(path: Path) -> None:
    with held(path):
        assert path.is_file()
    assert not path.exists()


def test_a_second_time_in_the_same_process_is_refused(path: Path) -> None:
    with held(path), pytest.raises(LockHeldError), held(path):
        pass


def test_another_process_is_noticed(path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(LockHeldError), held(path):
        pass
    assert path.exists()


def test_a_killed_process_holds_nothing(path: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert path.exists()
    with held(path):
        pass
    assert not path.exists()


def test_who_waits_gets_it_when_it_is_free(path: Path) -> None:
    release, is_held = threading.Event(), threading.Event()

    def hold() -> None:
        with held(path):
            is_held.set()
            release.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    is_held.wait(10)
    threading.Timer(0.1, release.set).start()
    with held(path, wait_s=10):
        pass
    thread.join()


def test_many_at_once_never_hold_it_together(path: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(30):
            with held(path, wait_s=20):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_place_without_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"), held(tmp_path / "gone" / "model.lock"):
        pass
