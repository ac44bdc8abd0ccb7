"""Greying: greys out whatever would do nothing just now, and says why."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QToolButton

from desktop.views.actions import Actions
from desktop.views.drag_out import DragHandle
from desktop.views.track_list import TrackList
from desktop.views.transport_bar import TransportBar
from desktop.views.window_parts import WindowParts


class Greying(QObject):
    """Looks anew after every change of the songs, of the queue and of what can be heard."""

    def __init__(
        self,
        parts: WindowParts,
        actions: Actions,
        tracks: TrackList,
        transport: TransportBar,
        export: QToolButton,
        song_handle: DragHandle,
    ) -> None:
        super().__init__(transport)
        self._parts = parts
        self._document = parts.document
        self._actions = actions
        self._tracks = tracks
        self._transport = transport
        self._export = export
        self._song_handle = song_handle
        for changed in (
            self._document.currentSongChanged,
            self._document.selectedStemChanged,
            self._document.songChanged,
            self._document.stemChanged,
            self._document.undo_stack.indexChanged,
            parts.queue.changed,
            parts.player.availabilityChanged,
            tracks.selectionChanged,
        ):
            changed.connect(self.look)

    def look(self) -> None:
        document, parts = self._document, self._parts
        song, stem = document.current_song, document.selected_stem
        tracks = document.tracks_of(song.song_id) if song is not None else ()
        has_notes = any(item.is_exported and item.track.notes for item in tracks)
        is_ready = has_notes and song is not None and song.is_tempo_known
        has_sound = song is not None and parts.player.unavailable_because is None
        has_track = self._tracks.selected is not None
        is_chosen = song is not None and song.choice.tempo is not None
        for enabled, names in (
            (bool(parts.demo_files), ("open_demo",)),
            (is_ready, ("export_again", "save_song", "copy_song")),
            (is_ready and has_track, ("save_track", "copy_track")),
            (has_track, ("rename_track", "mute_track", "solo_track")),
            (document.undo_stack.canUndo(), ("undo",)),
            (document.undo_stack.canRedo(), ("redo",)),
            (parts.queue.is_busy, ("cancel",)),
            (parts.queue.is_busy or bool(parts.queue.waiting), ("cancel_all",)),
            (stem is not None and not stem.state.is_waiting, ("transcribe",)),
            (stem is not None, ("remove_stem", "replace_stem")),
            (len(document.stems) > 1, ("previous_stem", "next_stem")),
            (song is not None, ("tap", "halve_tempo", "double_tempo", "downbeat_here")),
            (song is not None, ("new_song", "zoom_in", "zoom_out", "fit", "to_start", "to_end")),
            (is_chosen, ("found_tempo",)),
            (has_sound, ("play", "stop", "loop", "listen_selected", "hear_source")),
            (has_sound and has_notes, ("hear_midi",)),
        ):
            for name in names:
                self._actions[name].setEnabled(enabled)
        self._transport.enable_balance(is_enabled=has_sound and has_notes)
        self._enable_export(is_ready=is_ready, has_notes=has_notes)
        self._name_undo()
        why_silent = parts.player.unavailable_because
        self._actions["play"].setToolTip(why_silent or self.tr("Play (Space)"))

    def _enable_export(self, *, is_ready: bool, has_notes: bool) -> None:
        is_measured_later = has_notes and not is_ready
        why_not_yet = self.tr("Ready as soon as the tempo is measured") if is_measured_later else ""
        self._export.setEnabled(is_ready)
        self._export.setToolTip(why_not_yet)
        self._tracks.enable_handles(is_enabled=is_ready, why_not=why_not_yet)
        self._song_handle.setEnabled(is_ready)

    def _name_undo(self) -> None:
        stack = self._document.undo_stack
        self._actions["undo"].setText(self.tr("&Undo {0}").format(stack.undoText()).rstrip())
        self._actions["redo"].setText(self.tr("&Redo {0}").format(stack.redoText()).rstrip())
