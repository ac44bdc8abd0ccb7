"""Kinds of errors, each from notes that show it."""

from collections import Counter

import pytest

from core.score.note import NoteEvent
from core.training.note_errors import NoteError, compared
from tests import make

PLAYED = make.note(60, 1.0, 2.0)


@pytest.mark.parametrize(
    ("truth", "found", "error"),
    [
        ([PLAYED], [make.note(72, 1.0, 2.0)], NoteError.OCTAVE),
        ([PLAYED], [make.note(61, 1.02, 2.0)], NoteError.NEIGHBOUR),
        ([PLAYED], [make.note(60, 1.1, 2.0)], NoteError.LATE),
        ([PLAYED], [PLAYED, make.note(60, 1.5, 2.0)], NoteError.SPLIT),
        ([PLAYED], [PLAYED, make.note(79, 1.0, 2.0)], NoteError.OVERTONE),
        ([PLAYED], [PLAYED, make.note(65, 3.0, 4.0)], NoteError.INVENTED),
        ([PLAYED, make.note(60, 2.1, 3.0)], [make.note(60, 1.0, 3.0)], NoteError.MERGED),
        ([PLAYED, make.note(79, 1.0, 2.0)], [PLAYED], NoteError.MASKED),
        ([PLAYED, make.note(65, 3.0, 4.0)], [PLAYED], NoteError.UNHEARD),
        ([PLAYED], [make.note(60, 1.0, 1.5)], NoteError.CUT),
        ([PLAYED], [make.note(60, 1.0, 2.5)], NoteError.HELD),
    ],
)
def test_an_error_is_called_by_its_name(
    truth: list[NoteEvent], found: list[NoteEvent], error: NoteError
) -> None:
    errors = compared(truth, found).errors
    assert errors[error] == 1
    assert set(errors) <= {error, NoteError.HELD}  # a note that runs on also ends late


def test_the_same_notes_have_no_errors() -> None:
    comparison = compared([PLAYED], [PLAYED])
    assert comparison.pairs == ((PLAYED, PLAYED),)
    assert comparison.errors == Counter()
