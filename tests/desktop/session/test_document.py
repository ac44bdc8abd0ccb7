from dataclasses import replace
from pathlib import Path

import pytest

from core.engine.note_choice import NoteChoice
from core.score.instruments import StemKind
from core.score.tempo import constant_tempo
from desktop.session.commands import (
    add_files,
    choose_for_stem,
    choose_tempo,
    join_files,
    remove_stem,
    rename_track,
    replace_stem,
    toggle_mute,
    toggle_solo,
)
from desktop.session.document import Document, StemChoice, StemState
from desktop.session.track_ids import TrackId
from tests import make
from tests.desktop.fakes import heard

pytestmark = pytest.mark.gui


@pytest.fixture
def document(qapp):
    """A document with a song of two stems that were heard: "Piano" and "Bass"."""
    document = Document()
    add_files(document, [Path("keys.wav"), Path("bass.wav")], song_name="Blue")
    for stem, name in zip(document.stems, ("Piano", "Bass"), strict=True):
        track = make.track(make.note(60, 0.0, 0.5), name=name)
        document.put_stem(replace(stem, state=StemState.DONE, heard=heard(stem.path, track)))
    yield document
    document.close()


def track_id(document, place):
    return document.tracks_of(document.current_song.song_id)[place].track_id


def exported(document):
    song = document.current_song
    return [track.name for track in document.transcription_of(song.song_id).tracks]


def noted(stem, **changed):
    """Return the stem's choice with other wishes for its notes."""
    return replace(stem.choice, notes=replace(stem.choice.notes, **changed))


def state(document):
    return document.songs, document.stems


def test_the_first_stem_is_selected_and_its_song_shown(document):
    assert document.current_song.name == "Blue"
    assert document.selected_stem.path == Path("keys.wav")


def test_tracks_come_in_the_order_of_the_stems(document):
    assert exported(document) == ["Piano", "Bass"]


def test_equal_track_names_are_numbered(document):
    rename_track(document, document.current_song, track_id(document, 1), "Piano")
    assert exported(document) == ["Piano", "Piano 2"]


def test_a_muted_track_is_not_exported(document):
    toggle_mute(document, document.current_song, track_id(document, 0))
    assert exported(document) == ["Bass"]


def test_solo_exports_only_what_is_soloed_even_if_muted(document):
    toggle_mute(document, document.current_song, track_id(document, 0))
    toggle_solo(document, document.current_song, track_id(document, 0))
    assert exported(document) == ["Piano"]


def change_mute(document):
    toggle_mute(document, document.current_song, track_id(document, 0))


def change_solo(document):
    toggle_solo(document, document.current_song, track_id(document, 1))


def change_name(document):
    rename_track(document, document.current_song, track_id(document, 0), "Rhodes")


def change_tempo(document):
    choose_tempo(document, document.current_song, constant_tempo(96.0))


def change_kind(document):
    choose_for_stem(document, document.stems[0], StemChoice(kind=StemKind.GUITAR))


def join(document):
    join_files(document, [Path("lead.wav")], song=document.current_song)


def add_song(document):
    add_files(document, [Path("Red/mix.wav")], song_name="Red")


@pytest.mark.parametrize(
    "change", [change_mute, change_solo, change_name, change_tempo, change_kind, join, add_song]
)
def test_undo_is_exact_and_redo_repeats(document, change):
    before = state(document)
    change(document)
    after = state(document)
    assert after != before
    document.undo_stack.undo()
    assert state(document) == before
    document.undo_stack.redo()
    assert state(document) == after


@pytest.mark.parametrize("place", [0, 1])
def test_undo_of_a_removal_brings_stem_and_notes_back(document, place):
    before, removed = set(document.stems), document.stems[place]
    remove_stem(document, removed)
    assert removed not in document.stems
    document.undo_stack.undo()
    assert set(document.stems) == before


def test_the_song_goes_with_its_last_stem(document):
    for stem in document.stems:
        remove_stem(document, stem)
    assert (document.songs, document.current_song, document.selected_stem) == ((), None, None)
    document.undo_stack.undo()
    assert document.current_song.name == "Blue"


def test_replacing_a_file_is_one_step(document):
    steps = document.undo_stack.count()
    replace_stem(document, document.stems[0], Path("keys again.wav"))
    assert [stem.path.name for stem in document.stems] == ["bass.wav", "keys again.wav"]
    assert document.undo_stack.count() == steps + 1


def test_a_moving_slider_is_one_step(document):
    steps = document.undo_stack.count()
    for percent in (10, 20, 30):
        stem = document.stems[0]
        choose_for_stem(document, stem, noted(stem, sensitivity=percent / 100))
    assert document.undo_stack.count() == steps + 1
    document.undo_stack.undo()
    assert document.stems[0].choice.notes.sensitivity == 0.0


@pytest.mark.parametrize(
    ("field", "value"), [("split", 0.1), ("min_note_s", 0.1), ("is_tidied", False)]
)
def test_another_field_than_the_slider_that_moved_is_a_step_of_its_own(document, field, value):
    steps = document.undo_stack.count()
    for changed in ({"sensitivity": 0.3}, {field: value}):
        stem = document.stems[0]
        choose_for_stem(document, stem, noted(stem, **changed))
    assert document.undo_stack.count() == steps + 2
    document.undo_stack.undo()
    assert document.stems[0].choice == StemChoice(notes=NoteChoice(sensitivity=0.3))


def test_a_switch_thrown_twice_is_two_steps(document):
    steps = document.undo_stack.count()
    for is_tidied in (False, True):
        stem = document.stems[0]
        choose_for_stem(document, stem, noted(stem, is_tidied=is_tidied))
    assert document.undo_stack.count() == steps + 2


def test_a_slider_does_not_queue_the_stem_another_kind_does(document):
    stem = document.stems[0]
    choose_for_stem(document, stem, noted(stem, sensitivity=0.5))
    assert document.stems[0].state is StemState.DONE
    choose_for_stem(document, document.stems[0], StemChoice(kind=StemKind.DRUMS))
    assert document.stems[0].state is StemState.QUEUED


def test_undoing_an_addition_while_it_runs_queues_it_again_on_redo(document):
    join(document)
    stem = document.stems[-1]
    document.put_stem(replace(stem, state=StemState.RUNNING, fraction=0.5))
    document.undo_stack.undo()
    document.undo_stack.redo()
    assert document.stems[-1].state is StemState.QUEUED


def test_a_track_keeps_its_name_when_its_notes_are_named_again(document):
    change_name(document)
    stem = document.stems[0]
    track = make.track(make.note(72, 0.0, 0.5), name="Piano")
    document.put_stem(replace(stem, heard=heard(stem.path, track)))
    assert exported(document) == ["Rhodes", "Bass"]
    assert track_id(document, 0) == TrackId(stem.stem_id)
