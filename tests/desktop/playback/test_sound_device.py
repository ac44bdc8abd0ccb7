import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from desktop.playback.mixer import BLOCK_FRAMES
from desktop.playback.sound_device import NoSoundError, SystemSound


class PortAudioError(Exception):
    pass


@pytest.fixture
def portaudio(monkeypatch):
    """A sounddevice module of our own in place of the real one."""
    module = ModuleType("sounddevice")
    module.PortAudioError = PortAudioError
    module.query_devices = lambda kind: {"default_samplerate": 44100.0, "name": kind}
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


def test_the_rate_of_the_default_output_counts(portaudio):
    assert SystemSound().sample_rate() == 44100


def test_no_output_is_told_as_such(portaudio):
    def query_devices(kind):
        raise PortAudioError("Error querying device -1")

    portaudio.query_devices = query_devices
    with pytest.raises(NoSoundError, match="no sound device"):
        SystemSound().sample_rate()


def test_a_missing_portaudio_names_the_package_to_install(monkeypatch):
    class Missing:
        def find_spec(self, name, path=None, target=None):
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(NoSoundError, match="libportaudio2"):
        SystemSound().sample_rate()


def test_a_device_that_does_not_open_says_why(portaudio):
    def output_stream(**_options):
        raise PortAudioError("Device unavailable")

    portaudio.OutputStream = output_stream
    with pytest.raises(NoSoundError, match="Device unavailable"):
        SystemSound().open(44100, lambda out, clock_s: None)


def test_blocks_are_rendered_at_the_time_they_will_be_heard(portaudio):
    opened = {}
    portaudio.OutputStream = lambda **options: opened.update(options) or SimpleNamespace()
    heard = []
    SystemSound().open(44100, lambda out, clock_s: heard.append((out.shape, clock_s)))
    block = np.zeros((BLOCK_FRAMES, 2), np.float32)
    opened["callback"](block, BLOCK_FRAMES, SimpleNamespace(outputBufferDacTime=1.5), None)
    assert heard == [((BLOCK_FRAMES, 2), 1.5)]
    assert (opened["samplerate"], opened["blocksize"], opened["channels"]) == (
        44100,
        BLOCK_FRAMES,
        2,
    )
