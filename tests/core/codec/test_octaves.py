"""In a piece that doubles its notes a faint octave is found, elsewhere it is not."""

import numpy as np
import numpy.typing as npt
import pytest

from core.codec.octaves import ending_with_lower, octave_logits, with_octaves
from core.codec.posteriors_to_notes import DecodeOptions, PitchPosteriors, notes_from_pitch
from core.score.note import NoteEvent

LOWER, UPPER = 60 - 21, 72 - 21
FPS = 50.0


def onsets(*, octaves: int, alone: int, faint: float = 0.0) -> npt.NDArray[np.float32]:
    """Sure notes every half second, the first ones doubled; a faint octave over the last one."""
    onset = np.zeros((25 * (octaves + alone) + 25, 88), np.float32)
    struck = 10 + 25 * np.arange(octaves + alone)
    onset[struck, LOWER] = 0.9
    onset[struck[:octaves], UPPER] = 0.9
    if alone:
        onset[struck[-1], UPPER] = faint
    return onset


def heard(onset: npt.NDArray[np.float32]) -> PitchPosteriors:
    frame = np.zeros_like(onset)
    for at, key in np.argwhere(onset > 0):
        frame[at : at + (18 if key == LOWER else 4), key] = 0.9
    return PitchPosteriors(onset, frame, onset, FPS, 21)


def test_a_piece_without_octaves_makes_none_likelier() -> None:
    assert octave_logits(onsets(octaves=0, alone=30)) == 0.0


def test_the_more_octaves_a_piece_has_the_likelier_they_are() -> None:
    some, many = (
        octave_logits(onsets(octaves=20, alone=20)),
        octave_logits(onsets(octaves=60, alone=1)),
    )
    assert 0 < some < many


def test_two_octaves_are_no_habit() -> None:
    assert octave_logits(onsets(octaves=2, alone=3)) < 0.5


def test_silence_has_no_habits() -> None:
    assert octave_logits(np.zeros((0, 88), np.float16)) == 0.0


def test_only_where_the_lower_key_is_struck_is_an_octave_likelier() -> None:
    upper, lower = np.full(40, 0.3, np.float32), np.zeros(40, np.float32)
    lower[10] = 0.9
    raised = np.flatnonzero(with_octaves(upper, lower, 1.0) > 0.3)
    assert raised.tolist() == [8, 9, 10, 11, 12]


def test_logits_are_added() -> None:
    struck = np.ones(1, np.float32)
    (raised,) = with_octaves(np.full(1, 0.5, np.float32), struck, 1.0)
    assert raised == pytest.approx(1 / (1 + np.exp(-1)))


@pytest.mark.parametrize(("octaves", "found"), [(40, 2), (0, 1)])
def test_a_faint_octave_is_found_among_others(octaves: int, found: int) -> None:
    posteriors = heard(onsets(octaves=octaves, alone=20, faint=0.35))
    notes = notes_from_pitch(posteriors, DecodeOptions(seeks_octaves=True))
    last_s = max(note.onset_s for note in notes)
    assert sum(note.onset_s > last_s - 0.1 for note in notes) == found


def test_a_faint_octave_ends_with_the_note_it_doubles() -> None:
    posteriors = heard(onsets(octaves=40, alone=20, faint=0.35))
    notes = notes_from_pitch(posteriors, DecodeOptions(seeks_octaves=True))
    lower, upper = notes[-2:]
    assert (upper.pitch, upper.offset_s) == (72, lower.offset_s)


def test_who_does_not_seek_octaves_finds_none() -> None:
    posteriors = heard(onsets(octaves=40, alone=20, faint=0.35))
    assert notes_from_pitch(posteriors, DecodeOptions())[-1].pitch == 60


def test_a_faint_note_ends_before_its_key_is_struck_again() -> None:
    lower = NoteEvent(1.0, 60, 3.0, confidence=0.9)
    faint = NoteEvent(1.0, 72, 1.2, confidence=0.3)
    again = NoteEvent(2.0, 72, 2.5, confidence=0.9)
    _, ended, _ = ending_with_lower([lower, faint, again], 0.5)
    assert ended.offset_s == pytest.approx(1.99)


def test_a_sure_octave_keeps_its_end() -> None:
    notes = [NoteEvent(1.0, 60, 3.0, confidence=0.9), NoteEvent(1.0, 72, 1.2, confidence=0.8)]
    assert ending_with_lower(notes, 0.5) == notes
