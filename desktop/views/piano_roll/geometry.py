"""Where notes lie: rows of pitches, notes in view, the note under the pointer, level of detail."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from core.score.note import HIGHEST_PITCH, LOWEST_PITCH, NoteEvent
from desktop.views.time_columns import Pixels, Seconds, TimeColumns

PITCH_COUNT = HIGHEST_PITCH - LOWEST_PITCH + 1
BLACK_PITCH_CLASSES = (1, 3, 6, 8, 10)
VELOCITY_STEPS = 8
MIN_NOTE_PX = 2.0  # narrower than this a note has no room for a gap or a bend
BEND_ROWS_PER_SEMITONE = 0.42  # half a row less its rim
MIN_FILL_PX = 0.5  # narrower than this notes are shown as how much of each pixel they cover


class Detail(Enum):
    """What a note is drawn as, by its width on the screen."""

    FULL = "fill, gap to the next note and bend"
    FILL = "fill only"
    DENSITY = "share of the pixel that sounds"


@dataclass(frozen=True, slots=True)
class PitchRows:
    """Rows of equal height, pitch 127 on top; `scroll_px` of them have left the view at the top."""

    row_px: float
    scroll_px: float

    def top_of(self, pitch: int) -> int:
        return round((HIGHEST_PITCH - pitch) * self.row_px - self.scroll_px)

    def tops(self) -> Pixels:
        """Return the top of each pitch, then one more: [pitch + 1]; row p ends at tops[p - 1]."""
        rows = HIGHEST_PITCH - np.arange(LOWEST_PITCH - 1, PITCH_COUNT)
        tops: Pixels = np.rint(rows * self.row_px - self.scroll_px).astype(np.int32)
        return tops

    def pitch_at(self, y_px: float) -> int | None:
        """Return the pitch of the row at y, or None above the highest and below the lowest."""
        pitch = HIGHEST_PITCH - int(np.floor((y_px + self.scroll_px) / self.row_px))
        return pitch if LOWEST_PITCH <= pitch <= HIGHEST_PITCH else None


@dataclass(frozen=True, slots=True)
class NoteColumns:
    """Notes of one or more tracks as columns [note], in order of onset.

    `overlaps` marks notes that start while an earlier one of the same track and pitch still sounds.
    `latest_offset_s` is the latest end of this and all notes before it: it rises, so that the first
    note that reaches into a view is found by bisection however long a single note may be.
    """

    onset_s: Seconds
    offset_s: Seconds
    pitch: npt.NDArray[np.int16]
    velocity: npt.NDArray[np.int16]
    track: npt.NDArray[np.int16]
    note: npt.NDArray[np.int32]
    overlaps: npt.NDArray[np.bool_]
    latest_offset_s: Seconds
    median_duration_s: float

    def __len__(self) -> int:
        return len(self.onset_s)

    def within(self, start_s: float, end_s: float) -> slice:
        """Return the shortest run of notes that holds all that sound between the two times."""
        first = int(np.searchsorted(self.latest_offset_s, start_s, side="left"))
        last = int(np.searchsorted(self.onset_s, end_s, side="left"))
        return slice(first, max(first, last))

    def at(self, at_s: float, pitch: int, *, tolerance_s: float = 0.0) -> int | None:
        """Return the index of the note at a place, the latest started where several overlap."""
        near = self.within(at_s - tolerance_s, at_s + tolerance_s)
        first: int = near.start
        onset_s, offset_s = self.onset_s[near], self.offset_s[near]
        on_row = self.pitch[near] == pitch
        sounding = np.flatnonzero(on_row & (onset_s <= at_s) & (offset_s >= at_s))
        if len(sounding):
            return first + int(sounding[-1])
        close = np.flatnonzero(on_row & (offset_s >= at_s - tolerance_s))
        return first + int(close[-1]) if len(close) else None


@dataclass(frozen=True, slots=True)
class BendLines:
    """Pitch bends as lines [line], in order of start; `from_row` and `to_row` are parts of a row.

    A row spans -0.5 to 0.5 with positive up. Bends are drawn to scale up to a semitone, which is
    half a row; wider ones stop there, so that a scoop does not flatten the vibrato after it.
    `note_s` is the length of the note a line belongs to.
    """

    start_s: Seconds
    end_s: Seconds
    pitch: npt.NDArray[np.int16]
    from_row: Seconds
    to_row: Seconds
    note_s: Seconds
    latest_end_s: Seconds

    def edges(self, columns: TimeColumns, tops: Pixels, min_note_px: float) -> Pixels:
        """Return as points [line, (x, y, x, y)] what is in view, in notes at least so wide."""
        first = int(np.searchsorted(self.latest_end_s, columns.start_s))
        last = max(first, int(np.searchsorted(self.start_s, columns.end_s)))
        pitch = self.pitch[first:last].astype(np.intp)
        middle, row_px = (tops[pitch] + tops[pitch + 1]) / 2, tops[pitch] - tops[pitch + 1]
        lines = np.empty((last - first, 4), dtype=np.int32)
        lines[:, 0] = columns.x_of(self.start_s[first:last])
        lines[:, 1] = np.rint(middle - self.from_row[first:last] * row_px) - 1
        lines[:, 2] = columns.x_of(self.end_s[first:last])
        lines[:, 3] = np.rint(middle - self.to_row[first:last] * row_px) - 1
        has_room = self.note_s[first:last] >= min_note_px * columns.seconds_per_column
        in_wide_notes: Pixels = lines[has_room]
        return in_wide_notes


def bend_table(notes: Iterable[NoteEvent]) -> Seconds:
    """Return the bends of those notes that have any as rows for `bend_lines`."""
    parts = [_lines_of(note) for note in notes if note.bends]
    return np.concatenate(parts) if parts else np.empty((0, 6))


def bend_lines(tables: Sequence[Seconds]) -> BendLines:
    """Return the bends of several tracks as one."""
    lines = np.concatenate(tables) if tables else np.empty((0, 6))
    lines = lines[np.argsort(lines[:, 0], kind="stable")]
    start_s, end_s, pitch, from_row, to_row, note_s = lines.T.copy()
    return BendLines(
        start_s=start_s,
        end_s=end_s,
        pitch=pitch.astype(np.int16),
        from_row=from_row,
        to_row=to_row,
        note_s=note_s,
        latest_end_s=np.maximum.accumulate(end_s) if len(end_s) else end_s,
    )


def _lines_of(note: NoteEvent) -> Seconds:
    at_s = np.array([bend.at_s for bend in note.bends] + [note.offset_s])
    semitones = np.array([bend.semitones for bend in note.bends])
    row = BEND_ROWS_PER_SEMITONE * np.clip(semitones, -1.0, 1.0)
    row = np.append(row, row[-1])
    pitch, note_s = np.full((2, len(note.bends)), [[note.pitch], [note.duration_s]])
    return np.stack([at_s[:-1], at_s[1:], pitch, row[:-1], row[1:], note_s], axis=1)


def columns_of_notes(notes: Sequence[NoteEvent], *, track: int = 0) -> NoteColumns:
    """Return the notes of one track as columns."""
    count = len(notes)
    return _sorted_columns(
        np.fromiter((note.onset_s for note in notes), np.float64, count),
        np.fromiter((note.offset_s for note in notes), np.float64, count),
        np.fromiter((note.pitch for note in notes), np.int16, count),
        np.fromiter((note.velocity for note in notes), np.int16, count),
        np.full(count, track, dtype=np.int16),
        np.arange(count, dtype=np.int32),
    )


def joined_columns(parts: Sequence[NoteColumns]) -> NoteColumns:
    """Return the columns of several tracks as one; the n-th part becomes track n."""
    if not parts:
        return columns_of_notes(())
    return _sorted_columns(
        np.concatenate([part.onset_s for part in parts]),
        np.concatenate([part.offset_s for part in parts]),
        np.concatenate([part.pitch for part in parts]),
        np.concatenate([part.velocity for part in parts]),
        np.repeat(np.arange(len(parts), dtype=np.int16), [len(part) for part in parts]),
        np.concatenate([part.note for part in parts]),
    )


def _sorted_columns(
    onset_s: Seconds,
    offset_s: Seconds,
    pitch: npt.NDArray[np.int16],
    velocity: npt.NDArray[np.int16],
    track: npt.NDArray[np.int16],
    note: npt.NDArray[np.int32],
) -> NoteColumns:
    order = np.argsort(onset_s, kind="stable")
    offset_s = offset_s[order]
    onset_s = onset_s[order]
    return NoteColumns(
        onset_s=onset_s,
        offset_s=offset_s,
        pitch=pitch[order],
        velocity=velocity[order],
        track=track[order],
        note=note[order],
        overlaps=_overlaps(onset_s, offset_s, pitch[order], track[order]),
        latest_offset_s=np.maximum.accumulate(offset_s) if len(offset_s) else offset_s,
        median_duration_s=float(np.median(offset_s - onset_s)) if len(onset_s) else 0.0,
    )


def _overlaps(
    onset_s: Seconds,
    offset_s: Seconds,
    pitch: npt.NDArray[np.int16],
    track: npt.NDArray[np.int16],
) -> npt.NDArray[np.bool_]:
    row = track.astype(np.int64) * PITCH_COUNT + pitch
    order = np.argsort(row, kind="stable")
    # Rows laid one after the other on one long axis: the running maximum starts anew in each.
    row_start_s = row[order] * (float(offset_s.max(initial=0.0)) + 1.0)
    latest_s = np.maximum.accumulate(row_start_s + offset_s[order])
    overlaps = np.zeros(len(row), dtype=np.bool_)
    overlaps[order[1:]] = row_start_s[1:] + onset_s[order[1:]] < latest_s[:-1]
    return overlaps


def velocity_steps(velocity: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Return the step of each velocity, 0 (softest) to VELOCITY_STEPS - 1."""
    return (velocity * VELOCITY_STEPS) // 128


