"""The sound card, through sounddevice: the only module that knows it."""

import logging
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Protocol

import numpy as np
import numpy.typing as npt

from desktop.playback.mixer import BLOCK_FRAMES, CHANNELS

LATENCY_S = 0.15  # we are not live; a busy computer needs the room

_log = logging.getLogger(__name__)

Render = Callable[[npt.NDArray[np.float32], float], None]
"""Fills a block [frame, channel] that will be heard at the given time of the stream's clock."""


class NoSoundError(Exception):
    """There is nothing to play on; the text says why, without capital and full stop."""


class _CallbackTime(Protocol):
    outputBufferDacTime: float


class OutputStream(Protocol):
    """An open sound card."""

    @property
    def time(self) -> float:
        """The stream's clock in seconds."""

    @property
    def latency_s(self) -> float: ...
    @property
    def is_active(self) -> bool:
        """False once the device has gone."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


class SoundDevice(Protocol):
    """What a player needs of the system."""

    def sample_rate(self) -> int:
        """Return the rate of the default output, in samples per second.

        Raises:
            NoSoundError: there is no output.
        """

    def open(self, sample_rate: int, render: Render) -> OutputStream:
        """Open the default output.

        Raises:
            NoSoundError: it cannot be opened.
        """

    def look_again(self) -> None:
        """Ask the system for its devices anew; open streams end."""


class SystemSound:
    """PortAudio's default output."""

    def sample_rate(self) -> int:
        sounddevice = _sounddevice()
        try:
            device = sounddevice.query_devices(kind="output")
        except (sounddevice.PortAudioError, ValueError) as error:
            raise NoSoundError("no sound device") from error
        return int(device["default_samplerate"])

    def open(self, sample_rate: int, render: Render) -> OutputStream:
        sounddevice = _sounddevice()
        try:
            return _PortAudioStream(sounddevice, sample_rate, render)
        except (sounddevice.PortAudioError, ValueError) as error:
            raise NoSoundError(f"the sound device does not open ({error})") from error

    def look_again(self) -> None:
        sounddevice = _sounddevice()
        # PortAudio lists devices once, when it is initialised; sounddevice has no public way.
        sounddevice._terminate()
        sounddevice._initialize()


class _PortAudioStream:
    def __init__(self, sounddevice: ModuleType, sample_rate: int, render: Render) -> None:
        def fill(
            out: npt.NDArray[np.float32], _frames: int, time: "_CallbackTime", _status: object
        ) -> None:
            render(out, time.outputBufferDacTime)

        self._stream = sounddevice.OutputStream(
            samplerate=sample_rate,
            blocksize=BLOCK_FRAMES,
            channels=CHANNELS,
            dtype="float32",
            latency=LATENCY_S,
            callback=fill,
        )

    @property
    def time(self) -> float:
        return float(self._stream.time)

    @property
    def latency_s(self) -> float:
        return float(self._stream.latency)

    @property
    def is_active(self) -> bool:
        return bool(self._stream.active)

    def start(self) -> None:
        self._stream.start()

    def stop(self) -> None:
        self._stream.stop()

    def close(self) -> None:
        self._stream.close()


def _sounddevice() -> ModuleType:
    """Return the library, imported when first needed: it starts PortAudio, which takes its time."""
    try:
        return import_module("sounddevice")
    except OSError as error:  # the package is there, PortAudio is not
        raise NoSoundError("PortAudio is missing; install libportaudio2") from error
    except ImportError as error:
        raise NoSoundError("the sounddevice package is missing") from error
