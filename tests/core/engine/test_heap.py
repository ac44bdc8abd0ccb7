"""Freed memory stays with the process that will ask for it again."""

import mmap
import platform
import subprocess
import sys

import pytest

from core.engine.heap import keep_freed_memory

ASKS_AGAIN = """
import resource, sys, threading
from core.engine.heap import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
import ctypes
c = ctypes.CDLL(None)
c.malloc.restype = ctypes.c_void_p
def ask():
    for _ in range(50):
        held = [c.malloc(20_000_000) for _ in range(3)]
        for each in held:
            ctypes.memset(each, 1, 20_000_000)
        for each in held:
            c.free(ctypes.c_void_p(each))
thread = threading.Thread(target=ask)
thread.start()
thread.join()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""
is_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="heaps of glibc")


def pages_asked_for(how: str) -> int:
    out = subprocess.run(
        [sys.executable, "-c", ASKS_AGAIN, how], check=True, capture_output=True, text=True
    )
    return int(out.stdout)


@is_glibc
def test_what_is_freed_is_not_asked_for_again():
    asked_bytes = pages_asked_for("kept") * mmap.PAGESIZE
    assert asked_bytes < 3 * 150_000_000 < pages_asked_for("given back") * mmap.PAGESIZE


def test_other_c_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert keep_freed_memory.__wrapped__() is False
