"""DragFiles: the MIDI files that are dragged out or copied, written at that moment.

They are real files in the cache, because a DAW may refer to a dropped file instead of copying it;
after two weeks they go.
"""

import logging
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from core.errors import ExportError
from core.midi.file_name import file_name, free_path
from core.midi.write import (
    DEFAULT_OPTIONS,
    MidiOptions,
    midi_bytes,
    split_tracks,
    write_midi,
)
from core.score.transcription import Transcription

KEPT = timedelta(days=14)

_log = logging.getLogger(__name__)


class DragFiles:
    """Writes into one folder per day below `root`."""

    def __init__(self, root: Path, today: Callable[[], date]) -> None:
        self._root = root
        self._today = today

    def write(
        self,
        song: Transcription,
        song_name: str,
        *,
        track_name: str | None = None,
        options: MidiOptions = DEFAULT_OPTIONS,
    ) -> tuple[Path, ...]:
        """Return the files that hold the song: one, or more where it has too many tracks for one.

        A file with the same notes that was written today is used again, so that dragging twice does
        not put a number behind the name.

        Raises:
            ExportError: the cache folder cannot take the files.
        """
        folder = self._root / self._today().isoformat()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ExportError(
                f"Cannot make the folder '{folder}' for dragging: {error.strerror}.",
                "Free some space, or use Export instead.",
            ) from error
        parts = split_tracks(song, options)
        numbered = [f"{song_name} {number}" for number in range(1, len(parts) + 1)]
        names = numbered if len(parts) > 1 else [song_name]
        return tuple(
            _written(part, folder, file_name([name, track_name] if track_name else [name]), options)
            for part, name in zip(parts, names, strict=True)
        )

    def prune(self) -> None:
        """Remove the folders of days longer ago than KEPT; leave whatever else lies there."""
        if not self._root.is_dir():
            return
        for folder in self._root.iterdir():
            try:
                day = date.fromisoformat(folder.name)
            except ValueError:
                continue
            if self._today() - day > KEPT:
                shutil.rmtree(folder, ignore_errors=True)
                _log.info("removed the drag files of %s", day)


def _written(song: Transcription, folder: Path, name: str, options: MidiOptions) -> Path:
    wanted = folder / name
    if wanted.is_file() and wanted.read_bytes() == midi_bytes(song, options, title=wanted.stem):
        return wanted
    return write_midi(song, free_path(folder, name), options)
