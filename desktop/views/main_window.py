"""MainWindow: puts the views together and connects the actions to what they do."""

from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.errors import AppError
from desktop.session.importing import ImportOutcome
from desktop.session.track_ids import StemId
from desktop.views.actions import Actions
from desktop.views.drag_out import DragHandle
from desktop.views.drop_frame import DropFrame
from desktop.views.empty_state import EmptyState
from desktop.views.export_menu import ExportMenu
from desktop.views.greying import Greying
from desktop.views.inspector import Inspector
from desktop.views.listening import Listening
from desktop.views.model_acts import ModelActs
from desktop.views.models_panel import ModelsPanel
from desktop.views.notices import NoticeStrip
from desktop.views.outgoing import Outgoing
from desktop.views.song_acts import SongActs
from desktop.views.song_feed import duration_s, early_view, lanes, track_views
from desktop.views.status_line import StatusLine
from desktop.views.stem_acts import StemActs
from desktop.views.stem_list import StemList
from desktop.views.theme import GRID_PX, icon
from desktop.views.timeline import TimelineView
from desktop.views.track_list import TrackList
from desktop.views.transport_bar import TransportBar
from desktop.views.window_parts import WindowParts

FIRST_SIZE, SMALLEST_SIZE = QSize(1280, 800), QSize(960, 600)
LEFT_PX, RIGHT_PX = 240, 240
SKIPPED_NAMED = 3
TAB_ONLY = Qt.FocusPolicy.TabFocus  # of buttons that take no keyboard when they are clicked


