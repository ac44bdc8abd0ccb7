"""Arrangements: songs that people wrote for several instruments, played again by others.

Composed players know little of each other; written ones double, answer and make room for each
other. Only the notes are taken over: who plays them, at which tempo and in which key is drawn.
"""

import logging
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.midi.read import MidiReadError, transcription_of
from core.score.note import NoteEvent
from core.score.transcription import Transcription
from core.training.families import FAMILIES, FAMILY_NAMED, Family
from core.training.part import PlayedNote
from core.training.sound_sources import ARRANGEMENTS, at_hand

FEWEST_PARTS, MOST_PARTS = 2, 7
FEWEST_NOTES = 4  # of a part in an excerpt; who plays less is left out
MOST_TRIES = 8  # to find a place where several play
TEMPO_OCTAVES = 0.35  # as fast as this power of two, at most
LOWEST_STEP, HIGHEST_STEP = -6, 6
OWN_FAMILY_SHARE, BASS_STAYS_SHARE = 0.35, 0.75
DOUBLED_SHARE, MOST_DOUBLED = 0.7, 3  # of excerpts; parts of them that others double
DOUBLING_STEPS = (0, 0, 0, 0, 0, 0, 12, -12)
LATE_DEVIATION_S = 0.006
SOFTEST, LOUDEST = 20, 127
BASS_TOP = 50  # a part whose middle note is lower is the bass
WITHIN_SHARE = 0.9  # of a part's notes that an instrument must reach
EVENNESS = 0.55  # families are drawn by this power of their shares

_WAD_HEADER, _WAD_ENTRY, _MIDI = struct.Struct("<4sii"), struct.Struct("<ii8s"), b"MThd"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """One song: the notes of each pitched part in onset order, and of its drums."""

    parts: tuple[tuple[PlayedNote, ...], ...]
    drums: tuple[PlayedNote, ...]
    duration_s: float


