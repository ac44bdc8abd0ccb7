"""Posterior matrices to notes: peaks of onset become notes, frame says how long they sound.

Pure numpy: the window decodes again whenever a slider moves, in its own process, without torch.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.codec.glides import settled
from core.codec.neighbours import without_neighbours
from core.codec.octaves import OCTAVE, ending_with_lower, octave_logits, with_octaves
from core.codec.onset_times import half_risen_s, peak_times_s
from core.codec.repetition import borne_out
from core.codec.struck_keys import StruckKeys
from core.score.instruments import StemKind
from core.score.note import NoteEvent

Posterior = npt.NDArray[np.float16] | npt.NDArray[np.float32]
_Column = npt.NDArray[np.float32]

# Kick, snare, closed and open hat, tom, crash, ride, rim, clap, pedal hat.
DRUM_KEYS = (36, 38, 42, 46, 45, 49, 51, 37, 39, 44)
# Kick, snare, hi-hat, toms, cymbals: one torn between drums of a group still heard a stroke.
DRUM_GROUPS = ((36,), (38, 37, 39), (42, 46, 44), (45,), (49, 51))
DRUM_NOTE_S = 0.05  # hits have no length; enough for every DAW to show and play them
SAME_ONSET_S = 0.06  # two peaks of one key closer than this are one onset
SAME_HIT_S = 0.03
LONGEST_DIP_S = 0.04  # a note may fall silent this long and still be one note
SHORTEST_NOTE_S = 0.05  # a note heard at all is given at least this length
REPEAT_GAP_S = 0.01  # a key let go this long before it is struck again
SAME_TIME_S = 0.05  # onsets this close compete for the one voice of a monophonic stem


@dataclass(frozen=True, slots=True)
class PitchPosteriors:
    """What the pitch network heard, 0..1; all three [frame, pitch], pitch 0 is `lowest_pitch`.

    `family` [3, frame, pitch] tells of twelve families of instruments in every block of four
    frames: in frame j of a block, row r holds 255 times the square root of the probability of
    family 4 * r + j. `struck` tells of families as well: at the onsets, looked at closely.
    """

    onset: Posterior
    frame: Posterior
    velocity: Posterior
    frames_per_s: float
    lowest_pitch: int
    family: npt.NDArray[np.uint8] | None = None
    struck: StruckKeys | None = None

    def __post_init__(self) -> None:
        if not self.onset.shape == self.frame.shape == self.velocity.shape:
            raise ValueError("onset, frame and velocity differ in shape")
        if self.onset.ndim != 2:
            raise ValueError(f"posteriors must be [frame, pitch], not {self.onset.ndim}-d")
        if self.family is not None and self.family.shape != (3, *self.onset.shape):
            raise ValueError("family must be [3, frame, pitch], frames and pitches as in onset")


@dataclass(frozen=True, slots=True)
class DrumPosteriors:
    """What the drum network heard, 0..1, [frame, drum class]; `keys` are General MIDI keys."""

    onset: Posterior
    velocity: Posterior
    frames_per_s: float
    keys: tuple[int, ...] = DRUM_KEYS

    def __post_init__(self) -> None:
        if self.onset.shape != self.velocity.shape:
            raise ValueError("onset and velocity differ in shape")
        if self.onset.ndim != 2 or self.onset.shape[1] != len(self.keys):
            raise ValueError(f"posteriors must be [frame, {len(self.keys)} drum classes]")

    def columns_of(self, group: tuple[int, ...]) -> list[int]:
        """Return where the keys of a group are."""
        return [self.keys.index(key) for key in group if key in self.keys]


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """How sure the model must be, and how its notes are shaped.

    Lower thresholds find more and weaker notes. Notes whose key sounds shorter than `min_note_s`
    are left out. `offset_shift_s` moves every note end. `is_monophonic` lets one note sound at a
    time. `drum_thresholds` belong to DRUM_GROUPS, in order; `drum_repetition` is how much it counts
    that a stroke repeats (see `repetition`). `min_confidence` is asked of notes that a model wrote
    as tokens, which no threshold can bring back: 0 keeps them all. Above 0, `glide_s` is how long a
    voice may take to reach the pitch of a note (see `glides`). `split_shift` lowers the threshold
    of onsets while their key still sounds.
    `ignores_neighbours` leaves out what others leak into the microphone of one voice.
    `seeks_octaves` finds more of them in a piece that has many (see `octaves`).
    Above 0, a note starts `rise_s` after its onset has risen to half of its peak, at the peak at
    the latest: who writes down a slow attack writes its beginning.
    """

    onset_threshold: float = 0.5
    frame_threshold: float = 0.3
    min_note_s: float = 0.0
    offset_shift_s: float = 0.0
    is_monophonic: bool = False
    drum_thresholds: tuple[float, ...] = (0.55, 0.6, 0.55, 0.6, 0.6)
    drum_repetition: float = 0.0
    min_confidence: float = 0.0
    glide_s: float = 0.0
    split_shift: float = 0.0
    ignores_neighbours: bool = False
    seeks_octaves: bool = False
    rise_s: float = 0.0

    def __post_init__(self) -> None:
        thresholds = (self.onset_threshold, self.frame_threshold, *self.drum_thresholds)
        if not all(0.0 < threshold < 1.0 for threshold in thresholds):
            raise ValueError(f"thresholds must lie between 0 and 1: {thresholds}")
        if len(self.drum_thresholds) != len(DRUM_GROUPS):
            raise ValueError(f"{len(DRUM_GROUPS)} drum thresholds are needed, one per group")
        if self.drum_repetition < 0:
            raise ValueError(f"drum_repetition must not be negative: {self.drum_repetition}")
        if self.min_note_s < 0:
            raise ValueError(f"min_note_s must not be negative: {self.min_note_s}")
        if self.glide_s < 0:
            raise ValueError(f"glide_s must not be negative: {self.glide_s}")
        if self.rise_s < 0:
            raise ValueError(f"rise_s must not be negative: {self.rise_s}")
        if not 0.0 <= self.min_confidence <= 1.0:
            raise ValueError(f"min_confidence must lie within 0..1: {self.min_confidence}")

    def more_sensitive_by(self, amount: float) -> "DecodeOptions":
        """Return the same options with every onset threshold `amount` lower, within 0.02..0.98.

        A negative amount, which finds less, asks for as much more confidence.
        """
        return replace(
            self,
            onset_threshold=_lowered(self.onset_threshold, amount),
            drum_thresholds=tuple(_lowered(each, amount) for each in self.drum_thresholds),
            min_confidence=min(1.0, max(0.0, self.min_confidence - amount)),
        )

    @property
    def split_threshold(self) -> float:
        """How sure an onset must be that splits a sounding note in two."""
        return _lowered(self.onset_threshold, self.split_shift)


def _lowered(threshold: float, amount: float) -> float:
    return min(0.98, max(0.02, threshold - amount))


RISE_S = 0.025  # from half of the rise of an onset to what annotators take for its beginning
_DRUMS_IN_MIX = (0.75, 0.54, 0.45, 0.65, 0.7)

# Chosen on development clips and a second set of real recordings, in the middle of what does
# alike; see resources/models/README.md.
_OPTIONS_OF_KIND = {
    StemKind.DRUMS: DecodeOptions(drum_thresholds=(0.5, 0.65, 0.52, 0.5, 0.5), drum_repetition=1.5),
    StemKind.KEYS: DecodeOptions(
        0.57, frame_threshold=0.63, offset_shift_s=-0.02, seeks_octaves=True, rise_s=RISE_S
    ),
    StemKind.MIX: DecodeOptions(
        0.56,
        frame_threshold=0.65,
        offset_shift_s=-0.02,
        drum_thresholds=_DRUMS_IN_MIX,
        drum_repetition=2.5,
    ),
    StemKind.GUITAR: DecodeOptions(0.65, frame_threshold=0.6, offset_shift_s=0.02),
    StemKind.BASS: DecodeOptions(0.63, frame_threshold=0.32, ignores_neighbours=True),
    StemKind.WINDS: DecodeOptions(
        0.5, frame_threshold=0.28, offset_shift_s=0.005, ignores_neighbours=True, rise_s=RISE_S
    ),
    StemKind.BRASS: DecodeOptions(0.52, frame_threshold=0.28, offset_shift_s=0.005, rise_s=RISE_S),
    StemKind.VOCALS: DecodeOptions(
        0.44, frame_threshold=0.4, min_note_s=0.09, glide_s=0.35, ignores_neighbours=True
    ),
    StemKind.STRINGS: DecodeOptions(0.52, frame_threshold=0.6, rise_s=RISE_S),
    StemKind.SYNTH: DecodeOptions(0.5, frame_threshold=0.5),
    StemKind.OTHER: DecodeOptions(0.5, frame_threshold=0.5),
}


def decode_options_for(kind: StemKind) -> DecodeOptions:
    """Return the options that suit a kind of stem."""
    return _OPTIONS_OF_KIND.get(kind, DecodeOptions())


def notes_from_pitch(
    posteriors: PitchPosteriors, options: DecodeOptions, *, program: int = 0
) -> tuple[NoteEvent, ...]:
    """Return the notes in onset order; notes of one pitch never overlap."""
    notes: list[NoteEvent] = []
    # Ends that are moved would hide where a glide goes on: they are moved after it.
    struck = replace(options, offset_shift_s=0.0) if options.glide_s > 0 else options
    logits = octave_logits(posteriors.onset) if options.seeks_octaves else 0.0
    for column in range(posteriors.onset.shape[1]):
        onset = posteriors.onset[:, column].astype(np.float32)
        if logits > 0 and column >= OCTAVE:
            onset = with_octaves(onset, posteriors.onset[:, column - OCTAVE], logits)
        notes.extend(_notes_of_pitch(posteriors, onset, struck, column=column, program=program))
    notes.sort()
    if logits > 0:
        notes = ending_with_lower(notes, options.onset_threshold)
    if options.glide_s > 0:
        notes = settled(
            notes,
            posteriors.frame > options.frame_threshold,
            frames_per_s=posteriors.frames_per_s,
            lowest_pitch=posteriors.lowest_pitch,
            glide_s=options.glide_s,
            offset_shift_s=options.offset_shift_s,
        )
    if options.is_monophonic:
        notes = _one_voice(notes)
    if options.min_note_s > 0:
        notes = [note for note in notes if note.duration_s >= options.min_note_s]
    if options.ignores_neighbours:
        notes = without_neighbours(notes)
    return tuple(notes)


def notes_from_drums(posteriors: DrumPosteriors, options: DecodeOptions) -> tuple[NoteEvent, ...]:
    """Return the hits in onset order, each DRUM_NOTE_S long or up to the next hit of its group.

    A stroke is sought in all drums of a group together, and named after the surest.
    """
    groups = [posteriors.columns_of(group) for group in DRUM_GROUPS]
    strokes = np.stack([_strokes_on(posteriors.onset[:, columns]) for columns in groups])
    if options.drum_repetition > 0:
        fps = posteriors.frames_per_s
        strokes = borne_out(strokes, fps, weight=options.drum_repetition)
    hits: list[NoteEvent] = []
    for columns, stroke, threshold in zip(groups, strokes, options.drum_thresholds, strict=True):
        hits.extend(_hits_of_group(posteriors, columns, stroke, threshold))
    hits.sort()
    return tuple(hits)


def _strokes_on(onset: Posterior) -> _Column:
    """Return how sure it is in each frame that any drum of a group [frame, drum] is struck."""
    return np.asarray(1 - np.prod(1 - onset.astype(np.float32), axis=1), np.float32)


def _hits_of_group(
    posteriors: DrumPosteriors, columns: list[int], stroke: _Column, threshold: float
) -> Iterator[NoteEvent]:
    fps = posteriors.frames_per_s
    peaks = _peaks(stroke, threshold, closest_frames=round(SAME_HIT_S * fps))
    if not len(peaks):
        return
    # The drums of a group peak a frame apart.
    around = np.clip(peaks[:, None] + np.arange(-1, 2), 0, len(stroke) - 1)
    surest = posteriors.onset[:, columns][around].max(axis=1).argmax(axis=1)
    struck = np.array(columns)[surest]
    onsets_s = peak_times_s(stroke, peaks, fps)
    offsets_s = _before_next(onsets_s, onsets_s + DRUM_NOTE_S)
    velocities = _velocities(posteriors.velocity[peaks, struck])
    rows = zip(onsets_s, offsets_s, struck, velocities, stroke[peaks].tolist(), strict=True)
    for onset_s, offset_s, column, velocity, confidence in rows:
        yield NoteEvent(
            onset_s=float(onset_s),
            pitch=posteriors.keys[column],
            offset_s=float(offset_s),
            velocity=velocity,
            is_drum=True,
            confidence=confidence,
        )


def _notes_of_pitch(
    posteriors: PitchPosteriors,
    onset: _Column,
    options: DecodeOptions,
    *,
    column: int,
    program: int,
) -> Iterator[NoteEvent]:
    fps = posteriors.frames_per_s
    lowest = min(options.onset_threshold, options.split_threshold)
    peaks = _peaks(onset, lowest, closest_frames=round(SAME_ONSET_S * fps))
    if not len(peaks):
        return
    frame = posteriors.frame[:, column].astype(np.float32)
    ends = _ends(frame > options.frame_threshold, peaks, dip_frames=round(LONGEST_DIP_S * fps))
    if options.split_shift != 0:
        is_struck = _are_struck(onset[peaks], ends, options)
        peaks, ends = peaks[is_struck], ends[is_struck]
    onsets_s = peak_times_s(onset, peaks, fps)
    if options.rise_s > 0:
        onsets_s = np.minimum(onsets_s, half_risen_s(onset, peaks, fps) + options.rise_s)
    wanted_s = np.maximum(onsets_s + SHORTEST_NOTE_S, ends / fps + options.offset_shift_s)
    offsets_s = _before_next(onsets_s, wanted_s)
    velocities = _velocities(posteriors.velocity[peaks, column])
    confidences = posteriors.onset[peaks, column].tolist()
    rows = zip(onsets_s.tolist(), offsets_s.tolist(), velocities, confidences, strict=True)
    for onset_s, offset_s, velocity, confidence in rows:
        yield NoteEvent(
            onset_s=onset_s,
            pitch=posteriors.lowest_pitch + column,
            offset_s=offset_s,
            velocity=velocity,
            program=program,
            confidence=confidence,
        )


def _peaks(onset: _Column, threshold: float, *, closest_frames: int) -> npt.NDArray[np.intp]:
    """Return frames of local maxima above threshold; of a close group, the highest survive."""
    above = np.flatnonzero(onset > threshold)
    before = np.where(above > 0, onset[above - 1], -1.0)
    after = np.where(above < len(onset) - 1, onset[np.minimum(above + 1, len(onset) - 1)], -1.0)
    # >= on one side and > on the other: a plateau gives one peak, at its end.
    candidates = above[(onset[above] >= before) & (onset[above] > after)]
    if len(candidates) < 2 or np.diff(candidates).min() >= closest_frames:
        return candidates
    kept: list[int] = []
    for peak in candidates.tolist():
        if kept and peak - kept[-1] < closest_frames:
            if onset[peak] > onset[kept[-1]]:
                kept[-1] = peak
        else:
            kept.append(peak)
    return np.array(kept, np.intp)


def _ends(
    is_sounding: npt.NDArray[np.bool_], peaks: npt.NDArray[np.intp], *, dip_frames: int
) -> npt.NDArray[np.intp]:
    """Return the frame after each peak at which its key falls silent for more than a dip."""
    sounding = is_sounding.copy()
    sounding[peaks] = True
    edges = np.flatnonzero(np.diff(sounding, prepend=False, append=False))
    starts, stops = edges[::2], edges[1::2]
    # Stops followed by a new start within a dip are no stops.
    is_final = np.append(starts[1:] - stops[:-1] > dip_frames, True)
    final_stops = stops[is_final]
    return np.asarray(final_stops[np.searchsorted(final_stops, peaks, side="right")], np.intp)


def _are_struck(
    heights: _Column, ends: npt.NDArray[np.intp], options: DecodeOptions
) -> npt.NDArray[np.bool_]:
    """Tell which peaks of a key start a note: the first before an end, and what splits it."""
    is_struck = np.zeros(len(heights), np.bool_)
    sounding_until = -1
    for place, (height, end) in enumerate(zip(heights.tolist(), ends.tolist(), strict=True)):
        goes_on = end == sounding_until
        is_struck[place] = height > (
            options.split_threshold if goes_on else options.onset_threshold
        )
        if is_struck[place]:
            sounding_until = end
    return is_struck


def _before_next(
    onsets_s: npt.NDArray[np.float64], offsets_s: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Cut each note shortly before its key is struck again, never before its own onset."""
    limits_s = np.append(onsets_s[1:] - REPEAT_GAP_S, np.inf)
    return np.asarray(np.maximum(onsets_s, np.minimum(offsets_s, limits_s)), np.float64)


def _velocities(posterior: Posterior) -> list[int]:
    scaled = np.rint(posterior.astype(np.float32) * 127)
    return [int(velocity) for velocity in np.clip(scaled, 1, 127)]


def _one_voice(notes: list[NoteEvent]) -> list[NoteEvent]:
    """Let each note end the one before; of notes struck together the surest stays."""
    voice: list[NoteEvent] = []
    for note in notes:
        if voice and note.onset_s - voice[-1].onset_s < SAME_TIME_S:
            if (note.confidence or 0) > (voice[-1].confidence or 0):
                voice[-1] = note
            continue
        if voice and voice[-1].offset_s > note.onset_s:
            voice[-1] = replace(voice[-1], offset_s=note.onset_s)
        voice.append(note)
    return voice
