from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from core.codec.posteriors_to_notes import DRUM_KEYS, DrumPosteriors
from core.codec.tokens_to_notes import DecodeLosses
from core.engine.heard import HeardTokens, Posteriors, tracks_of_notes
from core.errors import AppError
from core.score.instruments import StemKind
from desktop.session.document import StemState
from desktop.session.job_texts import notes_text
from desktop.session.messages import Culprit, FailedReply, HeardReply, TempoRequest
from tests import make
from tests.desktop.fakes import heard

pytestmark = pytest.mark.gui
MT3 = "mt3_magenta"


def only_stem(desk):
    (stem,) = desk.document.stems
    return stem


def only_row(desk):
    return desk.window.stems.row(only_stem(desk).stem_id)


def choose_model(desk, model_id):
    """Do what a user does who picks a model in the inspector."""
    field = desk.window.inspector.model
    field.setCurrentIndex(field.findData(model_id))
    field.activated.emit(field.currentIndex())


def finish(job, qtbot, kind=StemKind.GUITAR):
    """Answer the transcription that runs, then the tempo that is asked for after it."""
    count = len(job.requests)
    job.answer(kind=kind)
    qtbot.waitUntil(lambda: len(job.requests) == count + 1)
    assert isinstance(job.request, TempoRequest)
    job.answer_tempo()


def install(library, qtbot):
    with qtbot.waitSignal(library.installed):
        library.download(MT3)


