"""Transcription -> Standard MIDI File, format 1, as every DAW expects it.

Track 0 holds name, tempo, meter, key and markers and no notes; each instrument follows on a track
of its own. All tracks end on the same bar line.
"""

import errno
import os
import secrets
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from io import BytesIO
from pathlib import Path

import mido  # type: ignore[import-untyped]  # mido ships no types

from core.errors import ExportError
from core.midi.mpe import WHOLE_ZONE, ZONE_BESIDE_DRUMS, Zone, zone_events
from core.midi.tick_notes import TickNote, tick_notes
from core.midi.ticks import (
    OLD_HARDWARE_PPQ,
    PPQ,
    TempoEvent,
    TickGrid,
    average_bpm,
    bpm_to_tempo_us,
    conformed_grid,
    pickup_grid,
    recorded_grid,
    tempo_events,
)
from core.midi.track_events import Order, TrackEvent, bend_events, note_events
from core.score.key import key_signature
from core.score.transcription import Track, Transcription

AUDIO_START_MARKER = "Audio starts here"
DRUM_CHANNEL = 9  # channel 10 as musicians count
PITCHED_CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)
COMMON_BEND_RANGE_SEMITONES = 2  # what a synth assumes that ignores the range in the file
WIDEST_BEND_SEMITONES, WIDEST_MPE_BEND_SEMITONES = 24, 96


class Timing(StrEnum):
    """How seconds become beats."""

    GRID = "grid"
    """Conform to grid: the file's bar lines are the music's. The file starts with the audio, with a
    short bar for a pickup; where there is only one tempo, with whole bars in front."""

    RECORDED = "recorded"
    """Keep recorded timing: the file starts where the audio starts, at one tempo throughout."""


class ChannelLayout(StrEnum):
    """Which channel each track plays on."""

    UNIQUE = "unique"
    """One channel per track: DAWs that sort by channel keep the tracks apart."""

    SINGLE = "single"
    """Channel 1 for every track: for files of one track, and DAWs that ignore channels."""


@dataclass(frozen=True, slots=True)
class MidiOptions:
    """What a MIDI file looks like; the defaults suit a DAW that reads combined files.

    `drums_on_channel_10` sets drum tracks apart as General MIDI does; otherwise they get a channel
    like any other track. `bend_range_semitones` None leaves pitch bends out. `is_mpe` gives each
    note of a bent track a channel of its own, in files with one pitched track: a file has channels
    for no more. `has_one_tempo` writes a single tempo in grid timing too: notes keep their beats,
    seconds follow the average tempo.
    """

    timing: Timing = Timing.GRID
    channels: ChannelLayout = ChannelLayout.UNIQUE
    drums_on_channel_10: bool = True
    has_ascii_names: bool = False
    bend_range_semitones: int | None = COMMON_BEND_RANGE_SEMITONES
    is_mpe: bool = False
    has_one_tempo: bool = False
    ppq: int = PPQ

    def __post_init__(self) -> None:
        if self.ppq not in (PPQ, OLD_HARDWARE_PPQ):
            raise ValueError(f"{self.ppq} ticks per quarter note is neither 960 nor 480")
        widest = WIDEST_MPE_BEND_SEMITONES if self.is_mpe else WIDEST_BEND_SEMITONES
        if self.bend_range_semitones is not None and not 1 <= self.bend_range_semitones <= widest:
            raise ValueError(f"bend range {self.bend_range_semitones} is outside 1..{widest}")


DEFAULT_OPTIONS = MidiOptions()


def write_midi(song: Transcription, path: Path, options: MidiOptions = DEFAULT_OPTIONS) -> Path:
    """Write `song` to `path`, replacing what is there only when the new file is complete.

    Raises:
        ExportError: the folder is gone, full or not writable.
        ValueError: the song has more pitched tracks than channels; see `split_tracks`.
    """
    content = midi_bytes(song, options, title=path.stem)
    neighbour = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        try:
            with neighbour.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            neighbour.replace(path)
        except BaseException:
            neighbour.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _export_error(path, error) from error
    return path


