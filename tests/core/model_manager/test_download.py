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
from core.model_manager import store as store_module
from core.model_manager.catalog import CatalogEntry
from core.model_manager.connection import DownloadFailedError
from core.model_manager.download import download_model as fetch
from core.model_manager.progress import DownloadProgress
from core.model_manager.store import ModelState, Store, StoreBusyError, StoreUnusableError
from core.model_manager.verification import remembered_digests
from core.models.parameter_names import FAMILIES
from tests.core.model_manager.faulty_server import Faults, serving
from tests.core.model_manager.make_model import (
    QUICK,
    assert_folder_whole,
    assert_nothing_taken,
    assert_whole,
    entry_of,
    folder_entry_of,
    laid_by_hand,
    wait_for,
)


@pytest.fixture(scope="session")
def content() -> bytes:
    """A whole checkpoint of MT3, in half precision to be sent faster."""
    family = FAMILIES["mt3"]
    zeros = {spelling.ours: np.zeros(spelling.shape, np.float16) for spelling in family.spellings}
    return save(zeros)


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


def test_a_server_that_drips_is_asked_again_given_up_and_loses_no_byte(
    tmp_path: Path, small: bytes
) -> None:
    faults, store = Faults(small, seconds_per_byte=0.02), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small)
        with pytest.raises(DownloadFailedError, match="next to nothing"):
            fetch(entry, store, patience=QUICK)
        assert len(faults.requests) == QUICK.most_failures
        assert_nothing_taken(store, entry)
        kept = store.staged_bytes(entry)
        faults.seconds_per_byte = 0.0
        fetch(entry, store, patience=QUICK)
    assert_whole(store, entry, small)
    starts = [int(wanted[6:-1] or 0) if wanted else 0 for wanted in faults.requests]
    assert starts == sorted(set(starts))  # each question goes on where the last one ended
    assert kept > 0


def test_headers_that_drip_are_given_up(tmp_path: Path, small: bytes) -> None:
    faults, store = Faults(small, seconds_per_header_byte=0.05), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small)
        with pytest.raises(DownloadFailedError, match="could not be downloaded"):
            fetch(entry, store, patience=replace(QUICK, silence_s=5.0))
    assert_nothing_taken(store, entry)
    assert len(faults.requests) == QUICK.most_failures


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
        entry = entry_of(url, small)
        with pytest.raises(CancelledError):
            fetch(entry, store, cancel=_cancel_after(0.3))
        assert time.monotonic() - started_s < 1.3
        assert_nothing_taken(store, entry)  # the lock is gone too: it can be started again at once


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
        wait_for(lambda: not list(tmp_path.glob("*.lock")))
        fetch(entry, store, patience=QUICK)
    assert_whole(store, entry, small)
    assert faults.sent_bytes == len(small)


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
    assert store.staged_bytes(entry) == 0


def test_a_length_that_promises_too_much_is_corrected_without_a_byte_twice(
    tmp_path: Path, small: bytes
) -> None:
    faults, store = Faults(small, claimed_extra=1_000), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small, size_bytes=None)
        fetch(entry, store, patience=QUICK)
    assert_whole(store, entry, small)
    assert faults.sent_bytes == len(small)
    assert faults.requests == ["", f"bytes={len(small)}-"]


def test_a_length_that_promises_too_little_is_found_by_the_digest(
    tmp_path: Path, small: bytes
) -> None:
    faults, store = Faults(small, claimed_extra=-1_000), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small, size_bytes=None)
        with pytest.raises(ModelBrokenError, match="came damaged"):
            fetch(entry, store, patience=QUICK)
    assert_nothing_taken(store, entry)


def test_chunks_without_a_length_are_taken(tmp_path: Path, small: bytes) -> None:
    store = Store(tmp_path)
    with serving(Faults(small, sends_chunks=True)) as url:
        entry = entry_of(url, small, size_bytes=None, sha256=None)
        fetch(entry, store, patience=QUICK)
    assert_whole(store, entry, small)


