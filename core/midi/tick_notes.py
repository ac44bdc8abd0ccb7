"""Notes of one track in ticks, fit for one channel: none too short, no pitch struck twice."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil

from core.midi.ticks import TickGrid
from core.score.note import MIN_NOTE_S, NoteEvent
from core.score.transcription import Track

log = logging.getLogger(__name__)

SHORTEST_NOTES_PER_WHOLE = 128  # samplers and notation drop shorter notes
SHORTEST_DRUMS_PER_WHOLE = 32  # drum racks in gate mode need time to sound
LEGATO_NOTES_PER_OVERLAP = 3  # a note that shares more than a third of itself is one of a chord


@dataclass(frozen=True, slots=True)
class TickBend:
    """From `at_ticks` on the note sounds `semitones` off its pitch."""

    at_ticks: int
    semitones: float


@dataclass(frozen=True, slots=True, order=True)
class TickNote:
    """A note from `on_ticks` to `off_ticks`, always later; `bends` lie within it, in order."""

    on_ticks: int
    pitch: int
    off_ticks: int
    velocity: int
    bends: tuple[TickBend, ...] = ()


def tick_notes(track: Track, grid: TickGrid) -> list[TickNote]:
    """Return the notes of `track` in time order, at most one sounding per pitch.

    A note is at least 1/128 (drums 1/32) or 10 ms long, whichever is longer; the same pitch struck
    again ends it earlier. Strokes of one pitch less than 10 ms apart are one note, as loud as the
    loudest and as long as the longest.
    """
    by_pitch: defaultdict[int, list[NoteEvent]] = defaultdict(list)
    for note in track.notes:
        by_pitch[note.pitch].append(note)
    fitted = [
        note for notes in by_pitch.values() for note in _struck_one_at_a_time(notes, track, grid)
    ]
    if len(fitted) < len(track.notes):
        log.info("%s: %d doubled notes became one", track.name, len(track.notes) - len(fitted))
    return sorted(fitted)


@dataclass(frozen=True, slots=True)
class VoiceBends:
    """The bends of a note on a channel of one voice, and from when on they are another's."""

    bends: tuple[TickBend, ...]
    until_ticks: int


def one_voice_bends(notes: Iterable[TickNote]) -> list[VoiceBends]:
    """Return the bends that notes may have on one channel, where a bend moves all that sounds.

    Notes of chords have none. Where a note runs into the next one by a third of its length or less,
    as in legato, its bends end as that begins.
    """
    ordered = sorted(notes)
    voices = []
    sounding_until_ticks = 0
    for index, note in enumerate(ordered):
        next_ticks = ordered[index + 1].on_ticks if index + 1 < len(ordered) else note.off_ticks
        until_ticks = min(note.off_ticks, next_ticks)
        shared_ticks = max(sounding_until_ticks - note.on_ticks, note.off_ticks - until_ticks)
        is_alone = LEGATO_NOTES_PER_OVERLAP * shared_ticks <= note.off_ticks - note.on_ticks
        bends = [bend for bend in note.bends if bend.at_ticks < until_ticks] if is_alone else []
        voices.append(VoiceBends(tuple(bends), until_ticks))
        sounding_until_ticks = max(sounding_until_ticks, note.off_ticks)
    return voices


def _struck_one_at_a_time(
    notes: Iterable[NoteEvent], track: Track, grid: TickGrid
) -> list[TickNote]:
    """Return the notes of one pitch, in time order, each ending before the next begins."""
    fitted: list[TickNote] = []
    least_gap_ticks = 0
    for note in sorted(notes):
        found = _tick_note(note, grid, is_drum=track.is_drum)
        if fitted and found.on_ticks - fitted[-1].on_ticks < least_gap_ticks:
            fitted[-1] = _merged(fitted[-1], found)
            continue
        if fitted and fitted[-1].off_ticks > found.on_ticks:
            fitted[-1] = _trimmed(fitted[-1], found.on_ticks)
        fitted.append(found)
        least_gap_ticks = _floor_ticks(note, grid)
    return fitted


def _tick_note(note: NoteEvent, grid: TickGrid, *, is_drum: bool) -> TickNote:
    on_ticks = grid.seconds_to_ticks(note.onset_s)
    per_whole = SHORTEST_DRUMS_PER_WHOLE if is_drum else SHORTEST_NOTES_PER_WHOLE
    shortest_ticks = max(4 * grid.ppq // per_whole, _floor_ticks(note, grid))
    off_ticks = max(grid.seconds_to_ticks(note.offset_s), on_ticks + shortest_ticks)
    bends: dict[int, float] = {}  # of several on one tick the last counts
    for bend in note.bends:
        at_ticks = max(on_ticks, grid.seconds_to_ticks(bend.at_s))
        if at_ticks < off_ticks:
            bends[at_ticks] = bend.semitones
    tick_bends = tuple(TickBend(*bend) for bend in sorted(bends.items()))
    return TickNote(on_ticks, note.pitch, off_ticks, note.velocity, tick_bends)


def _floor_ticks(note: NoteEvent, grid: TickGrid) -> int:
    """Return the ticks of MIN_NOTE_S at this note, rounded up; at least one."""
    span = grid.exact_ticks(note.onset_s + MIN_NOTE_S) - grid.exact_ticks(note.onset_s)
    return max(1, ceil(span - 1e-6))


def _merged(first: TickNote, second: TickNote) -> TickNote:
    louder = max(first, second, key=lambda note: note.velocity)
    off_ticks = max(first.off_ticks, second.off_ticks)
    return replace(first, off_ticks=off_ticks, velocity=louder.velocity, bends=louder.bends)


def _trimmed(note: TickNote, off_ticks: int) -> TickNote:
    bends = tuple(bend for bend in note.bends if bend.at_ticks < off_ticks)
    return replace(note, off_ticks=off_ticks, bends=bends)
