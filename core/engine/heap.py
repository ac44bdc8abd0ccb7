"""The heap of this process: what C programs give back, and when the system gets it."""

import ctypes
import platform
from functools import cache

KEPT_BYTES = 256 << 20
LARGEST_FROM_HEAP_BYTES = 32 << 20  # glibc allows no more

# Numbers of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


@cache
def keep_freed_memory() -> bool:
    """Let all threads share one heap that keeps up to 256 MB of what is freed; tell whether it can.

    By default glibc gives each thread a heap of its own, and the system what is freed at its end:
    tensors of a few MB are asked for anew for each segment, page by page. Other C libraries than
    glibc are left as they are.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    set_option = ctypes.CDLL(None).mallopt
    options = (
        (_M_ARENA_MAX, 1),
        (_M_TRIM_THRESHOLD, KEPT_BYTES),
        (_M_MMAP_THRESHOLD, LARGEST_FROM_HEAP_BYTES),
    )
    return all(set_option(option, value) == 1 for option, value in options)
