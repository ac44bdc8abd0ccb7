"""Notes named from posteriors: which tracks a stem gives, and what they are called."""

from dataclasses import replace

import numpy as np
import pytest

from core.codec.bends import Bends
from core.codec.families import packed
from core.codec.posteriors_to_notes import (
    DRUM_KEYS,
    DecodeOptions,
    DrumPosteriors,
    PitchPosteriors,
    decode_options_for,
)
from core.codec.repair import NO_RULES
from core.codec.tokens_to_notes import DecodeLosses
from core.engine.heard import HeardTokens, Posteriors, tracks_from, tracks_of_notes
from core.score.instruments import StemKind
from core.score.note import NoteEvent
from tests.core.codec.test_contours import candidates

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


def test_bends_are_named_from_the_candidates_and_only_if_wanted() -> None:
    offered = candidates(np.concatenate([np.repeat([60.0, 64.0], 100), np.full(100, 67.5)]))
    said = Posteriors(pitch=keys(60, 64, 67), candidates=offered)
    (plain,) = tracks_from(said, StemKind.VOCALS)
    (bent,) = tracks_from(said, StemKind.VOCALS, bends=Bends.STATIC)
    assert [note.bends for note in plain.notes] == [(), (), ()]
    assert [round(sum(bend.semitones for bend in note.bends), 2) for note in bent.notes] == (
        pytest.approx([0, 0, 0.5], abs=0.01)
    )


def test_a_mix_gives_drums_and_pitched_notes_apart() -> None:
    beats = hits(*(second / 2 for second in range(40)))
    drums, pitched = tracks_from(Posteriors(keys(60, 64), beats), StemKind.MIX)
    assert (drums.is_drum, len(drums.notes)) == (True, 40)
    assert (pitched.is_drum, len(pitched.notes)) == (False, 2)


def test_a_mix_gives_a_track_per_family_of_instruments() -> None:
    notes = keys(40, 60, 64)
    family = np.full((3, *notes.onset.shape), 0.02, np.float16)
    family[0, :, 40:] = np.tile([0.8, 0.02, 0.02, 0.02], len(notes.onset) // 4)[:, None]  # piano
    family[1, 0::4, :40] = 0.8  # bass
    heard = Posteriors(replace(notes, family=packed(family)))
    piano, bass = tracks_from(heard, StemKind.MIX)
    assert (piano.program, [note.pitch for note in piano.notes]) == (0, [64])
    assert (bass.program, [note.pitch for note in bass.notes]) == (33, [40, 60])
    (one_track,) = tracks_from(heard, StemKind.KEYS)
    assert len(one_track.notes) == 3


def test_three_stray_hits_in_a_mix_are_no_drummer() -> None:
    tracks = tracks_from(Posteriors(keys(60, 64), hits(3.0, 9.0, 15.0)), StemKind.MIX)
    assert [track.is_drum for track in tracks] == [False]


def test_a_drum_stem_keeps_its_rare_hits() -> None:
    (track,) = tracks_from(Posteriors(drums=hits(3.0, 9.0, 15.0)), StemKind.DRUMS)
    assert [note.pitch for note in track.notes] == [36, 36, 36]


def test_what_sounds_nothing_gives_no_track() -> None:
    assert tracks_from(Posteriors(keys(), hits()), StemKind.MIX) == ()


def note(pitch: int, program: int, confidence: float = 0.9, *, is_drum: bool = False) -> NoteEvent:
    onset_s = pitch / 10
    return NoteEvent(
        onset_s, pitch, onset_s + 0.5, 80, program, is_drum=is_drum, confidence=confidence
    )


def written(*notes: NoteEvent) -> Posteriors:
    """Return what a token model heard, with nothing to repair unless the kind says so."""
    return Posteriors(tokens=HeardTokens((), notes, DecodeLosses()))


def played(*programs: int) -> list[NoteEvent]:
    return [note(60 + k % 12, program) for program in programs for k in range(12)]


def test_a_mix_of_tokens_gives_a_track_per_instrument_drums_first() -> None:
    hits = [note(36, 0, is_drum=True)]
    tracks = tracks_from(written(*hits, *played(33, 0)), StemKind.MIX)
    assert [track.name for track in tracks] == ["Drums", "Acoustic Grand Piano", "Electric Bass"]


def test_the_playing_style_is_named_only_where_it_tells_two_instruments_apart() -> None:
    tracks = tracks_of_notes(played(24, 25, 33), StemKind.MIX)
    assert [track.name for track in tracks] == [
        "Acoustic Guitar (nylon)", "Acoustic Guitar (steel)", "Electric Bass",
    ]  # fmt: skip


def test_a_stem_of_tokens_is_one_instrument_with_the_name_of_its_kind() -> None:
    (track,) = tracks_from(written(*played(25, 27)), StemKind.GUITAR)
    assert track.name == "Guitar"


def test_without_repair_a_stem_keeps_what_the_model_wrote() -> None:
    tracks = tracks_from(written(*played(25, 27)), StemKind.GUITAR, rules=NO_RULES)
    assert [track.program for track in tracks] == [25, 27]


def test_less_sensitivity_drops_the_notes_that_the_model_doubted() -> None:
    heard = written(note(60, 0, 0.9), note(64, 0, 0.1))
    options = decode_options_for(StemKind.KEYS)
    (track,) = tracks_from(heard, StemKind.KEYS, options.more_sensitive_by(-0.3))
    assert [note.pitch for note in track.notes] == [60]


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (DecodeOptions(onset_threshold=0.95), [60, 64]),
        (DecodeOptions(min_confidence=0.3), [60]),
        (DecodeOptions(min_confidence=0.95), []),
    ],
)
def test_notes_of_tokens_are_asked_for_confidence_not_for_a_threshold(
    options: DecodeOptions, kept: list[int]
) -> None:
    heard = written(note(60, 0, 0.9), note(64, 0, 0.1))
    tracks = tracks_from(heard, StemKind.KEYS, options)
    assert [note.pitch for track in tracks for note in track.notes] == kept
