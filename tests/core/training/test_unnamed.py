"""Clips whose names say nothing: the table of what they are told to be."""

import numpy as np

from core.codec.posteriors_to_notes import DRUM_KEYS, DrumPosteriors, PitchPosteriors
from core.score.instruments import StemKind
from core.training.unnamed import UnnamedClip, Written, unnamed_table, written_as

NOTHING = Written(0, 0)


def pitch_of(notes: int) -> PitchPosteriors:
    onset = np.zeros((200, 88), np.float32)
    for number in range(notes):
        onset[20 * number + 10, 40] = 0.9
    return PitchPosteriors(onset, np.maximum(onset, 0.9), onset, 50.0, 21)


def drums_of(hits: int) -> DrumPosteriors:
    onset = np.zeros((400, len(DRUM_KEYS)), np.float32)
    for number in range(hits):
        onset[20 * number + 10, 0] = 0.9
    return DrumPosteriors(onset, onset, 100.0)


def test_drum_stems_have_no_notes_and_pitched_ones_no_hits() -> None:
    notes, hits = pitch_of(3), drums_of(5)
    assert written_as(StemKind.DRUMS, notes, hits) == Written(0, 5)
    assert written_as(StemKind.KEYS, notes, hits) == Written(3, 0)
    assert written_as(StemKind.MIX, notes, hits) == Written(3, 5)


def test_what_nobody_played_is_counted_over_stems_not_mixes() -> None:
    clips = [
        UnnamedClip("a", StemKind.DRUMS, StemKind.MIX, Written(7, 90), Written(7, 90)),
        UnnamedClip("b", StemKind.DRUMS, StemKind.DRUMS, Written(0, 80), Written(4, 85)),
        UnnamedClip("c", StemKind.KEYS, StemKind.KEYS, Written(50, 0), Written(55, 3)),
        UnnamedClip("d", StemKind.MIX, StemKind.MIX, Written(99, 99), Written(99, 99)),
    ]
    table = unnamed_table(clips)
    assert "told right: 3 of 4" in table
    assert "pitched notes written on 2 drum stems: 7; if taken for mixes 11" in table
    assert "drum hits written on 1 pitched stems: 0; if taken for mixes 3" in table
    assert "told wrong: a (mix)" in table


def test_every_kind_is_a_row_of_what_it_is_told_as() -> None:
    clips = [
        UnnamedClip("a", StemKind.DRUMS, StemKind.MIX, NOTHING, NOTHING),
        UnnamedClip("b", StemKind.DRUMS, StemKind.DRUMS, NOTHING, NOTHING),
    ]
    head, row, *_ = unnamed_table(clips).splitlines()
    assert dict(zip(head.split()[3:], row.split()[1:], strict=True)) == {"drums": "1", "mix": "1"}