def midi_bytes(
    song: Transcription, options: MidiOptions = DEFAULT_OPTIONS, *, title: str = "Song"
) -> bytes:
    """Return the MIDI file of `song`; `title` names track 0.

    Raises:
        ValueError: the song has more pitched tracks than channels; see `split_tracks`.
    """
    grid = tick_grid(song, options)
    channels = _channels(song.tracks, options)
    notes = [tick_notes(track, grid) for track in song.tracks]
    last_ticks = max([note.off_ticks for track in notes for note in track], default=0)
    last_ticks = max(last_ticks, grid.seconds_to_ticks(song.end_s))
    end_ticks = grid.bar_line_after(last_ticks)
    midi = mido.MidiFile(type=1, ticks_per_beat=options.ppq)
    midi.tracks.append(_conductor_track(song, grid, options, title=title, end_ticks=end_ticks))
    zone = _zone(song.tracks, options)
    for track, track_notes, channel in zip(song.tracks, notes, channels, strict=True):
        is_in_zone = channel != DRUM_CHANNEL
        events = _track_events(track, track_notes, channel, options, zone if is_in_zone else None)
        midi.tracks.append(_midi_track(events, end_ticks))
    content = BytesIO()
    midi.save(file=content)
    return content.getvalue()


def tick_grid(song: Transcription, options: MidiOptions) -> TickGrid:
    """Return where the seconds of `song` lie in its file."""
    if options.timing is Timing.RECORDED:
        return recorded_grid(song.tempo, song.end_s, ppq=options.ppq)
    if options.has_one_tempo:
        return conformed_grid(song.tempo, ppq=options.ppq)
    return pickup_grid(song.tempo, ppq=options.ppq)


def split_tracks(
    song: Transcription, options: MidiOptions = DEFAULT_OPTIONS
) -> tuple[Transcription, ...]:
    """Return `song` in parts that each fit the channels of one file, usually just one part.

    Drums on channel 10 need no other channel and go with the first part.
    """
    if options.channels is ChannelLayout.SINGLE:
        return (song,)
    drums = [track for track in song.tracks if _is_on_drum_channel(track, options)]
    others = [track for track in song.tracks if not _is_on_drum_channel(track, options)]
    if len(others) <= len(PITCHED_CHANNELS):
        return (song,)
    parts = [
        others[start : start + len(PITCHED_CHANNELS)]
        for start in range(0, len(others), len(PITCHED_CHANNELS))
    ]
    parts[0] += drums
    return tuple(replace(song, tracks=tuple(part)) for part in parts)


def _is_on_drum_channel(track: Track, options: MidiOptions) -> bool:
    return track.is_drum and options.drums_on_channel_10


def _channels(tracks: Sequence[Track], options: MidiOptions) -> list[int]:
    """Return the channel (0..15) of each track. Several drum tracks share channel 10."""
    if len(split_tracks(Transcription(tuple(tracks)), options)) > 1:
        raise ValueError("more tracks than channels: use split_tracks")
    free = iter(PITCHED_CHANNELS)
    return [
        DRUM_CHANNEL
        if _is_on_drum_channel(track, options)
        else 0
        if options.channels is ChannelLayout.SINGLE
        else next(free)
        for track in tracks
    ]


def _conductor_track(
    song: Transcription, grid: TickGrid, options: MidiOptions, *, title: str, end_ticks: int
) -> mido.MidiTrack:
    events = [TrackEvent(0, Order.NAME, _text("track_name", title, options))]
    events += _meters(grid)
    if song.key is not None:
        signature = mido.MetaMessage("key_signature", key=key_signature(song.key))
        events.append(TrackEvent(0, Order.META, signature))
    for tempo in _tempos(song, grid, options, end_ticks):
        change = mido.MetaMessage("set_tempo", tempo=tempo.tempo_us)
        events.append(TrackEvent(tempo.at_ticks, Order.META, change))
    events += _audio_start_markers(grid, options)
    return _midi_track(events, end_ticks)


def _meters(grid: TickGrid) -> Iterator[TrackEvent]:
    """Write the meter, after that of the pickup bar if there is one."""
    meter = grid.tempo.meter
    if grid.pickup_ticks > 0:
        beats, unit = round(grid.pickup_beats * 4), 16  # whole sixteenths
        while beats % 2 == 0 and unit > 4:
            beats, unit = beats // 2, unit // 2
        yield TrackEvent(0, Order.META, _time_signature(beats, unit))
    yield TrackEvent(
        grid.pickup_ticks, Order.META, _time_signature(meter.beats_per_bar, meter.beat_unit)
    )


def _time_signature(beats: int, unit: int) -> mido.MetaMessage:
    return mido.MetaMessage("time_signature", numerator=beats, denominator=unit)


def _tempos(
    song: Transcription, grid: TickGrid, options: MidiOptions, end_ticks: int
) -> list[TempoEvent]:
    if options.has_one_tempo:
        return [TempoEvent(0, bpm_to_tempo_us(average_bpm(grid.tempo, song.end_s)))]
    return tempo_events(grid, end_ticks)


