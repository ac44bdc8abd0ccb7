"""Player: play, pause, stop, seek and loop, and where the playhead is.

The playhead follows the sound card's clock, not the computer's: it shows what is heard, not what is
computed ahead.
"""

import logging
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QTimer, Signal

from desktop.playback.mixer import BLOCK_FRAMES, CHANNELS, Loop, Mixer, Voice
from desktop.playback.sound_device import NoSoundError, OutputStream, SoundDevice

PLAYHEAD_EVERY_MS = 16
CLOCK_JITTER_S = 0.15  # a playhead that would go back by less stays where it is
CLOSE_AFTER_SILENCE_MS = 400  # time for the last ramp to leave the sound card's buffer

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sound:
    """Samples [frame, 1 or 2] at the player's rate; `key` is how its gain is addressed."""

    key: Hashable
    samples: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Heard:
    """A block began at `frame` when the stream's clock stood, or will stand, at `clock_s`."""

    frame: int
    clock_s: float


class Player(QObject):
    """Plays the sum of its sounds; lives in the GUI thread."""

    moved = Signal(float)  # seconds
    playingChanged = Signal(bool)
    availabilityChanged = Signal()

    def __init__(self, device: SoundDevice, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._device = device
        self._mixer = Mixer()
        self._stream: OutputStream | None = None
        self._heard: _Heard | None = None
        self._shown_s = 0.0  # where the playhead stood last
        self._duration_s = 0.0
        self._place_s = 0.0  # where playing starts
        self._loop_s: tuple[float, float] | None = None
        self._rate = 0
        self._why_not: str | None = "not looked for yet"
        self._is_playing = False
        self._watch = QTimer(self)
        self._watch.setInterval(PLAYHEAD_EVERY_MS)
        self._watch.timeout.connect(self._follow)
        self._closing = QTimer(self)
        self._closing.setSingleShot(True)
        self._closing.setInterval(CLOSE_AFTER_SILENCE_MS)
        self._closing.timeout.connect(self._close_stream)

    # --- what there is

    @property
    def unavailable_because(self) -> str | None:
        """Why nothing can be played, or None."""
        return self._why_not

    @property
    def sample_rate(self) -> int:
        """The rate that sounds must have, in samples per second; 0 while there is no device."""
        return self._rate

    @property
    def is_playing(self) -> bool:
        return self._is_playing

    @property
    def place_s(self) -> float:
        """Where the playhead stands, in seconds."""
        return self._heard_place_s() if self._is_playing else self._place_s

    def look_for_device(self) -> None:
        """Find the default output; `availabilityChanged` follows if that is news."""
        try:
            rate = self._device.sample_rate()
        except NoSoundError as error:
            self._set_availability(0, str(error))
        else:
            self._set_availability(rate, None)

    # --- what is played

    def load(self, sounds: Sequence[Sound], *, duration_s: float) -> None:
        """Play these from the next block on; gains of known keys stay."""
        known = {voice.key: voice for voice in self._mixer.voices}
        voices = []
        for sound in sounds:
            if sound.samples.ndim != 2 or sound.samples.shape[1] not in (1, CHANNELS):
                raise ValueError(f"samples must be [frame, 1 or 2]: {sound.samples.shape}")
            before = known.get(sound.key)
            if before is not None and before.samples is sound.samples:
                voices.append(before)
            else:
                voices.append(Voice(sound.key, sound.samples))
        self._mixer.voices = tuple(voices)
        self._duration_s = duration_s
        self._mixer.end_frame = round(duration_s * self._rate)

    def set_gains(self, gains: Mapping[Hashable, float]) -> None:
        """Set the gain of each sound; one that is not named falls silent."""
        for voice in self._mixer.voices:
            voice.target_gain = gains.get(voice.key, 0.0)

    def set_loop(self, from_s: float, until_s: float) -> None:
        """Repeat [from_s, until_s) seconds."""
        if not until_s > from_s:
            raise ValueError(f"the loop ends at {until_s} s, before its start at {from_s} s")
        self._loop_s = (from_s, until_s)
        self._place_loop()

    def clear_loop(self) -> None:
        self._loop_s = None
        self._place_loop()

    # --- transport

    def play(self) -> None:
        """Play from the playhead; from the beginning if it stands at the end."""
        if self._is_playing or self._why_not is not None:
            return
        if self._place_s >= self._duration_s - 0.01:
            self._place_s = 0.0
        self._shown_s = self._place_s
        self._mixer.jump(round(self._place_s * self._rate))
        self._mixer.is_wanted = True
        self._closing.stop()
        if self._open_stream():
            self._set_playing(True)

    def pause(self) -> None:
        """Stop and stay."""
        if not self._is_playing:
            return
        self._place_s = self._heard_place_s()
        self._mixer.is_wanted = False
        self._closing.start()
        self._set_playing(False)
        self.moved.emit(self._place_s)

    def stop(self) -> None:
        """Stop and go back to the beginning."""
        self.pause()
        self.seek(0.0)

    def seek(self, place_s: float) -> None:
        """Go to a place in seconds, playing or not."""
        self._place_s = min(max(0.0, place_s), self._duration_s)
        self._shown_s = self._place_s
        if self._is_playing:
            self._heard = None
            self._mixer.jump(round(self._place_s * self._rate))
        self.moved.emit(self._place_s)

    def close(self) -> None:
        """Let go of the sound card."""
        self.pause()
        self._closing.stop()
        self._close_stream()

    # --- the audio thread

    def _render(self, out: npt.NDArray[np.float32], clock_s: float) -> None:
        mixer = self._mixer
        if mixer.is_wanted and mixer.is_place_settled:
            self._heard = _Heard(mixer.frame, clock_s)
        mixer.render(out)

    # --- the sound card

    def _open_stream(self) -> bool:
        """Start the stream; after one failure look for the devices anew and try once more."""
        for is_second_try in (False, True):
            try:
                if self._stream is None:
                    self._stream = self._device.open(self._rate, self._render)
                    self._stream.start()
            except NoSoundError as error:
                self._close_stream()
                if is_second_try:
                    self._set_availability(0, str(error))
                else:
                    self._device.look_again()
            else:
                return True
        return False

    def _close_stream(self) -> None:
        stream, self._stream = self._stream, None
        self._heard = None
        if stream is not None:
            stream.close()
            self._mixer.cut()

    def _follow(self) -> None:
        if self._stream is None:
            return
        if not self._mixer.is_wanted:  # the end of the song
            self._finish_at_end()
        elif not self._stream.is_active:
            self._go_on_elsewhere()
        else:
            self.moved.emit(self._heard_place_s())

    def _finish_at_end(self) -> None:
        self._set_playing(False)
        self._closing.start()
        self._place_s = self._duration_s
        self.moved.emit(self._place_s)

    def _go_on_elsewhere(self) -> None:
        """The device has gone: go on with the system's default one, or say that there is none."""
        _log.warning("the sound device has gone")
        self._place_s = self._heard_place_s()
        self._mixer.is_wanted = False
        self._set_playing(False)
        self._close_stream()
        try:
            self._device.look_again()
        except NoSoundError as error:
            self._set_availability(0, str(error))
            return
        rate = self._rate
        self.look_for_device()
        if self._rate == rate:  # else the sounds must be loaded again first
            self.play()

    def _heard_place_s(self) -> float:
        heard, stream = self._heard, self._stream
        if heard is None or stream is None or not self._rate:
            return self._mixer.place / self._rate if self._rate else self._place_s
        since_s = stream.time - heard.clock_s
        if abs(since_s) > 1.0:  # some systems give no clock: subtract the latency instead
            since_s = -stream.latency_s
        place_s = heard.frame / self._rate + min(since_s, BLOCK_FRAMES / self._rate)
        place_s = min(max(0.0, place_s), self._duration_s)
        if 0.0 < self._shown_s - place_s < CLOCK_JITTER_S:
            place_s = self._shown_s
        self._shown_s = place_s
        return place_s

    def _place_loop(self) -> None:
        if self._loop_s is None or not self._rate:
            self._mixer.loop = None
        else:
            from_s, until_s = self._loop_s
            self._mixer.loop = Loop(round(from_s * self._rate), round(until_s * self._rate))

    def _set_playing(self, is_playing: bool) -> None:
        self._is_playing = is_playing
        if is_playing:
            self._watch.start()
        else:
            self._watch.stop()
        self.playingChanged.emit(is_playing)

    def _set_availability(self, rate: int, why_not: str | None) -> None:
        if (rate, why_not) != (self._rate, self._why_not):
            self._rate, self._why_not = rate, why_not
            self._place_loop()
            self.availabilityChanged.emit()
