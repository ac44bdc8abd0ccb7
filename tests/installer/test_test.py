"""installer/test on a made-up machine: which checks it runs, and when it fails."""

from pathlib import Path

import pytest

from tests.installer.machine import Machine, make_machine

ALL = "-m slow or not slow"
CHECKS = ["ruff format --check .", "ruff check .", "mypy ", "lint-imports ", f"pytest {ALL}"]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return make_machine(tmp_path)


@pytest.fixture(scope="module")
def installed_machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    machine = make_machine(tmp_path_factory.mktemp("installed"))
    assert machine.test().returncode == 0
    return machine


@pytest.fixture
def ready(installed_machine: Machine) -> Machine:
    """A machine on which everything is installed; only its log is the test's own."""
    installed_machine.log_file.write_text("")
    return installed_machine


def test_every_check_runs_and_pytest_comes_last(machine: Machine) -> None:
    done = machine.test()
    assert done.returncode == 0, done.stderr
    assert [line for line in machine.log if not line.startswith("pip")] == CHECKS
    assert "ruff" in machine.installed


@pytest.mark.parametrize("failing", ["mypy", "lint-imports", "pytest"])
def test_one_failing_check_fails_all_and_stops_none(ready: Machine, failing: str) -> None:
    done = ready.test(FAKE_FAILS=failing)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"installer/test: failed: {failing}"
    assert ready.log == CHECKS


def test_arguments_go_to_pytest(ready: Machine) -> None:
    ready.test("tests/core", "-x")
    assert ready.log[-1] == f"pytest {ALL} tests/core -x"


def test_packages_for_use_are_not_installed_twice(machine: Machine) -> None:
    machine.run("daws")
    machine.log_file.unlink()
    machine.test()
    (asked,) = [line for line in machine.log if line.startswith("pip") and "--dry-run" not in line]
    assert asked.endswith(" ruff==0.17.5")


def test_missing_window_libraries_are_asked_for_before_anything_is_installed(
    machine: Machine,
) -> None:
    machine.has_libraries([])
    done = machine.test()
    assert done.returncode == 1
    assert "libegl1" in done.stderr
    assert machine.log == []