def _audio_start_markers(grid: TickGrid, options: MidiOptions) -> Iterator[TrackEvent]:
    """Say where the audio belongs, if it does not start with the file."""
    start_ticks = grid.seconds_to_ticks(0.0)
    if start_ticks == 0:
        return
    offset_s = -grid.ticks_to_seconds(0)
    offset = f"Audio starts {offset_s:.3f} s after the start of this file"
    yield TrackEvent(0, Order.META, _text("marker", offset, options))
    yield TrackEvent(start_ticks, Order.META, _text("marker", AUDIO_START_MARKER, options))


def _track_events(
    track: Track, notes: Sequence[TickNote], channel: int, options: MidiOptions, zone: Zone | None
) -> Iterator[TrackEvent]:
    """Yield the events of a track on its channel, or on the channels of an MPE zone."""
    yield TrackEvent(0, Order.NAME, _text("track_name", track.name, options))
    if not track.is_drum:
        program = mido.Message("program_change", channel=channel, program=track.program)
        yield TrackEvent(0, Order.PROGRAM, program)
    if zone is not None and options.bend_range_semitones is not None:
        yield from zone_events(notes, zone, options.bend_range_semitones)
        return
    if options.bend_range_semitones is not None and not track.is_drum:
        yield from bend_events(notes, channel, options.bend_range_semitones)
    for note in notes:
        yield from note_events(note, channel)


def _zone(tracks: Sequence[Track], options: MidiOptions) -> Zone | None:
    """Return the MPE zone of a file's only pitched track, if that bends; drums keep channel 10."""
    pitched = [track for track in tracks if not _is_on_drum_channel(track, options)]
    is_bent = any(note.bends for track in pitched for note in track.notes)
    if not options.is_mpe or not is_bent or len(pitched) != 1:
        return None
    return WHOLE_ZONE if len(tracks) == 1 else ZONE_BESIDE_DRUMS


def _midi_track(events: Iterable[TrackEvent], end_ticks: int) -> mido.MidiTrack:
    """Return the track whose messages carry deltas, in the order DAWs and synths need."""
    track = mido.MidiTrack()
    at_ticks = 0
    for event in sorted(events, key=lambda event: (event.at_ticks, event.order)):
        event.message.time = event.at_ticks - at_ticks
        track.append(event.message)
        at_ticks = event.at_ticks
    track.append(mido.MetaMessage("end_of_track", time=max(0, end_ticks - at_ticks)))
    return track


def _text(kind: str, text: str, options: MidiOptions) -> mido.MetaMessage:
    """Return a text event in UTF-8, or in ASCII where the user asks for it.

    mido encodes text by a charset that is one for the whole process and stays changed when saving
    fails. Its default, Latin-1, maps each byte to one character, so the bytes travel in it.
    """
    text = "".join(character for character in text if character.isprintable())
    encoded = _to_ascii(text) if options.has_ascii_names else text.encode("utf-8", "replace")
    attribute = "name" if kind == "track_name" else "text"
    return mido.MetaMessage(kind, **{attribute: encoded.decode("latin-1")})


def _to_ascii(text: str) -> bytes:
    """Return the nearest ASCII spelling: accents are dropped, other letters become '?'."""
    spelled = text.translate(_ASCII_SPELLINGS)
    plain = "".join(
        character
        for character in unicodedata.normalize("NFKD", spelled)
        if not unicodedata.combining(character)
    )
    return plain.encode("ascii", "replace")


_ASCII_SPELLINGS = str.maketrans(
    {
        "ß": "ss", "Æ": "Ae", "æ": "ae", "Œ": "Oe", "œ": "oe", "Ø": "O", "ø": "o", "Ł": "L",
        "ł": "l", "Đ": "D", "đ": "d", "Þ": "Th", "þ": "th", "\N{EN DASH}": "-",
        "\N{EM DASH}": "-", "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'", "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    }
)  # fmt: skip


def _export_error(path: Path, error: OSError) -> ExportError:
    problem = f"Cannot write '{path.name}' to {path.parent}:"
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return ExportError(f"{problem} the disk is full.", "Free some space and try again.")
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return ExportError(
                f"{problem} it is write-protected or in use by another program.",
                "Choose another folder, or close the program that uses the file.",
            )
        case errno.ENOENT | errno.ENOTDIR:
            return ExportError(
                f"{problem} the folder is gone.", "Connect its drive or choose another folder."
            )
        case errno.ENAMETOOLONG:
            return ExportError(f"{problem} the name is too long.", "Choose a shorter name.")
        case _:
            reason = error.strerror or type(error).__name__
            return ExportError(
                f"{problem} {reason}.", "Choose another folder, or check the disk and try again."
            )
