"""The worker process: hears one file after another for the window, until its pipe closes.

Only this process imports torch; the window starts it early, so that the first file finds it ready.
"""

import logging
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from multiprocessing.connection import Connection
from os import devnull
from pathlib import Path
from typing import TYPE_CHECKING

from core.engine.progress import CancelToken, Progress
from core.errors import (
    AppError,
    AudioReadError,
    CancelledError,
    ModelBrokenError,
    ModelMissingError,
)
from core.score.note import NoteEvent
from desktop.session.heard_spans import Span
from desktop.session.messages import (
    CancelledReply,
    CancelRequest,
    Culprit,
    FailedReply,
    HeardReply,
    ProgressReply,
    Reply,
    Request,
    TempoReply,
    TempoRequest,
    TranscribeRequest,
)

if TYPE_CHECKING:
    from core.engine.transcriber import Transcriber

_log = logging.getLogger(__name__)

Answer = Callable[[TranscribeRequest | TempoRequest, "Reports", CancelToken], Reply]


def worker_main(pipe: Connection) -> None:
    """Run the child process: answer requests until the window closes the pipe."""
    with suppress(Exception):  # what is broken breaks again in the first request, and is told
        import_module("core.engine.transcriber")
    serve(pipe, _Listener().answer)


def serve(pipe: Connection, answer: Answer) -> None:
    """Answer each request with `answer`, turning its errors and its cancel into replies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the window's to handle
    _ensure_standard_streams()
    while True:
        try:
            request: Request = pipe.recv()
            if not isinstance(request, CancelRequest):  # a cancel that came after the answer
                pipe.send(_reply_to(request, pipe, answer))
        except (EOFError, OSError):
            return


def _reply_to(request: TranscribeRequest | TempoRequest, pipe: Connection, answer: Answer) -> Reply:
    reports = Reports(pipe, request.job)
    try:
        return answer(request, reports, CancelToken(_PipeFlag(pipe, request.job)))
    except CancelledError:
        return CancelledReply(request.job)
    except AppError as error:
        return FailedReply(request.job, error.problem, error.remedy, _culprit(error))
    except MemoryError:
        return FailedReply(
            request.job, "There is not enough memory for this file.", "Close other programs, retry."
        )
    except Exception as error:  # noqa: BLE001 - the border of the process: nothing may pass it
        _log.exception("a job failed in a way that nobody foresaw")
        return FailedReply(
            request.job,
            f"Something unforeseen went wrong: {type(error).__name__}: {error}.",
            "Try again; if it stays so, please report this sentence.",
        )


def _culprit(error: AppError) -> Culprit:
    match error:
        case AudioReadError():
            return Culprit.FILE
        case ModelMissingError() | ModelBrokenError():
            return Culprit.MODEL
        case _:
            return Culprit.RUN


class Reports:
    """Tells the window how far a job is; each note once, with the next report."""

    def __init__(self, pipe: Connection, job: int) -> None:
        self._pipe = pipe
        self._job = job
        self._notes: list[NoteEvent] = []
        self._spans: list[Span] = []

    def __call__(self, progress: Progress) -> None:
        notes, spans = tuple(self._notes), tuple(self._spans)
        self._pipe.send(ProgressReply(self._job, progress, notes, spans))
        self._notes, self._spans = [], []

    def take_notes(self, notes: Sequence[NoteEvent], start_s: float, end_s: float) -> None:
        self._notes += notes
        self._spans.append((start_s, end_s))


class _Listener:
    """Keeps the model warm between requests; another model or device takes its place."""

    def __init__(self) -> None:
        self._transcriber: Transcriber | None = None
        self._loaded: TranscribeRequest | None = None  # without what differs from file to file

    def answer(
        self,
        request: TranscribeRequest | TempoRequest,
        reports: Reports,
        cancel: CancelToken,
    ) -> Reply:
        # Imported late, because the window imports this module to name `worker_main`.
        if isinstance(request, TempoRequest):
            return _tempo_reply(request, cancel)
        transcriber = self._warm(request)
        heard = transcriber.transcribe(
            request.path,
            kind=request.options.kind,
            on_progress=reports,
            cancel=cancel,
            on_notes=reports.take_notes,
        )
        return HeardReply(request.job, heard)

    def _warm(self, request: TranscribeRequest) -> "Transcriber":
        wanted = replace(request, job=0, path=Path(), options=replace(request.options, kind=None))
        if self._transcriber is None or self._loaded != wanted:
            from core.engine.transcriber import Transcriber

            self._transcriber = None  # frees the memory of the model before the next one loads
            self._transcriber = Transcriber(
                request.options.model,
                request.options.device,
                checkpoints=dict(request.checkpoints),
                keeps_pitch=True,
            )
            self._loaded = wanted
        return self._transcriber


def _tempo_reply(request: TempoRequest, cancel: CancelToken) -> TempoReply:
    from core.rhythm.estimate import TempoChoice
    from core.score.key import estimate_key
    from core.song import find_tempo

    estimate = find_tempo(request.stems, TempoChoice(), cancel=cancel)
    key = estimate_key([track for stem in request.stems for track in stem.tracks])
    return TempoReply(request.job, estimate.tempo, key, estimate.confidence, estimate.how)


class _PipeFlag:
    """Is set once the window asks for this job to stop, or is gone."""

    def __init__(self, pipe: Connection, job: int) -> None:
        self._pipe = pipe
        self._job = job
        self._is_set = False

    def is_set(self) -> bool:
        while not self._is_set and self._pipe.poll():
            try:
                request = self._pipe.recv()
            except (EOFError, OSError):
                self._is_set = True
            else:
                self._is_set = isinstance(request, CancelRequest) and request.job == self._job
        return self._is_set


def _ensure_standard_streams() -> None:
    """Give libraries that print something to print to; a windowed program has no console."""
    if sys.stdout is None:
        sys.stdout = Path(devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open for life
    if sys.stderr is None:
        sys.stderr = Path(devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open for life
