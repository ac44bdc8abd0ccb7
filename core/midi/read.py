"""Standard MIDI File -> Transcription.

Reads what `core.midi.write` wrote back to the same notes, and files of other programs as far as a
Transcription can hold them: notes, bends, programs, names, tempo, the first meter and key.
"""

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import mido  # type: ignore[import-untyped]  # mido ships no types

from core.errors import AppError
from core.midi.mpe import (
    LOWER_MANAGER,
    MPE_BEND_RANGE_SEMITONES,
    MPE_CONFIGURATION_PARAMETER,
    UPPER_MANAGER,
    members_of,
)
from core.midi.ticks import tempo_us_to_bpm
from core.midi.track_events import BEND_RANGE_PARAMETER
from core.midi.write import AUDIO_START_MARKER, COMMON_BEND_RANGE_SEMITONES, DRUM_CHANNEL
from core.score.key import key_of_signature
from core.score.note import NoteEvent, PitchBend
from core.score.tempo import MAX_BPM, MIN_BPM, Meter, TempoChange, TempoMap
from core.score.transcription import Key, Track, Transcription

DEFAULT_TEMPO_US = 500_000  # what a file without tempo means: 120 BPM
ASYNCHRONOUS_TYPE = 2


class MidiReadError(AppError):
    """A MIDI file cannot be used: missing, unreadable, damaged, or of a kind without beats."""


@dataclass(frozen=True, slots=True)
class _At:
    """A message of a file's track at its absolute tick."""

    ticks: int
    track_index: int
    message: mido.Message


@dataclass(slots=True)
class _OpenNote:
    """A note that has begun and not ended."""

    track_index: int
    pitch: int
    on_ticks: int
    velocity: int
    program: int
    bends: list[tuple[int, float]]  # ticks, semitones


@dataclass(slots=True)
class _Channel:
    """What a channel remembers between messages."""

    program: int = 0
    bend_range_semitones: float = COMMON_BEND_RANGE_SEMITONES
    bend_semitones: float = 0.0
    parameter: dict[int, int] = field(default_factory=dict)  # controls 100, 101: which RPN is set
    open_notes: defaultdict[int, list[_OpenNote]] = field(default_factory=lambda: defaultdict(list))


class _Channels:
    """The sixteen channels; those of an MPE zone are one instrument, that of its manager."""

    def __init__(self) -> None:
        self._channels: defaultdict[int, _Channel] = defaultdict(_Channel)
        self._manager_of: dict[int, int] = {}

    def follow(self, at: _At) -> Iterator[tuple[int, _OpenNote]]:
        """Take in a message; yield the notes that it ends, with their instruments."""
        number = at.message.channel
        channel = self._channels[number]
        if at.message.type == "control_change":
            _control(channel, at.message)
            if number in (LOWER_MANAGER, UPPER_MANAGER) and _is_data_of(
                channel, at.message, MPE_CONFIGURATION_PARAMETER
            ):
                self._make_zone(number, at.message.value)
        program = self._channels[self.instrument_of(number)].program
        ended = _follow(channel, at, program)
        if ended is not None:
            yield self.instrument_of(number), ended

    def instrument_of(self, number: int) -> int:
        return self._manager_of.get(number, number)

    def still_open(self) -> Iterator[tuple[int, _OpenNote]]:
        """Yield the notes that nothing ended, with their instruments."""
        for number, channel in self._channels.items():
            for open_notes in channel.open_notes.values():
                for note in open_notes:
                    yield self.instrument_of(number), note

    def _make_zone(self, manager: int, count: int) -> None:
        members = members_of(manager, count)
        self._manager_of = {
            member: its_manager
            for member, its_manager in self._manager_of.items()
            if its_manager != manager and member not in members
        } | dict.fromkeys(members, manager)
        for member in members:
            self._channels[member].bend_range_semitones = MPE_BEND_RANGE_SEMITONES


