"""TranscribeJob: one worker process, supervised from a thread, so that the window never waits.

The child is spawned at the first request and stays warm for the next ones; after a while without
work it is ended, which gives back all the memory its models took. Nothing is shared with
it but a pipe: a lock or event held by a child that is killed would hang the window.
"""

import logging
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from PySide6.QtCore import QMetaObject, QObject, Qt, QThread, QTimer, Signal, Slot

from desktop.session.messages import (
    CancelledReply,
    CancelRequest,
    FailedReply,
    HeardReply,
    ProgressReply,
    Reply,
    TempoReply,
    TempoRequest,
    TranscribeRequest,
)

LISTEN_EVERY_MS = 50  # 20 looks per second: also the highest rate of progress reports
LISTEN_IDLE_EVERY_MS = 2_000  # only to notice that an idle child has died
CANCEL_GRACE_MS = 700  # after this a child that has not answered a cancel is killed
GOODBYE_S = 0.5  # time for an idle child to leave by itself when the window closes

IDLE_S = 600.0  # the window's setting takes its place

WorkerMain = Callable[[Connection], None]

_log = logging.getLogger(__name__)


class TranscribeJob(QObject):
    """Runs one request at a time in a child process and reports each reply as a signal."""

    progressed = Signal(ProgressReply)
    heard = Signal(HeardReply)
    tempoFound = Signal(TempoReply)
    failed = Signal(FailedReply)
    cancelled = Signal(CancelledReply)

    _idleChosen = Signal(float)
    _requested = Signal(object)
    _cancelRequested = Signal(int)

    def __init__(
        self,
        worker_main: WorkerMain,
        *,
        idle_s: float = IDLE_S,
        parent: QObject | None = None,
    ) -> None:
        """`worker_main` is the child's entry: a module-level function, as spawn needs it."""
        super().__init__(parent)
        self._thread = QThread()
        self._thread.setObjectName("worker supervisor")
        self._supervisor = _Supervisor(worker_main, idle_s)
        self._supervisor.moveToThread(self._thread)
        self._idleChosen.connect(self._supervisor.rest_after)
        self._requested.connect(self._supervisor.begin)
        self._cancelRequested.connect(self._supervisor.cancel)
        self._supervisor.replied.connect(self._report)
        self._thread.start()

    def warm_up(self) -> None:
        """Start the child, so that the first file need not wait for its imports."""
        QMetaObject.invokeMethod(self._supervisor, "warm_up", Qt.ConnectionType.QueuedConnection)

    def rest_after(self, idle_s: float) -> None:
        """End the child once it has had nothing to do for so long."""
        self._idleChosen.emit(idle_s)

    def start(self, request: TranscribeRequest | TempoRequest) -> None:
        """Send the request to the child; the job before it must have been answered."""
        self._requested.emit(request)

    def cancel(self, job: int) -> None:
        """Stop the job within a second; `cancelled` follows unless it was answered before."""
        self._cancelRequested.emit(job)

    def close(self) -> None:
        """End the child and the thread; return when both are gone."""
        if not self._thread.isRunning():
            return
        QMetaObject.invokeMethod(
            self._supervisor, "close", Qt.ConnectionType.BlockingQueuedConnection
        )
        self._thread.quit()
        self._thread.wait()

    @Slot(object)
    def _report(self, reply: Reply) -> None:
        match reply:
            case ProgressReply():
                self.progressed.emit(reply)
            case HeardReply():
                self.heard.emit(reply)
            case TempoReply():
                self.tempoFound.emit(reply)
            case FailedReply():
                self.failed.emit(reply)
            case CancelledReply():
                self.cancelled.emit(reply)


