"""SoundFonts through libfluidsynth: timed notes to audio, without files in between."""

import ctypes
import ctypes.util
import weakref
from collections.abc import Sequence
from enum import IntEnum
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr  # type: ignore[import-untyped]  # it ships no types

from core.training.part import PlayedNote, Timed
from core.training.rooms import Room

Samples = npt.NDArray[np.float32]
SAMPLE_RATE_HZ = 22_050
RENDER_RATE_HZ = 44_100
BEND_RANGE_SEMITONES = 2
DRUM_BANK = 128
REVERB_SEND, CHORUS_SEND = 91, 93  # controllers of General MIDI
ALL_GROUPS = -1  # of fluidsynth's effects
_GAIN = 0.5
_VOICES = 128
_BLOCK_SAMPLES = 64  # what fluidsynth renders at a time, and keeps the rest of


class _Act(IntEnum):
    """What to tell the synthesiser; at the same moment in this order."""

    BEND = 0
    NOTE_OFF = 1
    NOTE_ON = 2
    PEDAL = 3


class SoundFont:
    """One SoundFont file, ready to play."""

    def __init__(self, path: Path) -> None:
        self._library = _fluidsynth()
        settings = self._library.new_fluid_settings()
        number, integer = (
            self._library.fluid_settings_setnum,
            self._library.fluid_settings_setint,
        )
        number(settings, b"synth.sample-rate", float(RENDER_RATE_HZ))
        number(settings, b"synth.gain", _GAIN)
        for name, value in (
            (b"synth.reverb.active", 0),
            (b"synth.chorus.active", 0),
            (b"synth.polyphony", _VOICES),
            (b"synth.dynamic-sample-loading", 1),
        ):
            integer(settings, name, value)
        self._synth = self._library.new_fluid_synth(settings)
        self._written_samples = 0
        weakref.finalize(self, _close, self._library, self._synth, settings)
        self._font = self._library.fluid_synth_sfload(self._synth, str(path).encode(), 0)
        if self._font < 0:
            raise FileNotFoundError(path)

    def play(
        self,
        program: int,
        notes: Sequence[PlayedNote],
        *,
        duration_s: float,
        pedal: Sequence[Timed] = (),
        bends: Sequence[Timed] = (),
        bank: int = 0,
    ) -> Samples | None:
        """Return mono samples [sample] at SAMPLE_RATE_HZ, or None if the font lacks the program."""
        sides = self._sides((bank, program), _acts(notes, pedal, bends), duration_s)
        if sides is None:
            return None
        left, right = sides
        mono = np.float32(0.5) * (left + right)
        return np.asarray(soxr.resample(mono, RENDER_RATE_HZ, SAMPLE_RATE_HZ), np.float32)

    def play_in(
        self,
        room: Room,
        program: int,
        notes: Sequence[PlayedNote],
        *,
        duration_s: float,
        pedal: Sequence[Timed] = (),
        bends: Sequence[Timed] = (),
    ) -> Samples | None:
        """Return middle and side [sample, 2], halves of the sum and difference of both ears."""
        self._enter(room)
        sides = self._sides((0, program), _acts(notes, pedal, bends), duration_s, room)
        self._leave()
        if sides is None:
            return None
        left, right = sides
        both = np.float32(0.5) * np.stack([left + right, left - right], 1)
        return np.asarray(soxr.resample(both, RENDER_RATE_HZ, SAMPLE_RATE_HZ), np.float32)

    def _sides(
        self,
        preset: tuple[int, int],
        acts: list[tuple[float, _Act, int, int]],
        duration_s: float,
        room: Room | None = None,
    ) -> tuple[Samples, Samples] | None:
        """Return left and right [sample] at RENDER_RATE_HZ."""
        library, synth = self._library, self._synth
        library.fluid_synth_system_reset(synth)
        self._silence()
        if library.fluid_synth_program_select(synth, 0, self._font, *preset) != 0:
            return None
        library.fluid_synth_pitch_wheel_sens(synth, 0, BEND_RANGE_SEMITONES)
        if room is not None:
            library.fluid_synth_cc(synth, 0, REVERB_SEND, room.reverb_send)
            library.fluid_synth_cc(synth, 0, CHORUS_SEND, room.chorus_send)
        length = int(duration_s * RENDER_RATE_HZ)
        left, right = np.zeros(length, np.float32), np.zeros(length, np.float32)
        position = 0
        for at_s, act, value, velocity in acts:
            until = min(length, max(position, int(at_s * RENDER_RATE_HZ)))
            self._write(left, right, position, until)
            position = until
            self._tell(act, value, velocity)
        self._write(left, right, position, length)
        return left, right

    def _enter(self, room: Room) -> None:
        library, synth = self._library, self._synth
        library.fluid_synth_reverb_on(synth, ALL_GROUPS, int(room.has_reverb))
        library.fluid_synth_chorus_on(synth, ALL_GROUPS, int(room.has_chorus))
        library.fluid_synth_set_reverb_group_roomsize(synth, ALL_GROUPS, room.size)
        library.fluid_synth_set_reverb_group_damp(synth, ALL_GROUPS, room.damping)
        library.fluid_synth_set_reverb_group_width(synth, ALL_GROUPS, room.width)
        library.fluid_synth_set_reverb_group_level(synth, ALL_GROUPS, room.level)

    def _leave(self) -> None:
        self._library.fluid_synth_reverb_on(self._synth, ALL_GROUPS, 0)
        self._library.fluid_synth_chorus_on(self._synth, ALL_GROUPS, 0)

    def _silence(self) -> None:
        """Let nothing of what was played before sound on: a reset alone leaves its tails."""
        self._library.fluid_synth_all_sounds_off(self._synth, -1)
        rest = -self._written_samples % _BLOCK_SAMPLES
        length = rest + _BLOCK_SAMPLES  # one block more, at whose start the voices end
        self._write(np.zeros(length, np.float32), np.zeros(length, np.float32), 0, length)

    def _write(self, left: Samples, right: Samples, first: int, end: int) -> None:
        if end <= first:
            return
        self._written_samples += end - first
        left_at, right_at = left[first:].ctypes.data, right[first:].ctypes.data
        self._library.fluid_synth_write_float(
            self._synth, end - first, left_at, 0, 1, right_at, 0, 1
        )

    def _tell(self, act: _Act, value: int, velocity: int) -> None:
        library, synth = self._library, self._synth
        if act is _Act.NOTE_ON:
            library.fluid_synth_noteon(synth, 0, value, velocity)
        elif act is _Act.NOTE_OFF:
            library.fluid_synth_noteoff(synth, 0, value)
        elif act is _Act.PEDAL:
            library.fluid_synth_cc(synth, 0, 64, value)
        else:
            library.fluid_synth_pitch_bend(synth, 0, value)


