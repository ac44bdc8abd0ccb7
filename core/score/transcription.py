"""Transcription: tracks of notes, the tempo map under them, and where they came from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from core.score.instruments import StemKind
from core.score.note import NoteEvent
from core.score.tempo import TempoMap


@dataclass(frozen=True, slots=True)
class Key:
    """A key signature: tonic pitch class (0 = C) and mode."""

    tonic: int
    is_minor: bool

    def __post_init__(self) -> None:
        if not 0 <= self.tonic <= 11:
            raise ValueError(f"tonic {self.tonic} is outside 0..11")


@dataclass(frozen=True, slots=True)
class Source:
    """Where notes came from: the audio file and the model that heard it."""

    file_name: str
    duration_s: float
    kind: StemKind
    model: str
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class Track:
    """One instrument: notes in time order that share a program."""

    name: str
    notes: tuple[NoteEvent, ...]
    program: int = 0
    is_drum: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", tuple(sorted(self.notes)))

    def renamed(self, name: str) -> "Track":
        return replace(self, name=name)


@dataclass(frozen=True, slots=True)
class Transcription:
    """What one or more audio files of a song say, on one time axis in seconds."""

    tracks: tuple[Track, ...]
    tempo: TempoMap = field(default_factory=TempoMap)
    key: Key | None = None
    sources: tuple[Source, ...] = ()

    @property
    def note_count(self) -> int:
        return sum(len(track.notes) for track in self.tracks)

    @property
    def end_s(self) -> float:
        """End of the last note or of the longest source, whichever is later."""
        ends = [note.offset_s for track in self.tracks for note in track.notes]
        return max([0.0, *ends, *(source.duration_s for source in self.sources)])

    def with_tempo(self, tempo: TempoMap) -> "Transcription":
        return replace(self, tempo=tempo)

    def with_key(self, key: Key | None) -> "Transcription":
        return replace(self, key=key)

    def only(self, track: Track) -> "Transcription":
        """Return the same song with this one track."""
        return replace(self, tracks=(track,))


def song_of(parts: Iterable[Transcription], *, tempo: TempoMap, key: Key | None) -> Transcription:
    """Join the transcriptions of a song's stems into one, in the order given.

    Tracks of the same name get a number, so that each stays recognisable in the DAW.
    """
    listed = list(parts)
    tracks = _numbered([track for part in listed for track in part.tracks])
    sources = tuple(source for part in listed for source in part.sources)
    return Transcription(tracks, tempo, key, sources)


def _numbered(tracks: Sequence[Track]) -> tuple[Track, ...]:
    names = {track.name for track in tracks}  # not to be given to another track
    given: set[str] = set()
    numbered = []
    for track in tracks:
        name, number = track.name, 1
        while name in given or (number > 1 and name in names):
            number += 1
            name = f"{track.name} {number}"
        given.add(name)
        numbered.append(track.renamed(name))
    return tuple(numbered)
