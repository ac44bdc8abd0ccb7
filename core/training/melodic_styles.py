"""Styles of one line at a time: melodies, singing, bop, basses - and notes at random."""

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from core.training.player import LOUDEST, SHORTEST_SLOT_S, SOFTEST, Player

BASS_STEPS = (0, 0, 7, 12, 5, 3, 10, 2)
TWO_VOICED = frozenset({"piano", "guitar", "strings"})


def melodies(player: Player) -> None:
    """Play a melody; on some instruments a second voice below it."""
    low, high = player.family.lowest_pitch, player.family.highest_pitch
    lowest = player.random_lowest(18)
    highest = min(high, lowest + int(player.rng.integers(12, 26)))
    melody(player, lowest, highest, str(player.rng.choice(["slow", "mid", "mid", "fast"])))
    if player.family.name in TWO_VOICED and player.rng.random() < 0.3:
        melody(player, max(low, lowest - 14), lowest, "mid")


def melody(player: Player, lowest: int, highest: int, pace: str) -> None:
    """Walk along the scale at a pace, with leaps, leaning on the chord in long notes."""
    rng = player.rng
    steps = player.steps_between(lowest, highest)
    at = int(rng.integers(len(steps)))
    repeating, leaping = rng.uniform(0, 0.35), rng.uniform(0.05, 0.35)
    leaning = rng.uniform(0, 0.8)  # of long notes, on the chord
    for onset_s, slot_s in player.rhythm(pace):
        move = rng.random()
        if repeating <= move < repeating + leaping:
            at += int(rng.integers(-7, 8))
        elif move >= repeating + leaping:
            at += int(rng.choice([-2, -1, -1, 1, 1, 2]))
        at = int(np.clip(at, 0, len(steps) - 1))
        if slot_s >= player.beat_s and rng.random() < leaning:
            at = _nearest_of(player.song.harmony_at(onset_s).pitch_classes, steps, at)
        held = min(player.articulation, 1.0) if player.family.is_sustained else player.articulation
        length_s = slot_s * held
        player.add(
            onset_s + rng.normal(0, player.jitter_s),
            length_s * rng.uniform(0.8, 1.02),
            steps[at],
            player.velocity(),
        )
        if rng.random() < 0.03:  # a double stop
            above = steps[min(len(steps) - 1, at + 2)]
            player.add(onset_s + rng.normal(0, player.jitter_s), length_s, above, player.velocity())


def sung(player: Player, lowest: int, highest: int) -> None:
    """Sing lines of syllables, many on one pitch, the last one held; then take breath."""
    rng = player.rng
    steps = player.steps_between(lowest, highest)
    syllable_s, reciting = rng.uniform(0.13, 0.5), rng.uniform(0.1, 0.7)
    at_s, at = player.song.start_s, int(rng.integers(len(steps)))
    while at_s < player.duration_s:
        length = int(rng.integers(2, 14))
        for number in range(length):
            if rng.random() > reciting:
                at += int(rng.choice([-4, -2, -1, -1, -1, 1, 1, 1, 2, 4]))
            at = int(np.clip(at, 0, len(steps) - 1))
            slots = rng.choice([0.5, 1, 1, 1, 1.5, 2] if number < length - 1 else [2, 3, 5])
            held_s = slots * syllable_s * rng.uniform(0.75, 1.0)
            player.add(at_s + rng.normal(0, player.jitter_s), held_s, steps[at], player.velocity())
            at_s += slots * syllable_s
        at_s += rng.uniform(0.2, 1.5)


def bop(player: Player, lowest: int, highest: int) -> None:
    """Play swung eighths in long lines that turn, leap and lead in by semitones."""
    rng = player.rng
    steps = player.steps_between(lowest, highest)
    tempo_s, swing = 60 / rng.uniform(110, 290), rng.uniform(0.5, 0.68)
    ghosts = rng.uniform(0, 0.3) if rng.random() < 0.5 else 0.08
    at_s, at, way = rng.uniform(0, 0.4), int(rng.integers(len(steps))), 1
    while at_s < player.duration_s:
        length = int(rng.integers(3, 26))
        beat_s = tempo_s / (2 if rng.random() < 0.15 else 1)  # at times in double time
        for number in range(length):
            move = rng.random()
            if move < 0.12 or not 0 < at < len(steps) - 1:
                way = -way
            at += way * (1 if move < 0.65 else 2) if move < 0.92 else int(rng.integers(-5, 6))
            at = int(np.clip(at, 0, len(steps) - 1))
            slot_s = max(SHORTEST_SLOT_S, beat_s * (swing if number % 2 == 0 else 1 - swing))
            pitches = [steps[at]]
            if rng.random() < 0.1:  # a chromatic note between two steps
                pitches = [steps[at] - way]
            elif rng.random() < 0.08 and slot_s > 3 * SHORTEST_SLOT_S:  # a turn
                pitches = [steps[at], steps[min(at + 1, len(steps) - 1)], steps[at]]
            if number == length - 1:
                slot_s = tempo_s * rng.choice([0.5, 1, 2, 3])
            ghost = rng.uniform(0.3, 0.7) if rng.random() < ghosts else 1.0
            accent = rng.uniform(0, 12) if number % 2 else 0.0
            for place, pitch in enumerate(pitches):
                part_s = slot_s / len(pitches)
                player.add(
                    at_s + place * part_s + rng.normal(0, 0.5 * player.jitter_s),
                    part_s * min(1.0, player.articulation + 0.1),
                    pitch,
                    int(np.clip((player.velocity() + accent) * ghost, SOFTEST, LOUDEST)),
                )
            at_s += slot_s
        at_s += tempo_s * rng.choice([0.0, 0.5, 1, 2, 3])


def bass_line(player: Player) -> None:
    """Play a bass over the whole instrument."""
    low, high = player.family.lowest_pitch, player.family.highest_pitch
    bass(player, low + int(player.rng.integers(0, 8)), high)


def bass(player: Player, lowest: int, highest: int) -> None:
    """Play roots of the chords and what basses put between."""
    rng = player.rng
    pace = str(rng.choice(["slow", "mid", "fast", "fast"]))
    for onset_s, slot_s in player.rhythm(pace):
        root = lowest + (player.song.harmony_at(onset_s).root - lowest) % 12
        key = root if rng.random() < 0.5 else root + int(rng.choice(BASS_STEPS))
        player.add(
            onset_s + rng.normal(0, player.jitter_s),
            slot_s * min(player.articulation, 1.0),
            key if key <= highest else key - 12,
            player.velocity(),
        )


def random_notes(player: Player) -> None:
    """Play what no musician would."""
    rng = player.rng
    low, high = player.family.lowest_pitch, player.family.highest_pitch
    rate_hz = np.exp(rng.uniform(np.log(1.5), np.log(14)))
    at_s = 0.0
    while at_s < player.duration_s:
        at_s += rng.exponential(1 / rate_hz)
        together = 1 if rng.random() < 0.7 else int(rng.integers(2, 5))
        for _ in range(together):
            player.add(
                at_s + abs(rng.normal(0, 0.008)),
                np.exp(rng.uniform(np.log(0.08), np.log(1.8))),
                int(rng.integers(low, high + 1)),
                int(rng.integers(20, 125)),
            )


def _nearest_of(classes: Collection[int], steps: npt.NDArray[np.int_], at: int) -> int:
    """Return which step of these pitch classes is nearest, `at` where there is none."""
    places = np.flatnonzero(np.isin(steps % 12, list(classes)))
    return int(places[np.argmin(np.abs(places - at))]) if len(places) else at
