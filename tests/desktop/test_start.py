import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.gui

SHOW = """
import sys
from pathlib import Path
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from desktop.app import Desk
from desktop.session.settings import Settings
from tests.desktop.fakes import FakeSound, ScriptedJob

application = QApplication([])
store = QSettings(sys.argv[1] + "/window.ini", QSettings.Format.IniFormat)
desk = Desk(settings=Settings(store), cache=Path(sys.argv[1]), job=ScriptedJob(), sound=FakeSound())
desk.window.show()
application.processEvents()
print(sorted({"torch", "librosa", "transformers", "scipy"} & set(sys.modules)))
desk.window.close()
desk.close()
"""


def python(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_shown_window_has_not_imported_torch(tmp_path):
    shown = python("-c", SHOW, str(tmp_path), QT_QPA_PLATFORM="offscreen")
    assert shown.stdout.splitlines()[-1:] == ["[]"], shown.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
@pytest.mark.parametrize(
    ("display", "problem"), [("", "none is set"), (":4711", "':4711' does not answer")]
)
def test_without_a_display_one_line_says_so(display, problem):
    ended = python("-m", "desktop", DISPLAY=display, WAYLAND_DISPLAY="", QT_QPA_PLATFORM="")
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        f"Notewright needs a display, and {problem}. In a terminal use: notewright transcribe"
    ]


def test_the_worker_module_can_be_named_without_importing_torch():
    code = "import sys, desktop.session.worker_process; print('torch' in sys.modules)"
    assert python("-c", code).stdout == "False\n"
