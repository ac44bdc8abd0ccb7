"""Bends: the events of contours, and what is tuning rather than bend."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codec.bends import TOLERANCE_CENTS, Bends, _steps, may_bend, with_bends
from core.codec.contours import PitchCandidates
from core.score.instruments import StemKind
from core.score.note import NoteEvent
from tests import make
from tests.core.codec.test_contours import FPS, candidates

SCALE = (60, 62, 64, 65, 67)


def bent(
    beside: np.ndarray | float, bends: Bends, *, keys: tuple[int, ...] = (60,)
) -> tuple[NoteEvent, ...]:
    """Return notes of a second each, sounding so many semitones beside their keys [frame]."""
    curve = np.broadcast_to(beside, 100)
    notes = [make.note(key, float(place), place + 0.99) for place, key in enumerate(keys)]
    return with_bends(notes, candidates(np.concatenate([key + curve for key in keys])), bends)


VIBRATO = 0.6 * np.sin(2 * np.pi * 6 * np.arange(100) / FPS)


@pytest.mark.parametrize("kind", [StemKind.DRUMS, StemKind.KEYS, StemKind.MIX])
def test_drums_keys_and_mixes_do_not_bend(kind: StemKind) -> None:
    assert not may_bend(kind)


def test_off_changes_nothing() -> None:
    (note,) = bent(VIBRATO, Bends.OFF)
    assert note == make.note(60, 0.0, 0.99)


def test_continuous_bends_follow_a_vibrato_within_the_tolerance() -> None:
    (note,) = bent(VIBRATO, Bends.CONTINUOUS)
    at_s = np.arange(2, 97) / FPS
    starts = [bend.at_s for bend in note.bends]
    places = np.searchsorted(starts, at_s, side="right") - 1
    heard = np.array([bend.semitones for bend in note.bends])[places]
    assert np.abs(heard - VIBRATO[2:97]).max() <= TOLERANCE_CENTS / 100 + 0.02


def test_there_are_at_most_as_many_events_as_frames() -> None:
    (note,) = bent(1.5 * np.sin(2 * np.pi * 6 * np.arange(100) / FPS), Bends.CONTINUOUS)
    gaps_s = np.diff([bend.at_s for bend in note.bends])
    assert gaps_s[1:].min() > 0.9 / FPS  # the first begins with the note, between two frames


def test_a_steady_note_takes_one_event() -> None:
    notes = bent(0.4, Bends.CONTINUOUS, keys=(60,))
    detuned = with_bends(
        [make.note(60, 0.0, 0.9), make.note(62, 1.0, 1.9), make.note(64, 2.0, 2.9)],
        candidates(np.repeat([60.0, 62.0, 64.4], 100)),
        Bends.CONTINUOUS,
    )
    assert notes[0].bends == ()  # the only note there is tells the tuning
    assert [len(note.bends) for note in detuned] == [0, 0, 1]


@pytest.mark.parametrize("bends", [Bends.STATIC, Bends.CONTINUOUS])
def test_a_song_in_its_own_tuning_has_no_bends(bends: Bends) -> None:
    assert [note.bends for note in bent(0.3, bends, keys=SCALE)] == [()] * 5


@pytest.mark.parametrize("bends", [Bends.STATIC, Bends.CONTINUOUS])
def test_bends_count_from_the_tuning_of_the_song(bends: Bends) -> None:
    offered = candidates(np.repeat([60.3, 62.3, 64.3, 65.3, 67.8], 100))
    notes = [make.note(key, float(place), place + 0.99) for place, key in enumerate(SCALE)]
    *in_tune, sharp = with_bends(notes, offered, bends)
    assert [note.bends for note in in_tune] == [()] * 4
    assert [(bend.at_s, round(bend.semitones, 2)) for bend in sharp.bends] == [(4.0, 0.5)]


def test_static_bends_are_the_middle_of_a_vibrato() -> None:
    offered = candidates(np.concatenate([np.repeat([60.0, 62.0], 100), 64.35 + VIBRATO]))
    notes = [make.note(key, float(place), place + 0.99) for place, key in enumerate((60, 62, 64))]
    last = with_bends(notes, offered, Bends.STATIC)[-1]
    assert [(bend.at_s, round(bend.semitones, 1)) for bend in last.bends] == [(2.0, 0.3)]


def test_what_nobody_hears_is_no_bend() -> None:
    (note,) = bent(0.06 * np.sin(np.arange(100) / 4), Bends.CONTINUOUS)
    assert note.bends == ()


def test_the_first_event_is_at_the_onset_and_none_outside_the_note() -> None:
    (note,) = with_bends([make.note(60, 0.103, 0.907)], candidates(60 + VIBRATO), Bends.CONTINUOUS)
    assert note.bends[0].at_s == 0.103
    assert note.bends[-1].at_s < 0.907
    assert sorted(note.bends, key=lambda bend: bend.at_s) == list(note.bends)


def test_nothing_but_bends_changes() -> None:
    notes = [make.note(60, 0.0, 0.9), make.note(90, 0.2, 0.4), make.note(62, 1.0, 1.9)]
    offered = PitchCandidates(*_vibrating(), FPS, 36)
    changed = with_bends(notes, offered, Bends.CONTINUOUS)
    assert [(n.onset_s, n.pitch, n.offset_s, n.velocity) for n in changed] == [
        (n.onset_s, n.pitch, n.offset_s, n.velocity) for n in notes
    ]


def _vibrating() -> tuple[np.ndarray, np.ndarray]:
    offered = candidates(np.concatenate([60 + VIBRATO, 62 + VIBRATO]))
    return offered.pitch, offered.strength


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=60))
def test_steps_stay_within_the_tolerance_of_every_value(values: list[float]) -> None:
    starts, levels = _steps(np.array(values), 0.05)
    held = np.array(levels)[np.searchsorted(starts, np.arange(len(values)), side="right") - 1]
    assert np.abs(held - values).max() <= 0.05 + 1e-9
    assert starts[0] == 0
    assert len(starts) == len(levels)
