import numpy as np
import pytest

from desktop.playback.mixer import BLOCK_FRAMES, CHANNELS, Loop, Mixer, Voice


def ones(blocks, level=0.5):
    return np.full((blocks * BLOCK_FRAMES, CHANNELS), level, np.float32)


def mixer_with(*voices, blocks=8):
    mixer = Mixer()
    mixer.voices = voices
    mixer.end_frame = blocks * BLOCK_FRAMES
    mixer.is_wanted = True
    return mixer


def rendered(mixer, blocks=1):
    out = np.full((blocks * BLOCK_FRAMES, CHANNELS), np.nan, np.float32)
    for start in range(0, len(out), BLOCK_FRAMES):
        mixer.render(out[start : start + BLOCK_FRAMES])
    return out


def steps(out):
    return np.abs(np.diff(out[:, 0]))


def test_nothing_wanted_is_silence():
    mixer = mixer_with(Voice(1, ones(8)))
    mixer.is_wanted = False
    assert not rendered(mixer).any()


def test_the_start_is_ramped():
    out = rendered(mixer_with(Voice(1, ones(8))))
    assert out[0, 0] == 0.0
    assert steps(out).max() < 0.01


def test_a_sound_is_heard_as_it_is():
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (4 * BLOCK_FRAMES, CHANNELS))
    mixer = mixer_with(Voice(1, samples.astype(np.float32)), blocks=4)
    out = rendered(mixer, 4)
    np.testing.assert_array_equal(out[BLOCK_FRAMES:], samples[BLOCK_FRAMES:].astype(np.float32))


def test_voices_are_summed_and_clipped_at_full_scale():
    mixer = mixer_with(Voice(1, ones(8, 0.4)), Voice(2, ones(8, 0.3)))
    assert rendered(mixer, 2)[-1, 0] == pytest.approx(0.7)
    mixer = mixer_with(Voice(1, ones(8, 0.9)), Voice(2, ones(8, 0.9)))
    assert rendered(mixer, 2)[-1, 0] == 1.0


def test_muting_makes_no_click():
    voice = Voice(1, ones(8))
    mixer = mixer_with(voice)
    rendered(mixer, 2)
    voice.target_gain = 0.0
    out = rendered(mixer, 2)
    assert out[0, 0] == 0.5
    assert steps(out).max() < 0.01
    assert not out[BLOCK_FRAMES:].any()


def test_pausing_ramps_down_and_keeps_the_place():
    mixer = mixer_with(Voice(1, ones(8)))
    rendered(mixer, 2)
    mixer.is_wanted = False
    out = rendered(mixer, 2)
    assert steps(out).max() < 0.01
    assert not out[BLOCK_FRAMES:].any()
    assert mixer.frame == 3 * BLOCK_FRAMES


def test_a_jump_while_playing_ramps_down_then_up_at_the_new_place():
    samples = np.repeat(np.arange(8, dtype=np.float32) / 16, BLOCK_FRAMES)
    mixer = mixer_with(Voice(1, np.stack([samples, samples], axis=1)))
    rendered(mixer, 2)
    mixer.jump(6 * BLOCK_FRAMES)
    assert mixer.place == 6 * BLOCK_FRAMES
    out = rendered(mixer, 2)
    assert steps(out).max() < 0.01
    assert out[-1, 0] == pytest.approx(6 / 16)


def test_a_jump_while_silent_is_at_once():
    mixer = mixer_with(Voice(1, ones(8)))
    mixer.is_wanted = False
    mixer.jump(100)
    assert mixer.frame == 100


def test_a_loop_turns_round_on_the_frame():
    samples = np.arange(8 * BLOCK_FRAMES, dtype=np.float32) / (8 * BLOCK_FRAMES)
    mixer = mixer_with(Voice(1, np.stack([samples, samples], axis=1)))
    mixer.loop = Loop(BLOCK_FRAMES // 2, 2 * BLOCK_FRAMES + 10)
    out = rendered(mixer, 3)
    turn = 2 * BLOCK_FRAMES + 10
    np.testing.assert_array_equal(
        out[turn : 3 * BLOCK_FRAMES, 0],
        samples[BLOCK_FRAMES // 2 :][: 3 * BLOCK_FRAMES - turn],
    )


def test_the_end_of_the_song_stops():
    mixer = mixer_with(Voice(1, ones(2)), blocks=2)
    rendered(mixer, 3)
    assert not mixer.is_wanted
    assert mixer.frame == 2 * BLOCK_FRAMES


def test_a_shorter_stem_falls_silent_and_the_longer_goes_on():
    mixer = mixer_with(Voice(1, ones(1, 0.2)), Voice(2, ones(4, 0.3)), blocks=4)
    out = rendered(mixer, 4)
    assert out[-1, 0] == pytest.approx(0.3)
