"""Getting a model over HTTP: resumed where it broke off, verified, placed whole or not at all."""

import errno
import json
import shutil
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import httpx
import truststore

from core.errors import AppError, ModelBrokenError
from core.model_manager.catalog import CatalogEntry, CatalogFile
from core.model_manager.store import ModelState, Store, sha256_of
from core.models.checkpoint_report import inspect_checkpoint

CONNECT_S = 15.0
SILENCE_S = 20.0  # a server that sends nothing for this long is asked again
STALL_S = 30.0  # and so is one that sends less than STALL_BYTES in this time
STALL_BYTES = 30 * 1024
MOST_FAILURES = 6  # in a row, without a single new byte between them
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 20.0
MOST_REDIRECTS = 8
SPARE_BYTES = 50_000_000  # left free on the disk
LOOK_EVERY_S = 0.05
RETRIED = {408, 425, 429, 500, 502, 503, 504}
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}


class DownloadFailedError(AppError):
    """A model could not be downloaded; what is there already is kept for the next try."""


class Cancellation(Protocol):
    """Asked often; raises once the user has asked to stop."""

    def raise_if_set(self) -> None: ...


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """Bytes that are here, of all files; `total_bytes` is None while a size is not known."""

    file_name: str
    done_bytes: int
    total_bytes: int | None
    bytes_per_s: float

    @property
    def fraction(self) -> float | None:
        return self.done_bytes / self.total_bytes if self.total_bytes else None

    @property
    def left_s(self) -> float | None:
        """The time left at the rate so far, None while it cannot be told."""
        if not self.total_bytes or self.bytes_per_s <= 0:
            return None
        return (self.total_bytes - self.done_bytes) / self.bytes_per_s


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a server, in seconds, and how often to ask it again."""

    connect_s: float = CONNECT_S
    silence_s: float = SILENCE_S
    stall_s: float = STALL_S
    first_pause_s: float = FIRST_PAUSE_S
    most_failures: int = MOST_FAILURES


def download_model(
    entry: CatalogEntry,
    store: Store,
    *,
    on_progress: Callable[[DownloadProgress], None] | None = None,
    cancel: Cancellation | None = None,
    patience: Patience | None = None,
) -> Path:
    """Bring a model into the store and return what the engine loads; what is there stays.

    `on_progress` is called from this thread. A cancel is heeded within a fraction of a second,
    whatever the server does; what was downloaded by then is used by the next try.

    Raises:
        DownloadFailedError: the server or the disk did not let us.
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
            if on_progress is not None:
                on_progress(transfer.progress())
    finally:
        transfer.stop.set()
    if transfer.failure is not None:
        raise transfer.failure
    return store.path_of(entry)


class _StoppedError(Exception):
    """The user stopped the download."""


class _TryAgainError(Exception):
    """The server failed in a way that may pass."""