class _Supervisor(QObject):
    """Lives on the thread: starts the child, listens to the pipe, ends the child."""

    replied = Signal(object)

    def __init__(self, worker_main: WorkerMain, idle_s: float) -> None:
        super().__init__()
        self._worker_main = worker_main
        self._child: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._active: TranscribeRequest | TempoRequest | None = None
        self._listening = QTimer(self)
        self._listening.timeout.connect(self._listen)
        self._grace = QTimer(self)
        self._grace.setSingleShot(True)
        self._grace.setInterval(CANCEL_GRACE_MS)
        self._grace.timeout.connect(self._kill_unresponsive_child)
        self._resting = QTimer(self)
        self._resting.setSingleShot(True)
        self._resting.setInterval(round(idle_s * 1000))
        self._resting.timeout.connect(self._rest)

    @Slot()
    def warm_up(self) -> None:
        self._living_pipe()
        self._listening.start(LISTEN_IDLE_EVERY_MS)
        self._resting.start()

    @Slot(float)
    def rest_after(self, idle_s: float) -> None:
        self._resting.setInterval(round(idle_s * 1000))  # starts anew if it is running

    @Slot(object)
    def begin(self, request: TranscribeRequest | TempoRequest) -> None:
        self._active = request
        self._resting.stop()
        try:
            self._living_pipe().send(request)
        except OSError:  # the idle child died since the last job; a fresh one takes the request
            self._end_child()
            self._living_pipe().send(request)
        self._listening.start(LISTEN_EVERY_MS)

    @Slot(int)
    def cancel(self, job: int) -> None:
        if self._active is None or self._active.job != job or self._pipe is None:
            return
        self._grace.start()
        try:
            self._pipe.send(CancelRequest(job))
        except OSError:
            _log.debug("the worker process was gone before it could be asked to stop")

    @Slot()
    def close(self) -> None:
        self._listening.stop()
        self._grace.stop()
        self._resting.stop()
        is_idle = self._active is None
        self._active = None
        self._end_child(GOODBYE_S if is_idle else 0.0)

    def _living_pipe(self) -> Connection:
        if self._child is not None and self._pipe is not None and self._child.is_alive():
            return self._pipe
        self._end_child()
        context = get_context("spawn")
        ours, theirs = context.Pipe(duplex=True)
        child = context.Process(
            target=self._worker_main, args=(theirs,), name="notewright-worker", daemon=True
        )
        child.start()
        theirs.close()
        self._child, self._pipe = child, ours
        _log.info("started worker process %s", child.pid)
        return ours

    def _listen(self) -> None:
        """Take what the child has said; several progress reports become one."""
        latest_progress: ProgressReply | None = None
        try:
            while self._pipe is not None and self._pipe.poll():
                reply: Reply = self._pipe.recv()
                if isinstance(reply, ProgressReply):
                    latest_progress = reply.after(latest_progress)
                else:
                    latest_progress = None
                    self._finish(reply)
        except (EOFError, OSError):
            self._report_crash()
            return
        if latest_progress is not None:
            self.replied.emit(latest_progress)

    def _finish(self, reply: Reply) -> None:
        if self._active is None or reply.job != self._active.job:
            return
        self._active = None
        self._grace.stop()
        self._listening.start(LISTEN_IDLE_EVERY_MS)
        self._resting.start()
        self.replied.emit(reply)

    def _report_crash(self) -> None:
        request, was_cancelled = self._active, self._grace.isActive()
        exit_code = self._end_child()
        if request is None:
            self._listening.stop()
        elif was_cancelled:
            self._finish(CancelledReply(request.job))
        else:
            _log.error("the worker process ended with exit code %s", exit_code)
            self._finish(_crash_reply(request, exit_code))

    def _kill_unresponsive_child(self) -> None:
        if self._active is None:
            return
        _log.info("the worker process did not stop in time and is ended")
        self._end_child()
        self._finish(CancelledReply(self._active.job))

    def _rest(self) -> None:
        """Let the idle child go; the next request starts another."""
        if self._active is None and self._child is not None:
            _log.info("the worker process had nothing to do and is ended")
            self._listening.stop()
            self._end_child(GOODBYE_S)

    def _end_child(self, patience_s: float = 0.0) -> int | None:
        """Close the pipe, which an idle child takes as goodbye; kill it after `patience_s`."""
        child, pipe = self._child, self._pipe
        self._child = self._pipe = None
        if pipe is not None:
            pipe.close()
        if child is None:
            return None
        if patience_s > 0:
            child.join(patience_s)
        if child.is_alive():
            child.kill()
        child.join()
        exit_code = child.exitcode
        child.close()
        return exit_code


def _crash_reply(request: TranscribeRequest | TempoRequest, exit_code: int | None) -> FailedReply:
    what = f"'{request.path.name}'" if isinstance(request, TranscribeRequest) else "the tempo"
    reason = _exit_reason(exit_code)
    return FailedReply(
        request.job,
        f"The worker process stopped while it worked on {what}{reason}.",
        "Your other stems are safe. Try this one again.",
    )


def _exit_reason(exit_code: int | None) -> str:
    if exit_code is None or exit_code == 0:
        return ""
    if exit_code == -9:
        return " (it was killed; the computer may be out of memory)"
    if exit_code < 0:
        return f" (signal {-exit_code})"
    return f" (exit code {exit_code})"
