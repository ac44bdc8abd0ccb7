"""What is written into a track of a MIDI file: messages at ticks, and the bends of a channel."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

import mido  # type: ignore[import-untyped]  # mido ships no types

from core.midi.tick_notes import TickNote, one_voice_bends

NOTE_OFF_VELOCITY = 64  # "no release velocity" in the MIDI specification
BEND_RANGE_PARAMETER = 0  # registered parameter numbers
NO_PARAMETER = 127


class Order(IntEnum):
    """What comes first among events on one tick."""

    NAME = 0
    META = 1
    PROGRAM = 2
    CONTROL = 3
    BEND_RESET = 4
    NOTE_OFF = 5
    BEND = 6
    NOTE_ON = 7


@dataclass(frozen=True, slots=True)
class TrackEvent:
    """A message of a track and when it is due."""

    at_ticks: int
    order: Order
    message: mido.Message | mido.MetaMessage


def note_events(note: TickNote, channel: int) -> Iterator[TrackEvent]:
    """Yield the start and the end of a note."""
    on = mido.Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity)
    off = mido.Message("note_off", channel=channel, note=note.pitch, velocity=NOTE_OFF_VELOCITY)
    yield TrackEvent(note.on_ticks, Order.NOTE_ON, on)
    yield TrackEvent(note.off_ticks, Order.NOTE_OFF, off)


def bend_events(
    notes: Iterable[TickNote], channel: int, range_semitones: int
) -> Iterator[TrackEvent]:
    """Yield the bend range, if anything bends, then each bend and its reset at the note's end."""
    bent = [voiced for voiced in one_voice_bends(notes) if voiced.bends]
    if bent:
        yield from bend_range(channel, range_semitones)
    for voiced in bent:
        sounding = 0
        for bend in voiced.bends:
            wheel = wheel_of(bend.semitones, range_semitones)
            if wheel != sounding:
                yield TrackEvent(bend.at_ticks, Order.BEND, pitch_wheel(channel, wheel))
            sounding = wheel
        if sounding != 0:
            yield TrackEvent(voiced.until_ticks, Order.BEND_RESET, pitch_wheel(channel, 0))


def bend_range(channel: int, range_semitones: int) -> Iterator[TrackEvent]:
    """Yield what tells a synth how far a channel's wheel bends."""
    yield from registered_parameter(channel, BEND_RANGE_PARAMETER, range_semitones, fine=0)


def registered_parameter(
    channel: int, number: int, setting: int, *, fine: int | None = None
) -> Iterator[TrackEvent]:
    """Yield a setting at the start of the file, closed so that no later data entry changes it."""
    yield control(channel, 101, 0)
    yield control(channel, 100, number)
    yield control(channel, 6, setting)
    if fine is not None:
        yield control(channel, 38, fine)
    yield control(channel, 101, NO_PARAMETER)
    yield control(channel, 100, NO_PARAMETER)


def control(channel: int, number: int, setting: int) -> TrackEvent:
    """Return a controller's value from the start of the file on."""
    message = mido.Message("control_change", channel=channel, control=number, value=setting)
    return TrackEvent(0, Order.CONTROL, message)


def pitch_wheel(channel: int, wheel: int) -> mido.Message:
    """Return the wheel at -8192 to 8191."""
    return mido.Message("pitchwheel", channel=channel, pitch=wheel)


def wheel_of(semitones: float, range_semitones: int) -> int:
    """Return where the wheel stands for a bend, at most at its end."""
    return max(-8192, min(8191, round(semitones / range_semitones * 8192)))
