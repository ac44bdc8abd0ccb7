"""What the window's tests share: a desk with a scripted job, and a check that nothing is left."""

import gc
import multiprocessing
import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import QSettings, QThread, QThreadPool
from PySide6.QtWidgets import QApplication

from core.model_manager.store import Store
from desktop.app import Desk
from desktop.session.model_library import ModelLibrary
from desktop.session.settings import Settings
from tests.desktop import fakes
from tests.desktop.fakes import FakeShelf, FakeSound, ScriptedJob

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # tests open no window on a real screen


@pytest.fixture
def settings(tmp_path):
    store = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    return Settings(store)


@pytest.fixture
def job():
    return ScriptedJob()


@pytest.fixture
def sound():
    return FakeSound()


@pytest.fixture
def shelf():
    return FakeShelf()


@pytest.fixture
def library(qapp, tmp_path, shelf):
    """A library over an empty store, into which the fake shelf puts models."""
    store = Store(tmp_path / "models")
    library = ModelLibrary(
        store, fakes.CATALOG, download=shelf.download, import_file=shelf.import_file
    )
    yield library
    library.close()


@pytest.fixture
def desk(qtbot, tmp_path, settings, job, sound, library):
    """A shown window whose job answers when the test says so, with a fake sound card."""
    desk = Desk(
        settings=settings,
        cache=tmp_path / "cache",
        job=job,
        sound=sound,
        find=tuple,
        library=library,
    )
    desk.player.look_for_device()
    desk.window.show()
    qtbot.waitExposed(desk.window)
    yield desk
    desk.window.close()
    desk.close()
    desk.window.deleteLater()


@pytest.fixture
def wav(tmp_path):
    """Return a function that writes a short tone under a name and returns its path."""

    def write(name: str, *, seconds: float = 0.5, folder: Path | None = None) -> Path:
        path = (folder or tmp_path / "audio") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        at_s = np.arange(round(seconds * 8000)) / 8000
        soundfile.write(path, 0.3 * np.sin(2 * np.pi * 220 * at_s), 8000)
        return path

    return write


@pytest.fixture(autouse=True)
def garbage_is_collected_here():
    """Free what a test leaves in the window's thread; on its own Python might in another one."""
    gc.disable()
    yield
    gc.collect(1)
    gc.enable()


@pytest.fixture(autouse=True)
def nothing_is_left_running(request):
    """Fail a test that leaves a child process, a busy pool or a visible window behind."""
    yield
    assert not multiprocessing.active_children()
    assert QThreadPool.globalInstance().activeThreadCount() == 0
    application = QApplication.instance()
    if application is not None:
        application.processEvents()
        assert [w for w in application.topLevelWidgets() if w.isVisible()] == []
        assert QThread.currentThread() is application.thread()


@pytest.fixture
def today():
    return lambda: date(2026, 11, 20)
