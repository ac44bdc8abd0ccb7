"""A song: several stems on one time axis, one tempo map, one MIDI file.

`transcribe_song` is the whole path from audio files to a Transcription; the terminal and the
window's worker process call the same steps, so that both give the same notes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core.engine.heard import HeardStem
from core.engine.progress import CancelToken, Progress
from core.engine.transcriber import Transcriber
from core.errors import AppError, CancelledError
from core.rhythm.estimate import TempoChoice, TempoEstimate, estimate_tempo
from core.score.instruments import StemKind
from core.score.key import estimate_key
from core.score.transcription import Transcription, song_of
from core.song_files import SongFiles


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
    return estimate_tempo(paths, tracks, choice, cancel=cancel)


def song_from(stems: Sequence[HeardStem], estimate: TempoEstimate) -> Transcription:
    """Join heard stems into one song with the tempo found and the key of all their notes."""
    parts = [Transcription(stem.tracks, sources=(stem.source,)) for stem in stems]
    tracks = [track for stem in stems for track in stem.tracks]
    return song_of(parts, tempo=estimate.tempo, key=estimate_key(tracks))
