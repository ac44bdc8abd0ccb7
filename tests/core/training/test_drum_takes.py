"""One-shots as clips have them."""

import numpy as np
import pytest

from core.training.drum_synth import SAMPLE_RATE_HZ, Drum, Kit, Samples, random_kit
from core.training.drum_takes import TIMEKEEPING_HITS, chosen_kit, tuned

LOW_HZ, HIGH_HZ = 100.0, 8000.0


def test_some_drums_are_those_of_two_kits_at_once() -> None:
    kits: list[Kit] = [{Drum.SNARE: [tone(LOW_HZ)]}, {Drum.SNARE: [tone(HIGH_HZ)]}]
    drawn = [chosen_kit(np.random.default_rng(seed), kits)[Drum.SNARE][0] for seed in range(60)]
    both = [take for take in drawn if min(share_of(take, LOW_HZ), share_of(take, HIGH_HZ)) > 0.05]
    assert 3 <= len(both) <= 15
    assert all(np.abs(take).max() == pytest.approx(1.0) for take in drawn)


def test_a_crash_that_keeps_time_may_lose_its_stick_and_others_never_do() -> None:
    kit: Kit = {Drum.CRASH: [np.exp(-np.arange(SAMPLE_RATE_HZ) / 4000).astype(np.float32)]}
    now_and_then = [attack_of(kit, Drum.CRASH, 4, seed) for seed in range(12)]
    ridden = [attack_of(kit, Drum.CRASH, TIMEKEEPING_HITS + 1, seed) for seed in range(12)]
    assert min(now_and_then) > 0.9
    assert min(ridden) < 0.7


def test_only_struck_drums_are_made_and_few_takes_of_each() -> None:
    kit = random_kit(np.random.default_rng(1))
    made = tuned(np.random.default_rng(2), kit, {Drum.KICK: 3, Drum.TOM: 5})
    assert {drum: len(takes) for drum, takes in made.items()} == {
        Drum.KICK: min(3, len(kit[Drum.KICK])),
        Drum.TOM: 4,
    }


def attack_of(kit: Kit, drum: Drum, hits: int, seed: int) -> float:
    """The level of the first 2 ms, of the highest."""
    take = np.abs(tuned(np.random.default_rng(seed), kit, {drum: hits})[drum][0])
    return float(take[:44].max() / take.max())


def tone(frequency_hz: float) -> Samples:
    at_s = np.arange(2205) / SAMPLE_RATE_HZ
    sound = np.sin(2 * np.pi * frequency_hz * at_s)
    return (sound / np.abs(sound).max()).astype(np.float32)


def share_of(take: Samples, frequency_hz: float) -> float:
    power = np.abs(np.fft.rfft(take)) ** 2
    place = round(frequency_hz * len(take) / SAMPLE_RATE_HZ)
    return float(power[max(0, place - 4) : place + 5].sum() / power.sum())
