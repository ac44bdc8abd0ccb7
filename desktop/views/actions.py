"""Actions: everything the user can do, by name and shortcut, in the order of the menus."""

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from desktop.views.theme import ICON_NAMES, icon


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of a menu; `name` is how the program asks for the action."""

    name: str
    text: str
    keys: str = ""
    icon_name: str = ""
    is_checkable: bool = False


_LINE = _Entry("", "")
_MENUS: tuple[tuple[str, tuple[_Entry, ...]], ...] = (
    (
        "&File",
        (
            _Entry("add_files", "&Add Files…", "Ctrl+O", "add"),
            _Entry("add_folder", "Add F&older…", "Ctrl+Shift+O", "folder"),
            _Entry("open_demo", "Open &Demo Song"),
            _Entry("new_song", "&New Song", "Ctrl+N"),
            _LINE,
            _Entry("export", "&Export"),  # a submenu takes its place
            _Entry("export_again", "Export A&gain", "Ctrl+E", "export"),
            _Entry("save_song", "&Save MIDI As…", "Ctrl+Shift+S"),
            _Entry("save_track", "Save &Track As…", "Ctrl+Alt+S"),
            _LINE,
            _Entry("quit", "&Quit", "Ctrl+Q"),
        ),
    ),
    (
        "&Edit",
        (
            _Entry("undo", "&Undo", "Ctrl+Z", "undo"),
            _Entry("redo", "&Redo", "Ctrl+Shift+Z", "redo"),
            _LINE,
            _Entry("copy_song", "&Copy MIDI File", "Ctrl+C"),
            _Entry("copy_track", "Copy Trac&k as MIDI File", "Ctrl+Shift+C"),
            _LINE,
            _Entry("rename_track", "Re&name Track", "F2"),
            _Entry("mute_track", "&Mute Track", "M", "mute"),
            _Entry("solo_track", "&Solo Track", "S", "solo"),
        ),
    ),
    (
        "S&tem",
        (
            _Entry("transcribe", "&Transcribe Again", "Ctrl+T", "retry"),
            _Entry("cancel", "&Cancel", "Esc", "cancel"),
            _Entry("cancel_all", "Cancel &All", "Shift+Esc"),
            _LINE,
            _Entry("previous_stem", "&Previous Stem", "Ctrl+Up"),
            _Entry("next_stem", "&Next Stem", "Ctrl+Down"),
            _LINE,
            _Entry("replace_stem", "Choose Another &File…"),
            _Entry("remove_stem", "&Remove Stem", "Del"),
        ),
    ),
    (
        "&Song",
        (
            _Entry("tap", "&Tap Tempo", "T", "metronome"),
            _Entry("halve_tempo", "&Half the Tempo", "Ctrl+Alt+Down"),
            _Entry("double_tempo", "&Double the Tempo", "Ctrl+Alt+Up"),
            _Entry("downbeat_here", "&Bar 1 Starts at Playhead", "D"),
            _Entry("found_tempo", "Use the &Found Tempo", "Ctrl+Shift+T"),
        ),
    ),
    (
        "&Play",
        (
            _Entry("play", "&Play", "Space", "play"),
            _Entry("stop", "&Stop", "Shift+Space", "stop"),
            _Entry("loop", "&Loop", "L", "loop", is_checkable=True),
            _LINE,
            _Entry("to_start", "To the &Beginning", "Home"),
            _Entry("to_end", "To the &End", "End"),
            _LINE,
            _Entry("hear_source", "Hear the So&urce", "A"),
            _Entry("hear_midi", "Hear the &MIDI", "B"),
            _Entry("listen_selected", "Selected Stem &Only", "O", is_checkable=True),
            _Entry("look_for_sound", "Look for Sound &Devices"),
        ),
    ),
    (
        "&View",
        (
            _Entry("zoom_in", "Zoom &In", "+"),
            _Entry("zoom_out", "Zoom &Out", "-"),
            _Entry("fit", "&Fit", "F"),
            _Entry("follow", "Follow the &Playhead", "Shift+F", "follow", is_checkable=True),
            _LINE,
            _Entry("show_inspector", "&Inspector", "I", is_checkable=True),
            _Entry("show_models", "&Models", "Ctrl+Shift+M", "models", is_checkable=True),
        ),
    ),
)


class Actions:
    """One QAction per entry, asked for by name: `actions["play"]`."""

    def __init__(self, window: QWidget) -> None:
        self._actions: dict[str, QAction] = {}
        for _, entries in _MENUS:
            for entry in entries:
                if entry.name:
                    self._actions[entry.name] = _action(entry, window)
        window.addActions(list(self._actions.values()))

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def fill(self, bar: QMenuBar, *, submenus: dict[str, QMenu]) -> None:
        """Put every action into its menu; a submenu stands where its name is listed."""
        for title, entries in _MENUS:
            menu = bar.addMenu(_text(title))
            for entry in entries:
                if not entry.name:
                    menu.addSeparator()
                elif entry.name in submenus:
                    submenu = submenus[entry.name]
                    submenu.setTitle(_text(entry.text))
                    menu.addMenu(submenu)
                else:
                    menu.addAction(self._actions[entry.name])


def _action(entry: _Entry, window: QWidget) -> QAction:
    action = QAction(_text(entry.text), window)
    action.setObjectName(entry.name)
    action.setCheckable(entry.is_checkable)
    if entry.keys:
        action.setShortcut(QKeySequence(entry.keys))
        plain = _text(entry.text).replace("&", "")
        action.setToolTip(f"{plain} ({action.shortcut().toString()})")
    if entry.icon_name in ICON_NAMES:
        action.setIcon(icon(entry.icon_name))
        action.setIconVisibleInMenu(False)
    return action


def _text(words: str) -> str:
    return QCoreApplication.translate("actions", words)
