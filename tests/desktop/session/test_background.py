import threading

import pytest

from core.errors import AppError, ExportError
from desktop.session.background import Background

pytestmark = pytest.mark.gui


@pytest.fixture
def background(qapp):
    background = Background()
    yield background
    background.close()


def test_work_runs_elsewhere_and_its_outcome_arrives_here(background, qtbot):
    outcomes = []
    background.run(
        lambda cancel: threading.current_thread(),
        then=lambda thread: outcomes.append((thread, threading.current_thread())),
        failed=pytest.fail,
    )
    qtbot.waitUntil(lambda: len(outcomes) == 1)
    worked_in, arrived_in = outcomes[0]
    assert worked_in is not arrived_in
    assert arrived_in is threading.main_thread()


def test_an_error_arrives_as_it_is(background, qtbot):
    error, failures = ExportError("The disk is full.", "Free some space."), []

    def work(cancel):
        raise error

    background.run(work, then=pytest.fail, failed=failures.append)
    qtbot.waitUntil(lambda: failures == [error])


def test_an_unforeseen_error_is_a_sentence(background, qtbot):
    failures = []
    background.run(lambda cancel: 1 / 0, then=pytest.fail, failed=failures.append)
    qtbot.waitUntil(lambda: len(failures) == 1)
    assert isinstance(failures[0], AppError)
    assert "ZeroDivisionError" in str(failures[0])


def test_closing_cancels_what_runs_and_delivers_nothing(qapp):
    background, began, outcomes = Background(), threading.Event(), []

    def work(cancel):
        began.set()
        while True:
            cancel.raise_if_set()

    background.run(work, then=outcomes.append, failed=outcomes.append)
    assert began.wait(5)
    background.close()
    qapp.processEvents()
    assert outcomes == []


def test_finishing_lets_work_come_to_its_end(qapp):
    background, done = Background(threads=1), []
    for number in range(3):
        background.run(lambda cancel, n=number: done.append(n), then=id, failed=pytest.fail)
    background.finish()
    assert done == [0, 1, 2]