def detail_at(median_duration_s: float, seconds_per_pixel: float) -> Detail:
    """Return how much of a note can be seen at this zoom."""
    width_px = median_duration_s / seconds_per_pixel
    if width_px >= MIN_NOTE_PX:
        return Detail.FULL
    return Detail.FILL if width_px >= MIN_FILL_PX else Detail.DENSITY


class PlacedNotes(Protocol):
    """Notes as columns [note] of seconds and pitches."""

    @property
    def onset_s(self) -> Seconds: ...
    @property
    def offset_s(self) -> Seconds: ...
    @property
    def pitch(self) -> npt.NDArray[np.int16]: ...


def note_edges(
    notes: PlacedNotes, shown: npt.NDArray[np.intp], columns: TimeColumns, tops: Pixels, gap_px: int
) -> Pixels:
    """Return the rectangles [note, (left, top, right, bottom)] of notes, inclusive as QRect counts.

    `gap_px` is kept free to the right and below where the note is wide and the row high enough.
    """
    pitch = notes.pitch[shown].astype(np.intp)
    edges = np.empty((len(shown), 4), dtype=np.int32)
    edges[:, 0] = columns.x_of(notes.onset_s[shown])
    edges[:, 1] = tops[pitch + 1]
    right = columns.x_of(notes.offset_s[shown])
    has_room = right - edges[:, 0] > 2 * gap_px
    edges[:, 2] = np.maximum(right - gap_px * has_room, edges[:, 0] + 1) - 1
    row_gap_px = gap_px if tops[0] - tops[1] > 2 * gap_px else 0
    edges[:, 3] = tops[pitch] - row_gap_px - 1
    return edges


