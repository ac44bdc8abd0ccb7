"""What would do nothing is grey, and comes back as soon as it would do something."""

import pytest

from desktop.session.messages import TempoRequest

pytestmark = pytest.mark.gui

OF_A_STEM = {"transcribe", "remove_stem", "replace_stem"}
OF_A_SONG = {"new_song", "tap", "halve_tempo", "double_tempo", "zoom_in", "fit", "to_start"}
OF_NOTES = {"export_again", "save_song", "copy_song", "hear_midi"}
OF_A_RUNNING_JOB = {"cancel", "cancel_all"}


def usable(desk):
    actions = desk.window.actions_by_name
    names = OF_A_STEM | OF_A_SONG | OF_NOTES | OF_A_RUNNING_JOB | {"undo", "redo", "next_stem"}
    return {name for name in names if actions[name].isEnabled()}


def test_an_empty_window_has_nothing_to_do(desk):
    assert usable(desk) == set()
    assert not desk.window.song_handle.isEnabled()


def test_what_can_be_done_grows_with_the_song(desk, job, wav, qtbot):
    desk.parts.importer.add([wav("keys.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    assert usable(desk) >= OF_A_RUNNING_JOB | OF_A_SONG
    assert not OF_NOTES & usable(desk)
    job.answer()
    qtbot.waitUntil(lambda: isinstance(job.request, TempoRequest))
    assert not desk.window.export_button.isEnabled()
    assert "tempo" in desk.window.export_button.toolTip()
    job.answer_tempo()
    qtbot.waitUntil(lambda: usable(desk) >= OF_NOTES)
    assert usable(desk) >= OF_A_STEM
    assert desk.window.export_button.toolTip() == ""
    assert "next_stem" not in usable(desk)


def test_what_is_undone_has_a_name(desk, job, wav, qtbot):
    desk.parts.importer.add([wav("keys.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    job.answer()
    qtbot.waitUntil(lambda: isinstance(job.request, TempoRequest))
    job.answer_tempo()
    qtbot.waitUntil(lambda: usable(desk) >= OF_NOTES)
    desk.window.actions_by_name["double_tempo"].trigger()
    assert "undo" in usable(desk)
    assert desk.window.actions_by_name["undo"].text() != "&Undo"
    desk.window.actions_by_name["undo"].trigger()
    assert "redo" in usable(desk)
    assert desk.window.actions_by_name["redo"].text() != "&Redo"
