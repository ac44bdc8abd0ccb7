"""What the window and its worker process say to each other: plain values that survive pickling.

Every message carries the number of its job, so that an answer to a cancelled job is recognised and
dropped.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from core.engine.heard import HeardStem
from core.engine.options import TranscribeOptions
from core.engine.progress import Progress
from core.score.note import NoteEvent
from core.score.tempo import TempoMap
from core.score.transcription import Key
from desktop.session.heard_spans import Span


@dataclass(frozen=True, slots=True)
class TranscribeRequest:
    """Hear one file; `checkpoints` are ids and places of the models that are installed."""

    job: int
    path: Path
    options: TranscribeOptions
    checkpoints: tuple[tuple[str, Path], ...] = ()


@dataclass(frozen=True, slots=True)
class TempoRequest:
    """Find tempo, meter, downbeat and key of a song from its stems."""

    job: int
    stems: tuple[HeardStem, ...]


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """Stop the job; the worker answers with CancelledReply at the next segment."""

    job: int


Request = TranscribeRequest | TempoRequest | CancelRequest


@dataclass(frozen=True, slots=True)
class ProgressReply:
    """How far the running job is, with what was found since the last reply and in which spans.

    The notes are as they were found; those in HeardReply take their place.
    """

    job: int
    progress: Progress
    notes: tuple[NoteEvent, ...] = ()
    spans: tuple[Span, ...] = ()

    def after(self, earlier: "ProgressReply | None") -> "ProgressReply":
        """Return what stands for two replies in a row."""
        if earlier is None or earlier.job != self.job:
            return self
        return replace(self, notes=earlier.notes + self.notes, spans=earlier.spans + self.spans)


@dataclass(frozen=True, slots=True)
class HeardReply:
    """What was heard in one file."""

    job: int
    stem: HeardStem


@dataclass(frozen=True, slots=True)
class TempoReply:
    """Tempo and key of a song; `confidence` is 0..1 and `how` words where they came from."""

    job: int
    tempo: TempoMap
    key: Key | None
    confidence: float
    how: str


class Culprit(StrEnum):
    """What another one of may help: another file, another model, or another run."""

    FILE = "file"
    MODEL = "model"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class FailedReply:
    """The job ended without a result, in words for the user."""

    job: int
    problem: str
    remedy: str
    culprit: Culprit = Culprit.RUN


@dataclass(frozen=True, slots=True)
class CancelledReply:
    """The job was stopped and left nothing behind."""

    job: int


Reply = ProgressReply | HeardReply | TempoReply | FailedReply | CancelledReply
