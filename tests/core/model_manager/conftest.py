"""What the tests of the model manager share."""

import random

import pytest

from core.model_manager import download, store

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxies of the machine that tests run on must not stand between them and their server."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def any_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every file pass for a checkpoint."""
    for module in (download, store):
        monkeypatch.setattr(module, "check_fits", lambda _entry, _path: None)


@pytest.fixture
def small(any_network: None) -> bytes:
    """Return 300 kB of noise that pass for a checkpoint."""
    return random.Random(7).randbytes(300_000)
