"""SongActs: what the user does with the song shown: its first downbeat, its tempo, its loop."""

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction

from desktop.playback.player import Player
from desktop.session.commands import choose_tempo
from desktop.session.document import Document
from desktop.views.song_feed import duration_s
from desktop.views.timeline import TimelineView


class SongActs(QObject):
    """Remembers the loop that was drawn, for as long as its song is shown."""

    def __init__(
        self, document: Document, player: Player, timeline: TimelineView, loop: QAction
    ) -> None:
        super().__init__(timeline)
        self._document = document
        self._player = player
        self._timeline = timeline
        self._loop = loop
        self._loop_s: tuple[float, float] | None = None

    def move_downbeat(self, first_downbeat_s: float) -> None:
        song = self._document.current_song
        if song is not None:
            choose_tempo(self._document, song, song.tempo.with_first_downbeat(first_downbeat_s))

    def use_found_tempo(self) -> None:
        song = self._document.current_song
        if song is not None:
            choose_tempo(self._document, song, None)

    def go_to_end(self) -> None:
        song = self._document.current_song
        if song is not None:
            self._player.seek(duration_s(self._document, song))

    def loop_between(self, from_s: float, until_s: float) -> None:
        self._loop_s = (from_s, until_s)
        self._loop.setChecked(True)
        self.switch_loop(is_on=True)

    def switch_loop(self, is_on: bool) -> None:
        """Loop what was drawn in the ruler, else the whole song."""
        song = self._document.current_song
        if not is_on or song is None:
            self._player.clear_loop()
            self._timeline.set_loop(None)
            return
        from_s, until_s = self._loop_s or (0.0, duration_s(self._document, song))
        self._player.set_loop(from_s, until_s)
        self._timeline.set_loop((from_s, until_s))

    def drop_loop(self) -> None:
        self._loop_s = None
        self._loop.setChecked(False)
