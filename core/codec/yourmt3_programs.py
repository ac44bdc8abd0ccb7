"""Instruments of YourMT3: the channels of its decoder, and what its programs are written as.

Programs are those of General MIDI, but 100 is a singing voice and 101 a choir of them. The models
tell classes of instruments apart, not their members: notes are written with the first program of
their class (the original's `gm_ext_plus`), whose General MIDI name would say too much.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from core.codec.token_rules import PROGRAMS_OF_KIND
from core.score.instruments import StemKind, program_of
from core.score.note import NoteEvent

SINGING_VOICE, SINGING_CHORUS = 100, 101
DRUM_CHANNEL = 12


@dataclass(frozen=True, slots=True)
class Channel:
    """A row of tokens of its own; no programs means drums."""

    name: str
    programs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class InstrumentClass:
    """Programs that the models do not tell apart, and the General MIDI program for all of them."""

    name: str
    members: tuple[int, ...]
    written_as: int


CHANNELS: tuple[Channel, ...] = (
    Channel("Piano", tuple(range(8))),
    Channel("Chromatic Percussion", tuple(range(8, 16))),
    Channel("Organ", tuple(range(16, 24))),
    Channel("Guitar", tuple(range(24, 32))),
    Channel("Bass", tuple(range(32, 40))),
    Channel("Strings", tuple(range(40, 56))),
    Channel("Brass", tuple(range(56, 64))),
    Channel("Reed", tuple(range(64, 72))),
    Channel("Pipe", tuple(range(72, 80))),
    Channel("Synth Lead", tuple(range(80, 88))),
    Channel("Synth Pad", tuple(range(88, 96))),
    Channel("Singing Voice", (SINGING_VOICE, SINGING_CHORUS)),
    Channel("Drums", ()),
)
# The original writes the voice as an alto saxophone (65) and its chorus as voices (53).
INSTRUMENT_CLASSES: tuple[InstrumentClass, ...] = (
    InstrumentClass("Acoustic Piano", (0, 1, 3, 6, 7), 0),
    InstrumentClass("Electric Piano", (2, 4, 5), 2),
    InstrumentClass("Chromatic Percussion", tuple(range(8, 16)), 8),
    InstrumentClass("Organ", tuple(range(16, 24)), 16),
    InstrumentClass("Guitar (clean)", tuple(range(24, 28)), 24),
    InstrumentClass("Guitar (distortion)", tuple(range(28, 32)), 30),
    InstrumentClass("Bass", tuple(range(32, 40)), 33),
    InstrumentClass("Strings", tuple(range(40, 56)), 48),
    InstrumentClass("Brass", tuple(range(56, 64)), 56),
    InstrumentClass("Reed", tuple(range(64, 72)), 64),
    InstrumentClass("Pipe", tuple(range(72, 80)), 72),
    InstrumentClass("Synth Lead", tuple(range(80, 88)), 80),
    InstrumentClass("Synth Pad", tuple(range(88, 96)), 88),
    InstrumentClass("Singing Voice", (SINGING_VOICE,), program_of(StemKind.VOCALS)),
    InstrumentClass("Singing Voice (chorus)", (SINGING_CHORUS,), 52),
)
TRACK_NAMES: Mapping[int, str] = MappingProxyType(
    {instruments.written_as: instruments.name for instruments in INSTRUMENT_CLASSES}
)
"""By the program that notes are written with."""

_WRITTEN_AS = {
    member: instruments.written_as
    for instruments in INSTRUMENT_CLASSES
    for member in instruments.members
}
_PITCHED = tuple(program for channel in CHANNELS for program in channel.programs)
PROGRAMS_OF_STEM: Mapping[StemKind, tuple[int, ...]] = MappingProxyType(
    {
        **PROGRAMS_OF_KIND,
        StemKind.BASS: CHANNELS[4].programs,
        StemKind.VOCALS: CHANNELS[11].programs,
        StemKind.STRINGS: CHANNELS[5].programs,
        StemKind.WINDS: CHANNELS[7].programs + CHANNELS[8].programs,
        StemKind.SYNTH: tuple(range(96)),
        StemKind.OTHER: _PITCHED,
    }
)
"""Programs that a stem may hold, pitched kinds only; synthesisers may sound like anything."""


def channels_of(kind: StemKind) -> tuple[int, ...]:
    """Return the channels that a stem of this kind has notes in, in order."""
    if kind is StemKind.MIX:
        return tuple(range(len(CHANNELS)))
    if kind is StemKind.DRUMS:
        return (DRUM_CHANNEL,)
    programs = set(PROGRAMS_OF_STEM[kind])
    return tuple(
        index for index, channel in enumerate(CHANNELS) if programs.intersection(channel.programs)
    )


def with_written_programs(notes: Iterable[NoteEvent]) -> tuple[NoteEvent, ...]:
    """Return the notes with the programs of their classes; unknown programs and drums stay."""
    return tuple(
        note if note.is_drum else replace(note, program=_WRITTEN_AS.get(note.program, note.program))
        for note in notes
    )
