"""Getting a model over HTTP: resumed where it broke off, verified, placed whole or not at all."""

import hashlib
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.errors import AppError, ModelBrokenError
from core.model_manager.catalog import CatalogEntry, CatalogFile
from core.model_manager.connection import (
    Announced,
    Answer,
    Connection,
    DownloadFailedError,
    FileChangedError,
    NoConnectionError,
    NotThereError,
    RangeEndsError,
    TooSlowError,
    TryAgainError,
)
from core.model_manager.hub import address_in_listing
from core.model_manager.part_file import PartFile
from core.model_manager.progress import DownloadCount, DownloadProgress
from core.model_manager.record import HASHED_BYTES, sha256_of
from core.model_manager.store import ModelState, Store
from core.model_manager.verification import check_fits, remembered_digests, wrong_digest

STALL_BYTES = 30 * 1024  # less than this in `stall_s` is next to nothing
STEADY_BYTES = 1_000_000  # after which an earlier stall is forgotten
LONGEST_PAUSE_S = 20.0
LOOK_EVERY_S = 0.05
LAST_WORDS_S = 0.5  # how long a cancelled download may take to put down what it has


class Cancellation(Protocol):
    """Asked often; raises once the user has asked to stop."""

    def raise_if_set(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a server, in seconds, and how often to ask it again.

    A server is asked again that is silent for `silence_s`, has not begun to answer after
    `answer_s`, or sends next to nothing for `stall_s`. It is given up after `most_failures` without
    a new byte in between, or after as many stalls.
    """

    connect_s: float = 8.0
    silence_s: float = 20.0
    answer_s: float = 60.0
    stall_s: float = 30.0
    first_pause_s: float = 0.5
    most_failures: int = 6
    lock_s: float = 10.0  # for another download of the same model, perhaps a cancelled one


def download_model(
    entry: CatalogEntry,
    store: Store,
    *,
    on_progress: Callable[[DownloadProgress], None] | None = None,
    cancel: Cancellation | None = None,
    patience: Patience | None = None,
) -> Path:
    """Bring a model into the store and return what the engine loads; what is there stays.

    Whole files of a damaged or half-done model are used, and so is the beginning of a broken one.
    `on_progress` is called from this thread. A cancel is heeded within a fraction of a second,
    whatever the server does; what was downloaded by then is used by the next try.

    Raises:
        DownloadFailedError: the server did not let us.
        StoreUnusableError: the disk did not let us.
        StoreBusyError: another program is getting the same model.
        ModelBrokenError: what came is not what was published.
        CancelledError: `cancel` was set.
    """
    if store.state_of(entry) is ModelState.INSTALLED:
        return store.path_of(entry)
    transfer = _Transfer(entry, store, patience or Patience())
    worker = threading.Thread(target=transfer.run, name="download", daemon=True)
    worker.start()
    try:
        while worker.is_alive():
            worker.join(LOOK_EVERY_S)
            if cancel is not None:
                cancel.raise_if_set()
            transfer.cut_if_unanswered()
            if on_progress is not None:
                on_progress(transfer.progress())
    finally:
        transfer.interrupt()
        worker.join(LAST_WORDS_S)
    if transfer.failure is not None:
        raise transfer.failure
    return store.path_of(entry)


class _StoppedError(Exception):
    """The user stopped the download."""


class _Transfer:
    """One download on a thread of its own, watched from another one."""

    def __init__(self, entry: CatalogEntry, store: Store, patience: Patience) -> None:
        self.failure: Exception | None = None
        self._entry = entry
        self._store = store
        self._patience = patience
        self._stop = threading.Event()
        self._connection = Connection(connect_s=patience.connect_s, silence_s=patience.silence_s)
        self._asked_at_s: float | None = None  # while an answer is waited for
        self._urls = {file.name: file.url for file in entry.files}
        self._sizes = {file.name: file.size_bytes for file in entry.files}
        self._remembered = remembered_digests(store.pins_of(entry))
        self._count = DownloadCount(entry)

    # --- from the thread that watches

    def progress(self) -> DownloadProgress:
        return self._count.progress(self._sizes)

    def cut_if_unanswered(self) -> None:
        """Break off a question that is not being answered, however busy the server looks."""
        asked_at_s = self._asked_at_s
        if asked_at_s is not None and time.monotonic() - asked_at_s > self._patience.answer_s:
            self._asked_at_s = None
            self._connection.cut()

    def interrupt(self) -> None:
        self._stop.set()
        self._connection.interrupt()

    # --- on the thread of its own

    def run(self) -> None:
        try:
            if not self._is_here_already():
                self._bring()
        except _StoppedError:
            pass
        except AppError as error:
            self.failure = error
        except OSError as error:
            self.failure = self._store.unusable(error)
        except Exception as error:  # noqa: BLE001 - the border of the thread: nothing may be lost
            self.failure = None if self._stop.is_set() else error
        finally:
            self._connection.close()
            with suppress(OSError):  # of a download that has brought nothing, nothing stays
                self._store.staging_of(self._entry).rmdir()

    def _is_here_already(self) -> bool:
        """Tell whether the model was copied into the store by hand and is what it should be."""
        if self._store.state_of(self._entry) is not ModelState.UNVERIFIED:
            return False
        with suppress(ModelBrokenError):
            self._store.verify(self._entry, self._heed_stop)
        return self._store.state_of(self._entry) is ModelState.INSTALLED

    def _bring(self) -> None:
        with self._store.locked(self._entry, wait_s=self._patience.lock_s):
            self._check_stop()
            state = self._store.state_of(self._entry)
            if state is ModelState.INSTALLED:
                return
            if state in (ModelState.UNVERIFIED, ModelState.DAMAGED):
                self._store.take_back(self._entry)
            needed = (self._entry.expected_bytes or 0) - self._store.staged_bytes(self._entry)
            self._store.check_space(needed, f"The model '{self._entry.id}'")
            digests = {}
            for number, file in enumerate(self._entry.files, start=1):
                self._count.begin(number, file.name)
                digests[file.name] = self._get(file)
                self._count.end(self._staged(file).stat().st_size)
            self._check_stop()
            self._check_fits()
            self._store.place(self._entry, digests, self._urls[self._entry.files[0].name])

    def _get(self, file: CatalogFile) -> str:
        """Bring one file into the staging folder; return its digest."""
        target = self._staged(file)
        wanted = file.sha256 or self._remembered.get(file.name)
        if target.is_file():  # whole files of an earlier try carry their name
            found = sha256_of(target, self._heed_stop)
            if wanted in (None, found) and file.size_bytes in (None, target.stat().st_size):
                return found
            target.unlink()
        target.parent.mkdir(parents=True, exist_ok=True)
        part = PartFile(target)
        self._fill(file, part, wanted)
        return self._accept(file, part, wanted)

    def _fill(self, file: CatalogFile, part: PartFile, wanted: str | None) -> None:
        """Ask until the part is whole; give up after failures without a byte between them."""
        failures, stalls, farthest = 0, 0, part.size
        while True:
            self._count.here(part.size)
            try:
                self._ask(file, part, wanted)
                return
            except NotThereError:
                if not self._is_found_elsewhere(file):
                    raise
                continue
            except TryAgainError as error:
                gained = part.size - farthest
                failures = 1 if gained > 0 else failures + 1
                if isinstance(error, NoConnectionError) and not self._count.has_new_bytes:
                    failures += 1  # who is offline is told sooner than who has lost the line
                if isinstance(error, TooSlowError):
                    stalls = 1 if gained > STEADY_BYTES else stalls + 1
                farthest = max(farthest, part.size)
                if max(failures, stalls) >= self._patience.most_failures:
                    raise DownloadFailedError(
                        f"'{file.name}' of the model '{self._entry.id}' could not be downloaded "
                        f"from {_host(file)}: {error}.",
                        "Check the connection and try again; it goes on where it stopped.",
                    ) from error
                pause_s = self._patience.first_pause_s * 2 ** (failures - 1)
                if self._stop.wait(max(error.pause_s, min(LONGEST_PAUSE_S, pause_s))):
                    raise _StoppedError from error

    def _ask(self, file: CatalogFile, part: PartFile, wanted: str | None) -> None:
        """Ask once for what is missing and append it; return if the part is whole then."""
        self._check_stop()
        if part.is_whole:
            return
        # Without a digest and without the server's word nobody could tell a mixture of two files.
        validator = part.announced.validator
        start = part.size if validator or part.announced.sha256 or wanted else 0
        try:
            self._asked_at_s = time.monotonic()
            with self._connection.asked(self._urls[file.name], start, validator) as answer:
                self._asked_at_s = None
                self._check_announced(file, answer.announced, wanted)
                part.begin(answer)
                self._make_room(file, part)
                self._count.here(answer.start)
                self._append(answer, part)
        except FileChangedError:
            part.discard()
            raise
        except RangeEndsError as error:
            if error.whole_bytes is None or error.whole_bytes != part.size:
                part.discard()
                raise
            part.end_at(part.size)  # the length that was said at first was wrong
            return
        finally:
            self._asked_at_s = None
        if not answer.tells_its_end and (part.announced.sha256 or wanted) is None:
            raise TryAgainError(f"{_host(file)} does not say how long the file is")
        whole_bytes = part.announced.size_bytes
        if whole_bytes is not None and part.size < whole_bytes:
            raise TryAgainError("the connection broke off")

    def _check_announced(self, file: CatalogFile, announced: Announced, wanted: str | None) -> None:
        """Refuse another file than the published one before it is read."""
        if file.size_bytes is not None and announced.size_bytes not in (None, file.size_bytes):
            raise ModelBrokenError(
                f"'{file.name}' of the model '{self._entry.id}' has {announced.size_bytes} bytes "
                f"on the server instead of {file.size_bytes}: it is another file.",
                "Look for a newer version of Notewright.",
            )
        if wanted is not None and announced.sha256 not in (None, wanted):
            pins = self._store.pins_of(self._entry)
            raise wrong_digest(self._entry, file.name, str(announced.sha256), wanted, pins)

    def _make_room(self, file: CatalogFile, part: PartFile) -> None:
        """Check the room for a file whose size only the server knows."""
        whole_bytes = part.announced.size_bytes
        if file.size_bytes is None and whole_bytes is not None:
            self._sizes[file.name] = whole_bytes
            self._store.check_space(whole_bytes - part.size, f"'{file.name}'")

    def _append(self, answer: Answer, part: PartFile) -> None:
        counted_from_s, counted = time.monotonic(), 0
        with part.path.open("r+b" if answer.start else "wb") as target:
            target.seek(answer.start)
            target.truncate()
            for block in answer.blocks():
                target.write(block)
                target.flush()  # what came outlives a killed process
                self._count.add(len(block))
                self._check_stop()
                counted += len(block)
                if time.monotonic() - counted_from_s > self._patience.stall_s:
                    if counted < STALL_BYTES:
                        raise TooSlowError("the server sends next to nothing")
                    counted_from_s, counted = time.monotonic(), 0
            os.fsync(target.fileno())

    def _is_found_elsewhere(self, file: CatalogFile) -> bool:
        """Look where a file lies now; tell whether that is another place than before."""
        url = address_in_listing(self._connection, file.url)
        if url is None or url == self._urls[file.name]:
            return False
        self._urls[file.name] = url
        return True

    def _accept(self, file: CatalogFile, part: PartFile, wanted: str | None) -> str:
        """Give a whole part its name if its digests are right; throw it away if not."""
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        with part.path.open("rb") as whole:
            while block := whole.read(HASHED_BYTES):
                self._check_stop()
                sha256.update(block)
                if part.announced.md5 is not None:
                    md5.update(block)
        found, right = sha256.hexdigest(), wanted or part.announced.sha256
        is_whole = file.size_bytes in (None, part.size)
        is_as_sent = part.announced.md5 in (None, md5.hexdigest())
        if not is_whole or not is_as_sent or right not in (None, found):
            part.discard()
            told = f": its SHA-256 is {found[:12]}… instead of {right[:12]}…" if right else ""
            raise ModelBrokenError(
                f"'{file.name}' of the model '{self._entry.id}' came damaged{told}. It was "
                "deleted.",
                "Try again; if it stays so, the file on the server was exchanged.",
            )
        part.accept()
        return found

    def _check_fits(self) -> None:
        """Refuse what is no checkpoint of the model, and do not keep what nobody vouches for."""
        staging = self._store.staging_of(self._entry)
        whole = staging if self._entry.is_folder else self._staged(self._entry.files[0])
        try:
            check_fits(self._entry, whole)
        except ModelBrokenError:
            for file in self._entry.files:
                if file.sha256 is None:
                    self._staged(file).unlink(missing_ok=True)
            raise

    def _staged(self, file: CatalogFile) -> Path:
        return self._store.staging_of(self._entry) / file.name

    def _heed_stop(self, _bytes: int) -> None:
        self._check_stop()

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise _StoppedError


def _host(file: CatalogFile) -> str:
    return file.url.split("/")[2] if "//" in file.url else file.url
