"""Document: the songs in the window, their stems, and what the user chose about them.

Every value in it is frozen; a change replaces a value and is told by one signal. Changes that the
user makes go through the undo stack (session/commands.py), what the worker finds does not.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoStack

from core.audio.read import AudioScan
from core.engine.heard import HeardStem
from core.engine.note_choice import AS_USUAL, NoteChoice
from core.engine.options import AUTO_MODEL
from core.score.instruments import StemKind
from core.score.note import NoteEvent
from core.score.tempo import TempoMap
from core.score.transcription import Key, Track, Transcription, song_of
from desktop.session.heard_spans import NOTHING_HEARD, HeardSpans
from desktop.session.messages import Culprit
from desktop.session.track_ids import SongId, StemId, TrackColours, TrackId, track_ids


class StemState(StrEnum):
    """How far the work on a stem is."""

    QUEUED = "queued"
    PREPARING = "preparing"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_waiting(self) -> bool:
        """Whether notes are still to come without the user doing anything."""
        return self in (StemState.QUEUED, StemState.PREPARING, StemState.RUNNING)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a stem has no notes and what to do about it, in words for the user."""

    problem: str
    remedy: str
    culprit: Culprit = Culprit.RUN


@dataclass(frozen=True, slots=True)
class StemChoice:
    """What the user chose for one stem; `kind` None means: as recognised.

    Kind and model decide what the networks are asked, `notes` only how their answer is read.
    """

    kind: StemKind | None = None
    model: str = AUTO_MODEL
    notes: NoteChoice = AS_USUAL

    def asks_the_same(self, other: "StemChoice") -> bool:
        """Whether the networks' answer for the one choice is also the answer for the other."""
        return (self.kind, self.model) == (other.kind, other.model)


@dataclass(frozen=True, slots=True)
class Stem:
    """One audio file of a song and how far the work on it is.

    While the work runs, `early_notes` are those found so far, batch by batch, in `heard_spans`.
    """

    stem_id: StemId
    song_id: SongId
    path: Path
    choice: StemChoice = StemChoice()
    state: StemState = StemState.QUEUED
    stage: str = ""
    done_s: float = 0.0
    fraction: float = 0.0
    times_real_time: float = 0.0
    early_notes: tuple[tuple[NoteEvent, ...], ...] = ()
    heard_spans: HeardSpans = NOTHING_HEARD
    scan: AudioScan | None = None
    heard: HeardStem | None = None
    failure: Failure | None = None

    @property
    def kind(self) -> StemKind | None:
        """The kind that counts: chosen, else recognised, else None as long as it is unknown."""
        if self.choice.kind is not None:
            return self.choice.kind
        return self.heard.source.kind if self.heard is not None else None

    @property
    def duration_s(self) -> float:
        if self.scan is not None:
            return self.scan.duration_s
        return self.heard.source.duration_s if self.heard is not None else 0.0

    @property
    def is_superseded(self) -> bool:
        """Whether notes come in that are going to take the place of those there are."""
        return self.heard is not None and bool(self.early_notes)

    def without_early_notes(self) -> "Stem":
        return replace(self, early_notes=(), heard_spans=NOTHING_HEARD)


@dataclass(frozen=True, slots=True)
class SongTrack:
    """A track as the user sees it: renamed, with its colour, heard or not."""

    track_id: TrackId
    track: Track
    colour_index: int
    is_muted: bool
    is_soloed: bool
    is_exported: bool


@dataclass(frozen=True, slots=True)
class FoundTempo:
    """Tempo and key as the worker found them; `confidence` is 0..1."""

    tempo: TempoMap
    key: Key | None
    confidence: float
    how: str


@dataclass(frozen=True, slots=True)
class SongChoice:
    """What the user chose for a song; None means: as found."""

    tempo: TempoMap | None = None
    muted: frozenset[TrackId] = frozenset()
    soloed: frozenset[TrackId] = frozenset()
    names: tuple[tuple[TrackId, str], ...] = ()

    def name_of(self, track_id: TrackId, found: str) -> str:
        return dict(self.names).get(track_id, found)

    def renamed(self, track_id: TrackId, name: str) -> "SongChoice":
        kept = {**dict(self.names), track_id: name}
        return replace(self, names=tuple(kept.items()))

    def exports(self, track_id: TrackId) -> bool:
        if self.soloed:
            return track_id in self.soloed
        return track_id not in self.muted


