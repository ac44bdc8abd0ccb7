"""The tracker offers the true pitch of a sound among its candidates."""

import numpy as np
import pytest
import torch

from core.features.pitch_track import (
    FRAMES_PER_S,
    HOP_SAMPLES,
    LOWEST_PITCH,
    PitchTracker,
)
from tests.make_sound import seconds, tone

TRACKER = PitchTracker()


def candidates(sound: np.ndarray, pitch: float) -> torch.Tensor:
    """Return what the tracker offers in the octave of a pitch [frame, candidate, 2]."""
    around = np.pad(sound, PitchTracker.CONTEXT_SAMPLES)
    return TRACKER(torch.from_numpy(around))[:, int(pitch - LOWEST_PITCH) // 12]


@pytest.mark.parametrize("pitch", [23.0, 28.4, 35.5, 45.2, 57.0, 60.3, 69.0, 76.8, 88.1, 100.0])
def test_the_best_candidate_is_the_pitch_within_a_cent(pitch: float) -> None:
    steady = candidates(tone(pitch, 0.5), pitch)[10:-10]
    offered, strength = steady[..., 0], steady[..., 1]
    off = 100 * (offered - pitch).abs().where(strength > 0, torch.inf)
    assert off.min(1).values.max() < 1.0
    assert strength.max(1).values.min() > 0.95


def test_a_vibrato_of_a_semitone_is_followed_within_five_cents() -> None:
    pitch = 64 + np.sin(2 * np.pi * 6 * seconds(1.0))
    found = candidates(tone(pitch, 1.0), 64.0)[:, 0, 0].numpy()
    played = pitch[::HOP_SAMPLES][: len(found)]
    assert np.abs(found - played)[10:-10].max() < 0.05


def test_noise_and_silence_have_no_pitch() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 22_050).astype(np.float32)
    assert candidates(noise, 60)[..., 1].mean() < 0.3
    assert candidates(np.zeros(22_050, np.float32), 60)[..., 1].max() == 0


def test_how_loud_a_sound_is_changes_nothing() -> None:
    sound = tone(60.0, 0.3)
    loud, soft = candidates(sound, 60), candidates(sound * 0.003, 60)
    assert torch.allclose(loud[10:-10, 0], soft[10:-10, 0], atol=1e-3)


def test_there_is_a_frame_for_each_hop_centred_on_it() -> None:
    late = np.concatenate([np.zeros(22_050, np.float32), tone(60.0, 0.5)])
    strength = candidates(late, 60)[..., 1].max(1).values
    first = int((strength > 0.9).nonzero()[0])
    assert first / FRAMES_PER_S == pytest.approx(1.0, abs=0.02)
    assert len(strength) == len(late) // HOP_SAMPLES + 1