def read_midi(path: Path) -> Transcription:
    """Return the music of a MIDI file: one track per track, channel and program that has notes.

    Seconds count from the marker "Audio starts here" where the file has it, else from its start.
    Beat 0 is the file's start, or the first bar line after a pickup bar.

    Raises:
        MidiReadError: the file cannot be read or is no MIDI file with beats.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise MidiReadError(
            f"Cannot read '{path.name}': {reason}.", "Check that the file is still there."
        ) from error
    return transcription_of(content, path.name)


def transcription_of(content: bytes, file_name: str = "MIDI data") -> Transcription:
    """Return the music of a MIDI file's `content`; see `read_midi`."""
    midi = _parsed(content, file_name)
    messages = _in_time_order(midi)
    tempo = _tempo_map(messages, midi.ticks_per_beat)
    tempo = tempo.with_first_downbeat(-_audio_start_s(messages, tempo, midi.ticks_per_beat))
    names = {at.track_index: _text(at.message.name) for at in reversed(messages) if _is_name(at)}
    tracks = _tracks(messages, tempo, midi.ticks_per_beat, names)
    counted = _counted_from_first_bar(tempo, messages, midi.ticks_per_beat)
    return Transcription(tracks, counted, _key(messages))


def _parsed(content: bytes, file_name: str) -> mido.MidiFile:
    problem = f"Cannot read '{file_name}':"
    if content[:4] != b"MThd":
        raise MidiReadError(f"{problem} it is not a MIDI file.", "Choose a .mid file.")
    try:
        midi = mido.MidiFile(file=BytesIO(content))
    except (
        OSError,  # mido's word for a wrong structure
        EOFError,
        ValueError,
        LookupError,
        TypeError,
        struct.error,
        mido.KeySignatureError,
    ) as error:
        raise MidiReadError(
            f"{problem} the file is damaged.", "Export it again from the program it came from."
        ) from error
    if midi.type == ASYNCHRONOUS_TYPE or midi.ticks_per_beat <= 0:
        raise MidiReadError(
            f"{problem} it counts in video frames or patterns instead of beats.",
            "Export it as MIDI format 1 from the program it came from.",
        )
    return midi


def _in_time_order(midi: mido.MidiFile) -> list[_At]:
    """Return all messages by absolute tick; on one tick each track keeps its own order."""
    messages = []
    for track_index, track in enumerate(midi.tracks):
        ticks = 0
        for message in track:
            ticks += message.time
            messages.append(_At(ticks, track_index, message))
    return sorted(messages, key=lambda at: at.ticks)


def _tempo_map(messages: Iterable[_At], ppq: int) -> TempoMap:
    """Return the tempo map whose beat 0 is tick 0; tempos beyond its range are brought into it."""
    tempo_us = {0: DEFAULT_TEMPO_US}
    meter: Meter | None = None
    for at in messages:
        if at.message.type == "set_tempo":
            tempo_us[at.ticks] = max(1, at.message.tempo)
        elif at.message.type == "time_signature" and meter is None:
            meter = _meter(at.message)
    changes = [
        TempoChange(ticks / ppq, min(MAX_BPM, max(MIN_BPM, tempo_us_to_bpm(value))))
        for ticks, value in sorted(tempo_us.items())
    ]
    kept = [changes[0]] + [
        change for before, change in pairwise(changes) if change.bpm != before.bpm
    ]
    return TempoMap(tuple(kept), meter or Meter())


def _counted_from_first_bar(tempo: TempoMap, messages: Iterable[_At], ppq: int) -> TempoMap:
    """Return `tempo` with beat 0 after the pickup bar, if the file has a short bar in front."""
    meters = [at for at in messages if at.message.type == "time_signature"][:2]
    if len(meters) < 2 or meters[0].ticks != 0:
        return tempo
    pickup, rest = meters
    pickup_beats = rest.ticks / ppq
    is_one_bar = pickup_beats == _meter(pickup.message).quarters_per_bar
    if not is_one_bar or pickup_beats >= _meter(rest.message).quarters_per_bar:
        return tempo
    before = [change for change in tempo.changes if change.at_beat <= pickup_beats]
    after = [change for change in tempo.changes if change.at_beat > pickup_beats]
    changes = [TempoChange(0.0, before[-1].bpm)]
    changes += [TempoChange(change.at_beat - pickup_beats, change.bpm) for change in after]
    return TempoMap(tuple(changes), _meter(rest.message), tempo.beats_to_seconds(pickup_beats))


def _meter(message: mido.MetaMessage) -> Meter:
    try:
        return Meter(message.numerator, message.denominator)
    except ValueError:
        return Meter()  # such as 64/4 or 1/64, that no bar ruler shows


def _audio_start_s(messages: Iterable[_At], tempo: TempoMap, ppq: int) -> float:
    for at in messages:
        if at.message.type == "marker" and _text(at.message.text) == AUDIO_START_MARKER:
            return tempo.beats_to_seconds(at.ticks / ppq)
    return 0.0


