import numpy as np
import pytest

from desktop.playback.mixer import BLOCK_FRAMES, CHANNELS
from desktop.playback.player import Player, Sound
from tests.desktop.fakes import SAMPLE_RATE, FakeSound

pytestmark = pytest.mark.gui
BLOCK_S = BLOCK_FRAMES / SAMPLE_RATE


def tone(seconds=2.0, level=0.5):
    return np.full((round(seconds * SAMPLE_RATE), CHANNELS), level, np.float32)


@pytest.fixture
def sound():
    return FakeSound()


@pytest.fixture
def player(qapp, sound):
    player = Player(sound)
    player.look_for_device()
    player.load([Sound(1, tone())], duration_s=2.0)
    player.set_gains({1: 1.0})
    yield player
    player.close()


def test_without_a_device_nothing_plays_and_the_reason_is_kept(qapp):
    player = Player(FakeSound("no sound device"))
    player.look_for_device()
    player.play()
    assert not player.is_playing
    assert player.unavailable_because == "no sound device"


def test_play_opens_the_device_only_when_wanted(player, sound):
    assert sound.streams == []
    player.play()
    assert sound.stream.is_active


def test_the_playhead_follows_the_clock_of_the_device(player, sound):
    player.play()
    sound.stream.blocks(10)
    assert player.place_s == pytest.approx(10 * BLOCK_S, abs=0.001)


def test_the_playhead_stands_at_what_is_heard_not_at_what_is_computed(player, sound):
    player.play()
    stream = sound.stream
    for _ in range(10):  # the device asks for blocks half a second ahead
        out = np.zeros((BLOCK_FRAMES, CHANNELS), np.float32)
        stream.render(out, stream.time + 0.5)
        stream.time += BLOCK_S
    assert player.place_s == pytest.approx(max(0.0, 10 * BLOCK_S - 0.5), abs=0.001)


def test_a_clock_that_jitters_does_not_move_the_playhead_back(player, sound):
    player.play()
    sound.stream.blocks(10)
    before_s = player.place_s
    sound.stream.time -= 0.03
    assert player.place_s == before_s


def test_pause_keeps_the_place_and_play_goes_on_from_there(player, sound):
    player.play()
    sound.stream.blocks(10)
    player.pause()
    assert player.place_s == pytest.approx(10 * BLOCK_S, abs=0.001)
    sound.stream.blocks(2)
    player.play()
    sound.stream.blocks(1)
    assert player.place_s == pytest.approx(11 * BLOCK_S, abs=0.002)


def test_stop_goes_to_the_beginning(player, sound):
    player.play()
    sound.stream.blocks(10)
    player.stop()
    assert (player.is_playing, player.place_s) == (False, 0.0)


def test_seek_while_playing_goes_on_there(player, sound):
    player.play()
    sound.stream.blocks(4)
    player.seek(1.5)
    assert player.place_s == pytest.approx(1.5)
    sound.stream.blocks(3)  # one down, two heard
    assert player.place_s == pytest.approx(1.5 + 2 * BLOCK_S, abs=0.001)


@pytest.mark.parametrize(("wanted_s", "place_s"), [(-1.0, 0.0), (1.25, 1.25), (9.0, 2.0)])
def test_seek_stays_within_the_song(player, wanted_s, place_s):
    player.seek(wanted_s)
    assert player.place_s == place_s


def test_the_end_stops_and_play_begins_anew(player, sound, qtbot):
    player.play()
    sound.stream.blocks(120)
    qtbot.waitUntil(lambda: not player.is_playing)
    assert player.place_s == 2.0
    player.play()
    sound.stream.blocks(2)
    assert player.place_s < 0.1


def test_a_loop_repeats(player, sound):
    player.set_loop(0.0, 0.5)
    player.play()
    sound.stream.blocks(60)
    assert player.is_playing
    assert player.place_s < 0.6


def test_a_loop_must_have_a_length(player):
    with pytest.raises(ValueError, match="loop ends"):
        player.set_loop(1.0, 1.0)


def test_a_sound_without_a_gain_is_silent(player, sound):
    player.load([Sound(1, tone(level=0.2)), Sound(2, tone(level=0.3))], duration_s=2.0)
    player.set_gains({2: 1.0})
    player.play()
    assert sound.stream.blocks(3)[-1, 0] == pytest.approx(0.3)


def test_a_lost_device_falls_back_to_the_next(player, sound, qtbot):
    player.play()
    lost = sound.stream
    lost.blocks(10)
    lost.is_active = False
    qtbot.waitUntil(lambda: len(sound.streams) == 2)
    assert lost.is_closed
    assert sound.look_ups == 1
    sound.stream.blocks(2)
    assert player.place_s == pytest.approx(12 * BLOCK_S, abs=0.002)


def test_the_last_device_lost_is_told(player, sound, qtbot):
    player.play()
    sound.stream.blocks(10)
    sound.problem = "no sound device"
    sound.stream.is_active = False
    qtbot.waitUntil(lambda: player.unavailable_because == "no sound device")
    assert not player.is_playing


def test_silence_closes_the_device_after_a_while(player, sound, qtbot):
    player.play()
    sound.stream.blocks(2)
    player.pause()
    qtbot.waitUntil(lambda: sound.stream.is_closed)


def test_samples_of_the_wrong_shape_are_a_mistake(player):
    with pytest.raises(ValueError, match="samples must be"):
        player.load([Sound(1, np.zeros((10, 3), np.float32))], duration_s=1.0)
