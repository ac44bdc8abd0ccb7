"""Telling stems apart by what was heard."""

from dataclasses import replace

import numpy as np
import pytest

from core.codec.families import packed
from core.codec.posteriors_to_notes import DRUM_KEYS, DrumPosteriors, PitchPosteriors
from core.engine.stem_listening import kind_from_posteriors
from core.score.instruments import StemKind


def keys(*pitches: int, every_s: float = 0.5, length_s: float = 10.0) -> PitchPosteriors:
    """The pitches struck together and held, again and again."""
    frames = int(length_s * 50)
    onset, frame = np.zeros((frames, 88), np.float32), np.zeros((frames, 88), np.float32)
    for pitch in pitches:
        onset[:: int(every_s * 50), pitch - 21] = 0.9
        frame[:, pitch - 21] = 0.9
    return PitchPosteriors(onset, frame, frame, 50.0, 21)


def played_by(family: int, pitch: PitchPosteriors) -> PitchPosteriors:
    """The same, and a family of instruments known for every key."""
    rows = np.full((3, *pitch.onset.shape), 0.2 / 11, np.float32)
    rows[family // 4, family % 4 :: 4] = 0.8
    return replace(pitch, family=packed(rows))


def hits(*columns: int, every_s: float = 0.25, length_s: float = 10.0) -> DrumPosteriors:
    onset = np.zeros((int(length_s * 100), len(DRUM_KEYS)), np.float32)
    for column in columns:
        onset[5 :: int(every_s * 100), column] = 0.9
    return DrumPosteriors(onset, onset, 100.0)


@pytest.mark.parametrize(
    ("pitch", "drums", "kind"),
    [
        (keys(), hits(0, 1, 2), StemKind.DRUMS),
        (keys(60, 64, 67), hits(0, 1, 2), StemKind.MIX),
        (keys(40), hits(), StemKind.BASS),
        (keys(60, 64, 67), hits(), StemKind.OTHER),
        (keys(60), hits(0, every_s=2.0), StemKind.OTHER),
        (keys(), hits(), StemKind.OTHER),
    ],
    ids=["drums", "mix", "bass", "chords", "stray hits", "silence"],
)
def test_kind_follows_from_what_is_heard(
    pitch: PitchPosteriors, drums: DrumPosteriors, kind: StemKind
) -> None:
    assert kind_from_posteriors(pitch, drums) is kind


@pytest.mark.parametrize(
    ("family", "pitches", "kind"),
    [
        (0, (60, 64, 67), StemKind.KEYS),
        (3, (60, 64, 67), StemKind.GUITAR),
        (5, (60, 64, 67), StemKind.STRINGS),
        (6, (60,), StemKind.VOCALS),
        (8, (60,), StemKind.WINDS),
        (6, (60, 64, 67), StemKind.OTHER),
        (4, (60,), StemKind.OTHER),
    ],
    ids=["piano", "guitar", "strings", "voice", "reed", "a choir", "a bass far too high"],
)
def test_a_stem_without_drums_is_what_its_notes_are_played_on(
    family: int, pitches: tuple[int, ...], kind: StemKind
) -> None:
    assert kind_from_posteriors(played_by(family, keys(*pitches)), hits()) is kind
