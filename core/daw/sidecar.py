"""The song's notes as JSON, for scripts and notation: what a MIDI file cannot hold.

Beside the notes stand the tempo map, where the first downbeat lies, and which model heard what.
"""

import json
from pathlib import Path
from typing import TypedDict

from core.midi.write import MidiOptions, tick_grid
from core.score.key import key_name
from core.score.note import NoteEvent
from core.score.tempo import TempoMap
from core.score.transcription import Source, Track, Transcription

FORMAT_VERSION = 1
SECONDS_DECIMALS = 6


class _NoteJson(TypedDict):
    onset_s: float
    offset_s: float
    onset_beats: float
    duration_beats: float
    pitch: int
    velocity: int
    confidence: float | None


class _TrackJson(TypedDict):
    name: str
    program: int
    is_drum: bool
    notes: list[_NoteJson]


class _SourceJson(TypedDict):
    file: str
    duration_s: float
    kind: str
    model: str
    device: str


class _TempoJson(TypedDict):
    at_beat: float
    bpm: float


class _SongJson(TypedDict):
    version: int
    name: str
    duration_s: float
    key: str | None
    meter: str
    tempo: list[_TempoJson]
    first_downbeat_s: float
    pickup_bars: int
    audio_starts_at_file_beat: float
    sources: list[_SourceJson]
    tracks: list[_TrackJson]


def notes_json(song: Transcription, song_name: str, options: MidiOptions | None = None) -> str:
    """Return the song as JSON text.

    Beats are quarter notes from the first downbeat, negative before it. `audio_starts_at_file_beat`
    is where second 0 of the recording lies in the MIDI file that `options` make.
    """
    grid = tick_grid(song, options or MidiOptions())
    described = _SongJson(
        version=FORMAT_VERSION,
        name=song_name,
        duration_s=_rounded(song.end_s),
        key=key_name(song.key) if song.key is not None else None,
        meter=str(song.tempo.meter),
        tempo=[_TempoJson(at_beat=c.at_beat, bpm=c.bpm) for c in song.tempo.changes],
        first_downbeat_s=_rounded(song.tempo.first_downbeat_s),
        pickup_bars=song.tempo.pickup_bars,
        audio_starts_at_file_beat=grid.seconds_to_ticks(0.0) / grid.ppq,
        sources=[_source_json(source) for source in song.sources],
        tracks=[_track_json(track, song.tempo) for track in song.tracks],
    )
    return json.dumps(described, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _source_json(source: Source) -> _SourceJson:
    return _SourceJson(
        file=Path(source.file_name).name,
        duration_s=_rounded(source.duration_s),
        kind=source.kind.value,
        model=source.model,
        device=source.device,
    )


def _track_json(track: Track, tempo: TempoMap) -> _TrackJson:
    return _TrackJson(
        name=track.name,
        program=track.program,
        is_drum=track.is_drum,
        notes=[_note_json(note, tempo) for note in track.notes],
    )


def _note_json(note: NoteEvent, tempo: TempoMap) -> _NoteJson:
    onset_beats = tempo.seconds_to_beats(note.onset_s)
    return _NoteJson(
        onset_s=_rounded(note.onset_s),
        offset_s=_rounded(note.offset_s),
        onset_beats=_rounded(onset_beats),
        duration_beats=_rounded(tempo.seconds_to_beats(note.offset_s) - onset_beats),
        pitch=note.pitch,
        velocity=note.velocity,
        confidence=None if note.confidence is None else _rounded(note.confidence),
    )


def _rounded(value: float) -> float:
    return round(value, SECONDS_DECIMALS)
