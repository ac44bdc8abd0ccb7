"""Contours: the path of a note's pitch among candidates."""

from collections.abc import Sequence

import numpy as np
import pytest

from core.codec.contours import Contour, PitchCandidates, note_contours
from core.score.note import NoteEvent
from tests import make

FPS = 100.0
FIRST_PITCH = 36


def candidates(*tracks: Sequence[float] | np.ndarray, strength: float = 0.95) -> PitchCandidates:
    """Return frames in which each of the tracks of pitches is offered; NaN is no candidate."""
    offered = np.stack([np.asarray(track, np.float32) for track in tracks], axis=1)
    pitch = np.repeat(np.nan_to_num(offered)[:, None], 4, axis=1)
    first_of_octave = FIRST_PITCH + 12 * np.arange(4)[None, :, None]
    is_near = (pitch > first_of_octave - 3.5) & (pitch < first_of_octave + 15.5)
    strengths = np.where(is_near & (pitch > 0), strength, 0.0).astype(np.float16)
    return PitchCandidates(pitch, strengths, FPS, FIRST_PITCH)


def contour_of(note: NoteEvent, offered: PitchCandidates) -> Contour | None:
    return note_contours([note], offered)[0]


def followed(note: NoteEvent, offered: PitchCandidates) -> np.ndarray:
    contour = contour_of(note, offered)
    assert contour is not None
    return contour.semitones


def test_a_note_is_followed_beside_its_key() -> None:
    track = 60 + 0.5 * np.sin(2 * np.pi * 6 * np.arange(100) / FPS)
    semitones = followed(make.note(60, 0.0, 0.99), candidates(track))
    assert semitones == pytest.approx(track[:100] - 60, abs=0.001)


def test_an_octave_error_of_the_sound_is_no_octave_error_of_the_note() -> None:
    octave_below = np.full(100, 48.0)
    assert followed(make.note(60, 0.0, 0.99), candidates(octave_below, np.full(100, 60.2))) == (
        pytest.approx(0.2, abs=0.001)
    )


def test_a_path_keeps_to_itself_where_another_sound_is_as_strong() -> None:
    other = np.full(100, 62.0)
    other[:50] = np.nan
    assert np.abs(followed(make.note(60, 0.0, 0.99), candidates(other, np.full(100, 60.0)))) == (
        pytest.approx(0, abs=0.001)
    )


def test_a_gap_is_bridged_and_marked() -> None:
    track = np.full(100, 60.3)
    track[40:50] = np.nan
    contour = contour_of(make.note(60, 0.0, 0.99), candidates(track))
    assert contour is not None
    assert contour.semitones == pytest.approx(0.3, abs=0.001)
    assert np.flatnonzero(~contour.is_heard).tolist() == list(range(40, 50))


@pytest.mark.parametrize(
    ("track", "reason"),
    [
        (np.full(100, np.nan), "breath"),
        (np.where(np.arange(100) % 10 < 2, 60.0, np.nan), "flickering"),
        (np.full(100, 62.0), "another sound all along"),
        (np.full(100, 66.0), "out of reach"),
    ],
)
def test_what_cannot_be_followed_has_no_contour(track: np.ndarray, reason: str) -> None:
    assert contour_of(make.note(60, 0.0, 0.99), candidates(track)) is None, reason


def test_weak_periodicity_is_not_followed() -> None:
    offered = candidates(np.full(100, 60.0), strength=0.35)
    assert contour_of(make.note(60, 0.0, 0.99), offered) is None


def test_the_room_of_the_note_before_is_not_a_glide() -> None:
    track = np.full(100, 62.0)
    track[:5] = 60.0
    contour = contour_of(make.note(62, 0.0, 0.99), candidates(track))
    assert contour is not None
    assert contour.semitones == pytest.approx(0, abs=0.001)


def test_a_scoop_from_as_far_away_is_kept() -> None:
    track = np.full(100, 62.0)
    track[:20] = np.linspace(60.0, 62.0, 20)
    assert followed(make.note(62, 0.0, 0.99), candidates(track))[0] == pytest.approx(-2, abs=0.01)


def test_notes_of_a_chord_and_drums_have_none() -> None:
    offered = candidates(np.full(300, 60.2), np.full(300, 64.2))
    chord = [make.note(60, 0.0, 1.0), make.note(64, 0.0, 1.0)]
    alone = [make.note(60, 1.0, 1.5), make.note(64, 1.5, 2.0), make.note(60, 2.0, 2.9)]
    found = note_contours(chord + alone, offered)
    assert [contour is not None for contour in found] == [False, False, True, True, True]
    hit = NoteEvent(0.0, 60, 1.0, is_drum=True)
    assert contour_of(hit, offered) is None


def test_a_stem_of_mostly_chords_has_none_at_all() -> None:
    offered = candidates(np.full(300, 60.2), np.full(300, 64.2))
    chords = [make.note(pitch, start, start + 0.9) for start in (0.0, 1.0) for pitch in (60, 64)]
    assert note_contours([*chords, make.note(60, 2.0, 2.9)], offered) == [None] * 5


def test_notes_that_run_into_each_other_a_little_are_still_one_voice() -> None:
    offered = candidates(np.concatenate([np.full(100, 60.2), np.full(100, 62.3)]))
    first, second = note_contours([make.note(60, 0.0, 1.05), make.note(62, 1.0, 1.99)], offered)
    assert first is not None
    assert second is not None
    assert first.at_s[-1] <= 1.0
    assert (first.centre, second.centre) == pytest.approx((0.2, 0.3), abs=0.001)


def test_notes_are_found_in_whatever_order_and_length_they_come() -> None:
    pitches = [60, 62, 64, 65, 67]
    offered = candidates(np.repeat(np.array(pitches) + 0.25, 60))
    notes = [
        make.note(pitch, 0.6 * place, 0.6 * place + 0.1 * (place + 1) + 0.05)
        for place, pitch in enumerate(pitches)
    ]
    for contour in note_contours(notes[::-1], offered):
        assert contour is not None
        assert contour.semitones == pytest.approx(0.25, abs=0.001)


def test_notes_past_the_end_of_the_sound_or_below_all_octaves_have_none() -> None:
    offered = candidates(np.full(100, 60.0))
    assert contour_of(make.note(60, 5.0, 6.0), offered) is None
    assert contour_of(make.note(20, 0.0, 0.9), offered) is None
