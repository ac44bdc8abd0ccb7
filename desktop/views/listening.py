"""Listening: what the player plays - the stems of the song shown, its MIDI, or both."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from math import cos, pi, sin

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from core.errors import AppError
from core.score.transcription import Track
from desktop.playback.loading import load_sound
from desktop.playback.player import Player, Sound
from desktop.playback.synth import render
from desktop.session.background import Background, Work
from desktop.session.document import Document, SongTrack, Stem

_Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Made:
    """A sound and what it was made of, to tell when it is out of date."""

    sound: Sound
    source: Hashable


class Listening(QObject):
    """Makes sounds when the user first wants to hear them, and keeps those of the song shown."""

    failed = Signal(AppError)

    def __init__(self, document: Document, player: Player, background: Background) -> None:
        super().__init__(player)
        self._document = document
        self._player = player
        self._background = background
        self._made: dict[Hashable, _Made] = {}
        self._making: dict[Hashable, Hashable] = {}  # key -> what it is being made of
        self._rate = 0
        self._balance = 0.0
        self._plays_when_made = False
        self._is_selected_only = False
        document.currentSongChanged.connect(self._change_song)
        document.songChanged.connect(self._take_in)
        document.stemChanged.connect(self._take_in)
        document.selectedStemChanged.connect(self._set_gains)
        document.stemRemoved.connect(self._take_in)
        player.availabilityChanged.connect(self._make_anew)

    def toggle(self) -> None:
        """Play or pause; the first time, make what is to be heard and then play."""
        if self._player.is_playing:
            self._player.pause()
            return
        self._plays_when_made = True
        self._make_missing()
        self._play_if_made()

    def hear_selected_only(self, is_selected_only: bool) -> None:
        self._is_selected_only = is_selected_only
        self._set_gains()

    def set_balance(self, balance: float) -> None:
        """Fade from the source alone (0) to the MIDI alone (1) at equal power."""
        self._balance = balance
        if self._player.is_playing:
            self._make_missing()
        self._set_gains()

    # --- what there is to hear

    def _stems(self) -> tuple[Stem, ...]:
        """Return the stems of the song shown that can be read."""
        song = self._document.current_song
        if song is None:
            return ()
        stems = self._document.stems_of(song.song_id)
        return tuple(stem for stem in stems if stem.scan is not None)

    def _tracks(self) -> tuple[SongTrack, ...]:
        song = self._document.current_song
        return self._document.tracks_of(song.song_id) if song is not None else ()

    def _duration_s(self) -> float:
        return max((stem.duration_s for stem in self._stems()), default=0.0)

    # --- making sounds

    def _make_missing(self) -> None:
        rate = self._player.sample_rate
        if not rate:
            return
        for stem in self._stems():
            if stem.stem_id not in self._made:
                self._make(stem.stem_id, stem.path, partial(load_sound, stem.path, rate))
        if self._balance > 0:
            for item in self._tracks():
                made = self._made.get(item.track_id)
                if made is None or made.source != item.track:
                    self._make(item.track_id, item.track, self._rendering(item.track, rate))

    def _rendering(self, track: Track, rate: int) -> Work[_Samples]:
        duration_s = self._duration_s()
        return lambda _cancel: render(track.notes, sample_rate=rate, duration_s=duration_s)

    def _make(self, key: Hashable, source: Hashable, make: Work[_Samples]) -> None:
        if self._making.get(key) == source:
            return
        self._making[key] = source
        self._background.run(
            make,
            then=partial(self._keep, key, source, self._player.sample_rate),
            failed=partial(self._give_up, key),
        )

    def _keep(self, key: Hashable, source: Hashable, rate: int, samples: _Samples) -> None:
        if self._making.get(key) == source:
            del self._making[key]
        if rate == self._player.sample_rate:
            self._made[key] = _Made(Sound(key, samples), source)
        self._fill_player()
        self._play_if_made()

    def _give_up(self, key: Hashable, error: AppError) -> None:
        self._making.pop(key, None)
        self.failed.emit(error)
        self._play_if_made()

    def _play_if_made(self) -> None:
        if self._plays_when_made and not self._making:
            self._plays_when_made = False
            self._fill_player()
            self._player.play()

    # --- the player

    def _fill_player(self) -> None:
        keys = [*(stem.stem_id for stem in self._stems()), *(t.track_id for t in self._tracks())]
        sounds = [self._made[key].sound for key in keys if key in self._made]
        self._player.load(sounds, duration_s=self._duration_s())
        self._set_gains()

    def _set_gains(self) -> None:
        selected = self._document.selected_stem
        stem_gain = cos(self._balance * pi / 2) if self._balance < 1 else 0.0
        midi_gain = sin(self._balance * pi / 2)
        gains: dict[Hashable, float] = {}
        for stem in self._stems():
            if not self._is_selected_only or stem is selected:
                gains[stem.stem_id] = stem_gain
        for item in self._tracks():
            if item.is_exported and (item.track_id.stem_id in gains):
                gains[item.track_id] = midi_gain
        self._player.set_gains(gains)

    def _take_in(self) -> None:
        """Follow what was added, removed, named again or muted."""
        if self._player.is_playing:
            self._make_missing()
        self._fill_player()

    def _change_song(self) -> None:
        """Keep only the sounds of the song shown; they are large."""
        shown: set[Hashable] = {stem.stem_id for stem in self._stems()}
        self._made = {key: made for key, made in self._made.items() if key in shown}
        self._plays_when_made = False
        self._player.clear_loop()
        self._player.stop()
        self._fill_player()

    def _make_anew(self) -> None:
        """Drop what was made for another rate."""
        if self._player.sample_rate not in (0, self._rate):
            self._rate = self._player.sample_rate
            self._made.clear()
            self._fill_player()