@pytest.fixture
def with_guitar(desk, job, wav, qtbot):
    """The desk with one guitar, heard by the built-in model."""
    desk.parts.importer.add([wav("guitar.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    finish(job, qtbot)
    return desk


def offered(desk):
    field = desk.window.inspector.model
    return [field.itemText(place) for place in range(field.count()) if field.itemText(place)]


def test_the_field_offers_auto_what_is_here_what_can_be_had_and_the_panel(with_guitar, library):
    assert offered(with_guitar) == [
        "Auto: Built-in v8",
        "Built-in v8",
        "MT3   4 kB",
        "MR-MT3   download",
        "Models…",
    ]


def test_an_installed_model_is_offered_without_its_size(with_guitar, library, qtbot):
    install(library, qtbot)
    assert "MT3" in offered(with_guitar)


def test_the_last_line_of_the_field_opens_the_panel_and_chooses_nothing(with_guitar, qtbot):
    choose_model(with_guitar, "")
    qtbot.waitUntil(with_guitar.window.models.isVisible)
    assert only_stem(with_guitar).choice.model == "auto"
    assert with_guitar.window.inspector.model.currentText() == "Auto: Built-in v8"
    with_guitar.window.models.close_panel()


def test_what_auto_took_and_why_stands_below_the_field(with_guitar):
    assert with_guitar.window.inspector.model_note.text() == "always here"


def test_model_device_reason_and_speed_are_the_tip_of_the_row(with_guitar):
    tip = only_row(with_guitar).state.toolTip().splitlines()
    assert tip == [
        "heard as guitar (file name)",
        "Built-in v8: always here",
        "ran on cpu (no GPU), 4x real time",
    ]


def test_another_installed_model_hears_the_stem_again(with_guitar, library, job, qtbot, settings):
    install(library, qtbot)
    choose_model(with_guitar, MT3)
    qtbot.waitUntil(lambda: len(job.requests) == 3)
    assert job.request.options.model == MT3
    assert settings.usual_model(StemKind.GUITAR) == MT3
    assert settings.usual_model(StemKind.BASS) == "auto"


def test_a_missing_model_is_offered_on_the_row_and_the_notes_stay(with_guitar, job, qtbot):
    choose_model(with_guitar, MT3)
    row = only_row(with_guitar)
    assert row.wish.words.text() == "MT3 is not installed. Built-in v8 stands in."
    assert row.wish.button.text() == "Download (4 kB)"
    assert only_stem(with_guitar).state is StemState.DONE
    assert len(job.requests) == 2
    assert with_guitar.window.inspector.model_note.text() == (
        "MT3 is not installed; Built-in v8 stands in"
    )


def test_the_download_starts_on_the_row_and_ends_with_an_offer(
    with_guitar, shelf, library, job, qtbot
):
    choose_model(with_guitar, MT3)
    row = only_row(with_guitar)
    qtbot.waitUntil(row.wish.button.isVisible)
    shelf.gate.clear()
    qtbot.mouseClick(row.wish.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: row.wish.button.text() == "Cancel download")
    assert row.wish.progress.isVisible()
    shelf.gate.set()
    qtbot.waitUntil(lambda: row.wish.button.text() == "Transcribe with MT3")
    qtbot.mouseClick(row.wish.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(job.requests) == 3)
    assert job.request.options.model == MT3
    assert not row.wish.isVisible()


def test_a_download_can_be_cancelled_on_the_row(with_guitar, shelf, library, qtbot):
    choose_model(with_guitar, MT3)
    row = only_row(with_guitar)
    qtbot.waitUntil(row.wish.button.isVisible)
    shelf.gate.clear()
    qtbot.mouseClick(row.wish.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shelf.asked == [MT3])
    qtbot.mouseClick(row.wish.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: library.model(MT3).work is None)
    assert row.wish.button.text() == "Download (4 kB)"


def test_a_failed_download_is_told_on_the_row_with_try_again(with_guitar, shelf, qtbot):
    choose_model(with_guitar, MT3)
    row = only_row(with_guitar)
    qtbot.waitUntil(row.wish.button.isVisible)
    shelf.problem = AppError("The server is gone.", "Try again later.")
    qtbot.mouseClick(row.wish.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: row.wish.button.text() == "Try again")
    assert row.wish.words.text().startswith("The server is gone.")


def test_after_an_install_the_stems_that_gain_by_it_are_offered_in_one_click(
    with_guitar, library, job, qtbot
):
    install(library, qtbot)  # auto would take it for a guitar
    notices = with_guitar.window.notices
    assert notices.text.text() == "MT3 is installed."
    (button,) = notices.buttons
    assert button.text() == "Transcribe 1 stem with it"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(job.requests) == 3)
    assert not notices.isVisible()


def test_an_install_that_helps_no_stem_is_only_told(desk, library, qtbot):
    install(library, qtbot)
    assert desk.window.notices.text.text() == "MT3 is installed."
    assert desk.window.notices.buttons == ()


def test_a_stem_that_a_removed_model_has_heard_misses_nothing(with_guitar, library, job, qtbot):
    install(library, qtbot)
    choose_model(with_guitar, MT3)
    qtbot.waitUntil(lambda: len(job.requests) == 3)
    finish(job, qtbot)
    with qtbot.waitSignal(library.installedChanged):
        library.remove(MT3)
    assert not only_row(with_guitar).wish.isVisible()
    assert with_guitar.window.inspector.model_note.text() == ""


def test_a_broken_model_is_no_reason_to_choose_another_file(with_guitar, job, qtbot):
    with_guitar.window.actions_by_name["transcribe"].trigger()
    qtbot.waitUntil(lambda: len(job.requests) == 3)
    job.failed.emit(FailedReply(job.request.job, "It is damaged.", "Get it again.", Culprit.MODEL))
    row = only_row(with_guitar)
    qtbot.waitUntil(row.models.isVisible)
    assert not row.replace.isVisible()
    qtbot.mouseClick(row.models, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(with_guitar.window.models.isVisible)
    with_guitar.window.models.close_panel()


def test_undo_takes_the_wish_back(with_guitar, qtbot):
    choose_model(with_guitar, MT3)
    with_guitar.document.undo_stack.undo()
    assert only_stem(with_guitar).choice.model == "auto"
    assert not only_row(with_guitar).wish.isVisible()
    assert with_guitar.window.inspector.model.currentText() == "Auto: Built-in v8"


# --- what a token model heard

PROGRAMS = (0, 4, 16, 24, 27, 32, 40, 48, 56, 61, 66, 73)


def mix_of_instruments():
    """Return what MT3 might have heard in a mix: drums and twelve instruments."""
    pitched = [
        replace(make.note(40 + 3 * place, 0.1 * place, 1.5), program=program, confidence=0.9)
        for place, program in enumerate(PROGRAMS)
    ]
    hit = replace(make.note(38, 0.5, 0.51), is_drum=True, confidence=0.4)
    return (hit, *pitched)


@pytest.fixture
def with_mix(desk, job, wav, library, qtbot):
    """The desk with a mix that MT3 heard as thirteen tracks."""
    install(library, qtbot)
    desk.parts.importer.add([wav("mix.wav", seconds=2.0)])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    notes = mix_of_instruments()
    stem = heard(
        job.request.path, *tracks_of_notes(notes, StemKind.MIX), kind=StemKind.MIX, model=MT3
    )
    said = Posteriors(tokens=HeardTokens((), notes, DecodeLosses(invalid_events=2)))
    job.heard.emit(HeardReply(job.request.job, replace(stem, posteriors=said)))
    qtbot.waitUntil(lambda: isinstance(job.request, TempoRequest))
    job.answer_tempo()
    return desk


def test_thirteen_tracks_of_one_stem_are_listed_by_instrument(with_mix):
    names = [row.name.text() for row in with_mix.window.tracks.rows]
    assert len(names) == len(set(names)) == 13
    assert names[0] == "Drums"


def test_one_of_thirteen_tracks_is_soloed_and_exported_alone(with_mix, qtbot):
    row = with_mix.window.tracks.rows[3]
    name = row.name.text()
    qtbot.mouseClick(row.solo, Qt.MouseButton.LeftButton)
    with_mix.window.actions_by_name["copy_song"].trigger()
    (url,) = QApplication.clipboard().mimeData().urls()
    midi = mido.MidiFile(url.toLocalFile())
    QApplication.clipboard().clear()
    assert [track.name for track in midi.tracks][1:] == [name]


def test_all_thirteen_tracks_are_in_one_file_each_on_its_channel(with_mix):
    with_mix.window.actions_by_name["copy_song"].trigger()
    (url,) = QApplication.clipboard().mimeData().urls()
    midi = mido.MidiFile(url.toLocalFile())
    QApplication.clipboard().clear()
    channels = [
        {message.channel for message in track if message.type == "note_on"}
        for track in midi.tracks[1:]
    ]
    assert len(channels) == 13
    assert len(set.union(*channels)) == 13


def test_every_track_of_a_stem_is_dragged_out_by_itself(with_mix):
    track = with_mix.document.tracks_of(with_mix.document.current_song.song_id)[5]
    files = with_mix.window.outgoing.track_files(track)
    assert [part.name for part in mido.MidiFile(files[0]).tracks][1:] == [track.track.name]


def test_sensitivity_can_only_leave_out_what_a_token_model_was_not_sure_of(with_mix, qtbot):
    slider = with_mix.window.inspector.sensitivity.slider
    assert slider.maximum() == 0
    assert "not sure of" in with_mix.window.inspector.sensitivity.toolTip()
    slider.setValue(-100)
    assert only_stem(with_mix).heard.note_count == 12
    slider.setValue(0)
    assert only_stem(with_mix).heard.note_count == 13


def hear_guitar_that_hops(job):
    """Answer with what MT3 might have heard in a guitar: a slip to the piano."""
    notes = tuple(
        replace(make.note(60 + place, place, place + 0.5), program=program, confidence=0.9)
        for place, program in enumerate((24, 24, 24, 0))
    )
    stem = heard(
        job.request.path, *tracks_of_notes(notes, StemKind.GUITAR), kind=StemKind.GUITAR, model=MT3
    )
    said = Posteriors(tokens=HeardTokens((), notes, DecodeLosses()))
    job.heard.emit(HeardReply(job.request.job, replace(stem, posteriors=said)))


def programs_of(desk):
    return [track.program for track in only_stem(desk).heard.tracks]


def test_tidying_is_switched_off_undone_and_kept_for_the_next_transcription(
    with_guitar, library, job, qtbot
):
    window, undo_stack = with_guitar.window, with_guitar.document.undo_stack
    window.actions_by_name["transcribe"].trigger()
    qtbot.waitUntil(lambda: len(job.requests) == 3)
    hear_guitar_that_hops(job)
    qtbot.mouseClick(window.inspector.tidy, Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
    assert programs_of(with_guitar) == [0, 24]
    undo_stack.undo()
    assert window.inspector.tidy.isChecked()
    undo_stack.redo()
    assert programs_of(with_guitar) == [0, 24]
    qtbot.waitUntil(lambda: isinstance(job.request, TempoRequest))
    job.answer_tempo()
    window.actions_by_name["transcribe"].trigger()
    qtbot.waitUntil(lambda: not isinstance(job.request, TempoRequest))
    hear_guitar_that_hops(job)
    assert programs_of(with_guitar) == [0, 24]
    assert not window.inspector.tidy.isChecked()


def test_tidying_what_the_built_in_model_heard_would_change_nothing(desk, job, wav, qtbot):
    desk.parts.importer.add([wav("keys.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    tidy = desk.window.inspector.tidy
    assert not tidy.isEnabled()
    assert tidy.toolTip() == "There are no notes of this stem yet."
    drums = DrumPosteriors(*(np.zeros((10, len(DRUM_KEYS)), np.float16) for _ in range(2)), 100.0)
    stem = replace(heard(job.request.path), posteriors=Posteriors(drums=drums))
    job.heard.emit(HeardReply(job.request.job, stem))
    assert not tidy.isEnabled()
    assert tidy.toolTip() == "What the built-in model hears needs no tidying."


@pytest.mark.parametrize("name", ["sensitivity", "min_note"])
def test_a_double_click_on_a_slider_goes_back_to_the_usual_value(with_mix, qtbot, name):
    slider = getattr(with_mix.window.inspector, name).slider
    usual = only_stem(with_mix).choice
    slider.setValue((slider.minimum() + slider.maximum()) // 2)
    assert only_stem(with_mix).choice != usual
    qtbot.mouseDClick(slider, Qt.MouseButton.LeftButton)
    assert only_stem(with_mix).choice == usual


def test_notes_that_a_token_model_struck_itself_are_not_split(with_mix):
    split = with_mix.window.inspector.split
    assert not split.isEnabled()
    assert split.toolTip() == "This model struck the notes itself."


def test_tokens_that_made_no_notes_are_counted(with_mix):
    assert (
        with_mix.window.inspector.notes_note.text()
        == "13 notes; 2 marks of the model made no sense"
    )


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        (0, "2 notes"),
        (1, "2 notes; 1 mark of the model made no sense"),
        (7, "2 notes; 7 marks of the model made no sense"),
    ],
)
def test_what_was_lost_is_counted_in_words(lost, words):
    said = Posteriors(tokens=HeardTokens((), (), DecodeLosses(invalid_events=lost)))
    assert notes_text(replace(heard(Path("a.wav")), posteriors=said)) == words


def test_sliders_without_anything_to_name_again_say_why(with_guitar):
    inspector = with_guitar.window.inspector  # the scripted job keeps no posteriors
    assert not inspector.sensitivity.isEnabled()
    assert "was not kept" in inspector.sensitivity.toolTip()


def test_the_shortest_note_is_no_matter_for_drums(desk, job, wav, qtbot):
    desk.parts.importer.add([wav("drums.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    hit = replace(make.note(38, 0.5, 0.51), is_drum=True)
    stem = heard(job.request.path, *tracks_of_notes([hit], StemKind.DRUMS), kind=StemKind.DRUMS)
    said = Posteriors(tokens=HeardTokens((), (hit,), DecodeLosses()))
    job.heard.emit(HeardReply(job.request.job, replace(stem, posteriors=said)))
    inspector = desk.window.inspector
    for slider in (inspector.min_note, inspector.split):
        assert not slider.isEnabled()
        assert slider.toolTip() == "Drum hits have no length."
    assert inspector.sensitivity.isEnabled()
