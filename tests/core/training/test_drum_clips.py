"""Procedural drums and the clips made of them."""

import numpy as np
import pytest

from core.training.drum_clips import Song, hits_of, make_drum_clip
from core.training.drum_patterns import CLIP_S, Hit, random_pattern
from core.training.drum_synth import SAMPLE_RATE_HZ, Drum, random_kit
from core.training.part import PlayedNote


@pytest.mark.parametrize("drum", list(Drum), ids=lambda drum: drum.name.lower())
def test_every_drum_of_a_kit_sounds_at_once(drum: Drum) -> None:
    takes = random_kit(np.random.default_rng(1))[drum]
    loudest_in_first_50_ms = min(np.abs(take[: SAMPLE_RATE_HZ // 20]).max() for take in takes)
    assert loudest_in_first_50_ms > 0.2


def test_a_clip_is_as_long_as_its_labels_say_and_never_clips() -> None:
    rng = np.random.default_rng(2)
    clip = make_drum_clip(rng, [random_kit(rng)], [])
    assert len(clip.samples) == int(CLIP_S * SAMPLE_RATE_HZ)
    assert np.abs(clip.samples).max() == pytest.approx(0.9, abs=1e-3)
    assert max(hit.at_s for hit in clip.hits) < CLIP_S


def test_patterns_use_every_drum() -> None:
    hits = [hit for seed in range(30) for hit in random_pattern(np.random.default_rng(seed))]
    assert {hit.drum for hit in hits} == set(Drum)


def test_one_seed_makes_one_clip() -> None:
    kits = [random_kit(np.random.default_rng(3))]
    first = make_drum_clip(np.random.default_rng(4), kits, [])
    second = make_drum_clip(np.random.default_rng(4), kits, [])
    assert np.array_equal(first.samples, second.samples)
    assert first.hits == second.hits


def test_clips_of_music_alone_have_no_hits() -> None:
    kits = [random_kit(np.random.default_rng(5))]
    music = [np.random.default_rng(6).normal(0, 0.1, 10 * SAMPLE_RATE_HZ).astype(np.float32)]
    clips = [make_drum_clip(np.random.default_rng(seed), kits, music) for seed in range(40)]
    silent = [clip for clip in clips if not clip.hits]
    assert 1 <= len(silent) <= 6
    assert all(np.abs(clip.samples).max() == pytest.approx(0.9, abs=1e-3) for clip in silent)


def test_percussion_is_heard_but_not_written_down() -> None:
    kits = [random_kit(np.random.default_rng(7))]
    bell = np.sin(np.arange(SAMPLE_RATE_HZ) * 0.5).astype(np.float32)
    differs = [
        make_drum_clip(np.random.default_rng(seed), kits, [], [bell]).hits
        == make_drum_clip(np.random.default_rng(seed), kits, []).hits
        for seed in range(4)
    ]
    assert all(differs)


def test_a_written_drum_part_becomes_hits_and_its_percussion_does_not() -> None:
    part = [
        PlayedNote(0.5, 0.6, 36, 127),
        PlayedNote(1.0, 1.1, 40, 64),
        PlayedNote(1.5, 1.6, 60, 100),  # a bongo
        PlayedNote(CLIP_S, CLIP_S + 0.1, 38, 100),  # too late to be heard
    ]
    assert [(hit.at_s, hit.drum) for hit in hits_of(part)] == [(0.5, Drum.KICK), (1.0, Drum.SNARE)]
    assert hits_of(part)[0].strength > hits_of(part)[1].strength


def test_songs_are_played_as_they_are_written_with_or_without_the_others() -> None:
    kits = [random_kit(np.random.default_rng(8))]
    tone = np.sin(np.arange(int(CLIP_S * SAMPLE_RATE_HZ)) * 0.1).astype(np.float32)
    written = [Hit(at_s, Drum.KICK, 0.9) for at_s in (1.0, 2.5, 6.0)]
    clips = [
        make_drum_clip(np.random.default_rng(seed), kits, [], songs=lambda: Song(written, tone))
        for seed in range(40)
    ]
    of_songs = [clip for clip in clips if list(clip.hits) == written]
    assert 5 < len(of_songs) < 25
    quiet = slice(int(4.5 * SAMPLE_RATE_HZ), int(5.5 * SAMPLE_RATE_HZ))
    levels = sorted(float(np.abs(clip.samples[quiet]).mean()) for clip in of_songs)
    assert levels[-1] > 5 * levels[0]  # some are heard with the tone, some without


def test_a_song_that_has_no_place_for_drums_leaves_a_pattern() -> None:
    kits = [random_kit(np.random.default_rng(9))]
    clip = make_drum_clip(np.random.default_rng(10), kits, [], songs=lambda: None)
    assert clip.hits
