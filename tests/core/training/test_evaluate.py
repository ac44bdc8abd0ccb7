"""Scores, and the bar the shipped weights must not fall under."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.score.note import NoteEvent
from core.training.evaluate import (
    drum_f1,
    evaluate,
    instrument_f1,
    means_of_kinds,
    note_f1,
    read_clips,
)
from tests import make

ROOT = Path(__file__).resolve().parents[3]
CLIPS = ROOT.parent / "shared" / "eval" / "clips" / "dev"


def played(pitch: int, onset_s: float, program: int) -> NoteEvent:
    return replace(make.note(pitch, onset_s, onset_s + 0.4), program=program)


def test_the_same_notes_score_one() -> None:
    notes = [make.note(60, 0.0, 0.5), make.note(64, 0.5, 1.0)]
    assert note_f1(notes, notes, with_offsets=True) == 1.0


def test_a_note_50_ms_off_is_missed() -> None:
    truth, found = [make.note(60, 1.0, 2.0)], [make.note(60, 1.06, 2.0)]
    assert note_f1(truth, found, with_offsets=False) == 0.0


def test_a_wrong_end_counts_only_with_offsets() -> None:
    truth, found = [make.note(60, 1.0, 2.0)], [make.note(60, 1.0, 1.5)]
    assert note_f1(truth, found, with_offsets=False) == 1.0
    assert note_f1(truth, found, with_offsets=True) == 0.0


def test_unisons_count_once() -> None:
    truth = [make.note(60, 1.0, 1.5), make.note(60, 1.01, 2.0)]
    assert note_f1(truth, [make.note(60, 1.0, 2.0)], with_offsets=True) == 1.0


def test_a_note_of_another_family_of_instruments_counts_as_missed_and_as_too_much() -> None:
    truth = [played(60, 0.0, 0), played(64, 0.5, 40), played(67, 1.0, 56)]
    found = [played(60, 0.0, 7), played(64, 0.5, 41), played(67, 1.0, 64)]
    assert instrument_f1(truth, found) == pytest.approx(2 / 3)


def test_of_one_family_alone_no_instruments_are_told_apart() -> None:
    assert instrument_f1([played(60, 0.0, 0), played(64, 0.5, 1)], []) is None


def test_drum_classes_are_scored_together() -> None:
    truth = [(0.5, 36), (1.0, 38), (1.5, 42)]
    found = [(0.5, 35), (1.0, 40), (1.5, 51)]
    assert drum_f1(truth, found) == pytest.approx(2 / 3)


@pytest.mark.slow
@pytest.mark.skipif(not CLIPS.exists(), reason="the evaluation kit is not beside the repository")
def test_the_shipped_weights_hold_the_bar_on_the_development_clips() -> None:
    overall = means_of_kinds(evaluate(read_clips(CLIPS), ROOT / "resources" / "models"))[
        "mean of kinds"
    ]
    assert overall.onset is not None
    assert overall.offset is not None
    assert overall.drums is not None
    assert overall.onset > 0.88
    assert overall.offset > 0.75
    assert overall.drums > 0.86


@pytest.mark.skipif(not CLIPS.exists(), reason="the evaluation kit is not beside the repository")
def test_clips_are_read_with_their_truth() -> None:
    clip = next(clip for clip in read_clips(CLIPS) if clip.name == "bass_hymmj_a")
    assert clip.notes is not None
    assert len(clip.notes) == 16
