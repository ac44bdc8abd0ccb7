"""Glides: a sung note is where it arrives, not where its scoop begins.

Singers reach many notes from below, and the onset is heard at the pitch the scoop starts from. The
frames tell better: what sounds on a semitone beside, without an onset of its own, is the same note.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from core.score.note import NoteEvent

MOST_STEPS = 3  # semitones a glide is followed over; more is a phrase
JOIN_S = 0.06  # the next semitone sounds this soon before or after the last one has ended
SCOOP_SHARE = 0.4  # of `glide_s`: two onsets this close, a tone apart or less, are one note's
WIDEST_SCOOP = 2
SHORTEST_NOTE_S = 0.05

Frames = npt.NDArray[np.bool_]


def settled(
    notes: Sequence[NoteEvent],
    is_sounding: Frames,
    *,
    frames_per_s: float,
    lowest_pitch: int,
    glide_s: float,
    offset_shift_s: float,
) -> list[NoteEvent]:
    """Move each note to the semitone it dwells on longest, and join scoops to their notes.

    `is_sounding` is [frame, pitch]. A note shorter than `glide_s` on its pitch is followed to the
    semitone that sounds on from it. At last `offset_shift_s` moves every end.
    """
    starts: dict[int, list[float]] = {}
    for note in notes:
        starts.setdefault(note.pitch, []).append(note.onset_s)
    sounds = _Sounds(is_sounding, frames_per_s, lowest_pitch, starts)
    moved = sorted(_arrived(note, sounds, glide_s) for note in notes)
    joined = _joined(moved, SCOOP_SHARE * glide_s)
    return _without_overlaps([_ending_later(note, offset_shift_s) for note in joined])


class _Sounds:
    """Where keys sound, and where notes of theirs start."""

    def __init__(
        self,
        is_sounding: Frames,
        frames_per_s: float,
        lowest_pitch: int,
        starts: dict[int, list[float]],
    ) -> None:
        self._is_sounding = is_sounding
        self._frames_per_s = frames_per_s
        self._lowest_pitch = lowest_pitch
        self._starts = starts

    def end_from(self, pitch: int, at_s: float) -> float:
        """Return until when a key sounds that sounds about `at_s`; `at_s` if it does not."""
        column = pitch - self._lowest_pitch
        if not 0 <= column < self._is_sounding.shape[1]:
            return at_s
        join, at = round(JOIN_S * self._frames_per_s), round(at_s * self._frames_per_s)
        around = self._is_sounding[max(0, at - join) : at + join, column]
        if not around.any():
            return at_s
        first = max(0, at - join) + int(np.argmax(around))
        silent = np.flatnonzero(~self._is_sounding[first:, column])
        end = first + int(silent[0]) if len(silent) else len(self._is_sounding)
        later_s = [start_s for start_s in self._starts.get(pitch, []) if start_s > at_s]
        return max(at_s, min([end / self._frames_per_s, *later_s]))

    def starts_within(self, pitch: int, after_s: float, before_s: float) -> bool:
        """Tell whether the key is struck in between."""
        return any(after_s < start_s < before_s for start_s in self._starts.get(pitch, []))


def _arrived(note: NoteEvent, sounds: _Sounds, glide_s: float) -> NoteEvent:
    """Follow a note over the semitones it sounds on, to the one it dwells on longest."""
    pitch, end_s = note.pitch, note.offset_s
    dwelt_s = {pitch: note.duration_s}
    for _ in range(MOST_STEPS):
        if dwelt_s[pitch] > glide_s:
            break
        ends_s = {
            beside: sounds.end_from(beside, end_s)
            for beside in (pitch - 1, pitch + 1)
            if not sounds.starts_within(beside, note.onset_s, end_s + JOIN_S)
        }
        pitch = max(ends_s, key=ends_s.__getitem__, default=pitch)
        if ends_s.get(pitch, end_s) - end_s <= JOIN_S / 2:
            break
        dwelt_s[pitch] = dwelt_s.get(pitch, 0.0) + ends_s[pitch] - end_s
        end_s = ends_s[pitch]
    return replace(note, pitch=max(dwelt_s, key=dwelt_s.__getitem__), offset_s=end_s)


def _joined(notes: Sequence[NoteEvent], scoop_s: float) -> list[NoteEvent]:
    """Join a short first note to the one it leads to; the surer onset is the note's."""
    joined: list[NoteEvent] = []
    for note in notes:
        before = joined[-1] if joined else None
        if before is not None and _leads_to(before, note, scoop_s):
            surer = max(before, note, key=lambda onset: onset.confidence or 0.0)
            onset_s = min(surer.onset_s, note.offset_s - SHORTEST_NOTE_S)
            joined[-1] = replace(note, onset_s=onset_s, confidence=surer.confidence)
        else:
            joined.append(note)
    return joined


def _leads_to(before: NoteEvent, note: NoteEvent, scoop_s: float) -> bool:
    return (
        note.onset_s - before.onset_s < scoop_s
        and 0 < abs(note.pitch - before.pitch) <= WIDEST_SCOOP
        and before.offset_s < note.offset_s
        and before.duration_s < scoop_s + 0.08
    )


def _ending_later(note: NoteEvent, shift_s: float) -> NoteEvent:
    return replace(note, offset_s=max(note.onset_s + SHORTEST_NOTE_S, note.offset_s + shift_s))


def _without_overlaps(notes: Sequence[NoteEvent]) -> list[NoteEvent]:
    """Let notes that came together on one pitch follow each other; of two at once keep one."""
    kept: list[NoteEvent] = []
    last_of_pitch: dict[int, int] = {}
    for note in sorted(notes):
        number = last_of_pitch.get(note.pitch)
        if number is not None:
            before = kept[number]
            if note.onset_s - before.onset_s < SHORTEST_NOTE_S:
                continue
            if before.offset_s > note.onset_s:
                kept[number] = replace(before, offset_s=note.onset_s)
        last_of_pitch[note.pitch] = len(kept)
        kept.append(note)
    return kept