class MainWindow(QMainWindow):
    """The one window."""

    def __init__(self, parts: WindowParts) -> None:
        super().__init__()
        self._parts = parts
        self._document = parts.document
        self._superseded: set[StemId] = set()  # stems shown as ghosts behind notes that come in
        self.setWindowTitle("Notewright")
        self.setMinimumSize(SMALLEST_SIZE)
        self.resize(FIRST_SIZE)
        self.setAcceptDrops(True)
        self.actions_by_name = Actions(self)
        self.notices = NoticeStrip()
        self.listening = Listening(parts.document, parts.player, parts.background)
        self.outgoing = Outgoing(
            parts.document,
            parts.exporter,
            parts.drag_files,
            parts.settings,
            notices=self.notices,
            window=self,
        )
        self.stems = StemList(parts.document, parts.queue, parts.library)
        self.tracks = TrackList(parts.document, self.outgoing.track_files)
        self.timeline = TimelineView()
        self.empty = EmptyState(has_demo=bool(parts.demo_files))
        self.export_menu = self._export_menu()
        self.song_handle = DragHandle(
            self.outgoing.song_files,
            name=self.tr("Drag the song's MIDI out"),
            text=self.tr("drag MIDI"),
        )
        self.transport = self._transport()
        self.inspector = self._inspector()
        self.status = StatusLine(
            parts.document, parts.queue, parts.player, cancel=self.actions_by_name["cancel"]
        )
        self._stem_acts = StemActs(parts, self)
        self._song_acts = SongActs(
            parts.document, parts.player, self.timeline, self.actions_by_name["loop"]
        )
        self._lay_out()
        self.models = ModelsPanel(parts.library, parts.settings, self._columns, self._central)
        self._model_acts = ModelActs(parts, self.models, self.notices, self)
        self._greying = Greying(
            parts,
            self.actions_by_name,
            self.tracks,
            self.transport,
            self.export_button,
            self.song_handle,
        )
        self._fill_menus()
        self._connect_model()
        self._connect_views()
        self._connect_actions()
        self._restore()
        self.drop_frame = DropFrame(self)
        self._refuse_drops_of_fields()
        self._show_song()
        self._greying.look()

    def event(self, event: QEvent) -> bool:
        """Let Space press a button that Tab has reached; everywhere else it plays."""
        is_override = event.type() == QEvent.Type.ShortcutOverride
        if is_override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space:
            button = self.focusWidget()
            if isinstance(button, QAbstractButton) and button.focusPolicy() == TAB_ONLY:
                event.accept()
                return True
        return super().event(event)

    # --- drop anywhere

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        is_ours = event.source() is not None
        if not is_ours and any(url.isLocalFile() for url in event.mimeData().urls()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.drop_frame.show_drop_near(is_near=True)

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self.drop_frame.show_drop_near(is_near=False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Take files and folders; what is dropped on the stems joins the song shown."""
        self.drop_frame.show_drop_near(is_near=False)
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        target = self.childAt(event.position().toPoint())
        if target is not None and self.stems.isAncestorOf(target):
            self._parts.importer.add_to_current_song(paths)
        else:
            self._parts.importer.add(paths)

    def closeEvent(self, event: QCloseEvent) -> None:
        settings = self._parts.settings
        settings.geometry = self.saveGeometry()
        settings.splitter = self._columns.saveState()
        self._parts.player.close()
        super().closeEvent(event)

    # --- making the views

    def _export_menu(self) -> ExportMenu:
        names = ("export_again", "save_song", "save_track", "copy_song", "copy_track")
        return ExportMenu(
            self._parts.exporter,
            self._parts.settings,
            self._parts.find_daws,
            also=tuple(self.actions_by_name[name] for name in names),
            parent=self,
        )

    def _transport(self) -> TransportBar:
        actions = self.actions_by_name
        self.export_button = QToolButton()
        self.export_button.setText(self.tr("Export"))
        self.export_button.setIcon(icon("export"))
        self.export_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.export_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.export_button.setMenu(self.export_menu)
        self.export_button.setAccessibleName(self.tr("Export"))
        return TransportBar(
            self._document,
            transport=(actions["play"], actions["stop"], actions["loop"]),
            tap=actions["tap"],
            export=self.export_button,
            drag_handle=self.song_handle,
        )

    def _inspector(self) -> Inspector:
        names = ("downbeat_here", "found_tempo")
        return Inspector(
            self._document,
            self._parts.library,
            device=self._parts.settings.device.value,
            song_actions=tuple(self.actions_by_name[name] for name in names),
        )

    def _lay_out(self) -> None:
        left = QSplitter(Qt.Orientation.Vertical)
        left.setChildrenCollapsible(False)
        add_button = QToolButton()
        add_button.setDefaultAction(self.actions_by_name["add_files"])
        add_button.setProperty("flat", True)
        add_button.setAccessibleName(self.tr("Add files"))
        left.addWidget(_headed(self.tr("STEMS"), self.stems, add_button))
        left.addWidget(_headed(self.tr("TRACKS"), self.tracks))
        left.setStretchFactor(0, 3)
        left.setStretchFactor(1, 2)
        self._centre = QStackedWidget()
        self._centre.addWidget(self.empty)
        self._centre.addWidget(self.timeline)
        self._left = left
        self._columns = QSplitter(Qt.Orientation.Horizontal)
        self._columns.setChildrenCollapsible(False)
        for widget in (left, self._centre, self.inspector):
            self._columns.addWidget(widget)
        self._columns.setStretchFactor(1, 1)
        self._columns.setSizes([LEFT_PX, FIRST_SIZE.width() - LEFT_PX - RIGHT_PX, RIGHT_PX])
        left.setMinimumWidth(LEFT_PX - 32)
        self.inspector.setMinimumWidth(RIGHT_PX - 32)
        central = QWidget()
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.transport)
        column.addWidget(self.notices)
        column.addWidget(self._columns, 1)
        column.addWidget(self.status)
        # A click beside a field takes the keyboard from it, so that Space plays again.
        central.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setCentralWidget(central)
        central.setFocus()
        self._central = central

    def _fill_menus(self) -> None:
        submenu = ExportMenu(
            self._parts.exporter, self._parts.settings, self._parts.find_daws, also=(), parent=self
        )
        submenu.chosen.connect(self._parts.exporter.export)
        self.actions_by_name.fill(self.menuBar(), submenus={"export": submenu})

    def _restore(self) -> None:
        settings = self._parts.settings
        self.restoreGeometry(settings.geometry)
        self._columns.restoreState(settings.splitter)
        actions = self.actions_by_name
        actions["follow"].setChecked(settings.follows_playhead)
        actions["show_inspector"].setChecked(settings.shows_inspector)

    def _refuse_drops_of_fields(self) -> None:
        """Let drops through to the window; a text field would take the path as text."""
        for field in self.findChildren(QLineEdit):
            field.setAcceptDrops(False)

    # --- connecting

    def _connect_model(self) -> None:
        document, parts = self._document, self._parts
        document.currentSongChanged.connect(self._song_acts.drop_loop)
        document.currentSongChanged.connect(self._show_song)
        document.songChanged.connect(self._show_song_if_current)
        document.stemChanged.connect(self._show_lane)
        parts.importer.imported.connect(self._tell_import)
        parts.importer.failed.connect(self._tell_failure)
        self.listening.failed.connect(self._tell_failure)
        parts.player.moved.connect(self._show_place)
        parts.player.playingChanged.connect(self._show_playing)

    def _connect_views(self) -> None:
        parts = self._parts
        self.timeline.seekRequested.connect(parts.player.seek)
        self.timeline.loopChosen.connect(self._song_acts.loop_between)
        self.timeline.firstDownbeatMoved.connect(self._song_acts.move_downbeat)
        self.timeline.pointerMoved.connect(self.status.show_pointed)
        self.empty.demoRequested.connect(self._stem_acts.open_demo)
        self.empty.filesRequested.connect(self._stem_acts.add_files)
        self.export_menu.chosen.connect(parts.exporter.export)
        self.transport.balanceChanged.connect(self.listening.set_balance)
        self.song_handle.failed.connect(self._tell_failure)
        self.song_handle.clickedWithoutDrag.connect(self.outgoing.explain_drag)
        self.tracks.dragFailed.connect(self._tell_failure)
        self.tracks.dragExplained.connect(self.outgoing.explain_drag)
        self.stems.replaceRequested.connect(self._stem_acts.replace_stem)
        self.inspector.deviceChosen.connect(self._stem_acts.choose_device)
        self.inspector.modelChosen.connect(self._model_acts.choose_model)
        self.inspector.bendsChosen.connect(self._stem_acts.choose_bends)
        for view in (self.inspector, self.stems):
            view.modelsRequested.connect(
                lambda: self.actions_by_name["show_models"].setChecked(True)
            )
        self.models.closed.connect(self._leave_models)

    def _connect_actions(self) -> None:
        parts, player, tracks = self._parts, self._parts.player, self.tracks
        undo_stack = self._document.undo_stack
        for name, act in {
            "add_files": self._stem_acts.add_files,
            "add_folder": self._stem_acts.add_folder,
            "open_demo": self._stem_acts.open_demo,
            "new_song": lambda: self._document.show_song(None),
            "export_again": self._export_again,
            "save_song": self.outgoing.save_song,
            "save_track": lambda: self.outgoing.save_track(tracks.selected),
            "quit": self.close,
            "undo": undo_stack.undo,
            "redo": undo_stack.redo,
            "copy_song": self.outgoing.copy_song,
            "copy_track": lambda: self.outgoing.copy_track(tracks.selected),
            "rename_track": tracks.rename_selected,
            "mute_track": tracks.mute_selected,
            "solo_track": tracks.solo_selected,
            "transcribe": self._stem_acts.transcribe_again,
            "cancel": self._stem_acts.cancel,
            "cancel_all": parts.queue.cancel_all,
            "previous_stem": lambda: self._stem_acts.step_stem(-1),
            "next_stem": lambda: self._stem_acts.step_stem(1),
            "replace_stem": self._stem_acts.replace_selected_stem,
            "remove_stem": self._stem_acts.remove_stem,
            "halve_tempo": self.transport.halve_tempo,
            "double_tempo": self.transport.double_tempo,
            "downbeat_here": lambda: self._song_acts.move_downbeat(player.place_s),
            "found_tempo": self._song_acts.use_found_tempo,
            "play": self.listening.toggle,
            "stop": player.stop,
            "hear_source": self.transport.hear_source,
            "hear_midi": self.transport.hear_midi,
            "to_start": lambda: player.seek(0.0),
            "to_end": self._song_acts.go_to_end,
            "look_for_sound": player.look_for_device,
            "zoom_in": self.timeline.zoom_in,
            "zoom_out": self.timeline.zoom_out,
            "fit": self.timeline.fit,
        }.items():
            self.actions_by_name[name].triggered.connect(lambda _=False, act=act: act())
        for name, switch in {
            "loop": self._song_acts.switch_loop,
            "listen_selected": self.listening.hear_selected_only,
            "follow": self._switch_following,
            "show_inspector": self._switch_inspector,
            "show_models": self._model_acts.show_panel,
        }.items():
            self.actions_by_name[name].toggled.connect(switch)

    # --- showing the model

    def _show_song(self) -> None:
        song = self._document.current_song
        is_empty = song is None
        self._centre.setCurrentWidget(self.empty if is_empty else self.timeline)
        self._left.setVisible(bool(self._document.stems))
        self.inspector.setVisible(
            not is_empty and self.actions_by_name["show_inspector"].isChecked()
        )
        self.setWindowTitle("Notewright" if song is None else f"{song.name} - Notewright")
        self._superseded = {stem.stem_id for stem in self._document.stems if stem.is_superseded}
        if song is not None:
            self.timeline.set_song(
                track_views(self._document, song),
                song.tempo if song.is_tempo_known else None,
                duration_s(self._document, song),
            )
            self._show_lanes()
            self._show_place(self._parts.player.place_s)

    def _show_song_if_current(self, song_id: int) -> None:
        song = self._document.current_song
        if song is not None and song.song_id == song_id:
            self._show_song()

    def _show_lane(self, stem_id: int) -> None:
        song, stem = self._document.current_song, self._document.stem(stem_id)
        if song is not None and stem is not None and stem.song_id == song.song_id:
            if stem.is_superseded != (stem_id in self._superseded):
                self._show_song()  # its notes become ghosts, or come back
            else:
                self._show_lanes()

    def _show_lanes(self) -> None:
        song = self._document.current_song
        if song is not None:
            self.timeline.set_lanes(lanes(self._document, song))
            self.timeline.set_early(early_view(self._document, song))

    def _show_place(self, place_s: float) -> None:
        self.timeline.set_playhead(place_s)
        self.transport.show_place(place_s)

    def _show_playing(self, is_playing: bool) -> None:
        action = self.actions_by_name["play"]
        action.setText(self.tr("&Pause") if is_playing else self.tr("&Play"))
        action.setIcon(icon("pause" if is_playing else "play"))

    def _tell_import(self, outcome: ImportOutcome) -> None:
        skipped = outcome.found.skipped
        if skipped:
            named = [f"{item.path.name} {item.reason}" for item in skipped[:SKIPPED_NAMED]]
            rest = len(skipped) - len(named)
            more = [self.tr("{0} more").format(rest)] if rest else []
            self.notices.tell(self.tr("Left out: {0}.").format("; ".join(named + more)))
        elif not outcome.added:
            self.notices.tell(self.tr("These files are in the window already."))

    def _tell_failure(self, error: AppError) -> None:
        self.notices.warn(str(error))

    def _export_again(self) -> None:
        destination = self.export_menu.last_destination()
        if destination is not None:
            self._parts.exporter.export(destination)
        else:
            self.export_button.showMenu()

    def _switch_following(self, follows: bool) -> None:
        self._parts.settings.follows_playhead = follows
        self.timeline.follow_playhead(follows)

    def _switch_inspector(self, shows: bool) -> None:
        self._parts.settings.shows_inspector = shows
        self.inspector.setVisible(shows and self._document.current_song is not None)

    def _leave_models(self) -> None:
        self.actions_by_name["show_models"].setChecked(False)
        self._central.setFocus()


def _headed(title: str, content: QWidget, *buttons: QToolButton) -> QWidget:
    part = QWidget()
    head = QHBoxLayout()
    head.setContentsMargins(3 * GRID_PX, GRID_PX, GRID_PX, 0)
    label = QLabel(title)
    label.setProperty("heading", True)
    head.addWidget(label)
    head.addStretch(1)
    for button in buttons:
        head.addWidget(button)
    column = QVBoxLayout(part)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addLayout(head)
    column.addWidget(content, 1)
    return part
