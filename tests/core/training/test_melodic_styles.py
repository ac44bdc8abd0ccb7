"""Lines of basses, singers and others."""

from itertools import pairwise

import numpy as np

from core.training.composer import compose
from core.training.families import FAMILY_NAMED
from core.training.song import Harmony, Song

DURATION_S = 12.0


def test_a_bass_plays_the_roots_of_the_song() -> None:
    song = Song(0.5, 0.0, 2, (0, 2, 4, 5, 7, 9, 11), (Harmony(0.0, 9, (0, 3, 7)),))
    part = compose(np.random.default_rng(1), FAMILY_NAMED["bass"], DURATION_S, song=song).part
    roots = [note.pitch % 12 == 9 for note in part.notes]
    assert float(np.mean(roots)) > 0.5


def test_singers_repeat_syllables_on_one_pitch() -> None:
    choir = FAMILY_NAMED["choir"]
    sung = [
        composition.part.notes
        for seed in range(40)
        if (composition := compose(np.random.default_rng(seed), choir, DURATION_S)).style == "sung"
    ]
    repeated = [after.pitch == note.pitch for notes in sung for note, after in pairwise(notes)]
    assert len(sung) > 8
    assert 0.2 < float(np.mean(repeated)) < 0.7
