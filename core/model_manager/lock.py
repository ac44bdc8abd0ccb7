"""Locks between processes, held by the system: they end with the process that holds them."""

import errno
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ASK_EVERY_S = 0.05

_log = logging.getLogger(__name__)
_UNSUPPORTED = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}


class LockHeldError(Exception):
    """Another process, or another thread of this one, holds the lock."""


@contextmanager
def held(path: Path, *, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the lock that the file at `path` stands for; the file is gone afterwards.

    A file that a killed process left behind locks nothing. Where the medium knows no locks (some
    network drives) this goes on without one.

    Raises:
        LockHeldError: it is held elsewhere, after `wait_s` seconds still.
        OSError: there can be no file at `path`.
    """
    until_s = time.monotonic() + wait_s
    while (descriptor := _taken(path)) is None:
        if time.monotonic() >= until_s:
            raise LockHeldError(path)
        time.sleep(ASK_EVERY_S)
    try:
        yield
    finally:
        if sys.platform == "win32":  # an open file cannot be deleted there
            os.close(descriptor)
            with suppress(OSError):
                path.unlink()
        else:
            with suppress(OSError):
                path.unlink()
            os.close(descriptor)


def _taken(path: Path) -> int | None:
    """Return the open file whose lock this process has got, None if it is held elsewhere."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            is_ours = _try_lock(descriptor)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                os.close(descriptor)
                raise
            _log.warning("%s cannot be locked (%s); going on without", path, error.strerror)
            return descriptor
        if not is_ours:
            os.close(descriptor)
            return None
        with suppress(OSError):  # whoever held it before may have deleted the file meanwhile
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
