from dataclasses import replace

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog

from core.errors import AppError
from core.model_manager.store import Store
from desktop.session.model_work import ModelFailure, Remedy
from desktop.views.model_row import ModelRow
from desktop.views.slide_in import WIDTH_PX
from desktop.views.timeline import SCROLLBAR_PX
from tests.desktop.fakes import CATALOG

pytestmark = pytest.mark.gui
MT3 = "mt3_magenta"
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def panel(desk, qtbot):
    """The Models panel of the shown window, open."""
    desk.window.actions_by_name["show_models"].trigger()
    panel = desk.window.models
    qtbot.waitUntil(lambda: panel.x() + panel.width() == panel.parentWidget().width())
    return panel


@pytest.fixture
def installed(panel, library, shelf, qtbot):
    """The open panel with MT3 in the store."""
    shelf.put(CATALOG.entry(MT3), Store(library.room.folder))
    library.refresh()
    qtbot.waitUntil(lambda: library.is_usable(MT3))
    return panel


def click(qtbot, button):
    qtbot.waitUntil(button.isVisible)
    qtbot.mouseClick(button, LEFT)


def drop_on(panel, *paths):
    """Do what the system does when files are let go over the panel; tell if they were taken."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place = QPoint(100, 100)
    copy = Qt.DropAction.CopyAction
    entered = QDragEnterEvent(place, copy, mime, LEFT, NONE)
    entered.ignore()
    panel.dragEnterEvent(entered)
    if entered.isAccepted():
        panel.dropEvent(QDropEvent(QPointF(place), copy, mime, LEFT, NONE))
    return entered.isAccepted()


def test_the_panel_is_closed_at_the_start(desk):
    assert not desk.window.models.isVisible()


def test_the_panel_slides_in_over_the_right_edge_and_the_rest_stays(panel, desk):
    assert panel.isVisible()
    assert panel.width() == 400
    assert desk.window.empty.isVisible()


def test_esc_closes_the_panel_and_cancels_nothing(panel, desk, job, wav, qtbot):
    desk.parts.importer.add([wav("keys.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    panel.close_button.setFocus()
    qtbot.keyClick(panel.close_button, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not panel.isVisible())
    assert desk.parts.queue.is_busy
    assert not desk.window.actions_by_name["show_models"].isChecked()


def test_the_panel_follows_the_window(panel, desk, qtbot):
    desk.window.resize(1000, 640)
    qtbot.waitUntil(lambda: panel.x() + panel.width() == panel.parentWidget().width())
    assert panel.height() < 640


def test_a_row_says_what_a_model_is(panel):
    row = panel.row(MT3)
    assert row.title.text() == "MT3"
    assert row.good_at.text() == "Guitar, piano and mixes"
    assert row.licence.text() == "Licence: MIT"
    assert row.state.text() == "4 kB"
    assert row.paper.isVisible()
    assert not row.homepage.isVisible()
    assert panel.row("mr_mt3").state.text() == "size not published"


def test_the_built_in_model_can_neither_be_got_nor_removed(panel):
    row = panel.row("built-in")
    assert row.state.text() == "built in"
    buttons = (row.download, row.bring, row.check, row.folder, row.remove)
    assert not any(button.isVisible() for button in buttons)


def test_download_shows_progress_and_ends_installed(panel, library, shelf, qtbot):
    shelf.gate.clear()
    row = panel.row(MT3)
    click(qtbot, row.download)
    qtbot.waitUntil(lambda: row.work.words.text() == "2 kB of 4 kB   0 kB/s   4 s left")
    assert row.work.bar.value() == 500
    assert not row.download.isVisible()
    shelf.gate.set()
    qtbot.waitUntil(lambda: row.state.text() == "installed   4 kB")
    assert not row.work.isVisible()
    assert row.remove.isVisible()


def test_cancel_stops_the_download_and_it_can_be_resumed(panel, library, shelf, qtbot):
    shelf.gate.clear()
    row = panel.row(MT3)
    click(qtbot, row.download)
    staging = Store(library.room.folder).staging_of(CATALOG.entry(MT3))
    staging.mkdir(parents=True)
    (staging / "mt3_magenta0.bin").write_bytes(b"x" * 1_000)
    click(qtbot, row.work.cancel)
    qtbot.waitUntil(lambda: row.download.text() == "Resume")
    assert row.state.text() == "1 kB of 4 kB here"
    assert row.remove.text() == "Discard"


def test_a_failure_stands_on_the_row_with_its_remedies(panel, shelf, qtbot):
    shelf.problem = AppError("The server is gone.", "Try again later.")
    row = panel.row(MT3)
    click(qtbot, row.download)
    qtbot.waitUntil(row.problem.isVisible)
    assert row.problem.words.text() == "The server is gone. Try again later."
    shown = [remedy for remedy, button in row.problem.buttons.items() if button.isVisible()]
    assert shown == [Remedy.TRY_AGAIN, Remedy.IMPORT]
    shelf.problem = None
    click(qtbot, row.problem.buttons[Remedy.TRY_AGAIN])
    qtbot.waitUntil(lambda: row.state.text() == "installed   4 kB")
    assert not row.problem.isVisible()


def test_a_failure_can_be_closed(panel, shelf, qtbot):
    shelf.problem = AppError("The server is gone.", "Try again later.")
    row = panel.row(MT3)
    click(qtbot, row.download)
    click(qtbot, row.problem.close_button)
    assert not row.problem.isVisible()
    assert row.download.isVisible()


def test_removing_is_asked_in_the_row_and_keep_keeps(installed, library, qtbot):
    row = installed.row(MT3)
    click(qtbot, row.remove)
    assert row.question.text() == "Remove it and free 4 kB? It can be had again."
    assert row.keep.hasFocus()
    click(qtbot, row.keep)
    assert not row.question.isVisible()
    assert library.is_usable(MT3)


def test_removing_frees_the_room(installed, library, qtbot):
    row = installed.row(MT3)
    click(qtbot, row.remove)
    click(qtbot, row.confirm)
    qtbot.waitUntil(lambda: not library.is_usable(MT3))
    qtbot.waitUntil(lambda: installed.place.text().splitlines()[1].startswith("0 B in models"))
    assert row.download.isVisible()


def test_a_damaged_model_offers_to_be_downloaded_again(installed, shelf, qtbot):
    row = installed.row(MT3)
    click(qtbot, row.check)
    qtbot.waitUntil(row.problem.isVisible)
    assert "damaged" in row.problem.words.text()
    click(qtbot, row.problem.buttons[Remedy.GET_AGAIN])
    qtbot.waitUntil(lambda: shelf.asked == [MT3])
    qtbot.waitUntil(lambda: not row.problem.isVisible())


def test_a_file_dropped_on_the_panel_is_imported(panel, shelf, qtbot, tmp_path):
    path = tmp_path / "mt3.pth"
    assert drop_on(panel, path)
    qtbot.waitUntil(lambda: shelf.asked == [(path, None)])
    qtbot.waitUntil(lambda: panel.row(MT3).state.text().startswith("installed"))


def test_audio_dropped_on_the_panel_is_left_to_the_window(panel, shelf, tmp_path):
    assert not drop_on(panel, tmp_path / "keys.wav")
    assert shelf.asked == []


def test_a_failed_import_stands_above_the_rows(panel, shelf, qtbot, tmp_path):
    shelf.problem = AppError("'x.pth' is no model.", "Choose another file.")
    drop_on(panel, tmp_path / "x.pth")
    qtbot.waitUntil(panel.bringing_problem.isVisible)
    assert panel.bringing_problem.words.text().replace("\u200b", "") == (
        "'x.pth' is no model. Choose another file."
    )
    click(qtbot, panel.bringing_problem.close_button)
    assert not panel.bringing_problem.isVisible()


@pytest.mark.parametrize(
    ("chosen", "model", "imported"),
    [("mt3.pth", MT3, "mt3.pth"), ("t5x/checkpoint", None, "t5x")],
)
def test_import_takes_the_chosen_file_or_the_folder_of_a_checkpoint(
    panel, shelf, qtbot, tmp_path, monkeypatch, settings, chosen, model, imported
):
    answer = (str(tmp_path / chosen), "")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", staticmethod(lambda *_: answer))
    click(qtbot, panel.row(MT3).bring if model else panel.import_file)
    qtbot.waitUntil(lambda: shelf.asked == [(tmp_path / imported, model)])
    assert settings.last_model_folder == tmp_path
    qtbot.waitUntil(lambda: panel.row(MT3).state.text().startswith("installed"))


def test_the_paper_opens_in_the_browser_and_nowhere_else(panel, qtbot, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", staticmethod(opened.append))
    click(qtbot, panel.row(MT3).paper)
    assert [url.toString() for url in opened] == ["https://paper.invalid"]


def test_open_folder_opens_the_store_even_before_it_exists(panel, library, qtbot, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", staticmethod(opened.append))
    assert not library.room.folder.exists()
    click(qtbot, panel.folder)
    assert opened == [QUrl.fromLocalFile(str(library.room.folder.parent))]


def test_the_idle_time_is_remembered_and_told_to_the_worker(panel, job, settings):
    panel.idle.setValue(3)
    assert settings.idle_minutes == 3
    assert job.idle_s == 180.0


def test_every_button_of_the_panel_is_reached_by_tab_and_pressed_by_space(panel, qtbot, shelf):
    row = panel.row(MT3)
    reached = set()
    for _ in range(60):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        reached.add(QApplication.focusWidget())
        if row.download.hasFocus():
            break
    assert row.download in reached
    qtbot.keyClick(row.download, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: shelf.asked == [MT3])


def test_space_presses_the_button_that_tab_has_reached_and_plays_elsewhere(
    panel, desk, job, wav, qtbot, shelf
):
    desk.parts.importer.add([wav("keys.wav")])
    qtbot.waitUntil(desk.window.actions_by_name["play"].isEnabled)
    download = panel.row(MT3).download
    download.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(download, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: shelf.asked == [MT3])
    assert not desk.player.is_playing
    panel.setFocus()
    qtbot.keyClick(panel, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: desk.player.is_playing)
    desk.player.pause()


def test_a_long_file_name_does_not_widen_the_panel(panel, library, qtbot):
    model, row = library.model(MT3), panel.row(MT3)
    before_px = row.minimumSizeHint().width()
    long_name = "target." + "decoder_attention_" * 12
    failure = ModelFailure(long_name, "", (Remedy.TRY_AGAIN,))
    row.show_model(replace(model, failure=failure))
    qtbot.waitUntil(lambda: row.minimumSizeHint().width() <= before_px)


def test_no_row_is_wider_than_the_panel_whatever_a_model_is_called(themed, library, qtbot):
    title = "MR-MT3, trained with memories of up to 8 segments back (YPTF.MoE+Multi, noPS)"
    model = library.model("mr_mt3")
    row = ModelRow(replace(model, entry=replace(model.entry, title=title)))
    qtbot.addWidget(row)
    assert row.minimumSizeHint().width() <= WIDTH_PX - SCROLLBAR_PX
