"""Entries of worker processes for tests; at module level, because spawn finds them by name."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from core.engine.progress import Progress
from core.errors import TranscriptionFailedError
from desktop.session.messages import HeardReply
from desktop.session.worker_process import serve
from tests import make
from tests.desktop.fakes import heard

MUCH_BYTES = 200_000_000


def answers_at_once(pipe):
    serve(pipe, _answer)


def holds_much_memory(pipe):
    held = []
    serve(pipe, lambda *asked: _answer_holding(held, *asked))


def reports_often(pipe):
    serve(pipe, _report_often)


def works_until_cancelled(pipe):
    serve(pipe, _work_until_cancelled)


def never_looks_up(pipe):
    serve(pipe, lambda *_: time.sleep(60))


def fails_with_a_remedy(pipe):
    serve(pipe, _fail)


def fails_unforeseen(pipe):
    serve(pipe, _divide_by_zero)


def crashes_once(pipe):
    """Dies of a segmentation fault if the requested file does not exist yet, and creates it."""
    serve(pipe, _crash_once)


def is_killed(pipe):
    serve(pipe, lambda *_: os.kill(os.getpid(), signal.SIGKILL))


def _answer(request, on_progress, cancel):
    return HeardReply(request.job, heard(request.path))


def _answer_holding(held, request, on_progress, cancel):
    held.append(np.ones(MUCH_BYTES, np.uint8))
    return _answer(request, on_progress, cancel)


def _report_often(request, on_progress, cancel):
    for step in range(400):
        on_progress(Progress("transcribing", step / 100, 4.0, step / 100))
        time.sleep(0.0025)
    return _answer(request, on_progress, cancel)


def _work_until_cancelled(request, on_progress, cancel):
    on_progress(Progress("transcribing", 1.0, 4.0, 0.1))
    while True:
        cancel.raise_if_set()
        time.sleep(0.01)


def _fail(request, on_progress, cancel):
    raise TranscriptionFailedError("The GPU has no memory left.", "Choose the CPU.")


def _divide_by_zero(request, on_progress, cancel):
    return 1 / 0


def _crash_once(request, on_progress, cancel):
    marker = Path(request.path)
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGSEGV)
    return _answer(request, on_progress, cancel)


def tells_notes(pipe):
    serve(pipe, _tell_notes)


def _tell_notes(request, reports, cancel):
    """Find a note per tenth of a second, faster than anybody looks."""
    for step in range(100):
        reports.take_notes([make.note(60, step / 10, step / 10 + 0.1)], step / 10, (step + 1) / 10)
        if step % 3 == 2:
            reports(Progress("transcribing", step / 10, 10.0, step / 100))
            time.sleep(0.005)
    reports(Progress("transcribing", 10.0, 10.0, 1.0))
    time.sleep(0.2)
    return _answer(request, reports, cancel)
