"""MPE: each note on a channel of its own, so that notes of a chord may bend apart.

After "MIDI Polyphonic Expression", version 1.0 (MIDI Manufacturers Association, 2018). Only the
lower zone is written: channel 1 manages, members follow from channel 2 on.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.midi.tick_notes import TickNote
from core.midi.track_events import (
    Order,
    TrackEvent,
    bend_range,
    note_events,
    pitch_wheel,
    registered_parameter,
    wheel_of,
)

MPE_CONFIGURATION_PARAMETER = 6  # its setting is how many members the zone has; 0 ends it
MPE_BEND_RANGE_SEMITONES = 48  # of members, unless a file says otherwise
LOWER_MANAGER, UPPER_MANAGER = 0, 15


@dataclass(frozen=True, slots=True)
class Zone:
    """The lower zone, with so many members: channels 2, 3, ... as musicians count."""

    members: int


WHOLE_ZONE = Zone(15)
ZONE_BESIDE_DRUMS = Zone(8)  # up to channel 9; the next is that of drums


def members_of(manager: int, count: int) -> tuple[int, ...]:
    """Return the channels (0..15) of the zone of a manager: upwards from 0, downwards from 15."""
    count = max(0, min(15, count))
    if manager == LOWER_MANAGER:
        return tuple(range(1, 1 + count))
    return tuple(range(UPPER_MANAGER - 1, UPPER_MANAGER - 1 - count, -1))


def zone_events(
    notes: Sequence[TickNote], zone: Zone, range_semitones: int
) -> Iterator[TrackEvent]:
    """Yield the notes and bends of a track over the members of a zone.

    A note takes the member that has been silent for longest, so that the sound dying away on it is
    not bent; a wheel stays where the note left it until the next one. Where more notes sound than
    there are members, one is shared.
    """
    yield from registered_parameter(LOWER_MANAGER, MPE_CONFIGURATION_PARAMETER, zone.members)
    by_member: dict[int, list[TickNote]] = {
        member: [] for member in members_of(LOWER_MANAGER, zone.members)
    }
    for note in sorted(notes):
        played = min(by_member.values(), key=_silent_from)
        played.append(note)
    for member, played in by_member.items():
        if played:
            yield from bend_range(member, range_semitones)
            yield from _member_events(played, member, range_semitones)


def _silent_from(played: Sequence[TickNote]) -> int:
    return max((note.off_ticks for note in played), default=-1)


def _member_events(
    played: Iterable[TickNote], member: int, range_semitones: int
) -> Iterator[TrackEvent]:
    wheel = 0
    last_off_ticks = 0
    for note in played:
        wanted = [(bend.at_ticks, bend.semitones) for bend in note.bends]
        if not wanted or wanted[0][0] > note.on_ticks:
            wanted.insert(0, (note.on_ticks, 0.0))
        for at_ticks, semitones in wanted:
            before, wheel = wheel, wheel_of(semitones, range_semitones)
            if wheel != before:
                yield TrackEvent(at_ticks, Order.BEND, pitch_wheel(member, wheel))
        yield from note_events(note, member)
        last_off_ticks = max(last_off_ticks, note.off_ticks)
    if wheel != 0:
        yield TrackEvent(last_off_ticks, Order.BEND_RESET, pitch_wheel(member, 0))
