"""Tell what kind of stem a file is by what the networks heard in it.

Asked only where the file's name says nothing. The networks are sure enough that a few rates
tell drums, mixes and basses: drum hits per second, pitched notes per second, how deep the notes
lie. Other stems are what the families of their notes say, where these agree.
"""

from dataclasses import dataclass

import numpy as np

from core.codec.families import kind_of_stem
from core.codec.posteriors_to_notes import (
    DecodeOptions,
    DrumPosteriors,
    PitchPosteriors,
    notes_from_drums,
    notes_from_pitch,
)
from core.score.instruments import StemKind

# Stricter than for transcribing: a stray hit or note must not decide.
SURE = DecodeOptions(onset_threshold=0.5, drum_thresholds=(0.6, 0.65, 0.6, 0.7, 0.7))
LEAST_HITS_PER_S = 1.6  # singers and pianists are mistaken for drums up to 1.2 times a second
MOST_NOTES_PER_HIT_OF_DRUMS = 0.5
MOST_SOUNDING_SHARE_OF_DRUMS = 0.6
BASS_HIGHEST_PITCH = 52  # E3: nine in ten notes of a bass lie below
BASS_MEDIAN_PITCH = 47  # B2: a low voice lies above
BASS_MOST_VOICES = 1.3
ONE_VOICED = frozenset({StemKind.VOCALS, StemKind.WINDS, StemKind.BRASS})
ONE_VOICED_MOST_VOICES = 1.8  # rooms let notes ring into each other
SOUNDING = 0.4


@dataclass(frozen=True, slots=True)
class StemEvidence:
    """What was heard, as rates per second and shares of the time."""

    hits_per_s: float
    notes_per_s: float
    sounding_share: float
    voices: float  # keys at a time, while any sounds
    median_pitch: float
    high_pitch: float  # nine in ten notes lie at or below it


def kind_from_posteriors(pitch: PitchPosteriors, drums: DrumPosteriors) -> StemKind:
    """Return what kind of stem it is; MIX is drums and pitched notes together."""
    evidence = evidence_in(pitch, drums)
    if evidence.hits_per_s >= LEAST_HITS_PER_S:
        is_mostly_hits = evidence.notes_per_s <= MOST_NOTES_PER_HIT_OF_DRUMS * evidence.hits_per_s
        if is_mostly_hits and evidence.sounding_share <= MOST_SOUNDING_SHARE_OF_DRUMS:
            return StemKind.DRUMS
        return StemKind.MIX
    if _is_bass(evidence):
        return StemKind.BASS
    kind = kind_of_stem(notes_from_pitch(pitch, SURE), pitch) or StemKind.OTHER
    if kind is StemKind.BASS:  # it would have been found
        return StemKind.OTHER
    is_chordal = evidence.voices > ONE_VOICED_MOST_VOICES
    return StemKind.OTHER if kind in ONE_VOICED and is_chordal else kind


def evidence_in(pitch: PitchPosteriors, drums: DrumPosteriors) -> StemEvidence:
    """Summarise posteriors of one stretch of audio."""
    length_s = max(1.0, pitch.onset.shape[0] / pitch.frames_per_s)
    notes = notes_from_pitch(pitch, SURE)
    hits = notes_from_drums(drums, SURE)
    keys_at_a_time = (pitch.frame > SOUNDING).sum(1)
    sounding = keys_at_a_time[keys_at_a_time > 0]
    pitches = np.array([note.pitch for note in notes] or [0])
    return StemEvidence(
        hits_per_s=len(hits) / length_s,
        notes_per_s=len(notes) / length_s,
        sounding_share=len(sounding) / max(1, len(keys_at_a_time)),
        voices=float(sounding.mean()) if len(sounding) else 0.0,
        median_pitch=float(np.median(pitches)),
        high_pitch=float(np.percentile(pitches, 90)),
    )


def _is_bass(evidence: StemEvidence) -> bool:
    return (
        evidence.notes_per_s > 0
        and evidence.median_pitch <= BASS_MEDIAN_PITCH
        and evidence.high_pitch <= BASS_HIGHEST_PITCH
        and evidence.voices <= BASS_MOST_VOICES
    )