def _key(messages: Iterable[_At]) -> Key | None:
    for at in messages:
        if at.message.type == "key_signature":
            return key_of_signature(at.message.key)
    return None


def _is_name(at: _At) -> bool:
    return bool(at.message.type == "track_name")


def _text(latin_1: str) -> str:
    """Return text as its writer meant it: UTF-8 if the bytes are, else Latin-1."""
    try:
        return latin_1.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return latin_1


def _tracks(
    messages: list[_At], tempo: TempoMap, ppq: int, names: dict[int, str]
) -> tuple[Track, ...]:
    notes: defaultdict[tuple[int, int, int], list[NoteEvent]] = defaultdict(list)
    for channel, track_index, note in _notes(messages, tempo, ppq):
        notes[track_index, channel, note.program].append(note)
    parts_of_track = defaultdict(list)
    for place in sorted(notes):
        parts_of_track[place[0]].append(place)
    tracks = []
    for track_index, places in parts_of_track.items():
        name = names.get(track_index) or f"Track {track_index + 1}"
        for number, place in enumerate(places, start=1):
            _, channel, program = place
            tracks.append(
                Track(
                    name if number == 1 else f"{name} {number}",
                    tuple(notes[place]),
                    program=program,
                    is_drum=channel == DRUM_CHANNEL,
                )
            )
    return tuple(tracks)


def _notes(messages: list[_At], tempo: TempoMap, ppq: int) -> Iterator[tuple[int, int, NoteEvent]]:
    """Yield (channel, track index, note); a note without end lasts to the end of the file."""
    channels = _Channels()
    for at in messages:
        if at.message.is_meta or not hasattr(at.message, "channel"):
            continue
        for number, ended in channels.follow(at):
            yield number, ended.track_index, _sounded(ended, number, at.ticks, tempo, ppq)
    end_ticks = messages[-1].ticks if messages else 0
    for number, note in channels.still_open():
        yield number, note.track_index, _sounded(note, number, end_ticks, tempo, ppq)


def _sounded(note: _OpenNote, channel: int, off_ticks: int, tempo: TempoMap, ppq: int) -> NoteEvent:
    return NoteEvent(
        tempo.beats_to_seconds(note.on_ticks / ppq),
        note.pitch,
        tempo.beats_to_seconds(off_ticks / ppq),
        note.velocity,
        note.program,
        is_drum=channel == DRUM_CHANNEL,
        bends=tuple(
            PitchBend(tempo.beats_to_seconds(ticks / ppq), semitones)
            for ticks, semitones in note.bends
            if ticks < off_ticks
        ),
    )


def _follow(channel: _Channel, at: _At, program: int) -> _OpenNote | None:
    """Let a channel take in a message; return the note that it ends. `program` is what it plays."""
    message = at.message
    match message.type:
        case "note_on" if message.velocity > 0:
            bends = [(at.ticks, channel.bend_semitones)] if channel.bend_semitones else []
            channel.open_notes[message.note].append(
                _OpenNote(
                    track_index=at.track_index,
                    pitch=message.note,
                    on_ticks=at.ticks,
                    velocity=message.velocity,
                    program=program,
                    bends=bends,
                )
            )
        case "note_on" | "note_off":
            open_notes = channel.open_notes[message.note]
            # Two tracks on one channel may hold the same pitch: each ends its own.
            for index, note in enumerate(open_notes):
                if note.track_index == at.track_index:
                    return open_notes.pop(index)
        case "program_change":
            channel.program = message.program
        case "pitchwheel":
            _bend(channel, at)
        case _:
            pass  # pressure and system messages have no place in a Transcription
    return None


def _bend(channel: _Channel, at: _At) -> None:
    channel.bend_semitones = at.message.pitch / 8192 * channel.bend_range_semitones
    for open_notes in channel.open_notes.values():
        for note in open_notes:
            note.bends.append((at.ticks, channel.bend_semitones))


def _control(channel: _Channel, message: mido.Message) -> None:
    if message.control in (100, 101):
        channel.parameter[message.control] = message.value
    elif _is_data_of(channel, message, BEND_RANGE_PARAMETER) and message.value > 0:
        channel.bend_range_semitones = message.value


def _is_data_of(channel: _Channel, message: mido.Message, parameter: int) -> bool:
    """Whether the message sets a registered parameter."""
    return message.control == 6 and channel.parameter == {100: parameter, 101: 0}
