"""Structured-random music: parts as an instrument of a family might play them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.training.chordal_styles import (
    arpeggios,
    block_chords,
    strokes,
    strummed_chords,
    two_hands,
)
from core.training.families import Family
from core.training.guitar_chords import comping, fingerpicking
from core.training.melodic_styles import bass, bass_line, bop, melodies, melody, random_notes, sung
from core.training.part import Part, PlayedNote, Timed
from core.training.player import LOUDEST, SOFTEST, Player
from core.training.song import Song, random_song

PAUSE_S = 0.012  # a key is let go this long before it is struck again
MONOPHONIC = frozenset({"reed", "harmonica", "pipe", "bass"})
MONOPHONIC_IN_MELODIES = frozenset({"brass", "strings", "lead"})
BENDING = frozenset({"guitar", "bass", "strings", "reed", "harmonica", "brass", "lead", "pipe"})
OCTAVE_DOUBLING = frozenset({"piano", "organ", "strings", "lead", "guitar"})
DOUBLING_STEPS, BROKEN_SHARE = (12, 12, -12, -12, 24, 19), 0.3
MELODIC = frozenset({"melody", "runs", "riff", "bop"})
DYNAMIC_SHARE = 0.6  # of parts whose loudness comes and goes
SLIDE_STEPS = 6  # in which a bend glides
OCTAVE_SHARE, PEDAL_SHARE = 0.45, 0.55
STYLES: Mapping[str, Callable[[Player], None]] = {
    "hands": two_hands,
    "chords": block_chords,
    "strum": strummed_chords,
    "comp": lambda player: strokes(player, comping),
    "finger": lambda player: strokes(player, fingerpicking),
    "arp": lambda player: arpeggios(player, *player.window(24, 32)),
    "melody": melodies,
    "sung": lambda player: sung(player, *player.window(18, int(player.rng.integers(8, 20)))),
    "bop": lambda player: bop(player, *player.window(22, int(player.rng.integers(16, 28)))),
    "runs": lambda player: melody(player, *player.window(24, 28), "veryfast"),
    "riff": lambda player: bass(player, *player.window(20, 14)),
    "bass": bass_line,
    "random": random_notes,
}


@dataclass(frozen=True, slots=True)
class Composition:
    """A part, and the style it was drawn in."""

    part: Part
    style: str


def compose(
    rng: np.random.Generator, family: Family, duration_s: float, *, song: Song | None = None
) -> Composition:
    """Draw a part of one instrument; notes in onset order, never overlapping on one pitch.

    Without a song to play along with, one is drawn.
    """
    style = str(rng.choice(family.styles))
    player = Player(rng, family, duration_s, song or random_song(rng, duration_s))
    STYLES[style](player)
    is_doubled = family.name in OCTAVE_DOUBLING and rng.random() < OCTAVE_SHARE
    if is_doubled:
        _double_in_octaves(player)
    if rng.random() < DYNAMIC_SHARE:
        player.notes = _with_dynamics(rng, player.notes, duration_s)
    is_monophonic = family.name in MONOPHONIC or (
        family.name in MONOPHONIC_IN_MELODIES and style in MELODIC and not is_doubled
    )
    part = Part(notes=_untangled(player.notes, duration_s, is_monophonic=is_monophonic))
    part.muted_strokes = player.muted_strokes
    if family.name == "piano" and rng.random() < PEDAL_SHARE:
        part.pedal = _pedal(rng, player.beat_s, duration_s)
    is_bending = family.name in BENDING and (is_monophonic or style in MELODIC)
    if is_bending and rng.random() < 0.35:
        part.bends = _bends(rng, part.notes)
    return Composition(part, style)


def one_voice_of(notes: list[PlayedNote], duration_s: float) -> list[PlayedNote]:
    """Leave out of a part what one voice cannot play."""
    return _untangled(notes, duration_s, is_monophonic=True)


def one_player_of(notes: list[PlayedNote], duration_s: float) -> list[PlayedNote]:
    """Let hands that meet on a key strike it one after another."""
    return _untangled(notes, duration_s, is_monophonic=False)


def sounding(notes: list[PlayedNote], pedal: list[Timed]) -> list[PlayedNote]:
    """Hold notes until the pedal is let go, at most until their key is struck again."""
    ups = [press.at_s for press in pedal if press.amount == 0]
    downs = [press.at_s for press in pedal if press.amount > 0]
    held: list[PlayedNote] = []
    last_of_pitch: dict[int, int] = {}
    for note in notes:
        offset_s = note.offset_s
        pressed = [at_s for at_s in downs if at_s <= offset_s]
        if pressed:
            released = [at_s for at_s in ups if at_s > pressed[-1]]
            if released and released[0] > offset_s:
                offset_s = released[0]
        held.append(note._replace(offset_s=offset_s))
    for number, note in enumerate(held):
        before = last_of_pitch.get(note.pitch)
        if before is not None and held[before].offset_s > note.onset_s - 0.01:
            held[before] = held[before]._replace(offset_s=note.onset_s - 0.01)
        last_of_pitch[note.pitch] = number
    return held


def _double_in_octaves(player: Player) -> None:
    """Double the low notes or the high ones, at once or while they ring, perhaps softer."""
    rng = player.rng
    split = int(rng.integers(45, 72))
    is_left, share = rng.random() < 0.5, rng.uniform(0.3, 1.0)
    is_broken = rng.random() < BROKEN_SHARE
    step = int(rng.choice([-12, 12] if is_broken else DOUBLING_STEPS))
    if is_left and not is_broken:
        step = -12
    softness = rng.uniform(0.45, 1.0) if rng.random() < 0.6 else 1.0
    for note in list(player.notes):
        if (note.pitch < split) == is_left and rng.random() < share:
            length_s = note.offset_s - note.onset_s
            late_s = 0.5 * length_s if is_broken else rng.normal(0, 0.004)
            late_s = max(-note.onset_s, late_s)
            velocity = int(np.clip(note.velocity * softness + rng.normal(0, 8), SOFTEST, LOUDEST))
            player.add(note.onset_s + late_s, length_s - late_s, note.pitch + step, velocity)


def _untangled(
    notes: list[PlayedNote], duration_s: float, *, is_monophonic: bool
) -> list[PlayedNote]:
    """Sort; let no two notes of a pitch, or of a monophonic part, overlap."""
    last: dict[int, int] = {}
    kept: list[PlayedNote] = []
    for note in sorted(notes):
        voice = 0 if is_monophonic else note.pitch
        if voice in last and kept[last[voice]].offset_s > note.onset_s - PAUSE_S:
            before = kept[last[voice]]
            if note.onset_s - before.onset_s < 0.045:
                continue
            cut_s = max(before.onset_s + 0.03, note.onset_s - PAUSE_S)
            kept[last[voice]] = before._replace(offset_s=cut_s)
        last[voice] = len(kept)
        kept.append(note._replace(offset_s=min(note.offset_s, duration_s - 0.01)))
    return [note for note in kept if note.offset_s > note.onset_s + 0.025]


def _with_dynamics(
    rng: np.random.Generator, notes: list[PlayedNote], duration_s: float
) -> list[PlayedNote]:
    """Let a part grow and fade, and its lower notes stand back or come out."""
    corners_s = np.linspace(0, duration_s, 6)
    swell = rng.normal(0, rng.uniform(4, 20), 6)
    split = int(rng.integers(48, 70))
    backing = rng.uniform(0.5, 1.2) if rng.random() < 0.6 else 1.0
    return [
        note._replace(
            velocity=int(
                np.clip(
                    note.velocity * (backing if note.pitch < split else 1.0)
                    + np.interp(note.onset_s, corners_s, swell),
                    SOFTEST,
                    LOUDEST,
                )
            )
        )
        for note in notes
    ]


def _pedal(rng: np.random.Generator, beat_s: float, duration_s: float) -> list[Timed]:
    pedal: list[Timed] = []
    at_s = 0.0
    while at_s < duration_s:
        length_s = beat_s * rng.choice([1, 2, 4, 4, 8])
        up_s = min(duration_s, at_s + length_s - rng.uniform(0.02, 0.1))
        pedal += [Timed(at_s + 0.05, 127), Timed(up_s, 0)]
        at_s += length_s
        if rng.random() < 0.2:
            at_s += length_s
    return pedal


def _bends(rng: np.random.Generator, notes: list[PlayedNote]) -> list[Timed]:
    """Let some notes slide in from below, and long ones waver."""
    bends: list[Timed] = []
    rate_hz, depth = rng.uniform(4, 7), rng.uniform(0.08, 0.45)
    sliding = rng.uniform(0, 0.4) if rng.random() < 0.4 else 0.0
    for note in notes:
        slide_s = rng.uniform(0.03, 0.1) if rng.random() < sliding else 0.0
        depth_of_slide = float(rng.choice([1, 1, 2])) if slide_s else 0.0
        for left in np.linspace(1, 0, SLIDE_STEPS) if slide_s else (0.0,):
            at_s = note.onset_s - 0.003 + (1 - left) * slide_s
            bends.append(Timed(at_s, -left * depth_of_slide))
        if note.offset_s - note.onset_s > 0.35 and rng.random() < 0.7:
            for at_s in np.arange(note.onset_s + 0.18, note.offset_s, 0.015):
                turns = 2 * np.pi * rate_hz * (at_s - note.onset_s - 0.18)
                bends.append(Timed(at_s, depth * np.sin(turns)))
    return bends
