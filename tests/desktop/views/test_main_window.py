import mido
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QFileDialog,
    QLineEdit,
)

from core.daw.folders import Daw, FoundDaw
from core.score.instruments import StemKind
from desktop.session.document import StemState
from desktop.session.messages import TempoRequest, TranscribeRequest
from desktop.views import transport_bar
from desktop.views.main_window import SMALLEST_SIZE
from desktop.views.song_feed import lanes
from desktop.views.theme import palette
from desktop.views.track_list import NAME_MARGIN_PX
from tests import make
from tests.desktop.views.user_acts import pane

pytestmark = pytest.mark.gui


def drop(window, paths, at=None):
    """Do what the system does when files are let go over the window."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place = at or QPoint(window.width() // 2, window.height() // 2)
    copy, left, none = (
        Qt.DropAction.CopyAction,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dragEnterEvent(entered := QDragEnterEvent(place, copy, mime, left, none))
    window.dropEvent(QDropEvent(QPointF(place), copy, mime, left, none))
    return entered.isAccepted()


@pytest.fixture
def with_stem(desk, job, wav, qtbot):
    """The desk with one transcribed stem and its tempo."""
    drop(desk.window, [wav("keys.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    job.answer()
    qtbot.waitUntil(lambda: isinstance(job.request, TempoRequest))
    job.answer_tempo()
    (stem,) = desk.document.stems
    qtbot.waitUntil(lambda: desk.document.stem(stem.stem_id).scan is not None)
    return desk


def only_stem(desk):
    (stem,) = desk.document.stems
    return stem


def press(qtbot, desk, key, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(desk.window, key, modifier)


def test_the_empty_window_is_one_drop_target(desk):
    assert desk.window.empty.isVisible()
    assert not desk.window.stems.isVisible()
    assert not desk.window.inspector.isVisible()


def test_a_dropped_file_is_transcribed_at_once(desk, job, wav, qtbot):
    path = wav("keys.wav")
    assert drop(desk.window, [path])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    assert isinstance(job.request, TranscribeRequest)
    assert job.request.path == path
    assert desk.window.timeline.isVisible()


def test_the_waveform_is_there_before_the_notes(desk, job, wav, qtbot):
    drop(desk.window, [wav("keys.wav", seconds=2.0)])
    qtbot.waitUntil(lambda: bool(desk.document.stems) and only_stem(desk).scan is not None)
    assert only_stem(desk).scan.duration_s == pytest.approx(2.0)
    assert only_stem(desk).state is StemState.PREPARING


def test_a_folder_becomes_songs_and_what_is_no_audio_is_told_once(desk, job, wav, qtbot, tmp_path):
    folder = tmp_path / "album"
    for name in ("one/drums.wav", "one/bass.wav", "two/mix.wav"):
        wav(name, folder=folder)
    (folder / "notes.txt").write_text("lyrics")
    drop(desk.window, [folder])
    qtbot.waitUntil(lambda: len(desk.document.stems) == 3)
    assert [len(desk.document.stems_of(song.song_id)) for song in desk.document.songs] == [2, 1]
    assert desk.window.notices.text.text() == "Left out: notes.txt is not an audio file."


def test_the_second_stem_joins_the_song_of_the_first(desk, job, wav, qtbot):
    drop(desk.window, [wav("drums.wav")])
    qtbot.waitUntil(lambda: len(desk.document.stems) == 1)
    drop(desk.window, [wav("bass.wav")])
    qtbot.waitUntil(lambda: len(desk.document.stems) == 2)
    assert len(desk.document.songs) == 1


def test_a_file_dropped_on_the_stems_joins_the_song_whatever_its_name(desk, job, wav, qtbot):
    drop(desk.window, [wav("drums.wav")])
    qtbot.waitUntil(lambda: len(desk.document.stems) == 1 and desk.window.stems.isVisible())
    stems = desk.window.stems
    inside = stems.mapTo(desk.window, QPoint(stems.width() // 2, stems.height() // 2))
    drop(desk.window, [wav("Take 7.wav")], at=inside)
    qtbot.waitUntil(lambda: len(desk.document.stems) == 2)
    assert len(desk.document.songs) == 1


def test_the_same_file_again_is_only_told(with_stem, qtbot):
    drop(with_stem.window, [only_stem(with_stem).path])
    qtbot.waitUntil(with_stem.window.notices.isVisible)
    assert "already" in with_stem.window.notices.text.text()
    assert len(with_stem.document.stems) == 1


def test_a_damaged_file_says_so_on_its_row_with_remedies(desk, job, qtbot, tmp_path):
    path = tmp_path / "broken.wav"
    path.write_bytes(b"RIFF")
    drop(desk.window, [path])
    qtbot.waitUntil(lambda: bool(desk.document.stems) and only_stem(desk).state is StemState.FAILED)
    row = desk.window.stems.row(only_stem(desk).stem_id)
    qtbot.waitUntil(row.problem.isVisible)
    assert "Cannot read 'broken.wav'" in row.problem.text()
    assert row.retry.isVisible()
    assert row.remove.isVisible()
    assert row.replace.isVisible()


@pytest.mark.parametrize("button", ["retry", "again"])
def test_retry_on_the_row_transcribes_again(desk, job, wav, qtbot, button):
    drop(desk.window, [wav("keys.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    job.fail()
    row = desk.window.stems.row(only_stem(desk).stem_id)
    qtbot.waitUntil(getattr(row, button).isVisible)
    assert not row.replace.isVisible()  # another file would not help
    qtbot.mouseClick(getattr(row, button), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(job.requests) == 2)
    assert only_stem(desk).failure is None


def test_a_failed_stem_does_not_stop_the_next(desk, job, wav, qtbot):
    drop(desk.window, [wav("bass.wav"), wav("keys.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    job.fail()
    qtbot.waitUntil(lambda: len(job.requests) == 2)
    assert job.request.path.name == "keys.wav"


def test_progress_stands_in_row_and_status_line(desk, job, wav, qtbot):
    drop(desk.window, [wav("bass.wav"), wav("keys.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    job.progress(1.0)
    row = desk.window.stems.row(desk.document.stems[0].stem_id)
    assert row.state.text() == "50 %"
    assert desk.window.status.doing.text() == "bass.wav: 50 %   10x real time"
    assert desk.window.status.waiting.text() == "1 queued"


def test_esc_cancels_and_the_row_can_start_again(desk, job, wav, qtbot):
    drop(desk.window, [wav("keys.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    press(qtbot, desk, Qt.Key.Key_Escape)
    assert only_stem(desk).state is StemState.CANCELLED
    qtbot.waitUntil(desk.window.stems.row(only_stem(desk).stem_id).retry.isVisible)


def test_shift_esc_cancels_what_waits_too(desk, job, wav, qtbot):
    drop(desk.window, [wav("bass.wav"), wav("keys.wav"), wav("drums.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    press(qtbot, desk, Qt.Key.Key_Escape, Qt.KeyboardModifier.ShiftModifier)
    assert {stem.state for stem in desk.document.stems} == {StemState.CANCELLED}


def test_another_kind_is_heard_again_and_undo_brings_the_notes_back(with_stem, job, qtbot):
    row = with_stem.window.stems.row(only_stem(with_stem).stem_id)
    before = only_stem(with_stem).heard
    row.kind.setCurrentIndex(row.kind.findData(StemKind.DRUMS))
    row.kind.activated.emit(row.kind.currentIndex())
    qtbot.waitUntil(lambda: isinstance(job.request, TranscribeRequest) and len(job.requests) == 3)
    assert job.request.options.kind is StemKind.DRUMS
    press(qtbot, with_stem, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert only_stem(with_stem).heard is before
    assert only_stem(with_stem).state is StemState.DONE


def test_the_found_tempo_stands_in_transport_and_inspector(with_stem):
    assert with_stem.window.transport.bpm.value() == 122.0
    assert with_stem.window.transport.key.text() == "A min"
    assert with_stem.window.inspector.tempo_note.text() == "122.00 BPM\nthe drums\n93 % sure"


def test_nothing_is_exported_with_a_tempo_that_nobody_measured(desk, job, wav, qtbot):
    drop(desk.window, [wav("keys.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    job.answer()
    (row,) = desk.window.tracks.rows
    assert not desk.window.export_button.isEnabled()
    assert "tempo" in desk.window.export_button.toolTip()
    assert not row.handle.isEnabled()
    qtbot.waitUntil(lambda: isinstance(job.request, TempoRequest))
    job.answer_tempo()
    assert desk.window.export_button.isEnabled()
    assert row.handle.isEnabled()


def test_a_cancelled_tempo_says_so_and_leaves_the_export_usable(desk, job, wav, qtbot):
    drop(desk.window, [wav("keys.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    job.answer()
    qtbot.waitUntil(lambda: isinstance(job.request, TempoRequest))
    press(qtbot, desk, Qt.Key.Key_Escape)
    assert "cancelled" in desk.window.inspector.tempo_note.text()
    assert desk.window.export_button.isEnabled()


def test_a_typed_tempo_counts_and_the_found_one_comes_back(with_stem, qtbot):
    field = with_stem.window.transport.bpm
    field.lineEdit().selectAll()
    qtbot.keyClicks(field.lineEdit(), "96")
    qtbot.keyClick(field.lineEdit(), Qt.Key.Key_Return)
    assert with_stem.document.current_song.tempo.bpm == 96.0
    with_stem.window.actions_by_name["found_tempo"].trigger()
    assert with_stem.document.current_song.tempo.bpm == 122.0


@pytest.mark.parametrize(("button", "bpm"), [("half", 61.0), ("double", 244.0)])
def test_half_and_double_tempo(with_stem, qtbot, button, bpm):
    qtbot.mouseClick(getattr(with_stem.window.transport, button), Qt.MouseButton.LeftButton)
    assert with_stem.document.current_song.tempo.bpm == bpm


def test_m_mutes_the_track_and_the_export_leaves_it_out(with_stem, qtbot):
    press(qtbot, with_stem, Qt.Key.Key_M)
    song = with_stem.document.current_song
    assert with_stem.document.transcription_of(song.song_id).tracks == ()
    assert not with_stem.window.export_button.isEnabled()
    press(qtbot, with_stem, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert with_stem.window.export_button.isEnabled()


def test_a_click_beside_the_tempo_takes_the_keyboard_from_it(with_stem, qtbot):
    window = with_stem.window
    window.transport.bpm.setFocus()
    qtbot.mouseClick(window.status, Qt.MouseButton.LeftButton)
    assert not window.transport.bpm.hasFocus()


def test_no_field_has_the_keyboard_at_the_start(desk):
    assert desk.window.focusWidget() is desk.window.centralWidget()


def test_the_wheel_over_a_kind_does_not_choose_another(with_stem, qtbot):
    kind = with_stem.window.stems.row(only_stem(with_stem).stem_id).kind
    wheel = QWheelEvent(
        QPointF(5, 5),
        kind.mapToGlobal(QPointF(5, 5)),
        QPoint(0, 0),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(kind, wheel)
    assert only_stem(with_stem).choice.kind is None


def test_a_track_is_renamed_in_place(with_stem, qtbot):
    press(qtbot, with_stem, Qt.Key.Key_F2)
    (row,) = with_stem.window.tracks.rows
    qtbot.keyClicks(row.name, "Rhodes")
    qtbot.keyClick(row.name, Qt.Key.Key_Return)
    (track,) = with_stem.document.tracks_of(with_stem.document.current_song.song_id)
    assert track.track.name == "Rhodes"


def test_esc_while_renaming_keeps_the_name(with_stem, qtbot):
    press(qtbot, with_stem, Qt.Key.Key_F2)
    (row,) = with_stem.window.tracks.rows
    qtbot.keyClicks(row.name, "Rhodes")
    qtbot.keyClick(row.name, Qt.Key.Key_Escape)
    assert row.name.text() == "Piano"
    assert only_stem(with_stem).state is StemState.DONE


@pytest.fixture
def with_daw(with_stem, tmp_path):
    """The desk on a machine that has Reaper."""
    root = tmp_path / "REAPER Media"
    root.mkdir()
    found = FoundDaw(Daw.REAPER, root / "Notewright", root, "default folder")
    with_stem.window.export_menu._find_daws = lambda: (found,)
    return with_stem, found


def test_one_click_writes_into_the_daw_folder_and_undo_takes_it_back(with_daw, qtbot):
    desk, found = with_daw
    desk.window.export_menu.rebuild()
    action = desk.window.export_menu.actions()[0]
    assert action.text().startswith("Reaper")
    action.trigger()
    qtbot.waitUntil(desk.window.notices.isVisible)
    (written,) = found.folder.glob("*.mid")
    assert f"Written: {written}" in desk.window.notices.text.text()
    assert [button.text() for button in desk.window.notices.buttons] == ["Reveal", "Undo"]
    qtbot.mouseClick(desk.window.notices.buttons[1], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not found.folder.exists())


def test_ctrl_e_exports_where_the_last_export_went(with_daw, qtbot):
    desk, found = with_daw
    desk.window.export_menu.rebuild()
    desk.window.export_menu.actions()[0].trigger()
    qtbot.waitUntil(lambda: len(list(found.folder.glob("*.mid"))) == 1)
    press(qtbot, desk, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: len(list(found.folder.glob("*.mid"))) == 2)


def test_exports_in_quick_succession_are_all_written(with_daw, qtbot):
    desk, found = with_daw
    desk.window.export_menu.rebuild()
    desk.window.export_menu.actions()[0].trigger()
    for _ in range(3):
        press(qtbot, desk, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: len(list(found.folder.glob("*.mid"))) == 4)


def test_a_full_folder_is_told_in_the_strip(with_daw, qtbot):
    desk, found = with_daw
    found.folder.write_text("a file where the folder should be")
    desk.window.export_menu.rebuild()
    desk.window.export_menu.actions()[0].trigger()
    qtbot.waitUntil(desk.window.notices.isVisible)
    assert "is a file" in desk.window.notices.text.text()


def test_the_copied_song_is_a_file_that_parses(with_stem, qtbot):
    press(qtbot, with_stem, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    (url,) = QApplication.clipboard().mimeData().urls()
    assert len(mido.MidiFile(url.toLocalFile()).tracks) == 2
    QApplication.clipboard().clear()


def test_without_a_sound_device_only_playing_is_off_and_says_why(with_stem, sound, qtbot):
    sound.problem = "no sound device"
    with_stem.player.look_for_device()
    assert with_stem.window.status.sound.text() == "no sound device: playback off"
    assert not with_stem.window.actions_by_name["play"].isEnabled()
    assert with_stem.window.actions_by_name["save_song"].isEnabled()


def test_space_plays_the_stem_and_pauses(with_stem, sound, qtbot):
    press(qtbot, with_stem, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: with_stem.player.is_playing)
    sounding = sound.stream.blocks(4)
    assert abs(sounding).max() > 0.1
    press(qtbot, with_stem, Qt.Key.Key_Space)
    assert not with_stem.player.is_playing


def test_remove_and_undo(with_stem, qtbot):
    press(qtbot, with_stem, Qt.Key.Key_Delete)
    assert with_stem.document.stems == ()
    assert with_stem.window.empty.isVisible()
    press(qtbot, with_stem, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert only_stem(with_stem).heard.note_count == 2
    assert with_stem.document.current_song.tempo.bpm == 122.0


def test_removing_the_running_stem_stops_its_job(desk, job, wav, qtbot):
    drop(desk.window, [wav("keys.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    press(qtbot, desk, Qt.Key.Key_Delete)
    assert not desk.parts.queue.is_busy


def test_closing_while_running_asks_nothing(desk, job, wav, qtbot):
    drop(desk.window, [wav("keys.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    desk.window.close()
    assert not desk.window.isVisible()


def test_geometry_and_choices_are_remembered(desk, settings):
    desk.window.actions_by_name["show_inspector"].setChecked(False)
    desk.window.close()
    assert settings.shows_inspector is False
    assert not settings.geometry.isEmpty()


def test_every_interactive_widget_has_an_accessible_name(with_stem):
    kinds = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit)
    widgets = [w for kind in kinds for w in with_stem.window.findChildren(kind)]
    made_by_qt = [w for w in widgets if "qt_" in (w.objectName()[:3], w.parent().objectName()[:3])]
    inside_others = [w for w in widgets if isinstance(w.parent(), (QAbstractSpinBox, QComboBox))]
    ours = set(widgets) - set(made_by_qt) - set(inside_others)
    nameless = [w for w in ours if not w.accessibleName()]
    assert [(type(w), w.parent()) for w in nameless] == []


def test_every_action_is_in_a_menu_and_no_shortcut_is_taken_twice(desk):
    in_menus = [
        action for menu in desk.window.menuBar().actions() for action in menu.menu().actions()
    ]
    ours = [action for action in desk.window.actions() if action.objectName()]
    assert {a.objectName() for a in ours} - {"export"} <= {a.objectName() for a in in_menus}
    shortcuts = [a.shortcut().toString() for a in ours if not a.shortcut().isEmpty()]
    assert len(shortcuts) == len(set(shortcuts))


def test_text_fields_leave_drops_to_the_window(with_stem):
    assert not any(field.acceptDrops() for field in with_stem.window.findChildren(QLineEdit))


def test_b_plays_the_midi_and_a_the_source(with_stem, sound, qtbot):
    press(qtbot, with_stem, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: with_stem.player.is_playing)
    source = sound.stream.blocks(3)[-1024:]
    press(qtbot, with_stem, Qt.Key.Key_B)
    qtbot.waitUntil(lambda: bool(with_stem.window.listening._making) is False)
    sound.stream.blocks(1)
    midi = sound.stream.blocks(1)
    press(qtbot, with_stem, Qt.Key.Key_A)
    sound.stream.blocks(1)
    again = sound.stream.blocks(1)
    assert abs(source).max() == pytest.approx(0.3, abs=0.01)
    assert 0.01 < abs(midi).max() < 0.25
    assert abs(again).max() == pytest.approx(0.3, abs=0.01)
    press(qtbot, with_stem, Qt.Key.Key_Space)


def test_a_muted_track_is_not_heard(with_stem, sound, qtbot):
    press(qtbot, with_stem, Qt.Key.Key_B)
    press(qtbot, with_stem, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: with_stem.player.is_playing)
    sound.stream.blocks(3)
    press(qtbot, with_stem, Qt.Key.Key_M)
    sound.stream.blocks(1)
    assert abs(sound.stream.blocks(1)).max() < 1e-6
    press(qtbot, with_stem, Qt.Key.Key_Space)


@pytest.fixture
def choosing(monkeypatch):
    """Return a function that sets what the next file chooser answers."""

    def answer(method, value):
        monkeypatch.setattr(QFileDialog, method, staticmethod(lambda *_: value))

    return answer


def test_ctrl_o_adds_files_and_remembers_their_folder(desk, wav, choosing, qtbot, settings):
    path = wav("keys.wav")
    choosing("getOpenFileNames", ([str(path)], ""))
    press(qtbot, desk, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: len(desk.document.stems) == 1)
    assert settings.last_folder == path.parent


def test_a_closed_file_chooser_changes_nothing(desk, choosing, qtbot):
    choosing("getOpenFileNames", ([], ""))
    press(qtbot, desk, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    assert desk.document.stems == ()


def test_save_as_writes_the_file_that_was_named(with_stem, choosing, qtbot, tmp_path):
    choosing("getSaveFileName", (str(tmp_path / "Blue"), ""))
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    press(qtbot, with_stem, Qt.Key.Key_S, modifiers)
    qtbot.waitUntil((tmp_path / "Blue.mid").exists)
    assert len(mido.MidiFile(tmp_path / "Blue.mid").tracks) == 2


def test_export_to_a_folder_is_repeated_by_ctrl_e(with_stem, choosing, qtbot, tmp_path):
    folder = tmp_path / "midi"
    folder.mkdir()
    choosing("getExistingDirectory", str(folder))
    with_stem.window.export_menu.rebuild()
    texts = {action.text(): action for action in with_stem.window.export_menu.actions()}
    texts["Export to Folder…"].trigger()
    qtbot.waitUntil(lambda: len(list(folder.glob("*.mid"))) == 1)
    press(qtbot, with_stem, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: len(list(folder.glob("*.mid"))) == 2)


def test_choose_another_file_takes_the_place_of_the_broken_one(desk, job, wav, choosing, qtbot):
    drop(desk.window, [wav("bass.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    job.fail()
    better = wav("bass take 2.wav")
    choosing("getOpenFileName", (str(better), ""))
    row = desk.window.stems.row(only_stem(desk).stem_id)
    qtbot.mouseClick(row.replace, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(job.requests) == 2)
    assert only_stem(desk).path == better


def test_the_song_is_renamed_in_the_inspector(with_stem, qtbot):
    field = with_stem.window.inspector.song_name
    assert field.text() == "keys"
    field.selectAll()
    qtbot.keyClicks(field, "Blue")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert with_stem.document.current_song.name == "Blue"
    press(qtbot, with_stem, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert field.text() == "keys"


def test_d_puts_bar_1_at_the_playhead(with_stem, qtbot):
    with_stem.player.seek(0.25)
    press(qtbot, with_stem, Qt.Key.Key_D)
    assert with_stem.document.current_song.tempo.first_downbeat_s == 0.25
    assert with_stem.window.transport.bars.text() == "1.1.000"


def test_three_taps_are_a_tempo(with_stem, qtbot, monkeypatch):
    beats_s = iter([10.0, 10.5, 11.0, 11.5])
    monkeypatch.setattr(transport_bar, "monotonic", lambda: next(beats_s))
    for _ in range(4):
        press(qtbot, with_stem, Qt.Key.Key_T)
    assert with_stem.document.current_song.tempo.bpm == 120.0


def test_the_click_on_a_drag_handle_says_what_it_is_for(with_stem, qtbot):
    qtbot.mouseClick(with_stem.window.song_handle, Qt.MouseButton.LeftButton)
    assert "Drag the dots" in with_stem.window.notices.text.text()


def test_ctrl_n_starts_a_song_beside_the_one_that_is_there(with_stem, job, wav, qtbot):
    press(qtbot, with_stem, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    assert with_stem.window.empty.isVisible()
    drop(with_stem.window, [wav("bass.wav")])
    qtbot.waitUntil(lambda: len(with_stem.document.songs) == 2)
    assert with_stem.document.current_song.name == "bass"


def roll_of(desk):
    return pane(desk.window.timeline, "Piano roll")


def test_notes_appear_while_they_are_found_and_the_result_takes_their_place(desk, job, wav, qtbot):
    drop(desk.window, [wav("keys.wav", seconds=2.0)])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    job.progress(1.0, make.note(40, 0.0, 0.5))
    assert roll_of(desk).pitch_range == (40, 40)
    job.progress(1.5, make.note(50, 1.0, 1.5), spans=((1.0, 1.5),))
    assert roll_of(desk).pitch_range == (40, 50)
    job.answer(make.track(make.note(70, 0.0, 0.5)))
    assert roll_of(desk).pitch_range == (70, 70)


def test_a_cancel_takes_the_notes_away_that_were_found(desk, job, wav, qtbot):
    drop(desk.window, [wav("keys.wav", seconds=2.0)])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    job.progress(1.0, make.note(40, 0.0, 0.5))
    desk.window.actions_by_name["cancel"].trigger()
    assert roll_of(desk).pitch_range is None


def test_notes_that_come_anew_make_ghosts_of_those_before_until_they_are_cancelled(
    with_stem, job, qtbot
):
    def note_colour():
        """Return what the note of half a second, pitch 60, is drawn in."""
        roll, timeline = roll_of(with_stem), with_stem.window.timeline
        row = timeline.pitch_axis.rows()
        at = QPoint(
            round(timeline.time_axis.x_at(0.25)), row.top_of(60) + timeline.pitch_axis.row_px // 2
        )
        return roll.grab().toImage().pixelColor(at)

    before = note_colour()
    with_stem.window.actions_by_name["transcribe"].trigger()
    qtbot.waitUntil(lambda: len(job.requests) == 3)
    job.progress(0.4, make.note(62, 0.3, 0.4))
    assert note_colour() == QColor(palette().ghost)
    with_stem.window.actions_by_name["cancel"].trigger()
    assert note_colour() == before


def test_the_transport_bar_fits_the_smallest_window_whatever_the_key(with_stem):
    transport = with_stem.window.transport
    transport.key.setText("D♭ maj")
    assert transport.minimumSizeHint().width() <= SMALLEST_SIZE.width()


@pytest.mark.parametrize(("name", "shown"), [("Oboe", "Oboe"), ("X" * 40, "XX…")])
def test_a_track_name_that_is_too_long_ends_in_dots(with_stem, name, shown):
    (row,) = with_stem.window.tracks.rows
    row.name.setFixedWidth(60)
    row.name.show_name(name)
    drawn = row.name.grab().toImage()
    box_px = row.name.width() - 2 * NAME_MARGIN_PX
    cut = row.name.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, box_px)
    assert cut.endswith(shown[-1])
    row.name.show_name(cut)
    assert row.name.grab().toImage() == drawn


def test_stems_that_wait_have_grey_waveforms_and_heard_ones_their_colour(desk, job, wav, qtbot):
    drop(desk.window, [wav("a keys.wav"), wav("a bass.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    first = job.request.path.stem
    job.answer()
    shown = lanes(desk.document, desk.document.current_song)
    assert {lane.name: lane.heard_spans for lane in shown} == {
        lane.name: None if lane.name == first else () for lane in shown
    }
    assert len(shown) == 2


def test_until_a_cancelled_worker_has_stopped_the_status_line_says_so(
    desk, job, wav, qtbot, monkeypatch
):
    drop(desk.window, [wav("keys.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    job.progress(0.2)
    monkeypatch.setattr(job, "cancel", lambda _job: None)  # it takes its time
    desk.window.actions_by_name["cancel"].trigger()
    assert desk.window.status.doing.text() == "keys.wav: stopping"
