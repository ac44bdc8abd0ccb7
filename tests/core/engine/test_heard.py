"""Notes named from posteriors: which tracks a stem gives, and what they are called."""

import numpy as np

from core.codec.posteriors_to_notes import DRUM_KEYS, DrumPosteriors, PitchPosteriors
from core.engine.heard import Posteriors, tracks_from
from core.score.instruments import StemKind

FPS = 100.0


def hits(*at_s: float, length_s: float = 20.0) -> DrumPosteriors:
    """Return kick drums at these seconds."""
    onset = np.zeros((round(length_s * FPS), len(DRUM_KEYS)), np.float16)
    onset[[round(second * FPS) for second in at_s], 0] = 0.9
    return DrumPosteriors(onset, np.full_like(onset, 0.7), FPS)


def keys(*pitches: int, length_s: float = 20.0) -> PitchPosteriors:
    """Return notes a second apart, each half a second long."""
    onset = np.zeros((round(length_s * FPS), 88), np.float16)
    frame = np.zeros_like(onset)
    for second, pitch in enumerate(pitches):
        start = round(second * FPS)
        onset[start, pitch - 21] = 0.9
        frame[start : start + 50, pitch - 21] = 0.9
    return PitchPosteriors(onset, frame, np.full_like(onset, 0.6), FPS, 21)


def test_a_stem_gives_one_track_with_the_name_and_program_of_its_kind() -> None:
    (track,) = tracks_from(Posteriors(pitch=keys(40, 43)), StemKind.BASS)
    assert (track.name, track.is_drum) == ("Bass", False)
    assert {note.program for note in track.notes} == {track.program}
    assert [note.pitch for note in track.notes] == [40, 43]


def test_a_mix_gives_drums_and_pitched_notes_apart() -> None:
    beats = hits(*(second / 2 for second in range(40)))
    drums, pitched = tracks_from(Posteriors(keys(60, 64), beats), StemKind.MIX)
    assert (drums.is_drum, len(drums.notes)) == (True, 40)
    assert (pitched.is_drum, len(pitched.notes)) == (False, 2)


def test_three_stray_hits_in_a_mix_are_no_drummer() -> None:
    tracks = tracks_from(Posteriors(keys(60, 64), hits(3.0, 9.0, 15.0)), StemKind.MIX)
    assert [track.is_drum for track in tracks] == [False]


def test_a_drum_stem_keeps_its_rare_hits() -> None:
    (track,) = tracks_from(Posteriors(drums=hits(3.0, 9.0, 15.0)), StemKind.DRUMS)
    assert [note.pitch for note in track.notes] == [36, 36, 36]


def test_what_sounds_nothing_gives_no_track() -> None:
    assert tracks_from(Posteriors(keys(), hits()), StemKind.MIX) == ()
