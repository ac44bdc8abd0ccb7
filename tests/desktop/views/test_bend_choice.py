"""Bends in the window: chosen in the inspector, drawn, undone, remembered, exported."""

from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest
from PySide6.QtGui import QAction

from core.codec.bends import Bends
from core.codec.tokens_to_notes import DecodeLosses
from core.engine.heard import HeardStem, HeardTokens, Posteriors, tracks_from
from core.score.instruments import StemKind
from core.score.note import NoteEvent
from desktop.session.messages import HeardReply
from desktop.views.piano_roll.canvas import PianoRoll
from tests import make
from tests.core.codec.test_contours import candidates
from tests.desktop.fakes import heard

pytestmark = pytest.mark.gui
SCALE = (60, 62, 64)
SHARP = 67  # the last note, a third of a semitone above its key


def sung(path: Path, kind: StemKind = StemKind.VOCALS) -> HeardStem:
    """Return what a model that writes tokens might have heard of a voice."""
    notes = tuple(
        replace(make.note(pitch, place, place + 0.9), program=52)
        for place, pitch in enumerate((*SCALE, SHARP))
    )
    offered = candidates(np.repeat([*SCALE, SHARP + 1 / 3], 100))
    said = Posteriors(tokens=HeardTokens((), notes, DecodeLosses()), candidates=offered)
    return replace(heard(path, kind=kind), tracks=tracks_from(said, kind), posteriors=said)


def answer(desk, job, qtbot, *, kind=StemKind.VOCALS, bends_heard=True):
    count = len(job.requests)
    stem = sung(job.request.path, kind)
    if not bends_heard:
        stem = replace(stem, posteriors=replace(stem.posteriors, candidates=None))
    job.heard.emit(HeardReply(job.request.job, stem))
    qtbot.waitUntil(lambda: len(job.requests) == count + 1)
    job.answer_tempo()


@pytest.fixture
def with_voice(desk, job, wav, qtbot):
    desk.parts.importer.add([wav("vocals.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    answer(desk, job, qtbot)
    return desk


def choose(desk, bends: Bends) -> None:
    """Do what a user does who picks a line of the field."""
    field = desk.window.inspector.bends
    field.setCurrentIndex(field.findData(bends.value))
    field.activated.emit(field.currentIndex())


def notes(desk) -> tuple[NoteEvent, ...]:
    (stem,) = desk.document.stems
    return stem.heard.tracks[0].notes


def test_bends_are_off_at_first(with_voice):
    assert with_voice.window.inspector.bends.currentText() == "Off"
    assert not any(note.bends for note in notes(with_voice))


def test_bends_come_at_once_without_another_run_and_are_counted(with_voice, job):
    asked = len(job.requests)
    choose(with_voice, Bends.STATIC)
    *in_tune, sharp = notes(with_voice)
    assert not any(note.bends for note in in_tune)
    assert [round(bend.semitones, 2) for bend in sharp.bends] == [0.33]
    assert with_voice.window.inspector.bends_note.text() == "1 of 4 notes bend"
    assert len(job.requests) == asked


def test_the_choice_is_undone_and_redone(with_voice):
    choose(with_voice, Bends.CONTINUOUS)
    with_voice.document.undo_stack.undo()
    assert not any(note.bends for note in notes(with_voice))
    assert with_voice.window.inspector.bends.currentText() == "Off"
    with_voice.document.undo_stack.redo()
    assert notes(with_voice)[-1].bends
    assert with_voice.window.inspector.bends.currentText() == "Continuous"


def test_bends_are_drawn_in_the_piano_roll(with_voice):
    roll = with_voice.window.timeline.findChild(PianoRoll)
    with_voice.window.timeline.time_axis.show_range(2.5, 4.2)
    plain = roll.grab().toImage()
    choose(with_voice, Bends.CONTINUOUS)
    assert roll.grab().toImage() != plain
    with_voice.document.undo_stack.undo()
    assert roll.grab().toImage() == plain


def test_bends_stay_when_a_slider_moves(with_voice):
    choose(with_voice, Bends.STATIC)
    with_voice.window.inspector.min_note.slider.setValue(200)
    assert notes(with_voice)[-1].bends


def test_the_choice_is_the_usual_one_for_stems_of_its_kind(with_voice, job, wav, qtbot, settings):
    choose(with_voice, Bends.STATIC)
    assert settings.usual_bends(StemKind.VOCALS) is Bends.STATIC
    assert settings.usual_bends(StemKind.BASS) is Bends.OFF
    count = len(job.requests)
    with_voice.parts.importer.add([wav("other vocals.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == count + 1)
    answer(with_voice, job, qtbot)
    assert with_voice.document.stems[-1].heard.tracks[0].notes[-1].bends


def test_a_voice_known_by_listening_bends_as_voices_usually_do(desk, job, wav, qtbot, settings):
    settings.set_usual_bends(StemKind.VOCALS, Bends.STATIC)
    desk.parts.importer.add([wav("take 7.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    stem = replace(sung(job.request.path), kind_found_by="listening")
    job.heard.emit(HeardReply(job.request.job, stem))
    assert notes(desk)[-1].bends
    assert desk.document.stems[0].choice.notes.bends is Bends.STATIC


@pytest.mark.parametrize(
    ("kind", "bends_heard", "reason"),
    [
        (StemKind.KEYS, False, "Bends are for stems of one voice: singing, winds, bass, solos."),
        (
            StemKind.VOCALS,
            False,
            "What the model said was not kept; transcribe the stem again.",
        ),
    ],
)
def test_where_nothing_could_bend_the_field_says_why(
    desk, job, wav, qtbot, kind, bends_heard, reason
):
    desk.parts.importer.add([wav("take.wav")])
    qtbot.waitUntil(lambda: len(job.requests) == 1)
    field = desk.window.inspector.bends
    assert (field.isEnabled(), field.toolTip()) == (False, "There are no notes of this stem yet.")
    answer(desk, job, qtbot, kind=kind, bends_heard=bends_heard)
    assert (field.isEnabled(), field.toolTip()) == (False, reason)


def menu_action(menu, *path: str) -> QAction:
    """Return the line that the words lead to."""
    for words in path[:-1]:
        menu = next(a for a in menu.actions() if a.text() == words).menu()
    return next(action for action in menu.actions() if path[-1] in action.text())


RANGES = "Pitch Bend Range of the Synth"


@pytest.mark.parametrize(
    ("line", "data_entries"), [("±2 ", [2]), ("±12", [12]), ("MPE", [15, *[48] * 4])]
)
def test_files_bend_as_far_as_the_export_menu_says(with_voice, line, data_entries):
    choose(with_voice, Bends.CONTINUOUS)
    menu = with_voice.window.export_menu
    menu.rebuild()
    menu_action(menu, RANGES, line).trigger()
    menu.rebuild()
    assert menu_action(menu, RANGES, line).isChecked()
    (file,) = with_voice.window.outgoing.song_files()
    messages = [message for track in mido.MidiFile(file).tracks for message in track]
    entered = [m.value for m in messages if m.type == "control_change" and m.control == 6]
    assert entered == data_entries
