"""Pictures of what is heard: truth and transcription of a clip as one piano roll, as SVG.

Blue and yellow bars are ours, found and extra; red ones were played and not found. White lines are
the truth of found notes: where line and bar end apart, the end is wrong.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.codec.posteriors_to_notes import decode_options_for, notes_from_pitch
from core.engine.built_in import SAMPLE_RATE_HZ, DrumListener, PitchListener
from core.engine.model_set import BUILT_IN
from core.score.note import NoteEvent
from core.training.evaluate import (
    DRUM_CLASSES,
    LabelledClip,
    MatchedHits,
    hits_of,
    matched_hits,
    pitch_heard,
)
from core.training.note_errors import Comparison, NoteError, compared
from core.training.svg import FAINT, SERIES, Box, Drawing

FOUND, MISSED, EXTRA = SERIES[:3]
TRUTH = "#ffffff"
WIDTH, LEFT, RIGHT, TOP, GAP, BOTTOM = 900, 54, 884, 30, 12, 20
ROLL_HEIGHT, LEAST_LANE, MOST_LANE = 300.0, 4.0, 10.0
DRUM_LANE, HIT_WIDTH = 12.0, 3.0
DRUM_NAMES = ("kick", "snare", "hi-hat", "toms", "cymbals")
BLACK_KEYS = frozenset({1, 3, 6, 8, 10})
GRID_S = 5


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn clip: where it lies, and what was counted in it; None where nothing was asked."""

    path: Path
    notes: Comparison | None
    hits: tuple[MatchedHits, ...] | None  # per scored class


def draw_clips(clips: Iterable[LabelledClip], weights: Path, folder: Path) -> Iterator[Picture]:
    """Draw each clip as it is heard with the weights files of a folder, and yield it."""
    folder.mkdir(parents=True, exist_ok=True)
    pitch = PitchListener(weights / BUILT_IN.pitch_weights.name)
    drums = DrumListener(weights / BUILT_IN.drum_weights.name)
    for clip in clips:
        options = decode_options_for(clip.stem_kind)
        notes = hits = None
        if clip.notes is not None:
            notes = compared(clip.notes, notes_from_pitch(pitch_heard(clip, pitch), options))
        if clip.drum_hits is not None:
            ours = hits_of(clip, drums, options)
            hits = tuple(matched_hits(clip.drum_hits, ours, keys) for keys in DRUM_CLASSES)
        picture = Picture(folder / f"{clip.name}.svg", notes, hits)
        draw(clip, picture)
        yield picture


def draw(clip: LabelledClip, picture: Picture) -> None:
    """Write a picture: a roll of the notes, below it a row per class of drums."""
    length_s = len(clip.samples) / SAMPLE_RATE_HZ
    roll = _Roll.around(picture.notes, length_s) if picture.notes is not None else None
    drums_top = TOP + (roll.height + GAP if roll is not None else 0)
    drums_height = DRUM_LANE * len(DRUM_NAMES) if picture.hits is not None else -GAP
    drawing = Drawing(WIDTH, drums_top + drums_height + BOTTOM)
    _write_legend(drawing, clip, picture)
    if roll is not None and picture.notes is not None:
        roll.draw(drawing, picture.notes)
    if picture.hits is not None:
        _draw_hits(drawing, picture.hits, drums_top, length_s)
    bottom = drums_top + drums_height
    for second in range(0, int(length_s) + 1, GRID_S):
        x = _x_of(second, length_s)
        drawing.line([(x, TOP), (x, bottom)], FAINT)
        drawing.text(f"{second} s", x, bottom + 14, anchor="middle")
    drawing.write(picture.path)