def _acts(
    notes: Sequence[PlayedNote], pedal: Sequence[Timed], bends: Sequence[Timed]
) -> list[tuple[float, _Act, int, int]]:
    """Return everything to tell the synthesiser, in order of time."""
    acts: list[tuple[float, _Act, int, int]] = []
    for note in notes:
        acts.append((note.onset_s, _Act.NOTE_ON, int(note.pitch), int(note.velocity)))
        acts.append((note.offset_s, _Act.NOTE_OFF, int(note.pitch), 0))
    acts += [(pressed.at_s, _Act.PEDAL, int(pressed.amount), 0) for pressed in pedal]
    for bend in bends:
        wheel = np.clip(8192 + 8191 * bend.amount / BEND_RANGE_SEMITONES, 0, 16383)
        acts.append((bend.at_s, _Act.BEND, int(wheel), 0))
    acts.sort(key=lambda act: (act[0], act[1]))
    return acts


def _close(library: ctypes.CDLL, synth: int, settings: int) -> None:
    library.delete_fluid_synth(synth)
    library.delete_fluid_settings(settings)


@cache
def _fluidsynth() -> ctypes.CDLL:
    library = ctypes.CDLL(ctypes.util.find_library("fluidsynth") or "libfluidsynth.so.3")
    pointer, integer, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    number = ctypes.c_double
    write: list[object] = [pointer, integer, *([pointer, integer, integer] * 2)]
    signatures: tuple[tuple[str, object, list[object]], ...] = (
        ("new_fluid_settings", pointer, []),
        ("new_fluid_synth", pointer, [pointer]),
        ("delete_fluid_synth", None, [pointer]),
        ("delete_fluid_settings", None, [pointer]),
        ("fluid_settings_setnum", integer, [pointer, text, number]),
        ("fluid_settings_setint", integer, [pointer, text, integer]),
        ("fluid_synth_sfload", integer, [pointer, text, integer]),
        ("fluid_synth_program_select", integer, [pointer] + [integer] * 4),
        ("fluid_synth_noteon", integer, [pointer] + [integer] * 3),
        ("fluid_synth_noteoff", integer, [pointer] + [integer] * 2),
        ("fluid_synth_cc", integer, [pointer] + [integer] * 3),
        ("fluid_synth_pitch_bend", integer, [pointer] + [integer] * 2),
        ("fluid_synth_pitch_wheel_sens", integer, [pointer] + [integer] * 2),
        ("fluid_synth_system_reset", integer, [pointer]),
        ("fluid_synth_all_sounds_off", integer, [pointer, integer]),
        ("fluid_synth_reverb_on", integer, [pointer, integer, integer]),
        ("fluid_synth_chorus_on", integer, [pointer, integer, integer]),
        ("fluid_synth_set_reverb_group_roomsize", integer, [pointer, integer, number]),
        ("fluid_synth_set_reverb_group_damp", integer, [pointer, integer, number]),
        ("fluid_synth_set_reverb_group_width", integer, [pointer, integer, number]),
        ("fluid_synth_set_reverb_group_level", integer, [pointer, integer, number]),
        ("fluid_synth_write_float", integer, write),
        ("fluid_set_log_function", pointer, [integer, pointer, pointer]),
    )
    for name, result, arguments in signatures:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    for level in range(5):
        library.fluid_set_log_function(level, None, None)
    return library
