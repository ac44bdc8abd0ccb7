"""Octaves: in a piece that doubles its notes, a faint octave over a struck note is one more.

All partials of the upper note of an octave lie on partials of the lower one, so that a model is
seldom sure of it, whatever is played. What is sure tells how often this piece doubles; by how much
that differs from what is usual, every octave over a struck note becomes likelier. Where its own
partials do not tell when it starts, they do not tell when it ends either: it ends with its lower
note, as fingers and instruments that double do.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from core.score.note import NoteEvent

OCTAVE = 12
USUAL_SHARE = 0.16  # of notes, the upper one of an octave; no gain or loss from 0.12 to 0.2
USUAL_NOTES = 10  # the usual share counts as much as so many notes of the piece
MOST_LOGITS = 2.5
SURE = 0.55  # onsets from here on tell how often a piece doubles ...
STRUCK = 0.6  # ... and over those that were struck, octaves are sought
TOGETHER_FRAMES = 2
TOGETHER_S = 0.06
SHORTEST_NOTE_S = 0.05
REPEAT_GAP_S = 0.01  # a key let go this long before it is struck again
LEAST = 1e-4  # nobody is surer than that

_Column = npt.NDArray[np.float32]
_Onsets = npt.NDArray[np.float16] | npt.NDArray[np.float32]


def octave_logits(onset: _Onsets) -> float:
    """Return how much likelier octaves are in a piece than elsewhere; `onset` is [frame, pitch]."""
    sure_ones = doubled = 0
    for column in range(onset.shape[1]):
        upper = onset[:, column].astype(np.float32)
        is_sure = _is_peak(upper) & (upper > SURE)
        sure_ones += int(is_sure.sum())
        if column >= OCTAVE:
            doubled += int((is_sure & _is_over(onset[:, column - OCTAVE])).sum())
    share = (doubled + USUAL_SHARE * USUAL_NOTES) / (sure_ones + USUAL_NOTES)
    return float(np.clip(_logits(share) - _logits(USUAL_SHARE), 0.0, MOST_LOGITS))


def with_octaves(upper: _Column, lower: _Onsets, logits: float) -> _Column:
    """Return the onsets [frame] of a key, likelier where the key an octave lower is struck."""
    is_over = _is_over(lower)
    likelier = 1 / (1 + np.exp(-_logits(upper[is_over]) - logits))
    onset = upper.copy()
    onset[is_over] = likelier
    return onset


def ending_with_lower(notes: Sequence[NoteEvent], threshold: float) -> list[NoteEvent]:
    """Let notes less sure than a threshold end with the octave they double, if they do.

    `notes` are in onset order, those of one pitch never overlap, and stay so.
    """
    of_pitch: dict[int, list[NoteEvent]] = {}
    for note in notes:
        of_pitch.setdefault(note.pitch, []).append(note)
    ended: list[NoteEvent] = []
    following_s: dict[int, float] = {}
    for note in reversed(notes):
        lower = _struck_with(note, of_pitch.get(note.pitch - OCTAVE, []))
        next_s = following_s.get(note.pitch, np.inf)
        following_s[note.pitch] = note.onset_s
        if lower is not None and (note.confidence or 0.0) < threshold:
            end_s = max(lower.offset_s, note.onset_s + SHORTEST_NOTE_S)
            note = replace(note, offset_s=min(end_s, next_s - REPEAT_GAP_S))
        ended.append(note)
    return ended[::-1]


def _struck_with(note: NoteEvent, others: Sequence[NoteEvent]) -> NoteEvent | None:
    first = bisect_left(others, note.onset_s - TOGETHER_S, key=lambda other: other.onset_s)
    if first < len(others) and others[first].onset_s <= note.onset_s + TOGETHER_S:
        return others[first]
    return None


def _is_over(lower: _Onsets) -> npt.NDArray[np.bool_]:
    """Tell in which frames the lower key is struck, or was or will be at once."""
    is_struck = np.pad(lower > STRUCK, TOGETHER_FRAMES)
    around = [is_struck[late : late + len(lower)] for late in range(2 * TOGETHER_FRAMES + 1)]
    return np.asarray(np.any(around, axis=0), np.bool_)


def _is_peak(onset: _Column) -> npt.NDArray[np.bool_]:
    padded = np.pad(onset, 1)
    return np.asarray((onset >= padded[:-2]) & (onset > padded[2:]), np.bool_)


def _logits(share: npt.ArrayLike) -> npt.NDArray[np.float32]:
    inner = np.clip(share, LEAST, 1 - LEAST)
    return np.asarray(np.log(inner / (1 - inner)), np.float32)
