import os
from io import FileIO

import pytest

from core.audio import disk_file
from core.audio.disk_file import DiskFile


@pytest.fixture
def ten_bytes(tmp_path):
    path = tmp_path / "ten"
    path.write_bytes(b"0123456789")
    with DiskFile(path) as file:
        yield file


@pytest.mark.parametrize(
    ("offset", "whence", "place"),
    [
        (3, os.SEEK_SET, 3),
        (-2, os.SEEK_END, 8),
        (-5, os.SEEK_SET, 0),
        (-99, os.SEEK_CUR, 0),
        (1 << 70, os.SEEK_SET, 10),
        (5, os.SEEK_END, 10),
    ],
)
def test_seeks_end_at_the_borders(ten_bytes, offset, whence, place):
    assert ten_bytes.seek(offset, whence) == ten_bytes.tell() == place


def test_failing_disk_looks_like_the_end_and_is_remembered(tmp_path, monkeypatch):
    class Failing(FileIO):
        def readinto(self, buffer):
            raise OSError(5, "Input/output error")

        def readall(self):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(disk_file, "FileIO", Failing)
    path = tmp_path / "a"
    path.write_bytes(b"x")
    with DiskFile(path) as file:
        assert file.read(4) == b""
        assert file.readinto(bytearray(4)) == 0
        assert file.failure is not None
        assert file.failure.strerror == "Input/output error"
