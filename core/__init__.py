"""Notewright without a screen: audio files in, notes and MIDI files out.

The main path is `core.song.transcribe_song`: for each file `engine.transcriber.Transcriber` reads
(`audio`), hears (`features`), thinks (`models`) and names (`codec`) its notes; `rhythm` finds bars
and beats over all stems; `score` holds the song. `midi` writes the file and `daw` puts it where the
DAW looks. `cli` is the whole of it from a terminal. Read in that order.

From Python: `from core import list_models, download_model, load_model, transcribe, NoteChoice`,
which are those of `core.api`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.api import download_model, list_models, load_model, transcribe
    from core.engine.note_choice import NoteChoice

__all__ = ["NoteChoice", "download_model", "list_models", "load_model", "transcribe"]


def __getattr__(name: str) -> object:
    """Import the public functions at their first use: they need torch, `import core` does not."""
    if name in __all__:
        from core import api

        return getattr(api, name)
    raise AttributeError(f"module 'core' has no attribute '{name}'")
