"""HTTP as downloads need it: the system's certificates and proxies, safe redirects, no long waits.

The one module that knows httpx.
"""

import json
import re
import socket
import ssl
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import httpx
import truststore

from core.errors import AppError

MOST_REDIRECTS = 8
LONGEST_LISTING_BYTES = 8_000_000
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}
UNPACKED = {"gzip", "x-gzip", "deflate"}
RETRIED = {408, 425, 429, 500, 502, 503, 504}
LONGEST_ASKED_PAUSE_S = 60.0  # of what a busy server asks for

_SHA256 = re.compile(r'(?:W/)?"?([0-9a-f]{64})"?')
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class DownloadFailedError(AppError):
    """A model could not be downloaded; what is there already is kept for the next try."""


class NotThereError(DownloadFailedError):
    """There is no file at the address."""


class TryAgainError(Exception):
    """The server or the way to it failed in a manner that may pass; `str` says how."""

    def __init__(self, what: str, *, pause_s: float = 0.0) -> None:
        super().__init__(what)
        self.pause_s = pause_s  # what the server asks for


class NoConnectionError(TryAgainError):
    """The server could not be reached at all."""


class TooSlowError(TryAgainError):
    """Next to nothing came for a long time."""


class FileChangedError(TryAgainError):
    """What is here already cannot be a part of what the server has now."""


class RangeEndsError(TryAgainError):
    """The file ends where we wanted it to go on: it is `whole_bytes` long, if the server says."""

    def __init__(self, whole_bytes: int | None) -> None:
        super().__init__("the file on the server has another length")
        self.whole_bytes = whole_bytes


@dataclass(frozen=True, slots=True)
class Announced:
    """What a server says of the whole file. HuggingFace names a SHA-256, Google an MD5."""

    size_bytes: int | None = None
    sha256: str | None = None
    md5: str | None = None  # in hexadecimal
    validator: str | None = None  # to be sent back with the wish for the rest of the same file


@dataclass(frozen=True, slots=True)
class Answer:
    """The file, or what is left of it from `start` on.

    `tells_its_end` is False where an end cannot be told from a connection that broke.
    """

    start: int
    announced: Announced
    tells_its_end: bool
    blocks: Callable[[], Iterator[bytes]]


