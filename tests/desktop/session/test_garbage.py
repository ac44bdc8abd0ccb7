"""Cycles of Qt's objects are freed in the window's thread."""

import gc
import subprocess
import sys
import threading
import weakref

import pytest
from PySide6.QtCore import QObject

from desktop.session.garbage import collect_garbage_here, collect_what_is_due

pytestmark = pytest.mark.gui

FREED_IN_ANY_ORDER = """
import gc, random
from pathlib import Path
from PySide6.QtGui import QGuiApplication
from desktop.session.commands import add_files
from desktop.session.document import Document

application = QGuiApplication(["test", "-platform", "offscreen"])
gc.disable()
dice = random.Random(1)
for _ in range(200):
    document = Document()
    document.cycle = document
    for number in range(dice.randrange(1, 5)):
        add_files(document, [Path(f"{number}.wav")], song_name="Blue")
        if dice.random() < 0.4:
            gc.collect(dice.randrange(2))
    document.close()
    del document
    gc.collect(dice.randrange(3))
"""


@pytest.fixture
def cycles():
    """Return a function that leaves so many cycles of QObjects behind and watches them."""

    def leave(count):
        made = [QObject() for _ in range(count)]
        for one in made:
            one.cycle = one
        return [weakref.ref(one) for one in made]

    return leave


@pytest.fixture
def _as_before():
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("qapp", "_as_before")
def test_no_other_thread_frees_a_cycle(cycles):
    owner = QObject()
    collect_garbage_here(owner)
    left = cycles(5)
    busy = threading.Thread(target=lambda: [[] for _ in range(100_000)])
    busy.start()
    busy.join()
    assert all(reference() is not None for reference in left)
    assert not gc.isenabled()


@pytest.mark.usefixtures("qapp", "_as_before")
def test_the_event_loop_frees_them(cycles, qtbot):
    owner = QObject()
    collect_garbage_here(owner)
    left = cycles(2 * gc.get_threshold()[0])
    qtbot.waitUntil(lambda: all(reference() is None for reference in left))


@pytest.mark.usefixtures("qapp")
def test_little_garbage_can_wait(cycles):
    gc.collect()
    left = cycles(3)
    collect_what_is_due()
    assert all(reference() is not None for reference in left)


def test_a_closed_document_may_be_freed_in_any_order():
    # Without Document.close this ends in a segmentation fault.
    done = subprocess.run([sys.executable, "-c", FREED_IN_ANY_ORDER], check=False, timeout=60)
    assert done.returncode == 0
