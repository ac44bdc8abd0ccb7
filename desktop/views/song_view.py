"""What the timeline shows of a song: tracks of notes, lanes of waveform, a place."""

from dataclasses import dataclass
from enum import Enum

from core.audio.peaks import WaveformPeaks
from core.score.note import NoteEvent


class Emphasis(Enum):
    """How much a track stands out in the roll."""

    NORMAL = "its own colour"
    MUTED = "its own colour, dimmed"
    GHOSTED = "grey, behind all others"


@dataclass(frozen=True, slots=True)
class TrackView:
    """One track in the roll; `colour_index` counts the palette's track colours."""

    name: str
    notes: tuple[NoteEvent, ...]
    colour_index: int = 0
    is_drum: bool = False
    emphasis: Emphasis = Emphasis.NORMAL


@dataclass(frozen=True, slots=True)
class Lane:
    """One stem's waveform.

    `peaks` is None until the file has been read. `heard_spans` are what has been heard of the stem,
    from and until in seconds, and `edge_s` is up to where that is everything; None when all is.
    """

    name: str
    colour_index: int = 0
    peaks: WaveformPeaks | None = None
    heard_spans: tuple[tuple[float, float], ...] | None = None
    edge_s: float | None = None


@dataclass(frozen=True, slots=True)
class EarlyView:
    """Notes that a running transcription has found, batch by batch; all of them up to `edge_s`."""

    batches: tuple[tuple[NoteEvent, ...], ...]
    edge_s: float
    colour_index: int = 0
    has_drums_only: bool = False


@dataclass(frozen=True, slots=True)
class PointedPlace:
    """Where the pointer is: seconds, bars.beats.ticks, and in the roll a row and perhaps a note."""

    at_s: float
    bars: str
    pitch: int | None = None
    pitch_name: str = ""
    note: NoteEvent | None = None
    track_name: str = ""