def test_an_end_that_could_be_a_break_is_trusted_only_with_a_digest(
    tmp_path: Path, small: bytes
) -> None:
    faults, store = Faults(small, tells_length=False, can_resume=False), Store(tmp_path)
    with serving(faults) as url:
        unknown = entry_of(url, small, size_bytes=None, sha256=None)
        with pytest.raises(DownloadFailedError, match="does not say how long"):
            fetch(unknown, store, patience=QUICK)
        assert_nothing_taken(store, unknown)
        store.discard(unknown)
        entry = entry_of(url, small)
        fetch(entry, store, patience=QUICK)
    assert_whole(store, entry, small)


def test_a_packed_answer_is_unpacked(tmp_path: Path, small: bytes) -> None:
    store = Store(tmp_path)
    with serving(Faults(small, packs=True, cut_after=[9_000])) as url:
        entry = entry_of(url, small)
        fetch(entry, store, patience=QUICK)
    assert_whole(store, entry, small)


def test_a_packing_that_nobody_knows_is_not_taken_for_the_file(
    tmp_path: Path, small: bytes
) -> None:
    store = Store(tmp_path)
    with serving(Faults(small, claims_packing="br")) as url:
        entry = entry_of(url, small)
        with pytest.raises(DownloadFailedError, match="packs the file as 'br'"):
            fetch(entry, store, patience=QUICK)
    assert_nothing_taken(store, entry)


def test_a_web_page_is_not_taken_for_the_file(tmp_path: Path, small: bytes) -> None:
    store = Store(tmp_path)
    page = Faults(b"<html>Please log in", headers={"Content-Type": "text/html; charset=utf-8"})
    with serving(page) as url:
        entry = entry_of(url, small, size_bytes=None, sha256=None)
        with pytest.raises(DownloadFailedError, match="log in with a browser"):
            fetch(entry, store, patience=QUICK)
    assert_nothing_taken(store, entry)
    assert len(page.requests) == 1


def test_without_a_server_the_next_step_is_said(tmp_path: Path, small: bytes) -> None:
    with serving(Faults(small)) as url:
        entry = entry_of(url, small)
    with pytest.raises(DownloadFailedError, match=r"no connection.*Check the connection"):
        fetch(entry, Store(tmp_path), patience=QUICK)


def test_a_full_disk_is_said_before_anything_is_fetched(
    tmp_path: Path, small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = store_module.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(store_module.shutil, "disk_usage", lambda _: usage._replace(free=1_000))
    faults, store = Faults(small), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small)
        with pytest.raises(StoreUnusableError, match=r"needs 0 MB more .* only 0 MB are free"):
            fetch(entry, store)
    assert faults.requests == []


def test_a_size_that_only_the_server_knows_is_checked_before_it_is_fetched(
    tmp_path: Path, small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = store_module.shutil.disk_usage(tmp_path)
    free = store_module.SPARE_BYTES + 1_000
    monkeypatch.setattr(store_module.shutil, "disk_usage", lambda _: usage._replace(free=free))
    store = Store(tmp_path)
    with serving(Faults(small)) as url:
        entry = entry_of(url, small, size_bytes=None, sha256=None)
        with pytest.raises(StoreUnusableError, match=r"needs 0 MB more"):
            fetch(entry, store)
    assert store.staged_bytes(entry) < 1_000  # the notes only


def test_a_disk_that_fills_up_is_named_and_what_came_is_kept(
    tmp_path: Path, small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults, store = Faults(small), Store(tmp_path)
    append = download._Transfer._append

    def full(self: Any, answer: Any, part: Any) -> None:
        part.path.write_bytes(small[:70_000])
        raise OSError(errno.ENOSPC, "No space left on device")

    with serving(faults) as url:
        entry = entry_of(url, small)
        monkeypatch.setattr(download._Transfer, "_append", full)
        with pytest.raises(StoreUnusableError, match="The disk is full"):
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
        wait_for(lambda: part.is_file() and part.stat().st_size > 0)
        child.send_signal(signal.SIGKILL)
        child.wait()
        kept = part.stat().st_size
        assert_not_placed(store, entry)
        assert list(tmp_path.glob("*.lock"))  # the dead process could not remove it
        sent = faults.sent_bytes
        faults.seconds_per_byte = 0.0
        fetch(entry, store, patience=QUICK)
    assert_whole(store, entry, small)
    assert faults.requests == ["", f"bytes={kept}-"]
    assert sent < len(small)


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
        digest = hashlib.sha256(small).hexdigest()
        assert remembered_digests(store.pins_of(entry)) == {"model.bin": digest}
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
        with store.locked(entry), pytest.raises(StoreBusyError, match="at work"):
            fetch(entry, store, patience=QUICK)
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


def test_without_a_digest_and_a_strong_tag_a_broken_answer_is_asked_for_again_whole(
    tmp_path: Path, small: bytes
) -> None:
    faults, store = Faults(small, etag='W/"weak"', cut_after=[100_000]), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small, sha256=None)
        fetch(entry, store, patience=QUICK)
    assert_whole(store, entry, small)
    assert faults.requests == ["", ""]


def test_with_a_digest_a_weak_tag_does_not_keep_from_resuming(tmp_path: Path, small: bytes) -> None:
    faults, store = Faults(small, etag='W/"weak"', cut_after=[100_000]), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small)
        fetch(entry, store, patience=QUICK)
    assert_whole(store, entry, small)
    assert faults.sent_bytes == len(small)


