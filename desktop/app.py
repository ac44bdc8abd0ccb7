"""The composition root: makes the objects, wires them together, and ends them in order."""

import logging
import os
import re
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

import platformdirs
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication

from core.daw.folders import FoundDaw, find_daws, this_machine
from desktop.playback.player import Player
from desktop.playback.sound_device import SoundDevice, SystemSound
from desktop.session.background import Background
from desktop.session.document import Document
from desktop.session.drag_files import DragFiles
from desktop.session.exporting import Exporter
from desktop.session.garbage import collect_garbage_here
from desktop.session.importing import Importer
from desktop.session.model_library import ModelLibrary
from desktop.session.settings import Settings
from desktop.session.transcribe_job import TranscribeJob
from desktop.session.transcription_queue import TranscriptionQueue
from desktop.session.worker_process import worker_main
from desktop.views.export_menu import FindDaws
from desktop.views.main_window import MainWindow
from desktop.views.theme import apply_theme
from desktop.views.window_parts import WindowParts

NAME = "Notewright"
LOG_BYTES = 500_000
SIGNALS_EVERY_MS = 250
DEMO_STEMS = ("drums.flac", "bass.flac", "keys.flac", "lead.flac")
_DEMO_FOLDER = Path(__file__).resolve().parents[1] / "resources" / "demo"

_log = logging.getLogger(__name__)


class Desk:
    """Everything that lives while the window is open; `close` ends it all."""

    def __init__(
        self,
        *,
        settings: Settings,
        cache: Path,
        job: TranscribeJob | None = None,
        sound: SoundDevice | None = None,
        find: FindDaws | None = None,
        library: ModelLibrary | None = None,
    ) -> None:
        self.document = Document()
        self.background = Background()
        self.writing = Background(threads=1)  # two exports at once would race for a free name
        self.job = job or TranscribeJob(worker_main)
        self.library = library or ModelLibrary()
        self.player = Player(sound or SystemSound())
        self.drag_files = DragFiles(cache / "drag", _today)
        self.parts = WindowParts(
            document=self.document,
            queue=TranscriptionQueue(
                self.document, self.job, library=self.library, settings=settings
            ),
            library=self.library,
            importer=Importer(self.document, self.background),
            exporter=Exporter(self.document, self.writing, settings),
            player=self.player,
            background=self.background,
            settings=settings,
            drag_files=self.drag_files,
            find_daws=find or _daws_of_this_machine,
            demo_files=demo_files(),
        )
        self.window = MainWindow(self.parts)

    def start_late(self) -> None:
        """Do what can wait until the window stands."""
        self.job.warm_up()
        self.player.look_for_device()
        self.library.refresh()
        self.background.run(
            lambda _cancel: self.drag_files.prune(),
            then=lambda _: None,
            failed=lambda error: _log.warning("%s", error),
        )

    def close(self) -> None:
        """Stop sound, threads and the worker process; ask nothing."""
        self.document.close()
        self.player.close()
        self.job.close()
        self.library.close()
        self.background.close()
        self.writing.finish()  # an export that was asked for is not dropped


def run(arguments: Sequence[str]) -> int:
    """Show the window, open the files named in `arguments`, and return the exit status."""
    why_not = _why_no_display()
    if why_not is not None:
        sys.stderr.write(f"{why_not}\n")
        return 1
    _log_to_file()
    application = QApplication([NAME, *_qt_arguments(arguments)])
    application.setApplicationName(NAME)
    apply_theme(application)
    collect_garbage_here(application)
    desk = Desk(settings=_stored_settings(), cache=platformdirs.user_cache_path("notewright"))
    desk.window.show()
    files = [Path(argument).absolute() for argument in arguments if not argument.startswith("-")]
    if files:
        desk.parts.importer.add(files)
    QTimer.singleShot(0, desk.start_late)
    _end_on_signals(application)
    with _unforeseen_told_by(desk.window):
        status = application.exec()
    desk.close()
    return status


def demo_files() -> tuple[Path, ...]:
    """Return the demo song's stems; nothing if they were not installed."""
    files = tuple(_DEMO_FOLDER / name for name in DEMO_STEMS)
    return files if all(file.is_file() for file in files) else ()


def _log_to_file() -> None:
    folder = platformdirs.user_log_path("notewright")
    folder.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(
        folder / "window.log", maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8"
    )
    logging.basicConfig(
        level=logging.INFO,
        handlers=[handler],
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )


def _end_on_signals(application: QApplication) -> None:
    """Quit properly on Ctrl-C and on the system's request to end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: application.quit())
    # Python looks at signals only between its own steps, so something must take one now and then.
    awake = QTimer(application)
    awake.timeout.connect(lambda: None)
    awake.start(SIGNALS_EVERY_MS)


@contextmanager
def _unforeseen_told_by(window: MainWindow) -> Iterator[None]:
    """Log what no code foresaw and say so in the window, which stays open."""

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        _log.error("unforeseen", exc_info=(kind, error, trace))
        window.notices.warn(
            f"Something unforeseen went wrong: {kind.__name__}: {error}. "
            "Your files are untouched; if it stays so, please report this sentence."
        )

    sys.excepthook = tell
    try:
        yield
    finally:
        sys.excepthook = sys.__excepthook__


def _stored_settings() -> Settings:
    folder = platformdirs.user_config_path("notewright")
    folder.mkdir(parents=True, exist_ok=True)
    return Settings(QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat))


def _today() -> date:
    return datetime.now().astimezone().date()


def _daws_of_this_machine() -> tuple[FoundDaw, ...]:
    return find_daws(this_machine())


def _qt_arguments(arguments: Sequence[str]) -> list[str]:
    return [argument for argument in arguments if argument.startswith("-")]


def _why_no_display() -> str | None:
    """Say in one line why no window can open; Qt itself would abort with a page of text."""
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM"):
        return None
    if os.environ.get("WAYLAND_DISPLAY"):
        return None
    display = os.environ.get("DISPLAY", "")
    if not display:
        problem = "and none is set"
    elif not _answers(display):
        problem = f"and '{display}' does not answer"
    else:
        return None
    return f"Notewright needs a display, {problem}. In a terminal use: notewright transcribe"


def _answers(display: str) -> bool:
    """Tell whether an X server of this machine listens; of one elsewhere, hope so."""
    local = re.fullmatch(r"(?:unix)?:(\d+)(?:\.\d+)?", display)
    if local is None:
        return True
    path = f"/tmp/.X11-unix/X{local[1]}"
    for address in (path, "\0" + path):
        with socket.socket(socket.AF_UNIX) as knock, suppress(OSError):
            knock.connect(address)
            return True
    return False
