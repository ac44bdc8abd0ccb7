"""Notes told while a file is still being heard: in order, once, and those of the result."""

from collections.abc import Sequence

import pytest

from core.engine.early_notes import EarlyNotes
from core.score.note import NoteEvent
from tests import make


def told_for(*finished: int) -> tuple[list[float], list[int]]:
    """Return the edges told and the segments read as segments are finished one by one."""
    edges_s: list[float] = []
    read: list[int] = []

    def read_segment(index: int) -> Sequence[NoteEvent]:
        read.append(index)
        return [make.note(60 + index)]

    early = EarlyNotes(read_segment, 2.0, lambda _notes, edge_s: edges_s.append(edge_s))
    done: set[int] = set()
    for index in finished:
        done.add(index)
        early.tell(done.__contains__)
    return edges_s, read


@pytest.mark.parametrize(
    ("finished", "edges_s"),
    [((0, 1, 2), [2.0, 4.0, 6.0]), ((2, 1, 0), [6.0]), ((0, 2, 1), [2.0, 6.0]), ((1, 2), [])],
)
def test_the_edge_moves_over_segments_that_have_none_missing_before_them(
    finished: tuple[int, ...], edges_s: list[float]
) -> None:
    assert told_for(*finished)[0] == edges_s


def test_each_segment_is_read_once_in_its_order() -> None:
    assert told_for(3, 0, 2, 1, 4)[1] == [0, 1, 2, 3, 4]


def test_nothing_new_is_told_twice() -> None:
    assert told_for(0, 0, 0)[0] == [2.0]
