"""Notes told while a file is still being heard: each segment once, when it is written."""

from collections.abc import Sequence

from core.engine.early_notes import EarlyNotes
from core.score.note import NoteEvent
from tests import make

Told = list[tuple[list[float], float, float]]


def told_for(*written: list[int]) -> Told:
    """Return onsets, start and end of what is told as more and more segments are written."""
    told: Told = []

    def take(notes: Sequence[NoteEvent], start_s: float, end_s: float) -> None:
        told.append(([note.onset_s for note in notes], start_s, end_s))

    early = EarlyNotes(lambda index: [make.note(60, 0.25 * index, 1.0)], 2.0, take)
    for segments in written:
        early.tell(segments)
    return told


def test_a_segment_is_told_when_it_is_written_whatever_is_missing_before_it() -> None:
    assert told_for([2]) == [([4.5], 4.0, 6.0)]


def test_each_segment_is_told_once() -> None:
    assert [start_s for _, start_s, _ in told_for([0, 2], [0, 2], [0, 2, 1])] == [0.0, 4.0, 2.0]


def test_nothing_written_is_nothing_told() -> None:
    assert told_for([], []) == []
