from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.codec.posteriors_to_notes import PitchPosteriors, decode_options_for
from core.codec.tokens_to_notes import DecodeLosses
from core.engine.heard import HeardTokens, Posteriors
from core.engine.note_choice import NoteChoice
from core.score.instruments import StemKind
from desktop.session.document import Stem, StemChoice
from desktop.session.naming import can_find_more, named_again, shortest_note_s
from desktop.session.track_ids import SongId, StemId
from tests import make
from tests.desktop.fakes import heard, with_posteriors

FRAMES_PER_S = 100.0


def stem_with_onsets(*strengths):
    """Return a stem whose posteriors have a note of 0.3 s per second with these onset values."""
    onset = np.zeros((len(strengths) * 100 + 100, 88), np.float32)
    frame = np.zeros_like(onset)
    for second, strength in enumerate(strengths):
        onset[second * 100 + 50, 40] = strength
        frame[second * 100 + 50 : second * 100 + 80, 40] = 0.9
    pitch = PitchPosteriors(onset, frame, np.full_like(onset, 0.6), FRAMES_PER_S, lowest_pitch=21)
    return with_posteriors(heard(Path("keys.wav"), kind=StemKind.KEYS), Posteriors(pitch))


@pytest.mark.parametrize(("sensitivity", "count"), [(-1.0, 1), (0.0, 2), (1.0, 3)])
def test_more_sensitivity_finds_weaker_notes(sensitivity, count):
    stem = stem_with_onsets(0.98, 0.7, 0.2)
    assert named_again(stem, NoteChoice(sensitivity=sensitivity)).note_count == count


def test_notes_shorter_than_the_limit_go():
    stem = stem_with_onsets(0.9)
    assert named_again(stem, NoteChoice(min_note_s=0.2)).note_count == 1
    assert named_again(stem, NoteChoice(min_note_s=0.5)).note_count == 0


def test_without_posteriors_the_notes_stay():
    stem = heard(Path("keys.wav"))
    assert named_again(stem, NoteChoice(sensitivity=1.0)) is stem


def stem_with_tokens(*confidences, kind=StemKind.KEYS):
    """Return a stem that a token model heard: a note of half a second per confidence."""
    notes = tuple(
        replace(make.note(60 + place, place, place + 0.5), confidence=confidence)
        for place, confidence in enumerate(confidences)
    )
    said = Posteriors(tokens=HeardTokens((), notes, DecodeLosses()))
    return with_posteriors(heard(Path("keys.wav"), kind=kind), said)


@pytest.mark.parametrize(("sensitivity", "count"), [(-1.0, 1), (-0.5, 2), (0.0, 3), (1.0, 3)])
def test_of_tokens_less_sensitivity_leaves_out_the_doubtful_and_more_finds_none(sensitivity, count):
    stem = stem_with_tokens(0.95, 0.4, 0.1)
    assert named_again(stem, NoteChoice(sensitivity=sensitivity)).note_count == count


def test_short_notes_of_tokens_go_too():
    stem = stem_with_tokens(0.9, 0.9)
    assert named_again(stem, NoteChoice(min_note_s=0.6)).note_count == 0


def test_only_posteriors_hold_weaker_notes():
    assert can_find_more(stem_with_onsets(0.9))
    assert not can_find_more(stem_with_tokens(0.9))


def stem_that_hops(kind=StemKind.GUITAR):
    """Return a stem that a token model heard as a guitar with a slip to the piano."""
    programs = (24, 24, 24, 0, 24)
    notes = tuple(
        replace(make.note(60 + place, place, place + 0.5), program=program, confidence=0.9)
        for place, program in enumerate(programs)
    )
    said = Posteriors(tokens=HeardTokens((), notes, DecodeLosses()))
    return with_posteriors(heard(Path("guitar.wav"), kind=kind), said)


@pytest.mark.parametrize(("is_tidied", "programs"), [(True, [24]), (False, [0, 24])])
def test_instruments_are_tidied_or_stay_as_the_model_wrote_them(is_tidied, programs):
    named = named_again(stem_that_hops(), NoteChoice(is_tidied=is_tidied))
    assert [track.program for track in named.tracks] == programs
    assert named.note_count == 5


def test_a_slider_that_moves_leaves_the_shortest_note_of_singers_as_it_was():
    stem = stem_with_onsets(0.9)
    singer = replace(stem, source=replace(stem.source, kind=StemKind.VOCALS))
    singer.posteriors.pitch.frame[53:, 40] = 0.1  # 30 ms, too short for a singer
    assert named_again(singer, NoteChoice(sensitivity=0.1)).note_count == 0
    assert named_again(singer, NoteChoice(sensitivity=0.1, min_note_s=0.0)).note_count == 1


@pytest.mark.parametrize(
    ("kind", "chosen", "shortest_s"),
    [
        (StemKind.VOCALS, None, decode_options_for(StemKind.VOCALS).min_note_s),
        (StemKind.VOCALS, 0.0, 0.0),
        (StemKind.KEYS, None, 0.0),
        (None, None, 0.0),
    ],
)
def test_the_shortest_note_is_the_chosen_one_else_what_suits_the_kind(kind, chosen, shortest_s):
    choice = StemChoice(kind=kind, notes=NoteChoice(min_note_s=chosen))
    assert shortest_note_s(Stem(StemId(1), SongId(2), Path("a.wav"), choice)) == shortest_s
