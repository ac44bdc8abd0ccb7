"""A local HTTP server of one file, with the faults of real ones; it counts what it sends."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Faults:
    """What goes wrong, request by request; every list is used up from its start."""

    content: bytes
    can_resume: bool = True
    etag: str | None = '"first"'
    cut_after: list[int] = field(default_factory=list)  # bytes of an answer before it breaks off
    statuses: list[int] = field(default_factory=list)  # answered instead of the file
    redirects: int = 0
    seconds_per_byte: float = 0.0
    encoding: str | None = None
    claimed_extra: int = 0  # bytes of Content-Length that never come
    sent_bytes: int = 0
    requests: list[str] = field(default_factory=list)  # the Range header of each, or ""


@contextmanager
def serving(faults: Faults) -> Iterator[str]:  # noqa: C901 (each fault is a branch)
    """Serve at the address given, on a port of this machine, until the block is left."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            faults.requests.append(self.headers.get("Range", ""))
            self.close_connection = True
            if faults.redirects > 0:
                faults.redirects -= 1
                self._answer(302, {"Location": self.path + "x", "Content-Length": "0"})
            elif faults.statuses:
                self._answer(faults.statuses.pop(0), {"Content-Length": "0"})
            else:
                self._serve()

        def _serve(self) -> None:
            start = self._start()
            rest = faults.content[start:]
            headers = {"Content-Length": str(len(rest) + faults.claimed_extra)}
            if faults.etag:
                headers["ETag"] = faults.etag
            if faults.encoding:
                headers["Content-Encoding"] = faults.encoding
            whole = len(faults.content)
            if start == whole:
                self._answer(416, {"Content-Length": "0", "Content-Range": f"bytes */{whole}"})
                return
            if start:
                headers["Content-Range"] = f"bytes {start}-{whole - 1}/{whole}"
            self._answer(206 if start else 200, headers)
            self._send(rest[: faults.cut_after.pop(0)] if faults.cut_after else rest)

        def _start(self) -> int:
            wanted = self.headers.get("Range")
            condition = self.headers.get("If-Range")
            if not wanted or not faults.can_resume or condition not in (None, faults.etag):
                return 0
            return int(wanted.removeprefix("bytes=").removesuffix("-"))

        def _send(self, body: bytes) -> None:
            step = 1 if faults.seconds_per_byte else 1 << 14
            for at in range(0, len(body), step):
                part = body[at : at + step]
                try:
                    self.wfile.write(part)
                except OSError:
                    return
                faults.sent_bytes += len(part)
                time.sleep(faults.seconds_per_byte)

        def _answer(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
