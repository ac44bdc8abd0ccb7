"""A local HTTP server with the faults of real ones; it counts what it sends."""

import gzip
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit


@dataclass
class Faults:
    """What goes wrong, request by request; every list is used up from its start.

    `content` is what lies at every address that `files` does not name.
    """

    content: bytes = b""
    files: dict[str, bytes | int] = field(default_factory=dict)  # by path; a number is a status
    can_resume: bool = True
    heeds_if_range: bool = True
    etag: str | None = '"first"'
    cut_after: list[int] = field(default_factory=list)  # bytes of an answer before it breaks off
    statuses: list[int] = field(default_factory=list)  # answered instead of the file
    redirects: int = 0
    redirect_to: str | None = None  # else another address of this server
    seconds_per_byte: float = 0.0
    seconds_per_header_byte: float = 0.0
    packs: bool = False  # with gzip, whatever was asked for
    claims_packing: str | None = None
    claimed_extra: int = 0  # bytes of Content-Length that never come
    tells_length: bool = True
    sends_chunks: bool = False
    headers: dict[str, str] = field(default_factory=dict)  # of the file
    redirect_headers: dict[str, str] = field(default_factory=dict)
    sent_bytes: int = 0
    requests: list[str] = field(default_factory=list)  # the Range header of each, or ""
    paths: list[str] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faults: Faults

    def do_GET(self) -> None:
        faults = self.faults
        faults.requests.append(self.headers.get("Range", ""))
        faults.paths.append(self.path)
        path = urlsplit(self.path).path  # a proxy is asked for whole addresses
        content = faults.files.get(path, faults.content)
        if faults.redirects > 0:
            faults.redirects -= 1
            place = faults.redirect_to or self.path + "x"
            self._answer(302, {"Location": place, "Content-Length": "0", **faults.redirect_headers})
        elif faults.statuses:
            self._answer(faults.statuses.pop(0), {"Content-Length": "0", **faults.headers})
        elif isinstance(content, int):
            self._answer(content, {"Content-Length": "0"})
        else:
            self._serve(content)

    def _serve(self, content: bytes) -> None:
        faults = self.faults
        start, whole = self._start(), len(content)
        if start >= whole > 0:
            self._answer(416, {"Content-Length": "0", "Content-Range": f"bytes */{whole}"})
            return
        rest = gzip.compress(content) if faults.packs else content[start:]
        headers = {"Content-Type": "application/octet-stream"}
        if faults.sends_chunks:
            headers["Transfer-Encoding"] = "chunked"
        elif faults.tells_length:
            headers["Content-Length"] = str(len(rest) + faults.claimed_extra)
        if faults.etag:
            headers["ETag"] = faults.etag
        if faults.packs or faults.claims_packing:
            headers["Content-Encoding"] = faults.claims_packing or "gzip"
        if start:
            headers["Content-Range"] = f"bytes {start}-{whole - 1}/{whole}"
        self._answer(206 if start else 200, headers | faults.headers)
        is_cut = bool(faults.cut_after)
        self._send(rest[: faults.cut_after.pop(0)] if is_cut else rest)
        if faults.sends_chunks and not is_cut:
            self.wfile.write(b"0\r\n\r\n")
        # An answer that is not whole ends with the connection, as does one without a length.
        if is_cut or faults.claimed_extra or not (faults.tells_length or faults.sends_chunks):
            self.close_connection = True

    def _start(self) -> int:
        faults, wanted = self.faults, self.headers.get("Range")
        condition = self.headers.get("If-Range")
        if not wanted or not faults.can_resume or faults.packs:
            return 0
        same = (None, faults.etag, faults.headers.get("Last-Modified"))
        if faults.heeds_if_range and condition not in same:
            return 0
        return int(wanted.removeprefix("bytes=").removesuffix("-"))

    def _send(self, body: bytes) -> None:
        step = 1 if self.faults.seconds_per_byte else 1 << 14
        for at in range(0, len(body), step):
            part = body[at : at + step]
            framed = b"%x\r\n%s\r\n" % (len(part), part) if self.faults.sends_chunks else part
            try:
                self.wfile.write(framed)
            except OSError:
                self.close_connection = True
                return
            self.faults.sent_bytes += len(part)
            time.sleep(self.faults.seconds_per_byte)

    def _answer(self, status: int, headers: dict[str, str]) -> None:
        if self.faults.seconds_per_header_byte:
            self._drip_headers()
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _drip_headers(self) -> None:
        self.close_connection = True
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                self.wfile.write(b"X: y\r\n")
                self.wfile.flush()
                time.sleep(self.faults.seconds_per_header_byte)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is what these tests are about."""


@contextmanager
def serving(faults: Faults, certificate: Path | None = None) -> Iterator[str]:
    """Serve at the address given, on a port of this machine, until the block is left.

    `certificate` is a PEM file with key and certificate: then with TLS.
    """
    handler = type("Handler", (_Handler,), {"faults": faults})
    server = _Server(("127.0.0.1", 0), handler)
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
