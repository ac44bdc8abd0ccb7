"""Contours: how the pitch of each note of one voice goes, from candidates of its pitch.

The candidates around each note are joined to the likeliest path by dynamic programming, as in pYIN
(Mauch and Dixon 2014, "pYIN: A fundamental frequency estimator using probabilistic threshold
distributions"), but within a few semitones of a note that is known: octave errors cannot happen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
import numpy.typing as npt

from core.score.note import NoteEvent

REACH_SEMITONES = 3.0  # how far from its key a note is looked for
BESIDE_SEMITONES = 1.1  # a path further off for most of a note is that of another sound
SURE = 0.4  # strength that pays for following a pitch rather than waiting for it
PENALTY_PER_SEMITONE = 0.04  # for lying beside the key
STEP_PENALTY = 0.5  # per semitone that a path moves from one frame to the next
CHANGE_PENALTY = 0.15  # for beginning or ceasing to follow
LEAP_SEMITONES = 0.8  # from one frame to the next; no voice or finger is faster
SPIKE_SEMITONES = 0.15
EDGE_FRAMES = 8  # of a note, where its neighbours may still sound
SETTLED_SHARE = 0.85  # of a note's usual strength; less at its ends is pluck or release
SHORTEST_RUN_FRAMES = 3
LEAST_SHARE = 0.4  # of a note's frames; where fewer have a pitch the rest is guessing
LEAST_FRAMES = 5
MOST_OVERLAP_S = 0.1  # that notes of one voice run into each other: release, room
LEAST_ALONE = 0.6  # share of a stem's notes that sound alone, if it has one voice
MOST_CELLS = 1 << 17  # notes times frames that are followed at a time

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Contour:
    """Semitones off the key at times; both [frame]. `is_heard` where they are not interpolated."""

    at_s: Values
    semitones: Values
    is_heard: Flags

    @property
    def centre(self) -> float:
        """Semitones off the key for most of the note."""
        return float(np.median(self.semitones[self.is_heard]))


@dataclass(frozen=True, slots=True, eq=False)
class PitchCandidates:
    """Pitches that a sound may have, frame by frame and octave by octave.

    `pitch` is [frame, octave, candidate]; octave o holds pitches from `lowest_pitch` + 12 o on and
    some semitones around. `strength` [frame, octave, candidate] is the share of the sound that
    repeats, 0..1; 0 is no candidate.
    """

    pitch: npt.NDArray[np.float32]
    strength: npt.NDArray[np.float16]
    frames_per_s: float
    lowest_pitch: int


def note_contours(notes: Sequence[NoteEvent], candidates: PitchCandidates) -> list[Contour | None]:
    """Return how the pitch of each note goes; None where that cannot be told.

    That is so for drums, for notes in chords, for all notes of a stem where most are, and for notes
    of which too little has a pitch.
    """
    spans = _alone(notes)
    pitched = sum(not note.is_drum for note in notes)
    contours: list[Contour | None] = [None] * len(notes)
    if sum(span is not None for span in spans) >= LEAST_ALONE * pitched:
        for batch in _batches(notes, spans, candidates):
            for number, contour in zip(batch.numbers, _followed(batch, candidates), strict=True):
                contours[number] = contour
    return contours


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Notes to follow, longest first: their places in the stem, keys, first frames and lengths."""

    numbers: list[int]
    keys: Counts
    first_frames: Counts
    lengths: Counts


@dataclass(frozen=True, slots=True, eq=False)
class _Near:
    """Candidates near the keys of a batch: both [note, frame, candidate]; strength 0 is none."""

    semitones: Values
    strength: Values

    def gain(self) -> Values:
        """Return what following a candidate is worth; minus infinity for none."""
        gain = self.strength - SURE - PENALTY_PER_SEMITONE * np.abs(self.semitones)
        return np.where(self.strength > 0, gain, -np.inf)


def _alone(notes: Sequence[NoteEvent]) -> list[tuple[float, float] | None]:
    """Return from when until when each note sounds alone; None for chords and drums."""
    order = sorted(
        (number for number, note in enumerate(notes) if not note.is_drum), key=notes.__getitem__
    )
    spans: list[tuple[float, float] | None] = [None] * len(notes)
    sounding_until_s = 0.0
    for place, number in enumerate(order):
        note = notes[number]
        next_s = notes[order[place + 1]].onset_s if place + 1 < len(order) else np.inf
        start_s, end_s = max(note.onset_s, sounding_until_s), min(note.offset_s, next_s)
        most_s = min(MOST_OVERLAP_S, note.duration_s / 3)
        if start_s - note.onset_s <= most_s and note.offset_s - end_s <= most_s:
            spans[number] = (note.onset_s, end_s)
        sounding_until_s = max(sounding_until_s, note.offset_s)
    return spans


