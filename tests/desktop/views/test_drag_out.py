import mido
import pytest
from PySide6.QtCore import QPoint, Qt

from core.errors import ExportError
from desktop.session.drag_files import DragFiles
from desktop.views.drag_out import DragHandle, make_mime
from tests import make

pytestmark = pytest.mark.gui


def test_each_file_is_one_local_url_and_there_is_no_text(tmp_path):
    files = [tmp_path / "Blue.mid", tmp_path / "Blue 2.mid"]
    mime = make_mime(files)
    assert [url.toLocalFile() for url in mime.urls()] == [str(file) for file in files]
    assert mime.formats() == ["text/uri-list"]


def pull(qtbot, handle, by_px):
    """Press the handle and move the mouse."""
    start = QPoint(5, 5)
    qtbot.mousePress(handle, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(handle, start + QPoint(by_px, 0))
    qtbot.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=start + QPoint(by_px, 0))


@pytest.fixture
def drags():
    return []


@pytest.fixture
def handle(qtbot, tmp_path, drags, today):
    song = make.song(make.track(make.note(60, 0.0, 0.5)))
    files = DragFiles(tmp_path, today)
    handle = DragHandle(lambda: files.write(song, "Blue"), name="Drag", run=drags.append)
    qtbot.addWidget(handle)
    handle.show()
    yield handle
    handle.hide()


def test_the_file_is_written_when_the_drag_starts_and_parses(handle, qtbot, drags, tmp_path):
    pull(qtbot, handle, 40)
    (drag,) = drags
    (url,) = drag.mimeData().urls()
    assert url.toLocalFile().endswith("Blue.mid")
    assert len(mido.MidiFile(url.toLocalFile()).tracks) == 2


def test_nothing_is_written_before_the_mouse_has_moved_enough(handle, qtbot, drags, tmp_path):
    with qtbot.waitSignal(handle.clickedWithoutDrag):
        pull(qtbot, handle, 2)
    assert drags == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_told(qtbot, drags):
    def refuse():
        raise ExportError("The disk is full.", "Free some space.")

    handle = DragHandle(refuse, name="Drag", run=drags.append)
    qtbot.addWidget(handle)
    with qtbot.waitSignal(handle.failed) as failed:
        pull(qtbot, handle, 40)
    assert str(failed.args[0]) == "The disk is full. Free some space."
    assert drags == []