class Connection:
    """Asks servers for files; `interrupt` ends from another thread whatever it is waiting for."""

    def __init__(self, *, connect_s: float, silence_s: float) -> None:
        """Take proxies from the environment and certificates from the system.

        Raises:
            DownloadFailedError: the environment names a proxy that cannot be used.
        """
        self._sockets: list[socket.socket] = []
        self._is_interrupted = False
        try:
            self._client = httpx.Client(
                verify=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
                timeout=httpx.Timeout(silence_s, connect=connect_s),
                headers={"Accept-Encoding": "identity", "User-Agent": "Notewright"},
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise DownloadFailedError(
                f"The proxy that the environment names cannot be used: {error}.",
                "Correct HTTPS_PROXY, HTTP_PROXY or ALL_PROXY: http://HOST:PORT or socks5://HOST:PORT.",
            ) from error

    def close(self) -> None:
        self._client.close()

    def interrupt(self) -> None:
        """Cut all connections; an answer that is being read ends in TryAgainError."""
        self._is_interrupted = True
        self.cut()

    def cut(self) -> None:
        """Cut all connections there are; the next question opens a new one."""
        for each in self._sockets:
            with suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)
        self._sockets.clear()

    @contextmanager
    def asked(self, url: str, start: int = 0, validator: str | None = None) -> Iterator[Answer]:
        """Yield the file at `url` from byte `start` on, if it is still the one with `validator`.

        The answer may start earlier than asked for: at 0.

        Raises:
            TryAgainError: not now.
            FileChangedError, RangeEndsError: there is nothing from `start` on.
            DownloadFailedError: not at all.
        """
        headers = {}
        if start:
            headers["Range"] = f"bytes={start}-"
            if validator is not None:
                headers["If-Range"] = validator
        with self._opened(url, headers) as (response, linked):
            yield _answer(response, linked, url, start)

    def listing(self, url: str) -> Any:
        """Return parsed JSON; None if there is none."""
        with self._opened(url, {}) as (response, _):
            if response.status_code != 200:
                return None
            body = bytearray()
            for block in _blocks(url, response.iter_bytes):
                body += block
                if len(body) > LONGEST_LISTING_BYTES:
                    return None
        try:
            return json.loads(body)
        except ValueError:
            return None

    @contextmanager
    def _opened(
        self, url: str, headers: dict[str, str]
    ) -> Iterator[tuple[httpx.Response, Announced]]:
        """Yield the answer at the end of all redirects, and what the first server said."""
        linked = Announced()
        request = self._client.build_request(
            "GET", url, headers=headers, extensions={"trace": self._note_socket}
        )
        for _ in range(MOST_REDIRECTS + 1):
            if self._is_interrupted:
                raise TryAgainError("it was interrupted")
            with _spoken(url):
                response = self._client.send(request, stream=True)
            try:
                if response.next_request is None:
                    yield response, linked
                    return
            finally:
                response.close()
            linked = linked if linked.sha256 else _linked(response.headers)
            _check_secure(response.url, response.next_request.url)
            request = response.next_request
        raise DownloadFailedError(
            f"{httpx.URL(url).host} sends us in circles instead of the file.", "Try again later."
        )

    def _note_socket(self, event: str, facts: Any) -> None:
        """Remember what `interrupt` has to cut: httpx tells of connections as it makes them."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            found = facts["return_value"].get_extra_info("socket")
            if isinstance(found, socket.socket):
                self._sockets = [each for each in self._sockets if each.fileno() >= 0]
                self._sockets.append(found)


def _answer(response: httpx.Response, linked: Announced, url: str, start: int) -> Answer:
    status, headers = response.status_code, response.headers
    if status == 416:
        said = headers.get("content-range", "").removeprefix("bytes */")
        raise RangeEndsError(int(said) if said.isdigit() else None)
    if status in RETRIED:
        raise TryAgainError(f"the server is busy ({status})", pause_s=_asked_pause_s(headers))
    if status not in (200, 206):
        kind = NotThereError if status in (404, 410) else DownloadFailedError
        raise kind(
            f"{httpx.URL(url).host} does not give the file {httpx.URL(url).path}: it answers "
            f"{status} {response.reason_phrase}.",
            "Try again later, or import the model from a file.",
        )
    if headers.get("content-type", "").startswith("text/html"):
        raise DownloadFailedError(
            f"A web page came instead of the file from {response.url.host}.",
            "If this network asks for a login, log in with a browser; then try again.",
        )
    packing = headers.get("content-encoding", "").lower()
    is_packed = packing not in ("", "identity")
    if is_packed and packing not in UNPACKED:
        raise TryAgainError(f"the server packs the file as '{packing}', which was not asked for")
    length = headers.get("content-length", "")
    whole_bytes = int(length) if length.isdigit() and not is_packed else None
    if status == 206:
        whole_bytes = _whole_bytes(headers, start)
        if is_packed:
            raise FileChangedError("the server packs what is left of the file")
    if linked.size_bytes is not None and whole_bytes not in (None, linked.size_bytes):
        raise TryAgainError("two servers disagree on the size of the file")
    return Answer(
        start=start if status == 206 else 0,
        announced=Announced(
            size_bytes=linked.size_bytes or whole_bytes,
            sha256=linked.sha256,
            md5=None if is_packed else _md5(headers),
            validator=None if is_packed else _validator(headers),
        ),
        tells_its_end=not is_packed and (length.isdigit() or "transfer-encoding" in headers),
        blocks=partial(_blocks, url, response.iter_bytes if is_packed else response.iter_raw),
    )


def _whole_bytes(headers: httpx.Headers, start: int) -> int | None:
    """Return how long the file is that a partial answer is from."""
    place = _RANGE.fullmatch(headers.get("content-range", ""))
    if place is None or int(place[1]) != start:
        raise FileChangedError("the server answered with another part of the file")
    return None if place[2] == "*" else int(place[2])


def _blocks(url: str, blocks: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
    with _spoken(url):
        yield from blocks()


@contextmanager
def _spoken(url: str) -> Iterator[None]:
    """Turn what httpx raises into TryAgainError or DownloadFailedError."""
    try:
        yield
    except httpx.ConnectError as error:
        if _is_untrusted(error):
            raise DownloadFailedError(
                f"{httpx.URL(url).host} cannot prove that it is what it says: {_innermost(error)}.",
                "Check the clock of this computer. If your network inspects connections, its "
                "certificate must be installed in the system.",
            ) from error
        raise NoConnectionError("there is no connection") from error
    except httpx.ProxyError as error:
        raise DownloadFailedError(
            f"The proxy lets nothing through: {error}.", "Check HTTPS_PROXY and its password."
        ) from error
    except httpx.TimeoutException as error:
        raise TryAgainError("the server does not answer") from error
    except httpx.DecodingError as error:
        raise FileChangedError("what came packed cannot be unpacked") from error
    except (httpx.TransportError, httpx.StreamError) as error:
        raise TryAgainError("the connection broke off") from error
    except (httpx.InvalidURL, ValueError) as error:
        raise TryAgainError("the server sent us to an address that is none") from error


def _check_secure(was: httpx.URL, becomes: httpx.URL) -> None:
    """Refuse to be led from an encrypted address to an open one, or out of the web."""
    is_local = becomes.host in LOCAL_HOSTS
    if becomes.scheme == "https":
        return
    if becomes.scheme == "http" and (was.scheme == "http" or is_local):
        return
    raise DownloadFailedError(
        f"{was.host} sends us to an address that is not encrypted ({becomes.scheme}://"
        f"{becomes.host}).",
        "Try again from another network.",
    )


def _linked(headers: httpx.Headers) -> Announced:
    """Return what HuggingFace says of a file before it sends us to where the file lies."""
    digest = _SHA256.fullmatch(headers.get("x-linked-etag", ""))
    size = headers.get("x-linked-size", "")
    if digest is None:
        return Announced()
    return Announced(size_bytes=int(size) if size.isdigit() else None, sha256=digest[1])


def _md5(headers: httpx.Headers) -> str | None:
    """Return what Google's storage names: `x-goog-hash: crc32c=...,md5=...`, of the whole file."""
    for each in headers.get("x-goog-hash", "").split(","):
        name, _, value = each.strip().partition("=")
        if name == "md5":
            with suppress(Base64Error, ValueError):
                return b64decode(value, validate=True).hex()
    return None


def _validator(headers: httpx.Headers) -> str | None:
    """Return what promises the same bytes: a strong tag, else a date old enough (RFC 9110, 8.8.2).

    A weak tag promises only the same meaning.
    """
    tag = headers.get("etag")
    if tag:
        return None if tag.startswith("W/") else str(tag)
    with suppress(KeyError, ValueError, TypeError):
        changed = parsedate_to_datetime(headers["last-modified"])
        if parsedate_to_datetime(headers["date"]) - changed >= timedelta(minutes=1):
            return str(headers["last-modified"])
    return None


def _asked_pause_s(headers: httpx.Headers) -> float:
    asked = headers.get("retry-after", "")
    return min(LONGEST_ASKED_PAUSE_S, float(asked)) if asked.isdigit() else 0.0


def _is_untrusted(error: Exception) -> bool:
    return isinstance(_innermost(error), ssl.SSLCertVerificationError)


def _innermost(error: BaseException) -> BaseException:
    """Return the exception that all others were made of."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error