def test_an_old_date_stands_for_a_missing_tag(tmp_path: Path, small: bytes) -> None:
    dates = {"Last-Modified": "Mon, 05 Feb 2024 10:00:00 GMT"}
    faults, store = Faults(small, etag=None, cut_after=[100_000], headers=dates), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small, sha256=None)
        fetch(entry, store, patience=QUICK)
    assert_whole(store, entry, small)
    assert faults.sent_bytes == len(small)


@pytest.mark.parametrize("longer", [0, 5_000])
def test_a_server_that_resumes_another_file_is_not_believed(
    tmp_path: Path, small: bytes, longer: int
) -> None:
    newer = small[::-1] + bytes(longer)
    faults, store = Faults(small, heeds_if_range=False, cut_after=[150_000]), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small, sha256=None, size_bytes=None)

        def exchange(_: DownloadProgress) -> None:
            if faults.sent_bytes >= 150_000:
                faults.content, faults.etag = newer, '"second"'

        fetch(entry, store, on_progress=exchange, patience=replace(QUICK, first_pause_s=0.4))
    assert_whole(store, entry, newer)


def test_another_part_than_the_one_asked_for_is_not_appended(tmp_path: Path, small: bytes) -> None:
    wrong = {"Content-Range": "bytes 5-9/300000"}
    faults, store = Faults(small, cut_after=[100_000]), Store(tmp_path)
    with serving(faults) as url:
        entry = entry_of(url, small)

        def confuse(_: DownloadProgress) -> None:
            faults.headers = wrong if len(faults.requests) == 1 else {}

        fetch(entry, store, on_progress=confuse, patience=replace(QUICK, first_pause_s=0.2))
    assert_whole(store, entry, small)


BODIES = {
    "checkpoint": b"tree" * 500,
    "target.a/.zarray": b"{}" * 100,
    "target.a/0.0": random.Random(1).randbytes(90_000),
    "target.b/0.0": random.Random(2).randbytes(70_000),
}
WHOLE = sum(map(len, BODIES.values()))


@pytest.fixture
def site(any_network: None) -> Faults:
    return Faults(files={f"/{name}": body for name, body in BODIES.items()})


def test_the_files_of_a_folder_come_one_by_one_and_are_placed_together(
    tmp_path: Path, site: Faults
) -> None:
    store = Store(tmp_path)
    seen: list[DownloadProgress] = []
    with serving(site) as url:
        entry = folder_entry_of(url, BODIES)
        fetch(entry, store, on_progress=seen.append)
    assert_folder_whole(store, entry, BODIES)
    assert site.sent_bytes == WHOLE
    assert seen[-1].total_bytes == WHOLE
    assert seen[-1].file_count == 4


