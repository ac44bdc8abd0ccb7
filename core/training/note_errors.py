"""What is wrong with a transcription, by kind: which notes match, and why the others do not."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.score.note import NoteEvent
from core.training.evaluate import TOLERANCE_S, matched_notes, merge_unisons

LATEST_S = 0.2  # an onset further off than this is another note
PARTIALS = frozenset({12, 19, 24, 28, 31, 34, 36})  # semitones of partials 2..8 above their tone
NEIGHBOURS = frozenset({-2, -1, 1, 2})


class NoteError(StrEnum):
    """One kind of error; each wrong note counts once."""

    OCTAVE = "octave off"
    NEIGHBOUR = "semitone or two off"
    LATE = "50 to 200 ms off"
    SPLIT = "split"
    OVERTONE = "overtone written"
    INVENTED = "invented"
    MERGED = "not struck again"
    MASKED = "partial of another"
    UNHEARD = "not heard"
    CUT = "ends early"
    HELD = "ends late"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Notes of truth and transcription, unisons merged: pairs with equal onset and pitch, the rest.

    A pair is (true note, found note).
    """

    pairs: tuple[tuple[NoteEvent, NoteEvent], ...]
    missed: tuple[NoteEvent, ...]
    extra: tuple[NoteEvent, ...]
    errors: Counter[NoteError]


def compared(truth: Sequence[NoteEvent], found: Sequence[NoteEvent]) -> Comparison:
    """Match notes as they are scored, and say of each wrong one what is wrong with it."""
    truth, found = merge_unisons(truth), merge_unisons(found)
    matched = matched_notes(truth, found, with_offsets=False)
    pairs = tuple((truth[true], found[ours]) for true, ours in matched)
    true_ones, ours_ones = {true for true, _ in matched}, {ours for _, ours in matched}
    missed = tuple(note for number, note in enumerate(truth) if number not in true_ones)
    extra = tuple(note for number, note in enumerate(found) if number not in ours_ones)
    errors = Counter(_why_wrong(truth, found, missed, extra))
    errors.update(error for pair in pairs if (error := _end_error(*pair)) is not None)
    return Comparison(pairs, missed, extra, errors)


def _why_wrong(
    truth: Sequence[NoteEvent],
    found: Sequence[NoteEvent],
    missed: Sequence[NoteEvent],
    extra: Sequence[NoteEvent],
) -> list[NoteError]:
    """Return one error per extra note, and per missed note that none of those stands for."""
    waiting, errors = list(missed), list[NoteError]()
    for note in extra:
        error, meant = _meant_by(note, waiting)
        if meant is not None:
            waiting.remove(meant)
        errors.append(error or _why_written(note, truth))
    return errors + [_why_missing(note, truth, found) for note in waiting]


def _meant_by(
    note: NoteEvent, missed: Sequence[NoteEvent]
) -> tuple[NoteError | None, NoteEvent | None]:
    """Return the missed note that this one was written for, if any, and how it differs."""
    for true in missed:
        step, off_s = note.pitch - true.pitch, abs(note.onset_s - true.onset_s)
        if step == 0 and off_s <= LATEST_S:
            return NoteError.LATE, true
        if off_s > TOLERANCE_S:
            continue
        if step % 12 == 0:
            return NoteError.OCTAVE, true
        if step in NEIGHBOURS:
            return NoteError.NEIGHBOUR, true
    return None, None


def _why_written(note: NoteEvent, truth: Sequence[NoteEvent]) -> NoteError:
    sounding = [true for true in truth if true.onset_s <= note.onset_s <= true.offset_s]
    if any(true.pitch == note.pitch for true in sounding):
        return NoteError.SPLIT
    return NoteError.OVERTONE if _steps_over(note, truth) & PARTIALS else NoteError.INVENTED


def _why_missing(
    note: NoteEvent, truth: Sequence[NoteEvent], found: Sequence[NoteEvent]
) -> NoteError:
    goes_on = any(
        ours.pitch == note.pitch and ours.onset_s < note.onset_s < ours.offset_s for ours in found
    )
    if goes_on:
        return NoteError.MERGED
    return NoteError.MASKED if _steps_over(note, truth) & PARTIALS else NoteError.UNHEARD


def _steps_over(note: NoteEvent, truth: Sequence[NoteEvent]) -> set[int]:
    """Return how far a note lies over those that sound when it starts."""
    latest_s = note.onset_s + TOLERANCE_S
    return {
        note.pitch - true.pitch
        for true in truth
        if true.onset_s <= latest_s and note.onset_s <= true.offset_s
    }


def _end_error(true: NoteEvent, ours: NoteEvent) -> NoteError | None:
    allowed_s = max(TOLERANCE_S, 0.2 * (true.offset_s - true.onset_s))
    late_s = ours.offset_s - true.offset_s
    if abs(late_s) <= allowed_s:
        return None
    return NoteError.HELD if late_s > 0 else NoteError.CUT
