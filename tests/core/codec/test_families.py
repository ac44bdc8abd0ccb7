"""Who plays what."""

from dataclasses import replace

import numpy as np
import pytest

from core.codec.families import (
    FAMILIES,
    PROGRAM_OF_FAMILY,
    kind_of_stem,
    opinion_of,
    packed,
    with_players,
)
from core.codec.posteriors_to_notes import PitchPosteriors
from core.codec.struck_keys import OPINIONS, StruckKeys, struck_keys
from core.score.instruments import StemKind
from core.score.note import NoteEvent

PIANO, GUITAR, BASS, VOICE = 0, 3, 4, 6
FRAMES = 400


def posteriors(*opinions: tuple[int, int, float]) -> PitchPosteriors:
    """Everyone equal, except on keys where (pitch, family, probability) says otherwise."""
    each = np.full((FAMILIES, FRAMES // 4, 88), 1 / FAMILIES)
    for pitch, family, probability in opinions:
        each[:, :, pitch - 21] = (1 - probability) / (FAMILIES - 1)
        each[family, :, pitch - 21] = probability
    rows = each.reshape(3, 4, FRAMES // 4, 88).transpose(0, 2, 1, 3).reshape(3, FRAMES, 88)
    keys = np.zeros((FRAMES, 88), np.float32)
    return PitchPosteriors(keys, keys, keys, 50.0, 21, family=packed(rows.astype(np.float16)))


def note(pitch: int, onset_s: float = 1.0, length_s: float = 0.5) -> NoteEvent:
    return NoteEvent(onset_s, pitch, onset_s + length_s)


def programs(notes: list[NoteEvent]) -> list[int]:
    return [each.program for each in notes]


@pytest.mark.parametrize("probability", [0.0, 0.0004, 0.01, 0.5, 1.0])
def test_packing_keeps_probabilities_to_a_hundredth(probability: float) -> None:
    (stored,) = packed(np.array([probability], np.float16))
    assert (stored / 255) ** 2 == pytest.approx(probability, abs=4e-3, rel=0.1)


@pytest.mark.parametrize("family", range(FAMILIES))
def test_a_note_has_the_opinion_of_its_frames(family: int) -> None:
    heard = posteriors((60, family, 0.8))
    assert np.exp(opinion_of(note(60), heard))[family] == pytest.approx(0.8, abs=0.01)
    assert np.exp(opinion_of(note(61), heard)) == pytest.approx(np.full(12, 1 / 12), abs=0.01)


@pytest.mark.parametrize("onset_s", [0.0, 7.9, 7.99])
def test_notes_at_the_borders_have_an_opinion(onset_s: float) -> None:
    opinion = np.exp(opinion_of(note(60, onset_s), posteriors((60, VOICE, 0.6))))
    assert opinion.sum() == pytest.approx(1.0)


def looked_at(notes: list[NoteEvent], player: int, *others: int) -> StruckKeys:
    """Close looks that tell who plays notes by 6 to 4, and that others do by 8 to 2."""
    close = np.full((len(notes), OPINIONS), 0.4 / 11)
    close[:, player] = 0.6
    close[:, FAMILIES:] = 0.05
    close[:, [FAMILIES + family for family in (player, *others)]] = 0.8
    frames = np.array([round(50 * each.onset_s) for each in notes])
    keys = np.array([each.pitch - 21 for each in notes])
    return struck_keys(frames, keys, packed(close.astype(np.float16)))


def test_a_close_look_counts_as_much_as_the_key() -> None:
    heard = posteriors((60, GUITAR, 0.6))
    struck = looked_at([note(60)], PIANO)
    opinion = opinion_of(note(60), replace(heard, struck=struck))
    unlooked = opinion_of(note(60), replace(heard, struck=looked_at([note(61)], PIANO)))
    by_look, by_key = opinion[PIANO] - opinion[BASS], opinion[GUITAR] - opinion[BASS]
    assert by_key == pytest.approx(by_look, rel=0.05)
    assert np.exp(unlooked)[GUITAR] == pytest.approx(0.6, abs=0.01)


def test_who_doubles_another_for_a_whole_song_gets_the_notes_too() -> None:
    heard = posteriors((60, PIANO, 0.6))
    song = [note(60, onset_s, 0.3) for onset_s in np.arange(0, 7, 0.5)]
    doubled = replace(heard, struck=looked_at(song, PIANO, GUITAR))
    found = with_players(song, doubled)
    assert programs(found) == [0, 25] * len(song)
    assert [each.onset_s for each in found[1::2]] == [each.onset_s for each in song]
    alone = replace(heard, struck=looked_at(song, PIANO))
    assert programs(with_players(song, alone)) == [0] * len(song)


def test_notes_of_a_mix_get_the_program_of_their_player() -> None:
    heard = posteriors((40, BASS, 0.8), (60, PIANO, 0.8), (64, GUITAR, 0.8))
    mix = [note(pitch) for pitch in (40, 60, 64)]
    assert programs(with_players(mix, heard)) == [33, 0, 25]


def test_a_doubtful_note_goes_to_who_plays_most() -> None:
    heard = posteriors((60, PIANO, 0.8), (64, GUITAR, 0.3))
    mix = [*(note(60, onset_s) for onset_s in np.arange(0, 7, 0.5)), note(64)]
    assert set(programs(with_players(mix, heard))) == {PROGRAM_OF_FAMILY[PIANO]}


def test_a_doubtful_note_goes_to_who_plays_at_its_height() -> None:
    heard = posteriors((40, BASS, 0.9), (52, GUITAR, 0.1), (76, GUITAR, 0.9), (64, GUITAR, 0.1))
    onsets_s = np.arange(0, 6, 0.5)
    low, high = ([note(pitch, onset_s) for onset_s in onsets_s] for pitch in (40, 76))
    assert programs(with_players([*low, *high, note(46), note(72)], heard))[-2:] == [33, 25]


def test_who_is_heard_once_in_a_long_mix_is_a_mistake() -> None:
    heard = posteriors((60, PIANO, 0.8), (80, VOICE, 0.6))
    mix = [*(note(60, onset_s) for onset_s in np.arange(0, 7, 0.1)), note(80)]
    assert set(programs(with_players(mix, heard))) == {PROGRAM_OF_FAMILY[PIANO]}


def test_without_families_notes_stay_as_they_are() -> None:
    keys = np.zeros((FRAMES, 88), np.float32)
    silent = PitchPosteriors(keys, keys, keys, 50.0, 21)
    assert with_players([note(60)], silent) == [note(60)]
    assert kind_of_stem([note(60)], silent) is None


def test_a_stem_is_of_the_kind_its_notes_agree_on() -> None:
    heard = posteriors((60, VOICE, 0.7), (62, VOICE, 0.5), (64, PIANO, 0.4))
    assert kind_of_stem([note(60), note(62), note(64)], heard) is StemKind.VOCALS


def test_families_of_another_length_are_refused() -> None:
    keys = np.zeros((FRAMES, 88), np.float32)
    with pytest.raises(ValueError, match="family"):
        PitchPosteriors(keys, keys, keys, 50.0, 21, family=np.zeros((3, 5, 88), np.uint8))
