"""DiskFile: an open file that decoders may handle roughly."""

import os
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any


class DiskFile(BufferedReader):
    """A regular file, open for reading; its failures are kept in `failure` instead of raised.

    Decoders call from C, where an exception would be lost: to them, a disk that fails looks like
    the end of the file. A damaged file may send them anywhere, which ends at its borders.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(FileIO(path))
        self.size_bytes = os.fstat(self.fileno()).st_size
        self.failure: OSError | None = None

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: self.size_bytes}[whence]
        return super().seek(min(max(0, origin + offset), self.size_bytes))

    def read(self, size_bytes: int | None = -1, /) -> bytes:
        try:
            return super().read(size_bytes)
        except OSError as failure:
            self.failure = failure
            return b""

    def readinto(self, buffer: Any, /) -> int:  # Python 3.11 has no type for buffers
        try:
            return super().readinto(buffer)
        except OSError as failure:
            self.failure = failure
            return 0