@dataclass(frozen=True, slots=True)
class CastPart:
    """What one player of an excerpt plays; seconds from its start."""

    family: Family
    notes: list[PlayedNote]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A few seconds of an arrangement, cast anew."""

    parts: list[CastPart]
    drums: list[PlayedNote]


def arrangements_at_hand() -> tuple[Arrangement, ...]:
    """Read the songs of every source that is installed; the others are named in the log."""
    paths = [source.path for source in at_hand(ARRANGEMENTS) if source.path is not None]
    return tuple(song for path in paths for song in songs_in_wad(path))


def songs_in_wad(path: Path) -> list[Arrangement]:
    """Return the songs of a WAD file, the archive of Doom and its kin; each once.

    A WAD is "IWAD" or "PWAD", the number of entries and where their table begins; an entry is
    where its bytes begin, how many they are and eight letters of name (doomwiki.org/wiki/WAD).
    """
    content = path.read_bytes()
    songs = [arrangement_of(song) for song in dict.fromkeys(_midi_files_in(content))]
    return [song for song in songs if song is not None]


def arrangement_of(midi: bytes) -> Arrangement | None:
    """Return the parts of a MIDI file; None where it cannot be read or too few play."""
    try:
        song = transcription_of(midi)
    except MidiReadError as error:
        _log.info("left out a song: %s", error)
        return None
    parts = _parts_of(song)
    if len(parts) < FEWEST_PARTS:
        return None
    drums = [note for track in song.tracks if track.is_drum for note in track.notes]
    return Arrangement(
        tuple(parts),
        tuple(_played(drums, 0)),
        max(note.offset_s for part in parts for note in part),
    )


def excerpt(rng: np.random.Generator, song: Arrangement, duration_s: float) -> Excerpt | None:
    """Draw a place of a song, its tempo, its key and who plays it; None if few play there."""
    speed = 2 ** rng.uniform(-TEMPO_OCTAVES, TEMPO_OCTAVES)
    step = int(rng.integers(LOWEST_STEP, HIGHEST_STEP + 1))
    for _ in range(MOST_TRIES):
        start_s = rng.uniform(0, max(1.0, song.duration_s - duration_s * speed))
        window = _Window(start_s, duration_s, speed)
        parts = [part for part in (window.of(part) for part in song.parts) if _is_enough(part)]
        if len(parts) >= FEWEST_PARTS:
            break
    else:
        return None
    order = rng.permutation(len(parts))[:MOST_PARTS]
    cast = [_cast(rng, _moved(parts[int(number)], step)) for number in order]
    if rng.random() < DOUBLED_SHARE:
        for number in rng.permutation(len(cast))[: int(rng.integers(1, MOST_DOUBLED + 1))]:
            cast.append(_doubling(rng, cast[int(number)]))
    heard = [part for part in cast if _is_enough(part.notes)]
    return Excerpt(heard, window.of(song.drums))


@dataclass(frozen=True, slots=True)
class _Window:
    """Seconds of a song that are played `speed` times as fast as they are written."""

    start_s: float
    duration_s: float
    speed: float

    def of(self, notes: Sequence[PlayedNote]) -> list[PlayedNote]:
        """Return the notes that begin within; their seconds count from its start."""
        within = []
        for note in notes:
            onset_s = (note.onset_s - self.start_s) / self.speed
            offset_s = (note.offset_s - self.start_s) / self.speed
            if 0 <= onset_s < self.duration_s - 0.05:
                within.append(
                    note._replace(onset_s=onset_s, offset_s=min(offset_s, self.duration_s))
                )
        return within


def _parts_of(song: Transcription) -> list[tuple[PlayedNote, ...]]:
    return [
        tuple(_played(track.notes, track.program))
        for track in song.tracks
        if not track.is_drum and len(track.notes) >= FEWEST_NOTES
    ]


def _played(notes: Sequence[NoteEvent], program: int) -> list[PlayedNote]:
    """Return notes as the players of clips take them; a key is let go before it is struck again."""
    played: list[PlayedNote] = []
    latest: dict[int, int] = {}
    for note in sorted(notes):
        before = latest.get(note.pitch)
        if before is not None:
            offset_s = min(played[before].offset_s, note.onset_s - 0.01)
            played[before] = played[before]._replace(offset_s=offset_s)
        latest[note.pitch] = len(played)
        offset_s = max(note.offset_s, note.onset_s + 0.03)
        played.append(PlayedNote(note.onset_s, offset_s, note.pitch, note.velocity, program))
    return [note for note in played if note.offset_s > note.onset_s]


def _midi_files_in(wad: bytes) -> Iterator[bytes]:
    if len(wad) < _WAD_HEADER.size:
        return
    _, entries, table_at = _WAD_HEADER.unpack_from(wad)
    for number in range(max(0, entries)):
        entry_at = table_at + number * _WAD_ENTRY.size
        if not 0 <= entry_at <= len(wad) - _WAD_ENTRY.size:
            return
        at, length, _ = _WAD_ENTRY.unpack_from(wad, entry_at)
        content = wad[at : at + length] if at >= 0 and length > 0 else b""
        if content.startswith(_MIDI):
            yield content


def _is_enough(notes: Sequence[PlayedNote]) -> bool:
    return len(notes) >= FEWEST_NOTES


def _moved(notes: Sequence[PlayedNote], step: int) -> list[PlayedNote]:
    return [note._replace(pitch=note.pitch + step) for note in notes]


def _cast(rng: np.random.Generator, notes: list[PlayedNote]) -> CastPart:
    """Let a family play a part: the written one, or any that reaches its notes."""
    written = notes[0].program
    middle = float(np.median([note.pitch for note in notes]))
    if middle < BASS_TOP and rng.random() < BASS_STAYS_SHARE:
        family = FAMILY_NAMED["bass"]
    else:
        of_written = [family for family in FAMILIES if written in family.programs]
        family = _any_that_reaches(rng, notes)
        if of_written and rng.random() < OWN_FAMILY_SHARE:
            family = of_written[0]
    softer = rng.integers(-15, 16)
    loud = [int(np.clip(note.velocity + softer, SOFTEST, LOUDEST)) for note in notes]
    within = _within(family, notes)
    return CastPart(
        family,
        [note._replace(velocity=loud[number]) for number, note in enumerate(within)],
    )


def _any_that_reaches(rng: np.random.Generator, notes: list[PlayedNote]) -> Family:
    reached = [
        np.mean([family.lowest_pitch <= note.pitch <= family.highest_pitch for note in notes])
        for family in FAMILIES
    ]
    shares = np.array([family.share for family in FAMILIES]) ** EVENNESS
    shares = np.where(np.array(reached) >= WITHIN_SHARE, shares, 0.0)
    if not shares.any():
        return FAMILY_NAMED["piano"]
    return FAMILIES[int(rng.choice(len(FAMILIES), p=shares / shares.sum()))]


def _within(family: Family, notes: list[PlayedNote]) -> list[PlayedNote]:
    """Return a part in the octave where most of it can be played; notes out of reach are kept."""
    middle = float(np.median([note.pitch for note in notes]))
    octaves = 0
    while middle + 12 * octaves < family.lowest_pitch:
        octaves += 1
    while middle + 12 * octaves > family.highest_pitch:
        octaves -= 1
    return _moved(notes, 12 * octaves)


def _doubling(rng: np.random.Generator, part: CastPart) -> CastPart:
    """Let another family play the same, in unison or in octaves, never quite together."""
    step = int(rng.choice(DOUBLING_STEPS))
    late_s = rng.uniform(-0.01, 0.01)
    notes = _moved(part.notes, step)
    family = _any_that_reaches(rng, notes)
    louder = int(rng.integers(-25, 10))
    doubled = [
        _later(note, max(0.0, late_s + rng.normal(0, LATE_DEVIATION_S)))._replace(
            velocity=int(np.clip(note.velocity + louder, SOFTEST, LOUDEST))
        )
        for note in notes
        if family.lowest_pitch <= note.pitch <= family.highest_pitch
    ]
    return replace(part, family=family, notes=doubled)


def _later(note: PlayedNote, late_s: float) -> PlayedNote:
    return note._replace(onset_s=note.onset_s + late_s, offset_s=note.offset_s + late_s)
