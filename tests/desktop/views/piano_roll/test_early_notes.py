import pytest

from desktop.views.piano_roll.early_notes import FIRST_ROOM, EarlyNoteColumns
from tests.make import note


@pytest.fixture
def columns():
    return EarlyNoteColumns()


def test_batches_are_added_to_what_is_there(columns):
    first, second = (note(60, 0.0, 1.0),), (note(64, 2.0, 3.0), note(67, 1.5, 2.5))
    assert not columns.take((first,))
    assert not columns.take((first, second))
    assert columns.pitch.tolist() == [60, 64, 67]
    assert columns.onset_s.tolist() == [0.0, 2.0, 1.5]
    assert columns.offset_s.tolist() == [1.0, 3.0, 2.5]


def test_other_batches_take_the_place_of_those_before(columns):
    columns.take(((note(60),), (note(61),)))
    assert columns.take(((note(70),), (note(71),)))
    assert columns.pitch.tolist() == [70, 71]


def test_no_batches_leave_nothing(columns):
    columns.take(((note(60),),))
    assert columns.take(())
    assert len(columns) == 0


def test_room_grows_with_the_notes(columns):
    batches = tuple((note(index % 128, index, index + 1.0),) for index in range(3 * FIRST_ROOM))
    for count in range(0, len(batches) + 1, 100):
        columns.take(batches[:count])
    columns.take(batches)
    assert columns.pitch.tolist() == [index % 128 for index in range(3 * FIRST_ROOM)]
    assert columns.onset_s[-1] == 3 * FIRST_ROOM - 1


@pytest.mark.parametrize(("first", "places"), [(0, [0, 2]), (1, [2]), (3, [])])
def test_what_sounds_in_view_is_found_from_a_place_on(columns, first, places):
    columns.take(((note(60, 0.0, 5.0), note(61, 6.0, 7.0), note(62, 3.0, 3.5)),))
    assert columns.within(3.0, 4.0, first=first).tolist() == places
