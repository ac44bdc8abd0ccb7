"""How far a download is: bytes, rate, and the time that is left."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from core.model_manager.catalog import CatalogEntry

RATE_OVER_S = 10.0


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """Bytes that are here, of all files; `total_bytes` may be a guess, None if there is none.

    `bytes_per_s` is the rate of the last ten seconds. Files are counted from 1.
    """

    file_name: str
    done_bytes: int
    total_bytes: int | None
    bytes_per_s: float
    file_number: int = 1
    file_count: int = 1

    @property
    def fraction(self) -> float | None:
        return min(1.0, self.done_bytes / self.total_bytes) if self.total_bytes else None

    @property
    def left_s(self) -> float | None:
        """The time left at the rate of now, None while it cannot be told."""
        if not self.total_bytes or self.bytes_per_s <= 0:
            return None
        return max(0.0, (self.total_bytes - self.done_bytes) / self.bytes_per_s)


class DownloadCount:
    """Counts the bytes of one download; written by one thread, read by another."""

    def __init__(self, entry: CatalogEntry) -> None:
        self._expected_bytes = entry.expected_bytes
        self._name = entry.files[0].name
        self._number = 1
        self._finished_bytes = 0  # of the files before this one
        self._file_bytes = 0
        self._new_bytes = 0
        self._seen: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    @property
    def has_new_bytes(self) -> bool:
        return self._new_bytes > 0

    def begin(self, number: int, name: str) -> None:
        self._number, self._name, self._file_bytes = number, name, 0

    def here(self, file_bytes: int) -> None:
        """Say how much of the file is here already."""
        self._file_bytes = file_bytes

    def add(self, new_bytes: int) -> None:
        self._file_bytes += new_bytes
        self._new_bytes += new_bytes

    def end(self, file_bytes: int) -> None:
        self._finished_bytes += file_bytes
        self._file_bytes = 0

    def progress(self, sizes: Mapping[str, int | None]) -> DownloadProgress:
        """Return how far it is; `sizes` are those of all files, as far as they are known."""
        now_s = time.monotonic()
        self._seen.append((now_s, self._new_bytes))
        while self._seen[0][0] < now_s - RATE_OVER_S:
            self._seen.popleft()
        first_s, first_bytes = self._seen[0]
        done_bytes = self._finished_bytes + self._file_bytes
        known = [size for size in sizes.values() if size is not None]
        total = sum(known) if len(known) == len(sizes) else self._expected_bytes
        return DownloadProgress(
            file_name=self._name,
            done_bytes=done_bytes,
            total_bytes=total if total is not None and total >= done_bytes else None,
            bytes_per_s=(self._new_bytes - first_bytes) / max(1e-3, now_s - first_s),
            file_number=self._number,
            file_count=len(sizes),
        )
