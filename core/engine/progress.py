"""How a running job reports and is stopped; the only two words core says to a window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.errors import CancelledError
from core.score.note import NoteEvent


@dataclass(frozen=True, slots=True)
class Progress:
    """`done_s` of `total_s` seconds of audio are heard, `elapsed_s` seconds after the start."""

    stage: str
    done_s: float
    total_s: float
    elapsed_s: float

    @property
    def fraction(self) -> float:
        return min(1.0, self.done_s / self.total_s) if self.total_s > 0 else 0.0

    @property
    def times_real_time(self) -> float:
        return self.done_s / self.elapsed_s if self.elapsed_s > 0 else 0.0


OnProgress = Callable[[Progress], None]
OnNotes = Callable[[Sequence[NoteEvent], float, float], None]
"""Takes what was just found in a stretch of the file, and the seconds where that starts and ends.

Stretches come in any order, each once; of a mix the drums may come first, from start to end. The
notes are as they are found before the whole is known: the result may differ.
"""


class _Flag(Protocol):
    def is_set(self) -> bool: ...


class CancelToken:
    """Wraps any event (threading or multiprocessing) that another thread or process may set."""

    def __init__(self, flag: _Flag | None = None) -> None:
        self._flag = flag

    def raise_if_set(self) -> None:
        """Raise CancelledError once the user has asked to stop."""
        if self._flag is not None and self._flag.is_set():
            raise CancelledError