class _Transfer:
    """One download on a thread of its own."""

    def __init__(self, entry: CatalogEntry, store: Store, patience: Patience) -> None:
        self.stop = threading.Event()
        self.failure: Exception | None = None
        self._entry = entry
        self._store = store
        self._patience = patience
        self._file_name = entry.files[0].name
        self._finished_bytes = 0  # of the files before this one
        self._file_bytes = 0
        self._new_bytes = 0
        self._started_s = time.monotonic()

    def progress(self) -> DownloadProgress:
        elapsed_s = max(1e-3, time.monotonic() - self._started_s)
        return DownloadProgress(
            self._file_name,
            self._finished_bytes + self._file_bytes,
            self._entry.size_bytes,
            self._new_bytes / elapsed_s,
        )

    def run(self) -> None:
        try:
            with self._store.locked(self._entry), _client(self._patience) as client:
                self._check_space()
                digests = {file.name: self._get(client, file) for file in self._entry.files}
                self._check_stop()
                _check_fits(self._entry, self._staged_path())
                self._store.place(self._entry, digests, self._entry.files[0].url)
        except _StoppedError:
            pass
        except AppError as error:
            self.failure = error
        except OSError as error:
            self.failure = _disk_failure(self._entry, self._store, error)
        except Exception as error:  # noqa: BLE001 - the border of the thread: nothing may be lost
            self.failure = error

    def _staged_path(self) -> Path:
        staging = self._store.staging_of(self._entry)
        return staging if self._entry.is_folder else staging / self._entry.files[0].name

    def _check_stop(self) -> None:
        if self.stop.is_set():
            raise _StoppedError

    def _check_space(self) -> None:
        needed = (self._entry.size_bytes or 0) - self._store.size_of(self._entry)
        free = shutil.disk_usage(self._store.root).free
        if needed + SPARE_BYTES > free:
            raise DownloadFailedError(
                f"The model '{self._entry.id}' needs {needed / 1e6:.0f} MB more, but only "
                f"{free / 1e6:.0f} MB are free in {self._store.root}.",
                "Free some space, or choose another folder for models.",
            )

    def _get(self, client: httpx.Client, file: CatalogFile) -> str:
        """Bring one file into the staging folder; return its digest."""
        self._file_name, self._file_bytes = file.name, 0
        target = self._store.staging_of(self._entry) / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_file():  # whole files of an earlier try carry their final name
            part = _Part(target)
            self._fill(client, file, part)
            self._accept(file, part)
        digest = sha256_of(target, lambda _: self._check_stop())
        self._finished_bytes += target.stat().st_size
        self._file_bytes = 0
        return digest

    def _fill(self, client: httpx.Client, file: CatalogFile, part: "_Part") -> None:
        """Ask until the part is whole; give up after failures without a byte between them."""
        failures, farthest = 0, part.size
        while True:
            self._file_bytes = part.size
            try:
                self._ask(client, file, part)
                return
            except httpx.TooManyRedirects as error:
                raise DownloadFailedError(
                    f"The server sends us in circles for '{file.name}'.", "Try again later."
                ) from error
            except (_TryAgainError, httpx.TransportError) as error:
                failures = 1 if part.size > farthest else failures + 1
                farthest = max(farthest, part.size)
                if failures >= self._patience.most_failures:
                    raise DownloadFailedError(
                        f"'{file.name}' of the model '{self._entry.id}' could not be downloaded "
                        f"from {httpx.URL(file.url).host}: {_said(error)}.",
                        "Check the connection and try again; it goes on where it stopped.",
                    ) from error
                pause_s = min(LONGEST_PAUSE_S, self._patience.first_pause_s * 2 ** (failures - 1))
                if self.stop.wait(pause_s):
                    raise _StoppedError from error

    def _ask(self, client: httpx.Client, file: CatalogFile, part: "_Part") -> None:
        """Ask once for what is missing and append it; return if the part is whole then."""
        self._check_stop()
        if part.size and part.size == part.whole_bytes:
            return
        with client.stream("GET", file.url, headers=part.headers()) as answer:
            _check_secure(file, answer)
            start = self._start_of(file, answer, part)
            length = answer.headers.get("content-length")
            whole = start + int(length) if length and length.isdigit() else None
            if file.size_bytes is not None and whole not in (None, file.size_bytes):
                raise ModelBrokenError(
                    f"'{file.name}' of the model '{self._entry.id}' has {whole} bytes on the "
                    f"server instead of {file.size_bytes}: it is another file.",
                    "Look for a newer version of Notewright.",
                )
            part.begin(start, whole or file.size_bytes, answer.headers.get("etag"))
            self._file_bytes = start
            with part.path.open("r+b" if start else "wb") as target:
                target.seek(start)
                target.truncate()
                self._append(answer, target)
        if part.whole_bytes is not None and part.size < part.whole_bytes:
            raise _TryAgainError("the connection broke off")

    def _start_of(self, file: CatalogFile, answer: httpx.Response, part: "_Part") -> int:
        """Return at which byte the answer's content starts."""
        status = answer.status_code
        if status == 206:
            said = answer.headers.get("content-range", "")
            if not said.startswith(f"bytes {part.size}-"):
                part.forget()
                raise _TryAgainError("the server answered with another part of the file")
            return part.size
        if status == 200:
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise _TryAgainError("the server packed the file, which was not asked for")
            return 0  # the server resumes nothing, or the file has changed since
        if status == 416:
            part.forget()
            raise _TryAgainError("the file on the server has changed")
        if status in RETRIED:
            raise _TryAgainError(f"the server is busy ({status})")
        raise DownloadFailedError(
            f"'{file.name}' of the model '{self._entry.id}' is not where it was published: "
            f"{httpx.URL(file.url).host} answers {status} {answer.reason_phrase}.",
            "Try again later, or import the model from a file.",
        )

    def _append(self, answer: httpx.Response, target: BinaryIO) -> None:
        counted_from_s, counted = time.monotonic(), 0
        for block in answer.iter_raw():  # as they come: blocks of one size would lose the last one
            self._check_stop()
            target.write(block)
            self._file_bytes += len(block)
            self._new_bytes += len(block)
            counted += len(block)
            if time.monotonic() - counted_from_s > self._patience.stall_s:
                if counted < STALL_BYTES:
                    raise _TryAgainError("the server sends next to nothing")
                counted_from_s, counted = time.monotonic(), 0

    def _accept(self, file: CatalogFile, part: "_Part") -> None:
        """Give a whole part its name if its digest is right; throw it away if not."""
        wanted = file.sha256 or self._store.pins(self._entry).get(file.name)
        found = sha256_of(part.path, lambda _: self._check_stop())
        is_whole = file.size_bytes in (None, part.size)
        if not is_whole or (wanted is not None and found != wanted):
            part.discard()
            raise ModelBrokenError(
                f"'{file.name}' of the model '{self._entry.id}' came damaged: its SHA-256 is "
                f"{found[:12]}… instead of {(wanted or '')[:12]}…. It was deleted.",
                "Try again; if it stays so, the file on the server was exchanged.",
            )
        part.path.replace(part.target)
        part.discard()


