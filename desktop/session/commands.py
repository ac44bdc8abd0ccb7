"""What the user can do to the document and undo again, each as one step on the undo stack."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QUndoCommand

from core.engine.note_choice import NoteChoice
from core.score.tempo import TempoMap
from desktop.session.document import (
    Document,
    Song,
    SongChoice,
    Stem,
    StemChoice,
    StemState,
)
from desktop.session.naming import named_again
from desktop.session.track_ids import StemId, TrackId

_NEVER_MERGED = -1
_SLIDERS = {"sensitivity": 1, "split": 2, "min_note_s": 3}  # choices whose changes merge


def add_files(document: Document, files: Sequence[Path], *, song_name: str) -> None:
    """Add the files as stems of a new song, queued, and show it."""
    add_songs(document, [(song_name, files)])


def add_songs(document: Document, songs: Sequence[tuple[str, Sequence[Path]]]) -> None:
    """Add songs by name and files, as one step, queued; show the first."""
    document.undo_stack.push(_AddStems(document, [_new_song(document, *each) for each in songs]))


def join_files(document: Document, files: Sequence[Path], *, song: Song) -> None:
    """Add the files as further stems of a song, queued."""
    stems = [Stem(document.new_stem_id(), song.song_id, path) for path in files]
    document.undo_stack.push(_AddStems(document, [_SongStems(song, tuple(stems))]))


def remove_stem(document: Document, stem: Stem) -> None:
    """Take a stem out of its song; the song goes with its last one."""
    document.undo_stack.push(_RemoveStem(document, stem, _text("Remove '{0}'", stem.path.name)))


def replace_stem(document: Document, stem: Stem, path: Path) -> None:
    """Put another file in the place of a stem, as one step."""
    song = document.song(stem.song_id)
    if song is None:
        return
    document.undo_stack.beginMacro(_text("Replace '{0}'", stem.path.name))
    join_files(document, [path], song=song)
    remove_stem(document, stem)
    document.undo_stack.endMacro()


def choose_for_stem(document: Document, stem: Stem, choice: StemChoice) -> None:
    """Choose how a stem is heard: another kind or model takes a new run, thresholds do not."""
    if choice != stem.choice:
        text = _text("Change '{0}'", stem.path.name)
        document.undo_stack.push(_ChooseForStem(document, stem, choice, text))


def wish_for_model(document: Document, stem: Stem, model_id: str) -> None:
    """Choose a model that is not here yet; the notes that are there stay until it is."""
    choice = replace(stem.choice, model=model_id)
    if choice != stem.choice:
        text = _text("Change '{0}'", stem.path.name)
        document.undo_stack.push(_WishForModel(document, stem, choice, text))


def choose_tempo(document: Document, song: Song, tempo: TempoMap | None) -> None:
    """Choose tempo, meter and first downbeat of a song; None goes back to what was found."""
    _choose_for_song(document, song, replace(song.choice, tempo=tempo), _text("Change tempo"))


def rename_song(document: Document, song: Song, name: str) -> None:
    """Give a song the name that its exported files begin with."""
    if name and name != song.name:
        document.undo_stack.push(_RenameSong(document, song, name))


def rename_track(document: Document, song: Song, track_id: TrackId, name: str) -> None:
    """Give a track the name it has in exports."""
    choice = song.choice.renamed(track_id, name)
    _choose_for_song(document, song, choice, _text("Rename track to '{0}'", name))


def toggle_mute(document: Document, song: Song, track_id: TrackId) -> None:
    """Leave a track out of exports, or take it in again."""
    choice = replace(song.choice, muted=song.choice.muted ^ {track_id})
    _choose_for_song(document, song, choice, _text("Mute track"))


def toggle_solo(document: Document, song: Song, track_id: TrackId) -> None:
    """Export only soloed tracks, as long as there are any."""
    choice = replace(song.choice, soloed=song.choice.soloed ^ {track_id})
    _choose_for_song(document, song, choice, _text("Solo track"))


def _choose_for_song(document: Document, song: Song, choice: SongChoice, text: str) -> None:
    if choice != song.choice:
        document.undo_stack.push(_ChooseForSong(document, song, choice, text))


@dataclass(frozen=True, slots=True)
class _SongStems:
    """Stems to add, and their song, which may be there already."""

    song: Song
    stems: tuple[Stem, ...]


def _new_song(document: Document, name: str, files: Sequence[Path]) -> _SongStems:
    song = Song(document.new_song_id(), name)
    stems = tuple(Stem(document.new_stem_id(), song.song_id, path) for path in files)
    return _SongStems(song, stems)


class _AddStems(QUndoCommand):
    def __init__(self, document: Document, added: Sequence[_SongStems]) -> None:
        stems = [stem for each in added for stem in each.stems]
        one, several = _text("Add '{0}'", stems[0].path.name), _text("Add {0} files", len(stems))
        super().__init__(one if len(stems) == 1 else several)
        self._document = document
        self._added = tuple(added)

    def redo(self) -> None:
        for each in self._added:
            if self._document.song(each.song.song_id) is None:
                self._document.put_song(each.song)
            for stem in each.stems:
                self._document.put_stem(stem)
        self._document.select_stem(self._added[0].stems[0].stem_id)

    def undo(self) -> None:
        """Take the stems out as they are by then, so that redo brings their notes back."""
        self._added = tuple(self._as_it_is(each) for each in self._added)
        for each in self._added:
            for stem in each.stems:
                self._document.remove_stem(stem.stem_id)

    def _as_it_is(self, added: _SongStems) -> _SongStems:
        song = self._document.song(added.song.song_id) or added.song
        kept = [self._document.stem(stem.stem_id) for stem in added.stems]
        stems = tuple(_as_queued_if_unfinished(stem) for stem in kept if stem is not None)
        return _SongStems(song, stems)


class _RemoveStem(QUndoCommand):
    """Remembers the song too, because it goes with its last stem."""

    def __init__(self, document: Document, stem: Stem, text: str) -> None:
        super().__init__(text)
        self._document = document
        self._stem_id: StemId = stem.stem_id
        self._removed = stem
        self._song = _song_of(document, stem)

    def redo(self) -> None:
        stem = self._document.stem(self._stem_id)
        assert stem is not None
        self._removed, self._song = stem, _song_of(self._document, stem)
        self._document.remove_stem(stem.stem_id)

    def undo(self) -> None:
        if self._document.song(self._song.song_id) is None:
            self._document.put_song(self._song)
        self._document.put_stem(_as_queued_if_unfinished(self._removed))
        self._document.select_stem(self._stem_id)


class _ChooseForStem(QUndoCommand):
    """Another kind or model queues the stem; other thresholds name its notes again at once."""

    def __init__(self, document: Document, stem: Stem, choice: StemChoice, text: str) -> None:
        super().__init__(text)
        self._document = document
        self._stem_id = stem.stem_id
        self._before = stem
        self._choice = choice
        self._merge_id = _merge_id(stem.choice, choice)

    def redo(self) -> None:
        stem = self._document.stem(self._stem_id)
        assert stem is not None
        self._before = stem
        self._document.put_stem(self._chosen(stem))

    def undo(self) -> None:
        """Go back to the notes that were there; without any, hear the file again."""
        self._document.put_stem(_as_queued_if_unfinished(self._before))

    def _chosen(self, stem: Stem) -> Stem:
        return _with_choice(stem, self._choice)

    def id(self) -> int:
        return self._merge_id

    def mergeWith(self, later: QUndoCommand) -> bool:
        """Make one step of the many that a moving slider gives."""
        if not isinstance(later, _ChooseForStem) or later._stem_id != self._stem_id:
            return False
        self._choice = later._choice
        return True


class _WishForModel(_ChooseForStem):
    """Remembers the wish only."""

    def _chosen(self, stem: Stem) -> Stem:
        return replace(stem, choice=self._choice)

    def id(self) -> int:
        return _NEVER_MERGED


class _RenameSong(QUndoCommand):
    def __init__(self, document: Document, song: Song, name: str) -> None:
        super().__init__(_text("Rename song to '{0}'", name))
        self._document = document
        self._song_id = song.song_id
        self._before = song.name
        self._after = name

    def redo(self) -> None:
        self._put(self._after)

    def undo(self) -> None:
        self._put(self._before)

    def _put(self, name: str) -> None:
        song = self._document.song(self._song_id)
        assert song is not None
        self._document.put_song(replace(song, name=name))


class _ChooseForSong(QUndoCommand):
    def __init__(self, document: Document, song: Song, choice: SongChoice, text: str) -> None:
        super().__init__(text)
        self._document = document
        self._song_id = song.song_id
        self._before = song.choice
        self._after = choice

    def redo(self) -> None:
        self._put(self._after)

    def undo(self) -> None:
        self._put(self._before)

    def _put(self, choice: SongChoice) -> None:
        song = self._document.song(self._song_id)
        assert song is not None
        self._document.put_song(replace(song, choice=choice))


def _merge_id(before: StemChoice, after: StemChoice) -> int:
    """Return the same number for moves of the same slider, which undo together."""
    changed = [
        each.name
        for each in fields(NoteChoice)
        if getattr(before.notes, each.name) != getattr(after.notes, each.name)
    ]
    is_one = len(changed) == 1 and after.asks_the_same(before)
    return _SLIDERS.get(changed[0], _NEVER_MERGED) if is_one else _NEVER_MERGED


def _with_choice(stem: Stem, choice: StemChoice) -> Stem:
    if stem.heard is not None and choice.asks_the_same(stem.choice):
        return replace(stem, choice=choice, heard=named_again(stem.heard, choice.notes))
    return replace(stem, choice=choice, state=StemState.QUEUED, fraction=0.0, failure=None)


def _song_of(document: Document, stem: Stem) -> Song:
    song = document.song(stem.song_id)
    assert song is not None
    return song


def _as_queued_if_unfinished(stem: Stem) -> Stem:
    return replace(stem, state=StemState.QUEUED) if stem.state.is_waiting else stem


def _text(words: str, *parts: object) -> str:
    return QCoreApplication.translate("commands", words).format(*parts)
