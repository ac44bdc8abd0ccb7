import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from core.engine.options import TranscribeOptions
from desktop.session.messages import TranscribeRequest
from desktop.session.transcribe_job import TranscribeJob
from tests.desktop import fake_workers

pytestmark = [pytest.mark.gui]
START_MS = 15_000  # a spawned Python on a busy machine
FILE = Path("take.wav")


@pytest.fixture
def started(qtbot):
    """Return a function that makes a job with the given worker; it is closed after the test."""
    jobs = []

    def make_job(worker, **options):
        jobs.append(TranscribeJob(worker, **options))
        return jobs[-1]

    yield make_job
    for job in jobs:
        job.close()


def request(number=1, path=FILE):
    return TranscribeRequest(number, path, TranscribeOptions())


def test_what_the_worker_heard_arrives(started, qtbot):
    job = started(fake_workers.answers_at_once)
    with qtbot.waitSignal(job.heard, timeout=START_MS) as arrived:
        job.start(request(7))
    (reply,) = arrived.args
    assert (reply.job, reply.stem.path, reply.stem.note_count) == (7, FILE, 2)


def test_one_child_serves_job_after_job(started, qtbot):
    job = started(fake_workers.answers_at_once)
    with qtbot.waitSignal(job.heard, timeout=START_MS):
        job.start(request(1))
    (child,) = multiprocessing.active_children()
    with qtbot.waitSignal(job.heard, timeout=START_MS):
        job.start(request(2))
    assert multiprocessing.active_children() == [child]


def test_progress_comes_at_most_twenty_times_a_second_and_rises(started, qtbot):
    job = started(fake_workers.reports_often)
    reports = []
    job.progressed.connect(lambda reply: reports.append((time.monotonic(), reply.progress.done_s)))
    with qtbot.waitSignal(job.heard, timeout=START_MS):
        job.start(request())
    took_s = reports[-1][0] - reports[0][0]
    assert 2 < len(reports) <= 20 * took_s + 2
    assert [done_s for _, done_s in reports] == sorted(done_s for _, done_s in reports)


@pytest.mark.parametrize(
    "worker", [fake_workers.works_until_cancelled, fake_workers.never_looks_up]
)
def test_cancel_acts_within_a_second(started, qtbot, worker):
    job = started(worker)
    job.start(request())
    qtbot.waitUntil(lambda: len(multiprocessing.active_children()) == 1, timeout=START_MS)
    began_s = time.monotonic()
    with qtbot.waitSignal(job.cancelled, timeout=START_MS):
        job.cancel(1)
    assert time.monotonic() - began_s < 1.0


def test_a_worker_that_stops_when_asked_stays_warm(started, qtbot):
    job = started(fake_workers.works_until_cancelled)
    with qtbot.waitSignal(job.progressed, timeout=START_MS):
        job.start(request())
    (child,) = multiprocessing.active_children()
    with qtbot.waitSignal(job.cancelled, timeout=START_MS):
        job.cancel(1)
    assert multiprocessing.active_children() == [child]


def test_a_worker_that_does_not_stop_is_ended(started, qtbot):
    job = started(fake_workers.never_looks_up)
    job.start(request())
    qtbot.waitUntil(lambda: len(multiprocessing.active_children()) == 1, timeout=START_MS)
    with qtbot.waitSignal(job.cancelled, timeout=START_MS):
        job.cancel(1)
    assert multiprocessing.active_children() == []


def test_cancel_of_another_job_changes_nothing(started, qtbot):
    job = started(fake_workers.reports_often)
    with qtbot.waitSignal(job.heard, timeout=START_MS):
        job.start(request(2))
        job.cancel(1)


def test_an_error_keeps_its_remedy(started, qtbot):
    job = started(fake_workers.fails_with_a_remedy)
    with qtbot.waitSignal(job.failed, timeout=START_MS) as failed:
        job.start(request())
    (reply,) = failed.args
    assert (reply.problem, reply.remedy) == ("The GPU has no memory left.", "Choose the CPU.")