class _Part:
    """A file that is not whole yet, and what the server said of the whole."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        self._notes = target.with_name(f"{target.name}.part.json")
        self.whole_bytes: int | None = None
        self._etag: str | None = None
        try:
            notes = json.loads(self._notes.read_text(encoding="utf-8"))
            self.whole_bytes, self._etag = notes["whole_bytes"], notes["etag"]
        except (OSError, ValueError, KeyError, TypeError):
            self.path.unlink(missing_ok=True)  # nobody can say what it is a part of

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def headers(self) -> dict[str, str]:
        """Ask for the rest, but only if the file is still the same one."""
        if not self.size:
            return {}
        condition = {"If-Range": self._etag} if self._etag else {}
        return {"Range": f"bytes={self.size}-", **condition}

    def begin(self, start: int, whole_bytes: int | None, etag: str | None) -> None:
        """Note what the server said, before the first byte is kept."""
        if start == 0 or self.whole_bytes is None:
            self.whole_bytes = whole_bytes
        # A weak tag does not promise the same bytes, so it is no condition to resume on.
        self._etag = etag if etag and not etag.startswith("W/") else None
        notes = {"whole_bytes": self.whole_bytes, "etag": self._etag}
        self._notes.write_text(json.dumps(notes), encoding="utf-8")

    def forget(self) -> None:
        self.discard()
        self.whole_bytes = self._etag = None

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)


def _client(patience: Patience) -> httpx.Client:
    """Return a client with the system's certificates; proxies come from the environment."""
    return httpx.Client(
        verify=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        timeout=httpx.Timeout(patience.silence_s, connect=patience.connect_s),
        follow_redirects=True,
        max_redirects=MOST_REDIRECTS,
        headers={"Accept-Encoding": "identity", "User-Agent": "Notewright"},
    )


def _check_secure(file: CatalogFile, answer: httpx.Response) -> None:
    """Refuse to be led from an encrypted address to an open one."""
    was_secure = file.url.startswith("https:")
    for hop in [*answer.history, answer]:
        if was_secure and hop.url.scheme != "https" and hop.url.host not in LOCAL_HOSTS:
            raise DownloadFailedError(
                f"The server sent us to an unencrypted address for '{file.name}'.",
                "Try again from another network.",
            )


def _check_fits(entry: CatalogEntry, path: Path) -> None:
    """Refuse a checkpoint that is not of the entry's family, whatever its digest."""
    report = inspect_checkpoint(path)
    if not report.fits or report.family != entry.family:
        found = f"one of {report.family}" if report.family else "of another network"
        raise ModelBrokenError(
            f"What was downloaded for '{entry.id}' is no checkpoint of {entry.family} but {found}.",
            "Look for a newer version of Notewright.",
        )


def _disk_failure(entry: CatalogEntry, store: Store, error: OSError) -> AppError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DownloadFailedError(
            f"The disk is full: the model '{entry.id}' could not be kept in {store.root}.",
            "Free some space and try again; it goes on where it stopped.",
        )
    return DownloadFailedError(
        f"The model '{entry.id}' could not be kept in {store.root}: {error.strerror or error}.",
        "Check the folder, or choose another one for models.",
    )


def _said(error: Exception) -> str:
    match error:
        case httpx.ConnectError():
            return "there is no connection"
        case httpx.TimeoutException():
            return "the server does not answer"
        case httpx.TransportError():
            return "the connection broke off"
        case _:
            return str(error)
