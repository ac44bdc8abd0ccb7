"""Diatonic harmonicas: ten holes of two reeds each, and how breaths through them sound.

What is breathed is in `harmonica_phrases.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.training.curve_synth import Samples
from core.training.part import PlayedNote
from core.training.performance import Performance, perform
from core.training.performer import Performer, log_uniform

HOLES = 10
BLOWN_STEPS = (0, 4, 7, 12, 16, 19, 24, 28, 31, 36)  # Richter tuning, over the first hole blown
DRAWN_STEPS = (2, 7, 11, 14, 17, 21, 23, 26, 29, 33)
LOWEST_HARP_PITCH = 55  # of a set in all keys, the one in G is the lowest
WIDEST_SPLIT = 4  # holes from one corner of the mouth to the other, the tongue on those between
OCTAVE = 12
CHORD_ATTACK_S, CHORD_RELEASE_S = (0.008, 0.03), (0.015, 0.06)  # the tongue lets go, and shuts
TOGETHER_S = 0.002  # how much reeds of a chord differ in when they speak
REED_CENTS, REED_DB = 4.0, 2.0  # how much they differ in pitch and level
CHORD_LEVEL = (0.25, 0.9)  # of a reed of a chord beside one alone: they share the air
LEAKING_SHARE = 0.5  # of single notes, when the player leaks at all


@dataclass(frozen=True, slots=True)
class Harp:
    """A diatonic harmonica; `lowest_pitch` is that of its first hole, blown."""

    lowest_pitch: int

    def pitch(self, hole: int, *, is_drawn: bool) -> int:
        """Return the MIDI pitch of a hole, counted from 0."""
        return self.lowest_pitch + (DRAWN_STEPS if is_drawn else BLOWN_STEPS)[hole]

    def deepest_bend(self, hole: int, *, is_drawn: bool) -> int:
        """Return by how many semitones a reed bends down: not quite to the other of its hole."""
        own, other = self.pitch(hole, is_drawn=is_drawn), self.pitch(hole, is_drawn=not is_drawn)
        return max(0, own - other - 1)

    def octave_over(self, hole: int, *, is_drawn: bool) -> int | None:
        """Return the hole within reach of the mouth that sounds an octave higher."""
        over = self.pitch(hole, is_drawn=is_drawn) + OCTAVE
        for upper in range(hole + 1, min(HOLES, hole + WIDEST_SPLIT + 1)):
            if self.pitch(upper, is_drawn=is_drawn) == over:
                return upper
        return None


@dataclass(frozen=True, slots=True)
class Breath:
    """Holes that are blown or drawn at once; one hole alone may be bent, by whole semitones.

    A slap is over before anybody would write it down. `is_slid` says that the one hole is bent or
    let go without a new attack.
    """

    onset_s: float
    offset_s: float
    holes: tuple[int, ...]
    is_drawn: bool
    velocity: int
    bent: int = 0
    is_slid: bool = False
    is_slap: bool = False

    def notes(self, harp: Harp) -> list[PlayedNote]:
        """Return what sounds, low to high."""
        return [
            PlayedNote(
                self.onset_s,
                self.offset_s,
                harp.pitch(hole, is_drawn=self.is_drawn) - self.bent,
                self.velocity,
            )
            for hole in self.holes
        ]


def play_breaths(
    rng: np.random.Generator,
    harp: Harp,
    breaths: Sequence[Breath],
    performer: Performer,
    *,
    duration_s: float,
) -> Performance:
    """Play breaths in onset order; single notes with all habits, chords with steady reeds."""
    single = [breath for breath in breaths if len(breath.holes) == 1]
    performance = perform(
        rng,
        [breath.notes(harp)[0] for breath in single],
        replace(performer, leak=0.0),
        duration_s=duration_s,
        slides=frozenset(breath.onset_s for breath in single if breath.is_slid),
    )
    sound, heard = performance.samples, performance.notes
    if performer.leak:
        sound = sound + performer.leak * _leaks(rng, harp, single, performer, duration_s=duration_s)
    chords = [breath for breath in breaths if len(breath.holes) > 1]
    if chords:
        reeds = _chords(rng, harp, chords, performer, duration_s=duration_s)
        sound, heard = sound + reeds.samples, sorted(heard + reeds.notes)
    return Performance(sound, heard)


def _chords(
    rng: np.random.Generator,
    harp: Harp,
    chords: list[Breath],
    performer: Performer,
    *,
    duration_s: float,
) -> Performance:
    """Sound the holes of chords, as many voices as a mouth covers holes."""
    slaps = [(breath.onset_s, breath.offset_s) for breath in chords if breath.is_slap]
    level, breath_of_all = log_uniform(rng, *CHORD_LEVEL), int(rng.integers(2**32))
    steady = _steady(rng, performer)
    sound, heard = np.zeros(0, np.float32), list[PlayedNote]()
    for voice in range(WIDEST_SPLIT + 1):
        notes = [
            note._replace(onset_s=note.onset_s + rng.uniform(0, TOGETHER_S))
            for breath in chords
            for hole, note in zip(breath.holes, breath.notes(harp), strict=True)
            if hole % (WIDEST_SPLIT + 1) == voice  # so a hole always sounds in the same voice
        ]
        if not notes:
            continue
        reed = replace(
            steady, tuning_semitones=steady.tuning_semitones + rng.normal(0, REED_CENTS / 100)
        )
        # One breath moves all reeds, so they draw alike: loudness and pitch sway together.
        played = perform(
            np.random.default_rng(breath_of_all),
            notes,
            reed,
            duration_s=duration_s,
            slides=frozenset(),
        )
        samples = played.samples * np.float32(level * 10 ** (rng.normal(0, REED_DB) / 20))
        sound = samples if len(sound) == 0 else sound + samples
        heard += played.notes
    written = [
        note
        for note in heard
        if not any(onset_s <= note.onset_s < offset_s for onset_s, offset_s in slaps)
    ]
    return Performance(sound, sorted(written))


def _steady(rng: np.random.Generator, performer: Performer) -> Performer:
    """Return the player without what is done to one reed at a time."""
    return replace(
        performer,
        attack_s=float(np.clip(performer.attack_s, *CHORD_ATTACK_S)),
        release_s=float(np.clip(performer.release_s, *CHORD_RELEASE_S)),
        scoop_share=performer.scoop_share if rng.random() < 0.2 else 0.0,
        fall_share=0.0,
        bend_share=0.0,
        grace_share=0.0,
        click_share=0.0,
        breath_share=0.0,
        ghost_share=0.0,
        leak=0.0,
        noise=0.5 * performer.noise,
    )


def _leaks(
    rng: np.random.Generator,
    harp: Harp,
    single: list[Breath],
    performer: Performer,
    *,
    duration_s: float,
) -> Samples:
    """Sound what a neighbouring hole lets through beside some single notes [sample]."""
    beside = [
        replace(breath, holes=(neighbour,))
        for breath in single
        if not breath.bent and rng.random() < LEAKING_SHARE
        for neighbour in [breath.holes[0] + (1 if rng.random() < 0.5 else -1)]
        if 0 <= neighbour < HOLES
    ]
    notes = [breath.notes(harp)[0] for breath in beside]
    steady = replace(_steady(rng, performer), noise=0.0)
    return perform(rng, notes, steady, duration_s=duration_s, slides=frozenset()).samples
