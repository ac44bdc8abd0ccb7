from dataclasses import replace
from pathlib import Path

import pytest

from core.engine.options import Device
from core.score.instruments import StemKind
from desktop.session.commands import add_files, choose_for_stem, remove_stem
from desktop.session.document import Document, StemState
from desktop.session.messages import TempoRequest
from desktop.session.transcription_queue import TranscriptionQueue
from tests import make
from tests.desktop.fakes import ScriptedJob

pytestmark = pytest.mark.gui
MT3 = "mt3_magenta"


@pytest.fixture
def job():
    return ScriptedJob()


@pytest.fixture
def document(qapp):
    document = Document()
    yield document
    document.close()


@pytest.fixture
def queue(document, job, library, settings):
    settings.device = Device.CPU
    return TranscriptionQueue(document, job, library=library, settings=settings)


def add(document, *names, song="Blue"):
    return add_files(document, [Path(name) for name in names], song_name=song)


def states(document):
    return [stem.state.value for stem in document.stems]


def asked(qtbot, job, count):
    qtbot.waitUntil(lambda: len(job.requests) == count)


def test_stems_are_heard_one_after_another_in_their_order(document, queue, job, qtbot):
    add(document, "a.wav", "b.wav")
    asked(qtbot, job, 1)
    assert states(document) == ["preparing", "queued"]
    job.progress(1.0)
    assert states(document) == ["running", "queued"]
    job.answer()
    asked(qtbot, job, 2)
    assert states(document) == ["done", "preparing"]
    assert [request.path.name for request in job.requests] == ["a.wav", "b.wav"]


def test_the_chosen_device_is_asked_for(document, queue, job, qtbot):
    add(document, "a.wav")
    asked(qtbot, job, 1)
    assert job.request.options.device is Device.CPU


def test_the_tempo_is_found_once_all_stems_are_heard(document, queue, job, qtbot):
    add(document, "a.wav", "b.wav")
    asked(qtbot, job, 1)
    job.answer()
    asked(qtbot, job, 2)
    job.answer()
    asked(qtbot, job, 3)
    assert isinstance(job.request, TempoRequest)
    assert [stem.path.name for stem in job.request.stems] == ["a.wav", "b.wav"]
    job.answer_tempo(96.0)
    assert document.current_song.tempo.bpm == 96.0
    assert not queue.is_busy


def test_a_stem_that_joins_later_has_the_tempo_found_anew(document, queue, job, qtbot):
    add(document, "a.wav")
    asked(qtbot, job, 1)
    job.answer()
    asked(qtbot, job, 2)
    job.answer_tempo()
    add(document, "b.wav", song="Red")
    asked(qtbot, job, 3)
    job.answer()
    asked(qtbot, job, 4)
    assert [stem.path.name for stem in job.request.stems] == ["b.wav"]


def test_a_tempo_that_cannot_be_found_is_said_where_the_tempo_stands(document, queue, job, qtbot):
    add(document, "a.wav")
    asked(qtbot, job, 1)
    job.answer()
    asked(qtbot, job, 2)
    job.fail("There is no beat.", "Tap the tempo.")
    assert document.current_song.found.how == "There is no beat. Tap the tempo."
    assert not queue.is_busy


def test_a_cancelled_stem_says_so_at_once_and_the_next_runs(document, queue, job, qtbot):
    add(document, "a.wav", "b.wav")
    asked(qtbot, job, 1)
    queue.cancel(document.stems[0].stem_id)
    assert states(document)[0] == "cancelled"
    asked(qtbot, job, 2)
    assert job.request.path.name == "b.wav"


def test_a_waiting_stem_can_be_cancelled_too(document, queue, job, qtbot):
    add(document, "a.wav", "b.wav")
    asked(qtbot, job, 1)
    queue.cancel(document.stems[1].stem_id)
    assert states(document) == ["preparing", "cancelled"]


def test_a_late_answer_to_a_cancelled_job_is_dropped(document, queue, job, qtbot):
    add(document, "a.wav")
    asked(qtbot, job, 1)
    late = job.request
    queue.cancel(document.stems[0].stem_id)
    job.requests.append(late)
    job.answer()
    assert states(document) == ["cancelled"]


def test_an_answer_for_a_removed_stem_is_dropped(document, queue, job, qtbot):
    add(document, "a.wav", "b.wav")
    asked(qtbot, job, 1)
    remove_stem(document, document.stems[0])
    asked(qtbot, job, 2)
    job.answer()
    assert [(stem.path.name, stem.state) for stem in document.stems] == [("b.wav", StemState.DONE)]


