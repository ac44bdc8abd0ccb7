"""Styles of several keys at once: chords, strokes of a guitar, arpeggios and two hands."""

from collections.abc import Callable

import numpy as np

from core.training.guitar_chords import Stroke
from core.training.melodic_styles import bass, melody
from core.training.part import Timed
from core.training.player import LOUDEST, SOFTEST, Player

THIRD_VOICE_SHARE = 0.4


def two_hands(player: Player) -> None:
    """Let the left hand accompany the right, at times with a third voice between."""
    low, high = player.family.lowest_pitch, player.family.highest_pitch
    split = int(player.rng.integers(50, 66))
    left = player.rng.random()
    if left < 0.3:
        bass(player, max(low, 26), split - 1)
    elif left < 0.6:
        arpeggios(player, max(low, 36), split)
    elif left < 0.85:
        chords(player, max(low, 36), split + 3, 0.004)
    else:
        melody(player, max(low, 33), split, "mid")
    if player.rng.random() < 0.6:
        pace = str(player.rng.choice(["mid", "fast", "veryfast"]))
        melody(player, split, min(high, split + 30), pace)
    else:
        chords(player, split - 2, min(high, split + 28), 0.004)
    if player.rng.random() < THIRD_VOICE_SHARE:
        pace = str(player.rng.choice(["slow", "slow", "mid"]))
        melody(player, split - 12, min(high, split + 30), pace)


def block_chords(player: Player) -> None:
    """Play chords whose keys are struck together, or nearly."""
    chords(player, *player.window(24, 30), player.rng.choice([0, 0.003, 0.012]))


def strummed_chords(player: Player) -> None:
    """Play chords whose keys follow each other, up or down."""
    low, high = player.family.lowest_pitch, player.family.highest_pitch
    chords(player, low, high - 8, player.rng.uniform(0.004, 0.03), is_strummed=True)


def chords(
    player: Player, lowest: int, highest: int, spread_s: float, *, is_strummed: bool = False
) -> None:
    """Play the chords of the song in one rhythm; `spread_s` is between their keys."""
    rng = player.rng
    rhythm = player.rhythm(str(rng.choice(["slow", "mid", "mid", "fast"])))
    size = int(rng.choice([3, 4, 5, 6, 6] if is_strummed else [3, 3, 4, 4, 5, 6]))
    harmony, keys = None, list[int]()
    for onset_s, slot_s in rhythm:
        if harmony is not (harmony := player.song.harmony_at(onset_s)):
            keys = player.voicing(harmony, lowest, highest, size)
        is_upwards = is_strummed and rng.random() < 0.4
        delay_s = abs(rng.normal(0, spread_s))
        velocity = player.velocity()
        for number, key in enumerate(keys[::-1] if is_upwards else keys):
            if is_strummed and rng.random() < 0.06:
                continue
            late_s = number * delay_s
            player.add(
                onset_s + late_s + rng.normal(0, player.jitter_s * 0.5),
                slot_s * player.articulation - (late_s if is_strummed else 0),
                key,
                int(np.clip(velocity + rng.normal(0, 6), SOFTEST, LOUDEST)),
            )


def arpeggios(player: Player, lowest: int, highest: int) -> None:
    """Break the chords of the song, in one order."""
    rng = player.rng
    step_s = rng.choice([0.25, 0.5, 1 / 3, 0.5]) * player.beat_s
    is_held = rng.random() < 0.5
    direction = str(rng.choice(["up", "down", "updown", "rand"]))
    ends_s = [harmony.at_s for harmony in player.song.harmonies[1:]] + [player.duration_s]
    for harmony, end_s in zip(player.song.harmonies, ends_s, strict=True):
        start_s, length_s = harmony.at_s, end_s - harmony.at_s
        keys = player.voicing(harmony, lowest, highest, int(rng.integers(3, 7)))
        if not keys:
            continue
        order = {
            "up": keys,
            "down": keys[::-1],
            "updown": keys + keys[-2:0:-1],
            "rand": [int(key) for key in rng.permutation(keys)],
        }[direction]
        steps = max(1, int(length_s / step_s))
        for step in range(steps):
            note_s = length_s - step * step_s if is_held else step_s * player.articulation
            if is_held and step + len(order) < steps:
                note_s = min(note_s, step_s * len(order) * 0.98)
            player.add(
                start_s + step * step_s + rng.normal(0, player.jitter_s),
                note_s,
                order[step % len(order)],
                player.velocity(),
            )


def strokes(player: Player, pattern: Callable[..., list[Stroke]]) -> None:
    """Play a pattern of strokes over guitar chords, damped strokes among them."""
    for stroke in pattern(player.rng, player.song, duration_s=player.duration_s):
        velocity = player.velocity()
        if not stroke.strings:
            player.muted_strokes.append(Timed(stroke.at_s, velocity))
        for string in stroke.strings:
            player.add(
                stroke.at_s + string.late_s,
                string.sounding_s,
                string.pitch,
                int(np.clip(velocity + stroke.accent + player.rng.normal(0, 6), SOFTEST, 127)),
            )