def errors_table(pictures: Sequence[Picture]) -> str:
    """Return how many errors of each kind there are in each picture, as a table in Markdown."""
    kinds = list(NoteError)
    lines = [
        "| clip | notes | found | " + " | ".join(kinds) + " |",
        "|---" * (3 + len(kinds)) + "|",
    ]
    for picture in pictures:
        if picture.notes is None:
            continue
        found = len(picture.notes.pairs)
        counts = [str(picture.notes.errors[kind]) for kind in kinds]
        played = found + len(picture.notes.missed)
        lines.append(f"| {picture.path.stem} | {played} | {found} | {' | '.join(counts)} |")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Roll:
    """Where pitches lie."""

    lowest: int
    highest: int
    length_s: float

    @staticmethod
    def around(notes: Comparison, length_s: float) -> "_Roll":
        every = [note for pair in notes.pairs for note in pair] + [*notes.missed, *notes.extra]
        pitches = [note.pitch for note in every] or [60]
        return _Roll(min(pitches) - 2, max(pitches) + 2, length_s)

    @property
    def lane(self) -> float:
        lanes = self.highest - self.lowest + 1
        return min(MOST_LANE, max(LEAST_LANE, ROLL_HEIGHT / lanes))

    @property
    def height(self) -> float:
        return self.lane * (self.highest - self.lowest + 1)

    def draw(self, drawing: Drawing, notes: Comparison) -> None:
        pitches = range(self.lowest, self.highest + 1)
        black = [pitch for pitch in pitches if pitch % 12 in BLACK_KEYS]
        drawing.boxes(
            [Box(LEFT, self._top(pitch), RIGHT - LEFT, self.lane) for pitch in black], "#292e35"
        )
        for pitch in pitches:
            if pitch % 12 == 0:
                y = self._top(pitch) + self.lane
                drawing.line([(LEFT, y), (RIGHT, y)], FAINT)
                drawing.text(f"C{pitch // 12 - 1}", LEFT - 6, y, anchor="end")
        drawing.boxes((self._bar(note) for note in notes.missed), MISSED)
        drawing.boxes((self._bar(ours) for _, ours in notes.pairs), FOUND)
        drawing.boxes((self._bar(note) for note in notes.extra), EXTRA)
        drawing.boxes((self._truth(true) for true, _ in notes.pairs), TRUTH)

    def _top(self, pitch: int) -> float:
        return TOP + (self.highest - pitch) * self.lane

    def _bar(self, note: NoteEvent) -> Box:
        start = _x_of(note.onset_s, self.length_s)
        width = max(1.5, _x_of(note.offset_s, self.length_s) - start - 0.5)
        return Box(start, self._top(note.pitch) + 0.5, width, self.lane - 1)

    def _truth(self, note: NoteEvent) -> Box:
        bar = self._bar(note)
        return Box(bar.x, bar.y + bar.height / 2 - 0.5, bar.width, 1.0)


def _draw_hits(drawing: Drawing, hits: Sequence[MatchedHits], top: float, length_s: float) -> None:
    for row, (name, of_class) in enumerate(zip(DRUM_NAMES, hits, strict=True)):
        y = top + DRUM_LANE * row
        drawing.text(name, LEFT - 6, y + 9, anchor="end")
        drawing.line([(LEFT, y + DRUM_LANE), (RIGHT, y + DRUM_LANE)], FAINT)
        for seconds, colour in (
            (of_class.found_s, FOUND),
            (of_class.missed_s, MISSED),
            (of_class.extra_s, EXTRA),
        ):
            places = [_x_of(at_s, length_s) - HIT_WIDTH / 2 for at_s in seconds]
            drawing.boxes([Box(x, y + 1, HIT_WIDTH, DRUM_LANE - 2) for x in places], colour)


def _write_legend(drawing: Drawing, clip: LabelledClip, picture: Picture) -> None:
    found, missed, extra = _counts(picture)
    drawing.text(clip.name, LEFT, 19)
    x = float(RIGHT)
    for words, colour in (
        (f"extra {extra}", EXTRA),
        (f"missed {missed}", MISSED),
        (f"found {found}", FOUND),
    ):
        drawing.text(words, x, 19, anchor="end")
        x -= 6.2 * len(words) + 14
        drawing.boxes([Box(x, 11, 10, 8)], colour)
        x -= 14
    if picture.notes is not None:
        drawing.text("truth of found notes", x, 19, anchor="end")
        drawing.boxes([Box(x - 132, 14.5, 14, 1)], TRUTH)


def _counts(picture: Picture) -> tuple[int, int, int]:
    """Return how many notes and hits are found, missed and extra."""
    found = missed = extra = 0
    if picture.notes is not None:
        found += len(picture.notes.pairs)
        missed += len(picture.notes.missed)
        extra += len(picture.notes.extra)
    for of_class in picture.hits or ():
        found += len(of_class.found_s)
        missed += len(of_class.missed_s)
        extra += len(of_class.extra_s)
    return found, missed, extra


def _x_of(at_s: float, length_s: float) -> float:
    return LEFT + (RIGHT - LEFT) * at_s / max(length_s, 1e-9)
