"""Players of a song find the same chords at the same time."""

import numpy as np
import pytest

from core.training.song import DEGREES, Harmony, Song, random_song

C_MAJOR, G_MAJOR = Harmony(0.3, 0, (0, 4, 7)), Harmony(2.3, 7, (0, 4, 7))
SONG = Song(0.5, 0.3, 0, (0, 2, 4, 5, 7, 9, 11), (C_MAJOR, G_MAJOR))


@pytest.mark.parametrize(
    ("at_s", "harmony"), [(0.0, C_MAJOR), (0.3, C_MAJOR), (2.2, C_MAJOR), (2.3, G_MAJOR)]
)
def test_a_chord_is_played_from_its_start_to_the_next(at_s: float, harmony: Harmony) -> None:
    assert SONG.harmony_at(at_s) == harmony


def test_who_is_a_little_early_plays_the_next_chord() -> None:
    assert SONG.harmony_at(2.28) == G_MAJOR


def test_pitch_classes_are_of_one_octave() -> None:
    assert G_MAJOR.pitch_classes == {7, 11, 2}


@pytest.mark.parametrize("seed", range(6))
def test_chords_last_as_long_as_the_song_and_come_round(seed: int) -> None:
    song = random_song(np.random.default_rng(seed), 60.0)
    starts_s = [harmony.at_s for harmony in song.harmonies]
    assert starts_s[0] == song.start_s
    assert starts_s[-1] >= 60.0
    chords = {(harmony.root, harmony.chord) for harmony in song.harmonies}
    assert len(chords) <= 8


def test_most_songs_of_seven_degrees_stay_in_their_scale() -> None:
    songs = [random_song(np.random.default_rng(seed), 12.0) for seed in range(60)]
    is_diatonic = [
        {key for harmony in song.harmonies for key in harmony.pitch_classes}
        <= {(song.key + step) % 12 for step in song.scale}
        for song in songs
        if len(song.scale) == DEGREES
    ]
    assert 0.5 < float(np.mean(is_diatonic)) < 1.0
