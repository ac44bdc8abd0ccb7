"""Mixer: sums loaded sounds into the sound card's buffer, on the audio thread.

The audio thread takes no lock and allocates no array: the window swaps whole values (a tuple of
voices, a number) and the next block sees them. Every change of gain, every start, stop and jump is
ramped over one block, so that nothing clicks.
"""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CHANNELS = 2
BLOCK_FRAMES = (
    1024  # 21 ms at 48 kHz: long enough for a Python callback, short enough to feel exact
)

Samples = npt.NDArray[np.float32]


@dataclass(slots=True)
class Voice:
    """One sound in the mix, samples [frame, 1 or 2]; `gain` is what was last heard."""

    key: Hashable
    samples: Samples
    target_gain: float = 1.0
    gain: float = 0.0


@dataclass(frozen=True, slots=True)
class Loop:
    """Frames [start, end) that repeat."""

    start: int
    end: int


class Mixer:
    """Keeps the place in the song and renders the block that comes next."""

    def __init__(self) -> None:
        self.voices: tuple[Voice, ...] = ()
        self.loop: Loop | None = None
        self.end_frame = 0
        self.frame = 0  # of the next block; written by the audio thread
        self.is_wanted = False  # the user wants to hear something
        self._jump_to: int | None = None
        self._master = 0.0
        self._rising = np.linspace(0, 1, BLOCK_FRAMES, dtype=np.float32)[:, None]
        self._gains = np.empty((BLOCK_FRAMES, 1), np.float32)
        self._scratch = np.empty((BLOCK_FRAMES, CHANNELS), np.float32)

    def jump(self, frame: int) -> None:
        """Go on from another place, after a ramp down if something sounds."""
        if self._master == 0.0 and not self.is_wanted:
            self.frame = frame
        else:
            self._jump_to = frame

    def cut(self) -> None:
        """Take note that what was rendered is no longer heard: the device is closed."""
        self._master = 0.0

    @property
    def place(self) -> int:
        """The frame that sounds next, a jump that is under way included."""
        jump_to = self._jump_to
        return self.frame if jump_to is None else jump_to

    @property
    def is_place_settled(self) -> bool:
        """Whether `frame` is the place the user asked for last."""
        return self._jump_to is None

    def render(self, out: Samples) -> None:
        """Fill `out` [frame, channel]; at most BLOCK_FRAMES frames."""
        out.fill(0.0)
        if self._master == 0.0 and self._jump_to is not None:
            self.frame, self._jump_to = self._jump_to, None
        master = 1.0 if self.is_wanted and self._jump_to is None else 0.0
        if master == 0.0 and self._master == 0.0:
            return
        self._advance(out)
        if master != self._master:
            np.multiply(out, self._ramp(self._master, master, len(out)), out=out)
            self._master = master
        np.clip(out, -1.0, 1.0, out=out)

    def _advance(self, out: Samples) -> None:
        """Add the sounds from the current frame on, turning round at the end of the loop."""
        filled = 0
        loop = self.loop
        while filled < len(out):
            turn = loop.end if loop is not None and self.frame < loop.end else self.end_frame
            length = min(len(out) - filled, turn - self.frame)
            if length <= 0:
                break
            for voice in self.voices:
                self._add(voice, out[filled : filled + length])
            self.frame += length
            filled += length
            if loop is not None and self.frame == loop.end:
                self.frame = loop.start
        for voice in self.voices:
            voice.gain = voice.target_gain
        if self.frame >= self.end_frame:
            self.is_wanted = False

    def _add(self, voice: Voice, out: Samples) -> None:
        if voice.gain == 0.0 and voice.target_gain == 0.0:
            return
        sounding = voice.samples[self.frame : self.frame + len(out)]
        if not len(sounding):
            return
        scratch = self._scratch[: len(sounding)]
        if voice.gain == voice.target_gain:
            np.multiply(sounding, voice.gain, out=scratch)
        else:
            ramp = self._ramp(voice.gain, voice.target_gain, len(sounding))
            np.multiply(sounding, ramp, out=scratch)
        out[: len(sounding)] += scratch

    def _ramp(self, from_gain: float, to_gain: float, length: int) -> Samples:
        ramp = self._gains[:length]
        if length == BLOCK_FRAMES:
            np.multiply(self._rising, to_gain - from_gain, out=ramp)
        else:
            np.multiply(self._rising[:length], (to_gain - from_gain), out=ramp)
            ramp *= (BLOCK_FRAMES - 1) / max(1, length - 1)
        ramp += from_gain
        return ramp
