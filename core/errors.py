"""What can go wrong, in sentences a musician understands, each with the next step.

Programmer's mistakes stay ValueError, TypeError or assert and are never shown to the user.
"""

from pathlib import Path
from unicodedata import category


class AppError(Exception):
    """A failure the user can act on: the problem, then the remedy, a sentence each.

    The arguments are positional, because that is how exceptions survive pickling between processes.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem} {self.remedy}"


UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}  # controls, surrogates and separators of lines
LONGEST_SHOWN_NAME = 80  # characters; longer names lose their middle


def printable_name(path: Path) -> str:
    """Return the file's name on one line and in valid Unicode, however odd it is on the disk.

    Line breaks and undecodable bytes (surrogates in Python) appear as escapes, very long names are
    shortened in the middle.
    """
    name = path.name or str(path)
    shown = "".join(
        sign.encode("unicode_escape").decode() if category(sign) in UNPRINTABLE else sign
        for sign in name
    )
    if len(shown) <= LONGEST_SHOWN_NAME:
        return shown
    half = LONGEST_SHOWN_NAME // 2
    return f"{shown[: half - 1]}…{shown[-half:]}"


class AudioReadError(AppError):
    """An audio file cannot be used: missing, unreadable, not audio, empty, silent or damaged."""

    def __init__(self, path: Path, what_is_wrong: str, remedy: str) -> None:
        """Word the problem; `what_is_wrong` has neither capital nor full stop."""
        super().__init__(f"Cannot read '{printable_name(path)}': {what_is_wrong}.", remedy)
        self.args = (path, what_is_wrong, remedy)
        self.path = path


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
        super().__init__("Cancelled.", "Start again when you like.")
        self.args = ()
