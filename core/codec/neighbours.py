"""Neighbours: what other players leak into the microphone of one voice.

A singer, a wind or a bass plays one note at a time. A note that sounds under a clearly louder one
is somebody else's, or a resonance; and where many are, how loud they are tells which of the notes
between the phrases are somebody else's as well. But a harmonica plays chords, whose softer notes
start with the loudest; what leaks, and resonances, seldom do.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.score.note import NoteEvent

LOUDER_STEPS = 2  # of velocity, as the network hears it: 15 dB are a few
COVERED_SHARE = 0.5  # of a note, by louder ones, from which on it is not the voice's
MANY_SHARE = 0.3  # of all notes: from so many covered ones on there are neighbours
FAINTEST_STEPS = 14  # below the loud notes of a voice nobody hears its own
LOUD_STEPS = 1  # below the loudest; notes within are the voice's, or there are several voices
SEVERAL_SHARE = 0.3  # of the loud notes, together with others
FEWEST_NOTES = 4
TOGETHER_S = 0.06  # notes of a chord start within it
CHORD_SHARE = 0.5  # of the covered notes, from which on they are chords of the one who plays
FEWEST_CHORD_NOTES = 5
PARTIALS = (12, 19, 24, 28, 31, 34, 36)  # semitones over a tone at which its own partials sound

_Values = npt.NDArray[np.float64]


def without_neighbours(notes: Sequence[NoteEvent]) -> list[NoteEvent]:
    """Leave out what is not of the one voice; `notes` in onset order.

    Several voices about as loud as each other are left as they are, and so are chords.
    """
    if len(notes) < FEWEST_NOTES:
        return list(notes)
    velocities = np.array([note.velocity for note in notes], np.float64)
    loudest = float(np.percentile(velocities, 90))
    is_loud = velocities >= loudest - LOUD_STEPS
    together = _covered(notes, np.where(is_loud, 0.0, np.nan), by_steps=0)
    if together[is_loud].mean() > SEVERAL_SHARE:
        return list(notes)
    is_foreign = _covered(notes, velocities, by_steps=LOUDER_STEPS)
    is_of_chord = is_foreign & _struck_with_louder(notes, velocities, is_own=~is_foreign)
    if is_of_chord.sum() >= max(FEWEST_CHORD_NOTES, CHORD_SHARE * is_foreign.sum()):
        return list(notes)
    if is_foreign.mean() >= MANY_SHARE:
        level = float(np.percentile(velocities[is_foreign], 90))
        is_foreign |= velocities <= min(level, loudest - LOUDER_STEPS)
    is_foreign |= velocities < loudest - FAINTEST_STEPS
    return [note for note, foreign in zip(notes, is_foreign, strict=True) if not foreign]


def _covered(
    notes: Sequence[NoteEvent], levels: _Values, *, by_steps: int
) -> npt.NDArray[np.bool_]:
    """Tell which notes sound for COVERED_SHARE under others at least `by_steps` louder.

    Notes whose level is not a number neither cover nor are covered.
    """
    onsets_s = np.array([note.onset_s for note in notes])
    offsets_s = np.array([note.offset_s for note in notes])
    longest_s = float((offsets_s - onsets_s).max())
    first = np.searchsorted(onsets_s, onsets_s - longest_s)
    end = np.searchsorted(onsets_s, offsets_s)
    covered = np.zeros(len(notes), bool)
    for number, (low, high) in enumerate(zip(first.tolist(), end.tolist(), strict=True)):
        starts_s = np.maximum(onsets_s[low:high], onsets_s[number])
        shared_s = np.maximum(0.0, np.minimum(offsets_s[low:high], offsets_s[number]) - starts_s)
        shared_s[number - low] = 0.0
        is_louder = levels[low:high] >= levels[number] + by_steps
        length_s = offsets_s[number] - onsets_s[number]
        covered[number] = shared_s[is_louder].sum() > COVERED_SHARE * length_s
    return covered


def _struck_with_louder(
    notes: Sequence[NoteEvent], levels: _Values, *, is_own: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Tell which notes start with a clearly louder one of the voice's own and are no partial of it.

    With each other notes start in the chords of neighbours, too.
    """
    onsets_s = np.array([note.onset_s for note in notes])
    pitches = np.array([note.pitch for note in notes])
    first = np.searchsorted(onsets_s, onsets_s - TOGETHER_S)
    end = np.searchsorted(onsets_s, onsets_s + TOGETHER_S, side="right")
    together = np.zeros(len(notes), bool)
    for number, (low, high) in enumerate(zip(first.tolist(), end.tolist(), strict=True)):
        is_louder = is_own[low:high] & (levels[low:high] >= levels[number] + LOUDER_STEPS)
        steps = np.abs(pitches[low:high] - pitches[number])
        together[number] = bool((is_louder & ~np.isin(steps, PARTIALS)).any())
    return together
