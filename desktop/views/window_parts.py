"""WindowParts: what the window works with; made and ended by desktop.app."""

from dataclasses import dataclass
from pathlib import Path

from desktop.playback.player import Player
from desktop.session.background import Background
from desktop.session.document import Document
from desktop.session.drag_files import DragFiles
from desktop.session.exporting import Exporter
from desktop.session.importing import Importer
from desktop.session.model_library import ModelLibrary
from desktop.session.settings import Settings
from desktop.session.transcription_queue import TranscriptionQueue
from desktop.views.export_menu import FindDaws


@dataclass(frozen=True, slots=True)
class WindowParts:
    """One of each, for the one window."""

    document: Document
    queue: TranscriptionQueue
    library: ModelLibrary
    importer: Importer
    exporter: Exporter
    player: Player
    background: Background
    settings: Settings
    drag_files: DragFiles
    find_daws: FindDaws
    demo_files: tuple[Path, ...]