def onset_rims(edges: Pixels, gap_px: int) -> Pixels:
    """Return the strips [note, edge] left of notes, which part a note from one it overlaps."""
    if not gap_px:
        return edges[:0]
    rims = edges.copy()
    rims[:, 0] = edges[:, 0] - gap_px
    rims[:, 2] = edges[:, 0] - 1
    return rims


def coverage(
    notes: NoteColumns, shown: slice, columns: TimeColumns, colours: npt.NDArray[np.float64]
) -> npt.NDArray[np.uint8]:
    """Return how much of each pixel sounds, as colour: [pitch, column, (blue, green, red, alpha)].

    `colours` is [track, (blue, green, red)], 0..255. A pixel has the mean colour of what sounds in
    it, weighted by duration; alpha (premultiplied) grows with the share of the pixel's time.
    """
    x = np.floor(notes.onset_s[shown] / columns.seconds_per_column).astype(np.int64) - columns.first
    inside = (x >= 0) & (x < columns.count)
    x = x[inside]
    cell = notes.pitch[shown][inside].astype(np.int64) * columns.count + x
    share = (notes.offset_s[shown] - notes.onset_s[shown])[inside] / columns.seconds_per_column
    cell_count = PITCH_COUNT * columns.count
    total = np.bincount(cell, share, cell_count)
    alpha = np.where(total > 0, np.minimum(1.0, 0.35 + 0.65 * total), 0.0)
    picture = np.empty((cell_count, 4), dtype=np.uint8)
    track = notes.track[shown][inside]
    scale = alpha / np.maximum(total, 1e-12)
    for channel in range(3):
        weighted = np.bincount(cell, share * colours[track, channel], cell_count)
        picture[:, channel] = np.rint(weighted * scale)
    picture[:, 3] = np.rint(alpha * 255)
    return picture.reshape(PITCH_COUNT, columns.count, 4)
