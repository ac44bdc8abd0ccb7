"""Tokens become the notes that a musician sees, in one call."""

import numpy as np
import pytest

from core.codec.clean_notes import CleanNotes, CleanUp, Sound, clean_notes
from core.codec.notes_to_tokens import tokens_from_notes
from core.codec.repair import NO_RULES
from core.codec.velocity import TYPICAL_VELOCITY
from core.codec.vocabulary import ISMIR2021_VOCABULARY, MT3_VOCABULARY, Vocabulary
from core.score.instruments import StemKind
from core.score.note import NoteEvent

RATE = 16_000


def plucked(pitch: int, gain: float) -> np.ndarray:
    at_s = np.arange(RATE // 2) / RATE
    hz = 440 * 2 ** ((pitch - 69) / 12)
    tone = sum(np.sin(2 * np.pi * hz * n * at_s) / n for n in range(1, 7)) * np.exp(-2 * at_s)
    return (gain * tone).astype(np.float32)


SOUND = Sound(lambda: [plucked(40, 0.1), plucked(43, 0.5), plucked(45, 0.2)], RATE, duration_s=1.5)
WRITTEN = [
    NoteEvent(0.0, 52, 0.4, 100, program=33),
    NoteEvent(0.5, 55, 0.9, 100, program=33),
    NoteEvent(1.0, 57, 1.9, 100, program=33),
    NoteEvent(1.0, 38, 1.01, 100, is_drum=True),
    NoteEvent(1.6, 57, 1.9, 100, program=33),
]


def cleaned(
    kind: StemKind, clean_up: CleanUp, vocabulary: Vocabulary = MT3_VOCABULARY
) -> CleanNotes:
    rows = tokens_from_notes(WRITTEN, [0.0], vocabulary)
    return clean_notes(rows, vocabulary, kind=kind, sound=SOUND, clean_up=clean_up)


def test_a_bass_stem_sounds_where_it_sounds_as_loud_as_it_sounds_and_has_no_drums() -> None:
    found = cleaned(StemKind.BASS, CleanUp())
    assert [(n.pitch, n.offset_s) for n in found.notes] == [(40, 0.4), (43, 0.9), (45, 1.5)]
    quiet, loud, medium = (n.velocity for n in found.notes)
    assert quiet < medium == TYPICAL_VELOCITY < loud
    assert found.losses.notes_outside == 1
    assert [change.rule for change in found.changes] == ["drop_foreign"]


def test_all_clean_up_can_be_switched_off() -> None:
    off = CleanUp(NO_RULES, has_bass_octaves=False, has_heard_velocities=False)
    found = cleaned(StemKind.BASS, off)
    assert [n.pitch for n in found.notes] == [52, 55, 38, 57]
    assert {n.velocity for n in found.notes} == {TYPICAL_VELOCITY}


@pytest.mark.parametrize("clean_up", [CleanUp(), CleanUp(has_heard_velocities=False)])
def test_velocities_that_the_model_names_stay(clean_up: CleanUp) -> None:
    found = cleaned(StemKind.KEYS, clean_up, ISMIR2021_VOCABULARY)
    assert {n.velocity for n in found.notes} == {100}
