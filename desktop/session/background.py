"""Background: short work on a few threads, with the outcome delivered in the window's thread."""

import logging
from collections.abc import Callable
from itertools import count
from threading import Event
from typing import TypeVar, cast

from PySide6.QtCore import QObject, QThreadPool, Signal, Slot

from core.engine.progress import CancelToken
from core.errors import AppError, CancelledError

THREADS = 2  # decoding is bound by the disk and one core; more only delays the first one
GOODBYE_MS = 5_000  # longest wait for running work when the window closes

T = TypeVar("T")
Work = Callable[[CancelToken], T]
"""What runs on a thread; it looks at the token now and then."""
_log = logging.getLogger(__name__)


class Background(QObject):
    """Runs functions that read or write files; `close` cancels what still runs."""

    _finished = Signal(int, object)

    def __init__(self, *, threads: int = THREADS, parent: QObject | None = None) -> None:
        """With one thread, work is done in the order it was given."""
        super().__init__(parent)
        self._pool = QThreadPool()
        self._pool.setMaxThreadCount(threads)
        self._numbers = count(1)
        self._ends: dict[int, tuple[Callable[[object], None], Callable[[AppError], None]]] = {}
        self._closing = Event()
        self._finished.connect(self._deliver)

    def run(
        self,
        work: Work[T],
        *,
        then: Callable[[T], None],
        failed: Callable[[AppError], None],
    ) -> None:
        """Call `work` on a thread, then one of the two others in the caller's thread."""
        number = next(self._numbers)
        self._ends[number] = (cast(Callable[[object], None], then), failed)
        self._pool.start(lambda: self._work(number, work))

    def finish(self) -> None:
        """Let all work come to its end, then close."""
        self._pool.waitForDone(GOODBYE_MS)
        self.close()

    def close(self) -> None:
        """Drop what waits, cancel what runs, and forget their ends."""
        self._closing.set()
        self._ends.clear()
        self._pool.clear()
        if not self._pool.waitForDone(GOODBYE_MS):
            _log.warning("background work did not stop in time")

    def _work(self, number: int, work: Callable[[CancelToken], object]) -> None:
        """Run on the pool's thread."""
        outcome: object
        try:
            outcome = work(CancelToken(self._closing))
        except AppError as error:
            outcome = error
        except Exception as error:  # noqa: BLE001 - the border of the thread
            _log.exception("background work failed in a way that nobody foresaw")
            outcome = AppError(
                f"Something unforeseen went wrong: {type(error).__name__}: {error}.",
                "Try again; if it stays so, please report this sentence.",
            )
        self._finished.emit(number, outcome)

    @Slot(int, object)
    def _deliver(self, number: int, outcome: object) -> None:
        ends = self._ends.pop(number, None)
        if ends is None or isinstance(outcome, CancelledError):
            return
        then, failed = ends
        if isinstance(outcome, AppError):
            failed(outcome)
        else:
            then(outcome)
