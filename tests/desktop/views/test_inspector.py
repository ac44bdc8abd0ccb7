"""The inspector beside the song: everything in it can be read."""

import pytest

pytestmark = pytest.mark.gui
LONG_NAME = "a_name_without_a_single_gap_that_no_panel_has_the_room_to_show_in_one_line.wav"


def test_a_long_file_name_pushes_nothing_out_of_the_inspector(desk, job, wav, qtbot):
    desk.window.show()
    desk.parts.importer.add([wav(LONG_NAME)])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    inspector = desk.window.inspector
    qtbot.waitUntil(lambda: bool(inspector.file_name.text()))
    assert inspector.widget().width() <= inspector.viewport().width()
    assert inspector.file_name.text() != LONG_NAME
    assert inspector.file_name.toolTip() == LONG_NAME
