"""What can go wrong, in sentences a musician understands, each with the next step.

Programmer's mistakes stay ValueError, TypeError or assert and are never shown to the user.
"""

from pathlib import Path


class AppError(Exception):
    """A failure the user can act on; `str(error)` is one or two sentences ending in the next step."""

    def __init__(self, problem: str, *, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy


class AudioReadError(AppError):
    """An audio file cannot be used: missing, unreadable, not audio, empty, silent or damaged."""

    def __init__(self, path: Path, problem: str, *, remedy: str) -> None:
        super().__init__(f"Cannot read '{path.name}': {problem}.", remedy=remedy)
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild from the sentence's parts, so that the error crosses process borders."""
        problem = self.problem.removeprefix(f"Cannot read '{self.path.name}': ").removesuffix(".")
        return (_audio_read_error, (self.path, problem, self.remedy))


class ModelMissingError(AppError):
    """The chosen model is unknown or its weights are not on this machine."""


class ModelBrokenError(AppError):
    """A weights file is damaged, unsafe to load, or belongs to another network."""


class TranscriptionFailedError(AppError):
    """The model ran but could not finish the file."""


class ExportError(AppError):
    """A MIDI file could not be written."""


class DeliveryError(AppError):
    """The chosen DAW or its folder cannot take the files."""


class CancelledError(AppError):
    """The user stopped the work; nothing half-finished is left behind."""

    def __init__(self) -> None:
        super().__init__("Cancelled.", remedy="Start again when you like.")


def _audio_read_error(path: Path, problem: str, remedy: str) -> AudioReadError:
    return AudioReadError(path, problem, remedy=remedy)
