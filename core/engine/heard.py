"""HeardStem: what the model heard in one file, kept so that notes can be named again without it.

No torch here: the window decodes again from kept posteriors in its own process.
"""

from dataclasses import dataclass
from pathlib import Path

from core.codec.posteriors_to_notes import (
    DecodeOptions,
    DrumPosteriors,
    PitchPosteriors,
    decode_options_for,
    notes_from_drums,
    notes_from_pitch,
)
from core.engine.options import ChosenDevice
from core.score.instruments import StemKind, program_of, track_name_of
from core.score.transcription import Source, Track

DRUM_TRACK_NAME = track_name_of(StemKind.DRUMS)
FEWEST_HITS_PER_S = 0.25  # fewer in a mix are consonants and plucks mistaken for drums


@dataclass(frozen=True, slots=True)
class Posteriors:
    """What the networks said about one file; None where a network was not asked.

    `device` is where a network ended up running, if it could not stay where it was started.
    """

    pitch: PitchPosteriors | None = None
    drums: DrumPosteriors | None = None
    device: ChosenDevice | None = None


@dataclass(frozen=True, slots=True)
class HeardStem:
    """One file's notes, how its kind and device were chosen, and what the run took."""

    path: Path
    source: Source
    tracks: tuple[Track, ...]
    kind_found_by: str
    model_reason: str
    device_reason: str
    elapsed_s: float
    posteriors: Posteriors

    @property
    def note_count(self) -> int:
        return sum(len(track.notes) for track in self.tracks)

    @property
    def times_real_time(self) -> float:
        return self.source.duration_s / self.elapsed_s if self.elapsed_s > 0 else 0.0


def tracks_from(
    posteriors: Posteriors, kind: StemKind, options: DecodeOptions | None = None
) -> tuple[Track, ...]:
    """Name the notes: drums first, then pitched notes; a track without notes is left out.

    `options` None takes what suits the kind of stem.
    """
    options = options or decode_options_for(kind)
    tracks = []
    if posteriors.drums is not None:
        hits = notes_from_drums(posteriors.drums, options)
        heard_s = len(posteriors.drums.onset) / posteriors.drums.frames_per_s
        if kind is StemKind.DRUMS or len(hits) >= FEWEST_HITS_PER_S * heard_s:
            tracks.append(Track(DRUM_TRACK_NAME, hits, is_drum=True))
    if posteriors.pitch is not None:
        program = program_of(kind)
        notes = notes_from_pitch(posteriors.pitch, options, program=program)
        tracks.append(Track(track_name_of(kind), notes, program=program))
    return tuple(track for track in tracks if track.notes)