def test_retry_takes_the_failure_away(document, queue, job, qtbot):
    add(document, "a.wav")
    asked(qtbot, job, 1)
    job.fail()
    assert states(document) == ["failed"]
    queue.retry(document.stems[0].stem_id)
    asked(qtbot, job, 2)
    assert document.stems[0].failure is None


def install(library, shelf, qtbot, model_id=MT3):
    with qtbot.waitSignal(library.installed):
        library.download(model_id)


def choose(document, stem, model_id):
    choose_for_stem(document, stem, replace(stem.choice, model=model_id))


def test_a_chosen_model_is_asked_for_with_the_place_of_its_weights(
    document, queue, job, library, shelf, qtbot
):
    install(library, shelf, qtbot)
    add(document, "a.wav")
    choose(document, document.stems[0], MT3)
    asked(qtbot, job, 1)
    assert job.request.options.model == MT3
    assert job.request.checkpoints == ((MT3, library.room.folder / MT3),)


def test_a_missing_model_is_stood_in_for_by_the_built_in_one(document, queue, job, qtbot):
    add(document, "a.wav")
    choose(document, document.stems[0], MT3)
    asked(qtbot, job, 1)
    assert job.request.options.model == "built-in"
    job.answer()
    assert document.stems[0].state is StemState.DONE
    assert document.stems[0].choice.model == MT3


def test_a_stem_whose_name_tells_its_kind_gets_the_model_chosen_last_for_it(
    document, queue, job, library, shelf, settings, qtbot
):
    install(library, shelf, qtbot)
    settings.set_usual_model(StemKind.GUITAR, MT3)
    add(document, "guitar.wav", "bass.wav")
    asked(qtbot, job, 1)
    assert job.request.options.model == MT3
    assert document.stems[0].choice.model == MT3
    job.answer(kind=StemKind.GUITAR)
    asked(qtbot, job, 2)
    assert job.request.options.model == "auto"


def test_a_stem_whose_kind_was_heard_is_heard_again_by_the_model_chosen_for_it(
    document, queue, job, library, shelf, settings, qtbot
):
    install(library, shelf, qtbot)
    settings.set_usual_model(StemKind.MIX, MT3)
    add(document, "take 7.wav")
    asked(qtbot, job, 1)
    job.answer(kind=StemKind.MIX, found_by="listening")
    asked(qtbot, job, 2)
    assert job.request.options.model == MT3
    assert document.stems[0].heard.note_count == 2  # the first notes stay until then
    job.answer(kind=StemKind.MIX, found_by="listening")
    assert document.stems[0].state is StemState.DONE


def test_a_stem_that_was_heard_keeps_its_model_when_heard_again(
    document, queue, job, library, shelf, settings, qtbot
):
    add(document, "guitar.wav")
    asked(qtbot, job, 1)
    job.answer(kind=StemKind.GUITAR)
    settings.set_usual_model(StemKind.GUITAR, MT3)
    queue.retry(document.stems[0].stem_id)
    asked(qtbot, job, 2)
    assert job.request.options.model == "auto"


def test_the_idle_time_of_the_settings_reaches_the_worker(document, queue, job):
    assert job.idle_s == 600.0


def test_notes_are_kept_batch_by_batch_while_they_are_found(document, queue, job, qtbot):
    add(document, "a.wav")
    asked(qtbot, job, 1)
    first, second = make.note(60, 0.0, 0.5), make.note(64, 1.0, 1.5)
    job.progress(1.0, first)
    job.progress(1.2)
    job.progress(2.0, second, spans=((1.0, 2.0),))
    (stem,) = document.stems
    assert stem.early_notes == ((first,), (second,))
    assert stem.heard_spans.edge_s == 2.0
    assert stem.heard is None


def end_with_result(document, queue, job):
    job.answer()


def end_with_failure(document, queue, job):
    job.fail()


def end_by_cancel(document, queue, job):
    queue.cancel(document.stems[0].stem_id)


def end_by_undo(document, queue, job):
    stem = document.stems[0]
    choose_for_stem(document, stem, replace(stem.choice, kind=StemKind.BASS))


@pytest.mark.parametrize("end", [end_with_result, end_with_failure, end_by_cancel, end_by_undo])
def test_early_notes_leave_when_the_work_ends(document, queue, job, qtbot, end):
    add(document, "a.wav")
    asked(qtbot, job, 1)
    job.progress(1.0, make.note(60))
    end(document, queue, job)
    (stem,) = document.stems
    assert (stem.early_notes, stem.heard_spans.spans) == ((), ())


def test_undo_brings_no_early_notes_back(document, queue, job, qtbot):
    add(document, "a.wav", "b.wav")
    asked(qtbot, job, 1)
    job.progress(1.0, make.note(60))
    remove_stem(document, document.stems[0])
    document.undo_stack.undo()
    assert all(stem.early_notes == () for stem in document.stems)
