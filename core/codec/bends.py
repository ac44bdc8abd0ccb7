"""Bends: how notes of one voice sound beside their keys, in as few events as keep the shape.

What the whole stem is off concert pitch is its tuning, and no bend.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

import numpy as np

from core.codec.contours import Contour, PitchCandidates, Values, note_contours
from core.score.instruments import StemKind
from core.score.note import NoteEvent, PitchBend

HEARD_CENTS = 10.0  # what is less far off, or for fewer than HEARD_FRAMES, is in tune
HEARD_FRAMES = 3
TOLERANCE_CENTS = 5.0  # of the events
UNBENT = frozenset({StemKind.DRUMS, StemKind.KEYS, StemKind.MIX})  # chords, or no pitch to bend


class Bends(StrEnum):
    """What becomes of the pitch between the keys."""

    OFF = "off"
    """Notes only."""

    STATIC = "static"
    """One bend per note: how far it is off in the mean."""

    CONTINUOUS = "continuous"
    """Scoops, glides and vibrato as they sound."""


def may_bend(kind: StemKind) -> bool:
    """Tell whether notes of such a stem may bend; whether they sound alone the notes tell."""
    return kind not in UNBENT


def with_bends(
    notes: Sequence[NoteEvent], candidates: PitchCandidates, bends: Bends
) -> tuple[NoteEvent, ...]:
    """Return the notes, in their order, with the bends that they sound with.

    Drums, notes in chords, and notes whose pitch cannot be followed get none.
    """
    if bends is Bends.OFF:
        return tuple(notes)
    contours = note_contours(notes, candidates)
    tuning = _tuning(contours)
    return tuple(
        note if contour is None else replace(note, bends=_bends(note, contour, tuning, bends))
        for note, contour in zip(notes, contours, strict=True)
    )


def _tuning(contours: Sequence[Contour | None]) -> float:
    """Return how far the stem is off concert pitch, in semitones: the median over its notes."""
    followed = [contour for contour in contours if contour is not None]
    if not followed:
        return 0.0
    centres = np.array([contour.centre for contour in followed])
    weights = np.array([contour.is_heard.sum() for contour in followed])
    order = np.argsort(centres)
    middle = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    return float(centres[order][middle])


def _bends(note: NoteEvent, contour: Contour, tuning: float, bends: Bends) -> tuple[PitchBend, ...]:
    if bends is Bends.STATIC:
        centre = contour.centre - tuning
        return (PitchBend(note.onset_s, centre),) if abs(centre) * 100 >= HEARD_CENTS else ()
    semitones = contour.semitones - tuning
    if np.sort(np.abs(semitones))[-HEARD_FRAMES] * 100 < HEARD_CENTS:
        return ()
    starts, levels = _steps(semitones, TOLERANCE_CENTS / 100)
    half_frame_s = (contour.at_s[1] - contour.at_s[0]) / 2
    at_s = np.concatenate([[note.onset_s], contour.at_s[starts[1:]] - half_frame_s])
    return tuple(
        PitchBend(float(time_s), float(level)) for time_s, level in zip(at_s, levels, strict=True)
    )


def _steps(values: Values, tolerance: float) -> tuple[list[int], list[float]]:
    """Return where each level of the fewest steps within `tolerance` of the values starts."""
    starts, levels = [0], list[float]()
    low = high = float(values[0])
    for place, value in enumerate(values.tolist()):
        if max(high, value) - min(low, value) > 2 * tolerance:
            levels.append((low + high) / 2)
            starts.append(place)
            low = high = value
        low, high = min(low, value), max(high, value)
    levels.append((low + high) / 2)
    return starts, levels
