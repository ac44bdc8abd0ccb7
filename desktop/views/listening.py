"""Listening: what the player plays - all stems of the song shown, or the selected one alone."""

from functools import partial

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from core.errors import AppError
from desktop.playback.loading import load_sound
from desktop.playback.player import Player, Sound
from desktop.session.background import Background
from desktop.session.document import Document, Stem, StemId

_Samples = npt.NDArray[np.float32]


class Listening(QObject):
    """Loads the sound of stems when the user first wants to hear them, and keeps it."""

    failed = Signal(AppError)

    def __init__(self, document: Document, player: Player, background: Background) -> None:
        super().__init__(player)
        self._document = document
        self._player = player
        self._background = background
        self._loaded: dict[StemId, Sound] = {}
        self._loading: set[StemId] = set()
        self._rate = 0
        self._plays_when_loaded = False
        self._is_selected_only = False
        document.currentSongChanged.connect(self._change_song)
        document.selectedStemChanged.connect(self._set_gains)
        document.stemRemoved.connect(self._forget)
        document.stemChanged.connect(self._take_in)
        player.availabilityChanged.connect(self._load_anew)

    def toggle(self) -> None:
        """Play or pause; the first time, load what is to be heard and then play."""
        if self._player.is_playing:
            self._player.pause()
            return
        self._plays_when_loaded = True
        self._load_missing()
        self._play_if_loaded()

    def hear_selected_only(self, is_selected_only: bool) -> None:
        self._is_selected_only = is_selected_only
        self._set_gains()

    def _stems(self) -> tuple[Stem, ...]:
        """Return the stems of the song shown that can be read."""
        song = self._document.current_song
        if song is None:
            return ()
        stems = self._document.stems_of(song.song_id)
        return tuple(stem for stem in stems if stem.scan is not None)

    def _load_missing(self) -> None:
        rate = self._player.sample_rate
        for stem in self._stems():
            if rate and stem.stem_id not in self._loaded and stem.stem_id not in self._loading:
                self._load(stem, rate)

    def _load(self, stem: Stem, rate: int) -> None:
        self._loading.add(stem.stem_id)
        path = stem.path
        self._background.run(
            lambda _cancel: load_sound(path, rate),
            then=partial(self._keep, stem.stem_id, rate),
            failed=partial(self._give_up, stem.stem_id),
        )

    def _keep(self, stem_id: StemId, rate: int, samples: _Samples) -> None:
        self._loading.discard(stem_id)
        if rate == self._player.sample_rate and self._document.stem(stem_id) is not None:
            self._loaded[stem_id] = Sound(stem_id, samples)
        self._fill_player()
        self._play_if_loaded()

    def _give_up(self, stem_id: StemId, error: AppError) -> None:
        self._loading.discard(stem_id)
        self.failed.emit(error)
        self._play_if_loaded()

    def _play_if_loaded(self) -> None:
        if self._plays_when_loaded and not self._loading:
            self._plays_when_loaded = False
            self._fill_player()
            self._player.play()

    def _fill_player(self) -> None:
        stems = self._stems()
        sounds = [self._loaded[stem.stem_id] for stem in stems if stem.stem_id in self._loaded]
        duration_s = max((stem.duration_s for stem in stems), default=0.0)
        self._player.load(sounds, duration_s=duration_s)
        self._set_gains()

    def _set_gains(self) -> None:
        selected = self._document.selected_stem
        self._player.set_gains(
            {
                stem.stem_id: 1.0
                for stem in self._stems()
                if not self._is_selected_only or stem is selected
            }
        )

    def _take_in(self) -> None:
        """Hear a stem that was added while playing."""
        if self._player.is_playing:
            self._load_missing()
        self._fill_player()

    def _change_song(self) -> None:
        """Keep only the sounds of the song shown; they are large."""
        shown = {stem.stem_id for stem in self._stems()}
        self._loaded = {key: sound for key, sound in self._loaded.items() if key in shown}
        self._plays_when_loaded = False
        self._player.clear_loop()
        self._player.stop()
        self._fill_player()

    def _forget(self, stem_id: int) -> None:
        self._loaded.pop(StemId(stem_id), None)
        self._fill_player()

    def _load_anew(self) -> None:
        """Drop what was loaded for another rate."""
        if self._player.sample_rate not in (0, self._rate):
            self._rate = self._player.sample_rate
            self._loaded.clear()
            self._fill_player()
