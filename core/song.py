"""A song: several stems on one time axis, one tempo map, one MIDI file.

`transcribe_song` is the whole path from audio files to a Transcription; the terminal and the
window's worker process call the same steps, so that both give the same notes.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core.engine.heard import HeardStem
from core.engine.progress import CancelToken, Progress
from core.engine.transcriber import Transcriber
from core.errors import AppError, CancelledError
from core.rhythm.estimate import TempoChoice, TempoEstimate, estimate_tempo
from core.score.instruments import StemKind, kind_from_name, without_stem_words
from core.score.key import estimate_key
from core.score.transcription import Transcription, song_of


@dataclass(frozen=True, slots=True)
class SongFiles:
    """The audio files of one song: its stems in the order given, or a single file."""

    name: str
    files: tuple[Path, ...]


def songs_in(files: Iterable[Path]) -> tuple[SongFiles, ...]:
    """Sort files into songs: stems of one folder that share a name are one song.

    "Blue - drums.wav" and "Blue - bass.wav" belong together, and so do "drums.wav" and "bass.wav".
    A mix is a song of its own, because it holds the notes of the stems a second time.
    """
    groups: dict[tuple[Path, str], list[Path]] = {}
    for file in files:
        kind = kind_from_name(file.stem)
        is_stem = kind is not None and kind is not StemKind.MIX
        name = without_stem_words(file.stem) if is_stem else f"/{file.name}"
        groups.setdefault((file.parent, name), []).append(file)
    return tuple(_song(folder, members) for (folder, _), members in groups.items())


def one_song_of(files: Sequence[Path]) -> SongFiles:
    """Treat all files as stems of one song, named after what their names share."""
    return _song(files[0].parent, list(files))


def _song(folder: Path, files: list[Path]) -> SongFiles:
    if len(files) == 1:
        return SongFiles(files[0].stem, tuple(files))
    shared = _shared_start([file.stem for file in files])
    return SongFiles(shared or folder.resolve().name or "Song", tuple(files))


def _shared_start(names: Sequence[str]) -> str:
    """Return the words that all names begin with: "Blue - drums", "Blue - bass" -> "Blue"."""
    split = [re.split(r"(?<=[\s_\-.])", name) for name in names]
    shared = []
    for parts in zip(*split, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return "".join(shared).strip(" _-.")


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be heard, and why."""

    path: Path
    error: AppError


@dataclass(frozen=True, slots=True)
class HeardSong:
    """What came of a song's files; `transcription` is None if not one of them could be heard."""

    files: SongFiles
    stems: tuple[HeardStem, ...]
    failures: tuple[Failure, ...]
    tempo: TempoEstimate | None
    transcription: Transcription | None


def transcribe_song(
    song: SongFiles,
    transcriber: Transcriber,
    *,
    kind: StemKind | None = None,
    tempo: TempoChoice,
    on_progress: Callable[[Path, Progress], None],
    cancel: CancelToken,
) -> HeardSong:
    """Hear each file, find the tempo over all of them, and join the notes into one song.

    A file that fails is reported and the others go on.

    Raises:
        CancelledError: the user stopped the work.
    """
    stems, failures = [], []
    for path in song.files:
        report = partial(on_progress, path)
        try:
            stems.append(transcriber.transcribe(path, kind=kind, on_progress=report, cancel=cancel))
        except CancelledError:
            raise
        except AppError as error:
            failures.append(Failure(path, error))
    if not stems:
        return HeardSong(song, (), tuple(failures), None, None)
    estimate = find_tempo(stems, tempo, cancel=cancel)
    transcription = song_from(stems, estimate)
    return HeardSong(song, tuple(stems), tuple(failures), estimate, transcription)


def find_tempo(
    stems: Sequence[HeardStem], choice: TempoChoice, *, cancel: CancelToken
) -> TempoEstimate:
    """Find tempo, meter and first downbeat over all stems; what `choice` fixes is kept."""
    tracks = [track for stem in stems for track in stem.tracks]
    paths = [stem.path for stem in stems]
    return estimate_tempo(paths, tracks, choice, on_step=cancel.raise_if_set)


def song_from(stems: Sequence[HeardStem], estimate: TempoEstimate) -> Transcription:
    """Join heard stems into one song with the tempo found and the key of all their notes."""
    parts = [Transcription(stem.tracks, sources=(stem.source,)) for stem in stems]
    tracks = [track for stem in stems for track in stem.tracks]
    return song_of(parts, tempo=estimate.tempo, key=estimate_key(tracks))
