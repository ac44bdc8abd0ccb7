"""Glides: a sung note is where it arrives."""

import numpy as np
import pytest

from core.codec.glides import settled
from core.codec.posteriors_to_notes import DecodeOptions, PitchPosteriors, notes_from_pitch
from core.score.note import NoteEvent

FPS = 50.0
Stretch = tuple[int, float, float]  # pitch, from, to in seconds


def note(pitch: int, onset_s: float, offset_s: float, confidence: float = 0.7) -> NoteEvent:
    return NoteEvent(onset_s, pitch, offset_s, confidence=confidence)


def heard(
    notes: list[NoteEvent], sounding: list[Stretch], shift_s: float = 0.0
) -> list[tuple[int, float, float]]:
    """What `settled` makes of notes while keys sound, as pitch, onset and end."""
    is_sounding = np.zeros((200, 88), bool)
    for pitch, start_s, end_s in sounding:
        is_sounding[round(start_s * FPS) : round(end_s * FPS), pitch - 21] = True
    found = settled(
        notes,
        is_sounding,
        frames_per_s=FPS,
        lowest_pitch=21,
        glide_s=0.35,
        offset_shift_s=shift_s,
    )
    return [(each.pitch, round(each.onset_s, 3), round(each.offset_s, 3)) for each in found]


def test_a_scoop_belongs_to_the_semitone_it_leads_to() -> None:
    sounding = [(60, 1.0, 1.1), (61, 1.1, 2.0)]
    assert heard([note(60, 1.0, 1.1)], sounding) == [(61, 1.0, 2.0)]


def test_a_scoop_over_a_whole_tone_arrives_too() -> None:
    sounding = [(60, 1.0, 1.1), (61, 1.1, 1.2), (62, 1.2, 2.0)]
    assert heard([note(60, 1.0, 1.1)], sounding) == [(62, 1.0, 2.0)]


def test_a_wide_vibrato_is_one_note_at_its_main_pitch() -> None:
    sounding = [(60, 1.0, 1.14), (61, 1.14, 1.2), (60, 1.2, 1.5)]
    assert heard([note(60, 1.0, 1.14)], sounding) == [(60, 1.0, 1.5)]


def test_a_long_note_is_not_followed() -> None:
    sounding = [(60, 1.0, 1.5), (61, 1.5, 2.0)]
    assert heard([note(60, 1.0, 1.5)], sounding) == [(60, 1.0, 1.5)]


def test_a_struck_neighbour_is_a_note_of_its_own() -> None:
    sounding = [(60, 1.0, 1.3), (61, 1.3, 2.0)]
    both = [note(60, 1.0, 1.3), note(61, 1.3, 2.0)]
    assert heard(both, sounding) == [(60, 1.0, 1.3), (61, 1.3, 2.0)]


@pytest.mark.parametrize(("first", "second", "onset_s"), [(0.9, 0.6, 1.0), (0.6, 0.9, 1.1)])
def test_a_scoop_with_an_onset_takes_the_surer_one(
    first: float, second: float, onset_s: float
) -> None:
    both = [note(60, 1.0, 1.1, first), note(61, 1.1, 2.0, second)]
    sounding = [(60, 1.0, 1.1), (61, 1.1, 2.0)]
    assert heard(both, sounding) == [(61, onset_s, 2.0)]


def test_a_leap_stays_two_notes() -> None:
    both = [note(60, 1.0, 1.1), note(64, 1.1, 2.0)]
    assert heard(both, [(60, 1.0, 1.1), (64, 1.1, 2.0)]) == [(60, 1.0, 1.1), (64, 1.1, 2.0)]


def test_ends_are_moved_without_overlapping() -> None:
    sounding = [(60, 1.0, 1.5), (60, 1.52, 2.0)]
    both = [note(60, 1.0, 1.5), note(60, 1.52, 2.0)]
    assert heard(both, sounding, shift_s=0.05) == [(60, 1.0, 1.52), (60, 1.52, 2.05)]


def test_decoding_a_voice_settles_its_notes() -> None:
    onset, frame = np.zeros((100, 88), np.float32), np.zeros((100, 88), np.float32)
    onset[20, 60 - 21] = 0.9
    frame[20:24, 60 - 21] = 0.9
    frame[24:60, 61 - 21] = 0.9
    voice = PitchPosteriors(onset, frame, onset, FPS, 21)
    (sung,) = notes_from_pitch(voice, DecodeOptions(glide_s=0.35))
    (struck,) = notes_from_pitch(voice, DecodeOptions())
    assert (sung.pitch, struck.pitch) == (61, 60)


@pytest.mark.parametrize("seed", range(5))
def test_notes_of_one_pitch_never_overlap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = np.repeat(rng.random((40, 88)), 5, 0).astype(np.float32)
    onset = (rng.random((200, 88)) ** 12).astype(np.float32)
    voice = PitchPosteriors(onset, frame, onset, FPS, 21)
    ends_s: dict[int, float] = {}
    overlaps = 0
    for sung in notes_from_pitch(voice, DecodeOptions(glide_s=0.35, offset_shift_s=0.04)):
        overlaps += ends_s.get(sung.pitch, 0.0) > sung.onset_s
        ends_s[sung.pitch] = sung.offset_s
    assert overlaps == 0
