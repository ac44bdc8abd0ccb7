"""What stands between a server and us: redirects, certificates, proxies, and what servers name."""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from core.errors import ModelBrokenError
from core.model_manager.connection import DownloadFailedError
from core.model_manager.download import download_model
from core.model_manager.store import ModelState, Store
from tests.core.model_manager.faulty_server import Faults, serving
from tests.core.model_manager.make_model import (
    QUICK,
    assert_nothing_taken,
    assert_whole,
    entry_of,
    sha256,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


def fetch(url: str, store: Store, body: bytes, **changes: Any) -> None:
    download_model(entry_of(url, body, **changes), store, patience=QUICK)


def test_redirects_lead_to_the_file(store: Store, small: bytes) -> None:
    with serving(Faults(small, redirects=3)) as url:
        fetch(url, store, small)
        assert_whole(store, entry_of(url, small), small)


def test_a_redirect_to_another_server_is_followed(store: Store, small: bytes) -> None:
    here = Faults(redirects=1)
    with serving(Faults(small)) as there, serving(here) as url:
        here.redirect_to = f"{there}moved.bin"
        fetch(url, store, small)
        assert_whole(store, entry_of(url, small), small)


def test_redirects_in_circles_are_given_up(store: Store, small: bytes) -> None:
    faults = Faults(small, redirects=99)
    with serving(faults) as url:
        with pytest.raises(DownloadFailedError, match="in circles"):
            fetch(url, store, small)
        assert_nothing_taken(store, entry_of(url, small))
    assert len(faults.requests) == 9


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://models.invalid/model.bin"])
def test_a_redirect_out_of_the_web_is_refused(store: Store, small: bytes, place: str) -> None:
    with serving(Faults(small, redirects=1, redirect_to=place)) as url:
        with pytest.raises(DownloadFailedError):
            fetch(url, store, small)
        assert_nothing_taken(store, entry_of(url, small))


# --- certificates


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a PEM file with the key and the self-made certificate of 127.0.0.1."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here to make a certificate with")
    folder = tmp_path_factory.mktemp("certificate")
    made = subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", "key.pem", "-out", "certificate.pem"],
        cwd=folder, capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("this openssl makes no certificate")
    both = folder / "both.pem"
    both.write_bytes((folder / "key.pem").read_bytes() + (folder / "certificate.pem").read_bytes())
    return both


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the system trust the certificate."""
    if sys.platform in ("win32", "darwin"):
        pytest.skip("the system's store cannot be replaced here")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_name("certificate.pem")))
    return certificate


def test_a_certificate_that_the_system_trusts_is_accepted(
    store: Store, small: bytes, trusted: Path
) -> None:
    with serving(Faults(small), trusted) as url:
        assert url.startswith("https://")
        fetch(url, store, small)
        assert_whole(store, entry_of(url, small), small)


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(
    store: Store, small: bytes, certificate: Path
) -> None:
    faults = Faults(small)
    with serving(faults, certificate) as url:
        with pytest.raises(DownloadFailedError, match=r"cannot prove .* self-signed.*clock"):
            fetch(url, store, small)
        assert_nothing_taken(store, entry_of(url, small))
    assert faults.requests == []


def test_a_redirect_to_an_open_address_is_refused_unasked(
    store: Store, small: bytes, trusted: Path
) -> None:
    faults = Faults(small, redirects=1, redirect_to="http://models.invalid/model.bin")
    with serving(faults, trusted) as url:
        with pytest.raises(DownloadFailedError, match=r"not encrypted \(http://models\.invalid\)"):
            fetch(url, store, small)
        assert_nothing_taken(store, entry_of(url, small))


# --- proxies


def test_the_proxy_of_the_environment_is_used(
    store: Store, small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = Faults(small)
    with serving(faults) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        fetch("http://models.invalid/", store, small)
    assert_whole(store, entry_of(proxy, small), small)
    assert faults.paths == ["http://models.invalid/model.bin"]


def test_hosts_can_be_excepted_from_the_proxy(
    store: Store, small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(Faults(small)) as url:
        fetch(url, store, small)
        assert_whole(store, entry_of(url, small), small)


def test_a_proxy_that_refuses_is_named(
    store: Store, small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Faults(small)) as proxy:  # it knows no CONNECT
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        with pytest.raises(DownloadFailedError, match="proxy lets nothing through"):
            fetch("https://models.invalid/", store, small)
    assert_nothing_taken(store, entry_of(proxy, small))


def test_a_proxy_that_is_none_is_named(
    store: Store, small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "gopher://127.0.0.1")
    with pytest.raises(DownloadFailedError, match=r"proxy .* cannot be used.*ALL_PROXY"):
        fetch("http://models.invalid/", store, small)


# --- what servers name


def linked(body: bytes, digest: str | None = None) -> dict[str, str]:
    """Return what HuggingFace sends along before it sends us to the file."""
    return {"X-Linked-Etag": f'"{digest or sha256(body)}"', "X-Linked-Size": str(len(body))}


def test_the_digest_that_huggingface_names_is_compared(store: Store, small: bytes) -> None:
    wrong = linked(small, digest="0" * 64)
    with serving(Faults(small, redirects=1, redirect_headers=wrong)) as url:
        with pytest.raises(ModelBrokenError, match="instead of 000000000000"):
            fetch(url, store, small, sha256=None, size_bytes=None)
        assert_nothing_taken(store, entry_of(url, small))


def test_with_the_right_digest_of_huggingface_a_file_is_taken(store: Store, small: bytes) -> None:
    faults = Faults(small, redirects=1, redirect_headers=linked(small), etag=None)
    with serving(faults) as url:
        fetch(url, store, small, sha256=None, size_bytes=None)
        assert_whole(store, entry_of(url, small, sha256=None, size_bytes=None), small)


def test_another_file_than_the_published_one_is_refused_before_a_byte_of_it(
    store: Store, small: bytes
) -> None:
    faults = Faults(small, redirects=1, redirect_headers=linked(small, digest="1" * 64))
    with serving(faults) as url:
        with pytest.raises(ModelBrokenError, match="its SHA-256 is 111111111111"):
            fetch(url, store, small)
        assert_nothing_taken(store, entry_of(url, small))
    assert store.staged_bytes(entry_of(url, small)) == 0


@pytest.mark.parametrize(("said", "is_right"), [(b"", True), (b"!", False)])
def test_the_md5_that_google_names_is_compared(
    store: Store, small: bytes, said: bytes, is_right: bool
) -> None:
    md5 = base64.b64encode(hashlib.md5(small + said).digest()).decode()
    headers = {"x-goog-hash": f"crc32c=AAAAAA==,md5={md5}"}
    with serving(Faults(small, headers=headers)) as url:
        entry = entry_of(url, small, sha256=None, size_bytes=None)
        if is_right:
            download_model(entry, store, patience=QUICK)
            assert_whole(store, entry, small)
        else:
            with pytest.raises(ModelBrokenError, match="came damaged"):
                download_model(entry, store, patience=QUICK)
            assert_nothing_taken(store, entry)


def test_a_server_that_asks_for_a_pause_gets_it(store: Store, small: bytes) -> None:
    faults = Faults(small, statuses=[503], headers={"Retry-After": "1"})
    with serving(faults) as url:
        started_s = time.monotonic()
        fetch(url, store, small)
        assert time.monotonic() - started_s >= 1.0
        assert_whole(store, entry_of(url, small), small)


HUB = "owner/name/resolve/main/"
LISTING = "/api/models/owner/name/tree/main"


def listing(*paths: str) -> bytes:
    return json.dumps([{"type": "file", "path": path, "size": 1} for path in paths]).encode()


def test_a_file_that_was_moved_within_its_repository_is_found(store: Store, small: bytes) -> None:
    faults = Faults(
        files={
            f"/{HUB}model.bin": 404,
            LISTING: listing("README.md", "from scratch/model.bin", "other.bin"),
            f"/{HUB}from%20scratch/model.bin": small,
        }
    )
    with serving(faults) as url:
        fetch(url + HUB, store, small)
        assert_whole(store, entry_of(url + HUB, small), small)
    assert faults.paths[1] == f"{LISTING}?recursive=true"


@pytest.mark.parametrize(
    "listed", [listing("a/model.bin", "b/model.bin"), listing("other.bin"), b"{}", b"<html>", 404]
)
def test_what_is_not_found_for_certain_is_missing(
    store: Store, small: bytes, listed: bytes | int
) -> None:
    faults = Faults(files={f"/{HUB}model.bin": 404, LISTING: listed})
    with serving(faults) as url:
        with pytest.raises(DownloadFailedError, match="answers 404"):
            fetch(url + HUB, store, small)
        assert_nothing_taken(store, entry_of(url, small))
        assert store.state_of(entry_of(url, small)) is ModelState.MISSING
