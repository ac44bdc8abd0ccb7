"""Louder onsets get higher velocities, whatever the blocks in which the sound arrives."""

import tracemalloc

import numpy as np
import pytest

from core.codec.velocity import (
    LOUDEST,
    SOFTEST,
    TYPICAL_VELOCITY,
    with_fixed_velocity,
    with_velocities,
)
from core.score.note import NoteEvent

RATE = 16_000


def struck(*gains: float, pitch: int = 60) -> np.ndarray:
    """Return one decaying tone of six partials per half second, each at its gain."""
    at_s = np.arange(RATE // 2) / RATE
    hz = 440 * 2 ** ((pitch - 69) / 12)
    tone = sum(np.sin(2 * np.pi * hz * n * at_s) / n for n in range(1, 7)) * np.exp(-4 * at_s)
    return np.concatenate([gain * tone for gain in gains]).astype(np.float32)


def notes_each_half_second(count: int, pitch: int = 60, program: int = 0) -> list[NoteEvent]:
    return [NoteEvent(0.5 * n, pitch, 0.5 * n + 0.4, 127, program) for n in range(count)]


def velocities(notes: list[NoteEvent], *blocks: np.ndarray) -> list[int]:
    return [note.velocity for note in with_velocities(notes, blocks, RATE)]


def test_a_louder_note_has_a_higher_velocity() -> None:
    found = velocities(notes_each_half_second(3), struck(0.1, 0.3, 0.9))
    assert found == sorted(found)
    assert len(set(found)) == 3


def test_the_median_note_of_each_instrument_is_typical() -> None:
    quiet_bass = notes_each_half_second(3, 36, program=33)
    piano = notes_each_half_second(3, 72)
    sound = struck(0.2, 0.4, 0.8, pitch=72) + 0.05 * struck(0.2, 0.4, 0.8, pitch=36)
    found = velocities([*quiet_bass, *piano], sound)
    assert (found[1], found[4]) == (TYPICAL_VELOCITY, TYPICAL_VELOCITY)


@pytest.mark.parametrize("size", [160, 700, 1024, 5000])
def test_block_lengths_change_nothing(size: int) -> None:
    sound = struck(0.1, 0.9, 0.3, 0.5)
    notes = notes_each_half_second(4)
    blocks = [sound[start : start + size] for start in range(0, len(sound), size)]
    assert velocities(notes, *blocks) == velocities(notes, sound)


def test_notes_keep_their_order_and_all_else() -> None:
    notes = notes_each_half_second(3)[::-1]
    found = with_velocities(notes, [struck(0.1, 0.3, 0.9)], RATE)
    assert [(n.onset_s, n.pitch, n.offset_s) for n in found] == [
        (n.onset_s, n.pitch, n.offset_s) for n in notes
    ]


def test_drum_keys_are_judged_each_by_itself() -> None:
    rng = np.random.default_rng(0)
    hiss = rng.standard_normal(RATE // 2).astype(np.float32) * np.exp(-np.arange(RATE // 2) / 800)
    sound = np.concatenate([0.1 * hiss, 0.4 * hiss, 0.2 * hiss]).astype(np.float32)
    hits = [
        NoteEvent(0.5 * n, key, 0.5 * n + 0.01, 127, is_drum=True)
        for n in range(3)
        for key in (38, 42)
    ]
    found = velocities(hits, sound)
    assert found[0::2][0] < found[0::2][2] < found[0::2][1]
    assert found[4:] == [TYPICAL_VELOCITY, TYPICAL_VELOCITY]


def test_a_lone_note_is_typical() -> None:
    assert velocities(notes_each_half_second(1), struck(0.01)) == [TYPICAL_VELOCITY]


def test_estimates_stay_within_playable_bounds() -> None:
    found = velocities(notes_each_half_second(5), struck(1e-7, 0.1, 0.1, 0.1, 1e4))
    assert (found[0], found[4]) == (SOFTEST, LOUDEST)


def test_a_note_behind_the_end_of_the_sound_counts_as_silent() -> None:
    notes = [*notes_each_half_second(3), NoteEvent(99.0, 60, 99.5)]
    assert velocities(notes, struck(0.3, 0.3, 0.3))[3] == SOFTEST


def test_no_notes_need_no_sound() -> None:
    assert with_velocities([], [], RATE) == ()


def test_memory_stays_flat_over_ten_minutes() -> None:
    second = struck(0.5, 0.5)
    tracemalloc.start()
    try:
        found = with_velocities(
            notes_each_half_second(1200), (second.copy() for _ in range(600)), RATE
        )
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found) == 1200
    assert peak_bytes < 5e6  # the sound alone is 38 MB


def test_one_velocity_can_be_chosen_for_all() -> None:
    found = with_fixed_velocity(notes_each_half_second(2), 100)
    assert [note.velocity for note in found] == [100, 100]
