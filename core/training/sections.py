"""Sections: chords of which every player has one voice, as in bands, quartets and choirs.

Without them every chord that speaks at once would be one instrument's, an organ's most likely.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from core.training.composer import compose, one_voice_of
from core.training.families import FAMILY_NAMED, Family
from core.training.part import PlayedNote
from core.training.song import Song

LINE_UPS = (
    ("brass", "reed"),
    ("brass", "reed", "pipe"),
    ("brass",),
    ("reed", "pipe"),
    ("reed",),
    ("strings",),
    ("strings", "pipe", "reed"),
    ("choir",),
    ("choir", "strings"),
)
FEWEST_PLAYERS, MOST_PLAYERS = 3, 7
CHORAL = replace(FAMILY_NAMED["strings"], name="section", lowest_pitch=43, highest_pitch=84)
STYLES = ("chords", "chords", "chords", "melody", "riff")
TOGETHER_S = 0.06  # notes that start within this are one chord
LATE_DEVIATION_S = 0.012  # of a player, at every note
PARALLEL_STEPS = ((-12,), (-5, -12), (-4, -7), (-3, -8, -12), (0, -12))  # under a melody
LOUDNESS_DEVIATION = 6.0


@dataclass(frozen=True, slots=True)
class Voice:
    """What one player of a section plays; monophonic, in onset order."""

    family: Family
    notes: list[PlayedNote]


def section(rng: np.random.Generator, song: Song, duration_s: float) -> list[Voice]:
    """Draw a section that plays a song: chords voice by voice, or a melody in parallel.

    Voices that no instrument of the line-up reaches are left out.
    """
    line_up = [FAMILY_NAMED[name] for name in LINE_UPS[int(rng.integers(len(LINE_UPS)))]]
    players = int(rng.integers(FEWEST_PLAYERS, MOST_PLAYERS + 1))
    style = str(rng.choice(STYLES))
    notes = compose(rng, replace(CHORAL, styles=(style,)), duration_s, song=song).part.notes
    chords = _chords_of(notes)
    if style != "chords":
        steps = PARALLEL_STEPS[int(rng.integers(len(PARALLEL_STEPS)))]
        chords = [[note, *_below(note, steps)] for note, *_ in chords]
    voices = []
    for number in range(players):
        line = [chord[number % len(chord)] for chord in chords if chord]
        able = [family for family in line_up if _reaches(family, line)]
        if able:
            family = able[int(rng.integers(len(able)))]
            voices.append(Voice(family, one_voice_of(_by_a_player(rng, line), duration_s)))
    return voices


def _chords_of(notes: list[PlayedNote]) -> list[list[PlayedNote]]:
    """Return notes that start together, the highest first."""
    chords: list[list[PlayedNote]] = [notes[:1]]
    for before, note in pairwise(notes):
        if note.onset_s - before.onset_s > TOGETHER_S:
            chords.append([])
        chords[-1].append(note)
    return [sorted(chord, key=lambda note: -note.pitch) for chord in chords]


def _below(note: PlayedNote, steps: tuple[int, ...]) -> list[PlayedNote]:
    return [note._replace(pitch=note.pitch + step) for step in steps]


def _reaches(family: Family, line: list[PlayedNote]) -> bool:
    within = [family.lowest_pitch <= note.pitch <= family.highest_pitch for note in line]
    return bool(within) and all(within)


def _by_a_player(rng: np.random.Generator, line: list[PlayedNote]) -> list[PlayedNote]:
    """Return a line as one of many plays it: never quite with the others, nor quite as loud."""
    loudness = rng.normal(0, LOUDNESS_DEVIATION)
    played = []
    for note in line:
        late_s = max(-note.onset_s, rng.normal(0, LATE_DEVIATION_S))
        velocity = note.velocity + loudness + rng.normal(0, 4)
        played.append(
            note._replace(onset_s=note.onset_s + late_s, velocity=int(np.clip(velocity, 8, 127)))
        )
    return played