def test_an_unforeseen_error_is_a_sentence(started, qtbot):
    job = started(fake_workers.fails_unforeseen)
    with qtbot.waitSignal(job.failed, timeout=START_MS) as failed:
        job.start(request())
    assert "ZeroDivisionError" in failed.args[0].problem


def test_a_segmentation_fault_is_a_failed_job_and_the_next_one_runs(started, qtbot, tmp_path):
    job = started(fake_workers.crashes_once)
    path = tmp_path / "take.wav"
    with qtbot.waitSignal(job.failed, timeout=START_MS) as failed:
        job.start(request(1, path))
    assert "'take.wav' (signal 11)" in failed.args[0].problem
    with qtbot.waitSignal(job.heard, timeout=START_MS):
        job.start(request(2, path))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for the zombie in /proc")
def test_an_idle_worker_that_dies_leaves_no_zombie_and_the_next_job_runs(started, qtbot):
    job = started(fake_workers.answers_at_once)
    with qtbot.waitSignal(job.heard, timeout=START_MS):
        job.start(request(1))
    (child,) = multiprocessing.active_children()
    pid = child.pid
    os.kill(pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: not Path(f"/proc/{pid}").exists(), timeout=START_MS)
    with qtbot.waitSignal(job.heard, timeout=START_MS):
        job.start(request(2))


def test_a_killed_worker_is_a_failed_job(started, qtbot):
    job = started(fake_workers.is_killed)
    with qtbot.waitSignal(job.failed, timeout=START_MS) as failed:
        job.start(request())
    assert "out of memory" in failed.args[0].problem


@pytest.mark.parametrize("worker", [fake_workers.answers_at_once, fake_workers.never_looks_up])
def test_closing_leaves_no_child(started, qtbot, worker):
    job = started(worker)
    job.start(request())
    qtbot.waitUntil(lambda: len(multiprocessing.active_children()) == 1, timeout=START_MS)
    began_s = time.monotonic()
    job.close()
    assert multiprocessing.active_children() == []
    assert time.monotonic() - began_s < 2.0


def resident_bytes(pid):
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads memory from /proc")
def test_the_memory_of_an_idle_worker_comes_back_and_the_next_job_runs(started, qtbot):
    job = started(fake_workers.holds_much_memory, idle_s=0.5)
    with qtbot.waitSignal(job.heard, timeout=START_MS):
        job.start(request(1))
    (child,) = multiprocessing.active_children()
    pid = child.pid
    assert resident_bytes(pid) > fake_workers.MUCH_BYTES
    qtbot.waitUntil(lambda: not Path(f"/proc/{pid}").exists(), timeout=START_MS)
    with qtbot.waitSignal(job.heard, timeout=START_MS):
        job.start(request(2))


def test_a_worker_that_works_is_not_idle(started, qtbot):
    job = started(fake_workers.reports_often, idle_s=0.2)  # it takes a second
    with qtbot.waitSignal(job.heard, timeout=START_MS):
        job.start(request())


def test_a_shorter_rest_holds_from_the_next_idle_time_on(started, qtbot):
    job = started(fake_workers.answers_at_once)
    with qtbot.waitSignal(job.heard, timeout=START_MS):
        job.start(request())
    job.rest_after(0.2)
    qtbot.waitUntil(lambda: not multiprocessing.active_children(), timeout=START_MS)


def test_every_note_is_told_once_though_reports_are_joined(started, qtbot):
    job = started(fake_workers.tells_notes)
    replies = []
    job.progressed.connect(replies.append)
    with qtbot.waitSignal(job.heard, timeout=START_MS):
        job.start(request())
    onsets_s = [note.onset_s for reply in replies for note in reply.notes]
    assert onsets_s == [step / 10 for step in range(100)]
    assert [span for reply in replies for span in reply.spans] == [
        (step / 10, (step + 1) / 10) for step in range(100)
    ]
    assert len(replies) < 30
