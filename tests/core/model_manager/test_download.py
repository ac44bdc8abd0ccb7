"""Whatever a server does: nothing broken is taken for whole, and nothing is fetched twice."""

import errno
import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from core.engine.progress import CancelToken
from core.errors import AppError, CancelledError, ModelBrokenError
from core.model_manager import download
from core.model_manager.catalog import CatalogEntry, CatalogFile
from core.model_manager.download import DownloadFailedError, DownloadProgress, Patience
from core.model_manager.download import download_model as fetch
from core.model_manager.store import ModelState, Store
from core.models.parameter_names import FAMILIES
from tests.core.model_manager.faulty_server import Faults, serving

QUICK = Patience(connect_s=2.0, silence_s=0.5, stall_s=0.3, first_pause_s=0.01, most_failures=4)


@pytest.fixture(scope="session")
def content() -> bytes:
    """A whole checkpoint of MT3, in half precision to be sent faster."""
    family = FAMILIES["mt3"]
    zeros = {spelling.ours: np.zeros(spelling.shape, np.float16) for spelling in family.spellings}
    return save(zeros)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Return 300 kB of noise; whether it is a checkpoint is not asked."""
    monkeypatch.setattr(download, "_check_fits", lambda _entry, _path: None)
    return random.Random(7).randbytes(300_000)


def entry_of(url: str, body: bytes, **changes: Any) -> CatalogEntry:
    digest = hashlib.sha256(body).hexdigest()
    file = replace(CatalogFile("model.bin", url + "model.bin", len(body), digest), **changes)
    return CatalogEntry("demo", "Demo", "mt3", "", "MIT", "", "", "", False, (file,))


def assert_whole(store: Store, entry: CatalogEntry, body: bytes) -> None:
    assert store.state_of(entry) is ModelState.INSTALLED
    assert store.path_of(entry).read_bytes() == body
    assert not store.staging_of(entry).exists()
    assert not list(store.root.glob("*.lock"))


def assert_nothing_taken(store: Store, entry: CatalogEntry) -> None:
    assert store.state_of(entry) is not ModelState.INSTALLED
    assert not store.folder_of(entry).exists()
    assert not list(store.root.glob("*.lock"))


def test_a_whole_checkpoint_arrives_and_is_recognised(tmp_path: Path, content: bytes) -> None:
    faults, store = Faults(content), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, content)
        seen: list[DownloadProgress] = []
        fetch(entry, store, on_progress=seen.append)
    assert_whole(store, entry, content)
    assert seen
    assert all(progress.done_bytes <= len(content) for progress in seen)


def test_what_is_no_checkpoint_of_the_family_is_not_taken(tmp_path: Path) -> None:
    body = save({"weight": np.zeros((4, 4), np.float32)})
    store = Store(tmp_path)
    with serving(Faults(body)) as url:
        entry = entry_of(url, body)
        with pytest.raises(ModelBrokenError, match="no checkpoint of mt3"):
            fetch(entry, store)
    assert_nothing_taken(store, entry)


def test_what_is_installed_is_not_fetched_again(tmp_path: Path, small: bytes) -> None:
    faults, store = Faults(small), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small)
        fetch(entry, store)
        fetch(entry, store)
    assert len(faults.requests) == 1


def test_a_connection_cut_twenty_times_brings_every_byte_once(tmp_path: Path, small: bytes) -> None:
    dice = random.Random(3)
    faults = Faults(small, cut_after=[dice.randrange(1, 14_000) for _ in range(20)])
    store = Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small)
        fetch(entry, store, patience=QUICK)
    assert_whole(store, entry, small)
    assert len(faults.requests) == 21
    assert faults.sent_bytes == len(small)


def test_a_server_that_cannot_resume_is_asked_for_all_of_it_again(
    tmp_path: Path, small: bytes
) -> None:
    faults, store = Faults(small, can_resume=False, cut_after=[100_000]), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small)
        fetch(entry, store, patience=QUICK)
    assert_whole(store, entry, small)
    assert faults.sent_bytes == len(small) + 100_000


def test_a_server_that_cannot_resume_and_always_breaks_off_is_given_up(
    tmp_path: Path, small: bytes
) -> None:
    faults, store = Faults(small, can_resume=False, cut_after=[50_000] * 30), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small)
        with pytest.raises(DownloadFailedError, match="broke off"):
            fetch(entry, store, patience=QUICK)
    assert_nothing_taken(store, entry)
    assert len(faults.requests) <= 5


def test_a_wrong_digest_is_thrown_away_and_the_next_try_starts_afresh(
    tmp_path: Path, small: bytes
) -> None:
    store = Store(tmp_path)
    with serving(Faults(small[:-1] + b"!")) as url:
        entry = entry_of(url, small)
        with pytest.raises(ModelBrokenError, match="came damaged"):
            fetch(entry, store)
        assert_nothing_taken(store, entry)
    with serving(Faults(small)) as url:
        entry = entry_of(url, small)
        fetch(entry, store)
    assert_whole(store, entry, small)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_file_that_is_gone_is_said_at_once(tmp_path: Path, small: bytes, status: int) -> None:
    faults, store = Faults(small, statuses=[status] * 3), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small)
        with pytest.raises(DownloadFailedError, match=f"answers {status}"):
            fetch(entry, store)
    assert_nothing_taken(store, entry)
    assert len(faults.requests) == 1


def test_a_busy_server_is_asked_again(tmp_path: Path, small: bytes) -> None:
    faults, store = Faults(small, statuses=[503, 503, 429]), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small)
        fetch(entry, store, patience=QUICK)
    assert_whole(store, entry, small)
    assert faults.sent_bytes == len(small)


def test_a_server_that_stays_busy_is_given_up_and_can_be_asked_later(
    tmp_path: Path, small: bytes
) -> None:
    faults, store = Faults(small, cut_after=[100_000]), Store(tmp_path)

    def then_busy(_: DownloadProgress) -> None:
        if faults.sent_bytes >= 100_000 and not faults.statuses:
            faults.statuses = [503] * 50

    with serving(faults) as url:
        entry = entry_of(url, small)
        with pytest.raises(DownloadFailedError, match="busy"):
            fetch(entry, store, on_progress=then_busy, patience=replace(QUICK, first_pause_s=0.2))
        assert_nothing_taken(store, entry)
        faults.statuses = []
        fetch(entry, store, patience=QUICK)
    assert_whole(store, entry, small)
    assert faults.sent_bytes == len(small)


def test_a_server_that_drips_is_given_up_in_time(tmp_path: Path, small: bytes) -> None:
    faults, store = Faults(small, seconds_per_byte=0.02), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small)
        started_s = time.monotonic()
        with pytest.raises(CancelledError):
            fetch(entry, store, patience=QUICK, cancel=_cancel_after(2.0))
        assert time.monotonic() - started_s < 4.0
        assert len(faults.requests) >= 3  # it was asked again instead of waiting for ever
    assert store.state_of(entry) is not ModelState.INSTALLED


def _cancel_after(seconds: float) -> CancelToken:
    flag = threading.Event()
    timer = threading.Timer(seconds, flag.set)
    timer.daemon = True
    timer.start()
    return CancelToken(flag)


def test_a_cancel_is_heeded_at_once_even_if_the_server_is_silent(
    tmp_path: Path, small: bytes
) -> None:
    faults, store = Faults(small, seconds_per_byte=30.0), Store(tmp_path)
    with serving(faults) as url:
        started_s = time.monotonic()
        with pytest.raises(CancelledError):
            fetch(entry_of(url, small), store, cancel=_cancel_after(0.3))
        assert time.monotonic() - started_s < 1.3


def test_a_cancelled_download_goes_on_where_it_stopped(tmp_path: Path, small: bytes) -> None:
    faults, store = Faults(small, cut_after=[120_000], statuses=[]), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small)

        def cancel_late(_: DownloadProgress) -> None:
            if faults.sent_bytes >= 120_000:
                raise CancelledError

        with pytest.raises(CancelledError):
            fetch(entry, store, on_progress=cancel_late, patience=replace(QUICK, first_pause_s=9))
        assert store.state_of(entry) is ModelState.PARTLY
        _wait_for(lambda: not list(tmp_path.glob("*.lock")))
        fetch(entry, store, patience=QUICK)
    assert_whole(store, entry, small)
    assert faults.sent_bytes == len(small)


def _wait_for(is_so: Any) -> None:
    until_s = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < until_s
        time.sleep(0.01)


def test_redirects_are_followed(tmp_path: Path, small: bytes) -> None:
    store = Store(tmp_path)
    with serving(Faults(small, redirects=3)) as url:
        entry = entry_of(url, small)
        fetch(entry, store)
    assert_whole(store, entry, small)


def test_redirects_in_circles_are_given_up(tmp_path: Path, small: bytes) -> None:
    store = Store(tmp_path)
    with serving(Faults(small, redirects=99)) as url:
        entry = entry_of(url, small)
        with pytest.raises(DownloadFailedError, match="circles"):
            fetch(entry, store)
    assert_nothing_taken(store, entry)


def test_a_file_that_changed_on_the_server_is_fetched_afresh(tmp_path: Path, small: bytes) -> None:
    newer = small[::-1]
    faults, store = Faults(small, cut_after=[150_000]), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, newer)

        def exchange(_: DownloadProgress) -> None:
            if faults.sent_bytes >= 150_000:
                faults.content, faults.etag = newer, '"second"'

        fetch(entry, store, on_progress=exchange, patience=replace(QUICK, first_pause_s=0.4))
    assert_whole(store, entry, newer)


def test_a_length_that_is_not_the_published_one_is_refused_unread(
    tmp_path: Path, small: bytes
) -> None:
    faults, store = Faults(small, claimed_extra=1_000), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small)
        with pytest.raises(ModelBrokenError, match="another file"):
            fetch(entry, store)
    assert_nothing_taken(store, entry)


def test_a_packed_answer_is_not_taken_for_the_file(tmp_path: Path, small: bytes) -> None:
    store = Store(tmp_path)
    with serving(Faults(small, encoding="gzip")) as url:
        entry = entry_of(url, small)
        with pytest.raises(DownloadFailedError, match="packed"):
            fetch(entry, store, patience=QUICK)
    assert_nothing_taken(store, entry)


def test_without_a_server_the_next_step_is_said(tmp_path: Path, small: bytes) -> None:
    with serving(Faults(small)) as url:
        entry = entry_of(url, small)
    with pytest.raises(DownloadFailedError, match=r"no connection.*Check the connection"):
        fetch(entry, Store(tmp_path), patience=QUICK)


def test_a_full_disk_is_said_before_anything_is_fetched(
    tmp_path: Path, small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = download.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: usage._replace(free=1_000))
    faults, store = Faults(small), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small)
        with pytest.raises(DownloadFailedError, match=r"needs 0 MB more, but only 0 MB are free"):
            fetch(entry, store)
    assert faults.requests == []


def test_a_disk_that_fills_up_is_named_and_what_came_is_kept(
    tmp_path: Path, small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults, store = Faults(small), Store(tmp_path)
    append = download._Transfer._append

    def full(self: Any, answer: Any, target: Any) -> None:
        target.write(small[:70_000])
        raise OSError(errno.ENOSPC, "No space left on device")

    with serving(faults) as url:
        entry = entry_of(url, small)
        monkeypatch.setattr(download._Transfer, "_append", full)
        with pytest.raises(DownloadFailedError, match="The disk is full"):
            fetch(entry, store)
        assert store.state_of(entry) is ModelState.PARTLY
        monkeypatch.setattr(download._Transfer, "_append", append)
        fetch(entry, store)
    assert_whole(store, entry, small)
    assert faults.requests == ["", "bytes=70000-"]


KILLED = """
import sys
from pathlib import Path
from core.model_manager import download
from core.model_manager.catalog import CatalogEntry, CatalogFile
from core.model_manager.store import Store
url, size, digest, root = sys.argv[1:]
file = CatalogFile("model.bin", url + "model.bin", int(size), digest)
entry = CatalogEntry("demo", "Demo", "mt3", "", "MIT", "", "", "", False, (file,))
download.download_model(entry, Store(Path(root)))
"""


@pytest.mark.slow
def test_a_process_killed_in_the_middle_leaves_what_the_next_one_goes_on_from(
    tmp_path: Path, small: bytes
) -> None:
    faults = Faults(small, cut_after=[], seconds_per_byte=0.0)
    faults.seconds_per_byte = 0.00001
    store = Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small)
        digest = entry.files[0].sha256
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, url, str(len(small)), str(digest), str(tmp_path)],
            cwd=Path(__file__).parents[3],
        )
        part = store.staging_of(entry) / "model.bin.part"
        _wait_for(lambda: part.is_file() and part.stat().st_size > 0)
        child.send_signal(signal.SIGKILL)
        child.wait()
        kept = part.stat().st_size
        assert_not_placed(store, entry)
        assert list(tmp_path.glob("*.lock"))  # the dead process could not remove it
        faults.seconds_per_byte = 0.0
        fetch(entry, store, patience=QUICK)
    assert_whole(store, entry, small)
    assert faults.requests[-1] == f"bytes={kept}-"


def assert_not_placed(store: Store, entry: CatalogEntry) -> None:
    assert store.state_of(entry) is ModelState.PARTLY
    assert not store.folder_of(entry).exists()


def test_a_digest_that_nobody_published_is_remembered_and_compared(
    tmp_path: Path, small: bytes
) -> None:
    store = Store(tmp_path)
    with serving(Faults(small)) as url:
        entry = entry_of(url, small, sha256=None, size_bytes=None)
        fetch(entry, store)
        assert store.pins(entry) == {"model.bin": hashlib.sha256(small).hexdigest()}
        store.remove(entry)
    with serving(Faults(small[::-1])) as url:
        entry = entry_of(url, small, sha256=None, size_bytes=None)
        with pytest.raises(ModelBrokenError, match="came damaged"):
            fetch(entry, store)
    assert_nothing_taken(store, entry)


def test_two_downloads_of_one_model_do_not_run_at_once(tmp_path: Path, small: bytes) -> None:
    store = Store(tmp_path)
    with serving(Faults(small)) as url:
        entry = entry_of(url, small)
        with store.locked(entry), pytest.raises(AppError, match="at work"):
            fetch(entry, store)
        assert store.state_of(entry) is ModelState.MISSING


def test_a_lock_left_by_a_dead_process_is_taken_over(tmp_path: Path, small: bytes) -> None:
    store = Store(tmp_path)
    (tmp_path / "demo.lock").write_text("999999999")
    with serving(Faults(small)) as url:
        entry = entry_of(url, small)
        fetch(entry, store)
    assert_whole(store, entry, small)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_store_that_cannot_be_written_is_named(tmp_path: Path, small: bytes) -> None:
    tmp_path.chmod(0o500)
    with serving(Faults(small)) as url, pytest.raises(AppError, match="cannot be written"):
        fetch(entry_of(url, small), Store(tmp_path / "models"))