def _batches(
    notes: Sequence[NoteEvent],
    spans: Sequence[tuple[float, float] | None],
    candidates: PitchCandidates,
) -> Iterator[_Batch]:
    """Yield the notes that can be followed, longest first, as many at a time as memory allows."""
    frames, octaves, _ = candidates.pitch.shape
    followable = []
    for number, span in enumerate(spans):
        octave = (notes[number].pitch - candidates.lowest_pitch) // 12
        if span is None or not 0 <= octave < octaves:
            continue
        first = ceil(span[0] * candidates.frames_per_s)
        length = min(floor(span[1] * candidates.frames_per_s) + 1, frames) - first
        if length >= LEAST_FRAMES:
            followable.append((-length, number, first))
    followable.sort()
    while followable:
        count = max(1, MOST_CELLS // -followable[0][0])
        lengths, numbers, first_frames = np.array(followable[:count]).T
        keys = np.array([notes[number].pitch for number in numbers])
        yield _Batch(numbers.tolist(), keys, first_frames, -lengths)
        followable = followable[count:]


def _followed(batch: _Batch, candidates: PitchCandidates) -> Iterator[Contour | None]:
    near = _near(batch, candidates)
    chosen = _likeliest(near, batch.lengths)
    for row, (first, length) in enumerate(zip(batch.first_frames, batch.lengths, strict=True)):
        at_s = (first + np.arange(length)) / candidates.frames_per_s
        places = chosen[row, :length]
        taken = row, np.arange(length), np.maximum(places, 0)
        yield _contour(at_s, near.semitones[taken], near.strength[taken], places >= 0)


def _near(batch: _Batch, candidates: PitchCandidates) -> _Near:
    steps = np.arange(int(batch.lengths.max()))
    frame = np.minimum(batch.first_frames[:, None] + steps, len(candidates.pitch) - 1)
    octave = ((batch.keys - candidates.lowest_pitch) // 12)[:, None]
    semitones = candidates.pitch[frame, octave].astype(np.float64) - batch.keys[:, None, None]
    strength = candidates.strength[frame, octave].astype(np.float64)
    strength[np.abs(semitones) > REACH_SEMITONES] = 0.0
    strength[steps >= batch.lengths[:, None]] = 0.0
    return _Near(semitones, strength)


def _likeliest(near: _Near, lengths: Counts) -> Counts:
    """Return the candidate that the best path takes [note, frame]; -1 where it follows none.

    Notes come longest first, so that all those that still sound are the first rows.
    """
    semitones, gain = near.semitones, near.gain()
    notes, frames, count = semitones.shape
    best = np.concatenate([gain[:, 0], np.zeros((notes, 1))], axis=1)  # the last is to follow none
    back = np.full((notes, frames, count + 1), count, np.int8)
    for frame in range(1, frames):
        active = int(np.searchsorted(-lengths, -frame, side="left"))
        here, before = semitones[:active, frame], semitones[:active, frame - 1]
        ways = np.empty((active, count + 1, count + 1))  # [note, to, from]
        ways[:, :count, :count] = best[:active, None, :count] - STEP_PENALTY * np.abs(
            here[:, :, None] - before[:, None, :]
        )
        ways[:, :count, count] = best[:active, count, None] - CHANGE_PENALTY
        ways[:, count, :count] = best[:active, :count] - CHANGE_PENALTY
        ways[:, count, count] = best[:active, count]
        source = ways.argmax(2)
        back[:active, frame] = source
        reached = np.take_along_axis(ways, source[:, :, None], axis=2)[:, :, 0]
        reached[:, :count] += gain[:active, frame]
        best[:active] = reached
    chosen = np.full((notes, frames), -1, np.intp)
    state = best.argmax(1)
    rows = np.arange(notes)
    for frame in range(frames - 1, -1, -1):
        sounds = frame < lengths
        chosen[sounds, frame] = np.where(state < count, state, -1)[sounds]
        state = np.where(sounds, back[rows, frame, state], state)
    return chosen


def _contour(at_s: Values, semitones: Values, strength: Values, is_heard: Flags) -> Contour | None:
    is_heard = _settled(semitones, strength, is_heard)
    if is_heard.sum() < max(LEAST_FRAMES, LEAST_SHARE * len(at_s)):
        return None
    heard = np.flatnonzero(is_heard)
    filled = np.interp(np.arange(len(at_s)), heard, semitones[heard])
    contour = Contour(at_s, _without_spikes(filled), is_heard)
    return contour if abs(contour.centre) <= BESIDE_SEMITONES else None


def _settled(semitones: Values, strength: Values, is_heard: Flags) -> Flags:
    """Return the frames that tell of the note itself, not of how it is struck or what is beside."""
    if not is_heard.any():
        return is_heard
    usual = np.median(strength[is_heard])
    clear = np.flatnonzero(is_heard & (strength >= SETTLED_SHARE * usual))
    kept = is_heard.copy()
    kept[: clear[0]] = kept[clear[-1] + 1 :] = False
    return _without_short_runs(_without_leaps(semitones, kept))


def _without_spikes(values: Values) -> Values:
    """Return the values but for single ones that stand out; the peaks of a vibrato do not."""
    middle = np.median(np.stack([values[:-2], values[1:-1], values[2:]]), axis=0)
    around = np.concatenate([values[:1], middle, values[-1:]])
    return np.where(np.abs(values - around) > SPIKE_SEMITONES, around, values)


def _without_leaps(values: Values, is_heard: Flags) -> Flags:
    """Leave out what lies beyond a leap near the note's ends: the room still sounds, or already."""
    heard = np.flatnonzero(is_heard)
    kept = is_heard.copy()
    for place in np.flatnonzero(np.abs(np.diff(values[heard])) > LEAP_SEMITONES):
        before, after = heard[place], heard[place + 1]
        if before < EDGE_FRAMES:
            kept[:after] = False
        elif after >= len(values) - EDGE_FRAMES:
            kept[after:] = False
    return kept


def _without_short_runs(is_heard: Flags) -> Flags:
    edges = np.flatnonzero(np.diff(is_heard.astype(np.int8), prepend=0, append=0))
    kept = is_heard.copy()
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start < SHORTEST_RUN_FRAMES:
            kept[start:end] = False
    return kept