@dataclass(frozen=True, slots=True)
class Song:
    """A song by name; its stems are the document's stems with this `song_id`."""

    song_id: SongId
    name: str
    found: FoundTempo | None = None
    choice: SongChoice = SongChoice()

    @property
    def tempo(self) -> TempoMap:
        if self.choice.tempo is not None:
            return self.choice.tempo
        return self.found.tempo if self.found is not None else TempoMap()

    @property
    def is_tempo_known(self) -> bool:
        """Whether `tempo` is more than a guess that everything starts with."""
        return self.choice.tempo is not None or self.found is not None

    @property
    def key(self) -> Key | None:
        return self.found.key if self.found is not None else None


class Document(QObject):
    """Holds the songs and stems; tells which one changed."""

    stemAdded = Signal(int)
    stemRemoved = Signal(int)
    stemChanged = Signal(int)  # state, progress, waveform, choice
    songChanged = Signal(int)  # tracks, tempo, name, what is muted
    songsChanged = Signal()  # a song came or went
    currentSongChanged = Signal()
    selectedStemChanged = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self._songs: dict[SongId, Song] = {}
        self._stems: dict[StemId, Stem] = {}
        self._tracks_of: dict[SongId, tuple[SongTrack, ...]] = {}  # until the song changes
        self._colours_of: dict[SongId, TrackColours] = {}
        self._last_id = 0
        self._current_song: SongId | None = None
        self._selected_stem: StemId | None = None

    def close(self) -> None:
        """Forget what could be undone, in silence; to be called before the last reference goes.

        The undo stack owns its commands, but Python's garbage collection, which may meet both in
        one cycle, frees them in any order, and some orders free a command twice.
        """
        self.undo_stack.blockSignals(True)
        self.undo_stack.clear()

    # --- reading

    @property
    def songs(self) -> tuple[Song, ...]:
        return tuple(self._songs.values())

    @property
    def stems(self) -> tuple[Stem, ...]:
        return tuple(self._stems.values())

    @property
    def current_song(self) -> Song | None:
        return self._songs[self._current_song] if self._current_song is not None else None

    @property
    def selected_stem(self) -> Stem | None:
        return self._stems[self._selected_stem] if self._selected_stem is not None else None

    def song(self, song_id: int) -> Song | None:
        return self._songs.get(SongId(song_id))

    def stem(self, stem_id: int) -> Stem | None:
        return self._stems.get(StemId(stem_id))

    def stems_of(self, song_id: SongId) -> tuple[Stem, ...]:
        return tuple(stem for stem in self._stems.values() if stem.song_id == song_id)

    def tracks_of(self, song_id: SongId) -> tuple[SongTrack, ...]:
        """Return the song's tracks in the order of its stems, as the user named and muted them."""
        if song_id not in self._tracks_of:
            self._tracks_of[song_id] = self._named_tracks(self._songs[song_id])
        return self._tracks_of[song_id]

    def colour_of(self, stem: Stem) -> int:
        """Return the place in the palette of the stem's waveform and of its first track."""
        return self._colours(stem.song_id).of_stem(stem.stem_id)

    def transcription_of(self, song_id: SongId) -> Transcription:
        """Return what is exported of the song: the tracks that are not muted."""
        song = self._songs[song_id]
        heard = [stem.heard for stem in self.stems_of(song_id) if stem.heard is not None]
        tracks = tuple(item.track for item in self.tracks_of(song_id) if item.is_exported)
        return Transcription(tracks, song.tempo, song.key, tuple(stem.source for stem in heard))

    # --- changing; what the user does reaches these through session/commands.py

    def new_song_id(self) -> SongId:
        return SongId(self._next_id())

    def new_stem_id(self) -> StemId:
        return StemId(self._next_id())

    def put_song(self, song: Song) -> None:
        """Add the song, or replace the one with its id."""
        is_new = song.song_id not in self._songs
        self._songs[song.song_id] = song
        self._tracks_of.pop(song.song_id, None)
        if is_new:
            self.songsChanged.emit()
        self.songChanged.emit(song.song_id)

    def put_stem(self, stem: Stem) -> None:
        """Add the stem, or replace the one with its id; its song must be there.

        Early notes leave when the work on the stem ends, whatever comes of it.
        """
        if stem.state is not StemState.RUNNING and stem.heard_spans.spans:
            stem = stem.without_early_notes()
        before = self._stems.get(stem.stem_id)
        self._stems[stem.stem_id] = stem
        is_as_long = before is not None and before.duration_s == stem.duration_s
        has_other_notes = before is None or before.heard is not stem.heard
        if has_other_notes:
            self._tracks_of.pop(stem.song_id, None)
        if before is None:
            self.stemAdded.emit(stem.stem_id)
        else:
            self.stemChanged.emit(stem.stem_id)
        if has_other_notes or not is_as_long:
            self.songChanged.emit(stem.song_id)

    def change_stem(self, stem_id: int, change: Callable[[Stem], Stem]) -> None:
        """Replace a stem by what `change` makes of it; do nothing if it is gone."""
        stem = self.stem(stem_id)
        if stem is not None:
            self.put_stem(change(stem))

    def remove_stem(self, stem_id: StemId) -> None:
        """Take the stem out, and its song with the last one."""
        stem = self._stems.pop(stem_id)
        self._tracks_of.pop(stem.song_id, None)
        if self._selected_stem == stem_id:
            self.select_stem(next((s.stem_id for s in self.stems_of(stem.song_id)), None))
        self.stemRemoved.emit(stem_id)
        if self.stems_of(stem.song_id):
            self.songChanged.emit(stem.song_id)
        else:
            self._remove_song(stem.song_id)

    def show_song(self, song_id: SongId | None) -> None:
        """Make this the song that the timeline shows; select its first stem."""
        if song_id != self._current_song:
            self._current_song = song_id
            self.currentSongChanged.emit()
        selected = self.selected_stem
        if song_id is None:
            self.select_stem(None)
        elif selected is None or selected.song_id != song_id:
            self.select_stem(next((stem.stem_id for stem in self.stems_of(song_id)), None))

    def select_stem(self, stem_id: StemId | None) -> None:
        """Select a stem, which shows its song."""
        if stem_id == self._selected_stem:
            return
        self._selected_stem = stem_id
        if stem_id is not None:
            self.show_song(self._stems[stem_id].song_id)
        self.selectedStemChanged.emit()

    def _named_tracks(self, song: Song) -> tuple[SongTrack, ...]:
        found = [
            entry
            for stem in self.stems_of(song.song_id)
            if stem.heard is not None
            for entry in zip(
                track_ids(stem.stem_id, stem.heard.source.kind, stem.heard.tracks),
                stem.heard.tracks,
                strict=True,
            )
        ]
        named = [
            track.renamed(song.choice.name_of(track_id, track.name)) for track_id, track in found
        ]
        numbered = song_of([Transcription(tuple(named))], tempo=song.tempo, key=None).tracks
        colours = self._colours(song.song_id)
        return tuple(
            SongTrack(
                track_id,
                track,
                colour_index=colours.of_track(track_id),
                is_muted=track_id in song.choice.muted,
                is_soloed=track_id in song.choice.soloed,
                is_exported=song.choice.exports(track_id),
            )
            for (track_id, _), track in zip(found, numbered, strict=True)
        )

    def _colours(self, song_id: SongId) -> TrackColours:
        return self._colours_of.setdefault(song_id, TrackColours())

    def _remove_song(self, song_id: SongId) -> None:
        del self._songs[song_id]
        self._colours_of.pop(song_id, None)
        if self._current_song == song_id:
            self.show_song(next(iter(self._songs), None))
        self.songsChanged.emit()

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id