def test_a_folder_goes_on_in_the_file_where_it_broke_off(tmp_path: Path, site: Faults) -> None:
    store = Store(tmp_path)
    with serving(site) as url:
        entry = folder_entry_of(url, BODIES)
        site.files["/target.b/0.0"] = 404
        with pytest.raises(DownloadFailedError, match=r"target\.b/0\.0"):
            fetch(entry, store, patience=QUICK)
        assert store.state_of(entry) is ModelState.PARTLY
        assert_nothing_taken(store, entry)
        site.files["/target.b/0.0"] = BODIES["target.b/0.0"]
        site.paths.clear()
        fetch(entry, store, patience=QUICK)
    assert_folder_whole(store, entry, BODIES)
    assert site.paths == ["/target.b/0.0"]
    assert site.sent_bytes == WHOLE


def test_of_a_damaged_folder_only_what_is_wrong_is_fetched(tmp_path: Path, site: Faults) -> None:
    store = Store(tmp_path)
    with serving(site) as url:
        entry = folder_entry_of(url, BODIES)
        fetch(entry, store)
        (store.path_of(entry) / "target.a/0.0").write_bytes(b"short")
        (store.path_of(entry) / "checkpoint").unlink()
        assert store.state_of(entry) is ModelState.DAMAGED
        site.paths.clear()
        fetch(entry, store)
    assert_folder_whole(store, entry, BODIES)
    assert sorted(site.paths) == ["/checkpoint", "/target.a/0.0"]


def test_a_file_that_rotted_before_the_rest_came_is_fetched_again(
    tmp_path: Path, site: Faults
) -> None:
    store = Store(tmp_path)
    with serving(site) as url:
        entry = folder_entry_of(url, BODIES)
        site.files["/target.b/0.0"] = 404
        with pytest.raises(DownloadFailedError):
            fetch(entry, store, patience=QUICK)
        staged = store.staging_of(entry) / "checkpoint"
        staged.write_bytes(staged.read_bytes()[::-1])
        site.files["/target.b/0.0"] = BODIES["target.b/0.0"]
        fetch(entry, store, patience=QUICK)
    assert_folder_whole(store, entry, BODIES)


def test_what_was_copied_by_hand_is_verified_instead_of_fetched(
    tmp_path: Path, site: Faults
) -> None:
    store = Store(tmp_path)
    with serving(site) as url:
        entry = folder_entry_of(url, BODIES)
        laid_by_hand(store, entry, BODIES)
        assert store.state_of(entry) is ModelState.UNVERIFIED
        fetch(entry, store)
    assert_folder_whole(store, entry, BODIES)
    assert site.paths == []


def test_of_what_was_copied_by_hand_only_what_is_wrong_is_fetched(
    tmp_path: Path, site: Faults
) -> None:
    store = Store(tmp_path)
    with serving(site) as url:
        entry = folder_entry_of(url, BODIES)
        laid_by_hand(store, entry, BODIES | {"checkpoint": BODIES["checkpoint"][::-1]})
        fetch(entry, store)
    assert_folder_whole(store, entry, BODIES)
    assert site.paths == ["/checkpoint"]


def test_what_fits_no_network_is_not_kept_for_the_next_try(tmp_path: Path) -> None:
    body, store = save({"weight": np.zeros((4, 4), np.float32)}), Store(tmp_path)
    faults = Faults(body)
    with serving(faults) as url:
        entry = entry_of(url, body, sha256=None, size_bytes=None)
        for _ in range(2):
            with pytest.raises(ModelBrokenError, match="no checkpoint of mt3"):
                fetch(entry, store)
    assert_nothing_taken(store, entry)
    assert faults.sent_bytes == 2 * len(body)
    assert remembered_digests(store.pins_of(entry)) == {}


def test_progress_tells_share_rate_and_time_left(tmp_path: Path, small: bytes) -> None:
    faults, store = Faults(small, cut_after=[100_000]), Store(tmp_path)
    seen: list[DownloadProgress] = []
    with serving(faults) as url:
        entry = entry_of(url, small, size_bytes=None)
        fetch(entry, store, on_progress=seen.append, patience=replace(QUICK, first_pause_s=0.3))
    held = next(progress for progress in seen if progress.done_bytes == 100_000)
    assert held.fraction == pytest.approx(1 / 3)
    assert held.bytes_per_s > 0
    assert held.left_s == pytest.approx(200_000 / held.bytes_per_s)
