"""Builders of small musical values for tests: `make.note(60, 0.0, 0.5)`."""

from core.score.note import NoteEvent, PitchBend
from core.score.tempo import TempoChange, TempoMap, constant_tempo
from core.score.transcription import Key, Track, Transcription


def note(
    pitch: int = 60, onset_s: float = 0.0, offset_s: float = 0.5, velocity: int = 80
) -> NoteEvent:
    return NoteEvent(onset_s, pitch, offset_s, velocity)


def bent(pitch: int, onset_s: float, offset_s: float, *bends: tuple[float, float]) -> NoteEvent:
    """Return a note with bends of (seconds, semitones)."""
    return NoteEvent(
        onset_s, pitch, offset_s, bends=tuple(PitchBend(at_s, by) for at_s, by in bends)
    )


def track(*notes: NoteEvent, name: str = "Piano", program: int = 0) -> Track:
    return Track(name, tuple(each.with_program(program) for each in notes), program)


def drums(*notes: NoteEvent, name: str = "Drums") -> Track:
    return Track(
        name,
        tuple(NoteEvent(n.onset_s, n.pitch, n.offset_s, n.velocity, is_drum=True) for n in notes),
        is_drum=True,
    )


def song(
    *tracks: Track,
    bpm: float = 120.0,
    tempo: TempoMap | None = None,
    key: Key | None = None,
) -> Transcription:
    return Transcription(tracks, tempo or constant_tempo(bpm), key)


def tempo_map(*changes: tuple[float, float], first_downbeat_s: float = 0.0) -> TempoMap:
    """Return a tempo map with changes of (beat, BPM)."""
    return TempoMap(
        tuple(TempoChange(at_beat, bpm) for at_beat, bpm in changes),
        first_downbeat_s=first_downbeat_s,
    )
