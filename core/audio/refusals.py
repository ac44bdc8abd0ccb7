"""Refusals: the limits of what is read, and the words for each way in which a file is no sound."""

import stat
from pathlib import Path

from core.audio.disk_file import DiskFile
from core.errors import AudioReadError

SHORTEST_S = 0.1
LONGEST_S = 3 * 3600
LONGEST_GRACE_S = 5 * 60  # a take of "three hours" may run over
LOWEST_RATE, HIGHEST_RATE = 8_000, 192_000
SILENCE_PEAK = 1e-4  # -80 dBFS, under the noise of any microphone and above dither
MOSTLY_THERE = 0.8  # beyond it, it is said how much is missing, not how much is there
NEAR_THE_END_BYTES = 4096  # more than a sample of any number of channels
EXPORT_AGAIN = "Export it again from the DAW."
EXPORT_WAV = "Export it as WAV or FLAC from the DAW."


def check_regular_file(path: Path) -> None:
    """Refuse what cannot be opened and read to its end: nothing, folders, pipes, devices."""
    try:
        status = path.stat()
    except FileNotFoundError as cause:
        raise _missing(path) from cause
    except PermissionError as cause:
        raise no_rights(path) from cause
    except (OSError, ValueError) as cause:  # ValueError: a NUL in the name
        raise unreachable(path, cause) from cause
    if stat.S_ISDIR(status.st_mode):
        raise AudioReadError(path, "it is a folder", "Choose the files in it.")
    if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device could wait for ever
        what = "it is a device, a pipe or a socket, not a file"
        raise AudioReadError(path, what, "Choose a sound file.")
    if status.st_size == 0:
        raise AudioReadError(path, "it is empty (zero bytes)", EXPORT_AGAIN)


def check_rate(path: Path, sample_rate: int) -> None:
    """Refuse sample rates outside 8 to 192 kHz."""
    if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
        limits = f"{LOWEST_RATE // 1000} to {HIGHEST_RATE // 1000} kHz"
        what = f"its sample rate is {sample_rate / 1000:g} kHz, outside {limits}"
        raise AudioReadError(path, what, "Export it at 44.1 or 48 kHz from the DAW.")


def check_not_too_long(path: Path, duration_s: float) -> None:
    """Refuse more than three hours, with some grace."""
    if duration_s > LONGEST_S + LONGEST_GRACE_S:
        what = f"it is longer than {LONGEST_S // 3600} hours"
        raise AudioReadError(path, what, "Cut it into parts and open these.")


def check_not_too_short(path: Path, duration_s: float) -> None:
    """Refuse what is too short for any note."""
    if duration_s == 0:
        raise AudioReadError(path, "it holds no sound at all, only a header", EXPORT_AGAIN)
    if duration_s < SHORTEST_S:
        what = f"it is too short ({duration_s:.3f} s; the shortest is {SHORTEST_S} s)"
        raise AudioReadError(path, what, "Choose a longer file.")


def check_audible(path: Path, mono_peak: float, loudest_channel: float) -> None:
    """Refuse silence, and stereo whose mono mix is silent."""
    if mono_peak >= SILENCE_PEAK:
        return
    if loudest_channel >= SILENCE_PEAK:
        what = "its channels cancel each other (opposite polarity), so the mono mix is silent"
        raise AudioReadError(path, what, "Invert one channel in the DAW and export it again.")
    what = "it is silent (nothing above -80 dBFS)"
    raise AudioReadError(path, what, "Check whether the track was muted when it was exported.")


def no_rights(path: Path) -> AudioReadError:
    """Word that the system refuses to open the file."""
    remedy = "Change its permissions or copy it to your own folder."
    return AudioReadError(path, "you have no right to read it", remedy)


def unreachable(path: Path, cause: Exception) -> AudioReadError:
    """Word any other failure of the file system."""
    reason = getattr(cause, "strerror", None) or str(cause)
    remedy = "Check the disk and the name, or copy it elsewhere."
    return AudioReadError(path, f"the system says: {reason}", remedy)


def not_audio(path: Path, file: DiskFile, kind: str | None) -> AudioReadError:
    """Word that the bytes are no sound but of another `kind` ("a text file"), if that is known."""
    if file.failure is not None:
        return unreachable(path, file.failure)
    what = f"it is {kind}, not audio" if kind else "it is not audio of any known kind"
    return AudioReadError(path, what, "Choose a sound file, such as WAV, FLAC, MP3 or M4A.")


def unopenable(path: Path, file: DiskFile) -> AudioReadError:
    """Word that the decoder does not understand the header."""
    if file.failure is not None:
        return unreachable(path, file.failure)
    return AudioReadError(path, "it is damaged or incomplete", EXPORT_AGAIN)


def no_numbers(path: Path, after_s: float) -> AudioReadError:
    """Word that samples are NaN, infinite or far beyond any level."""
    what = f"it holds values that are no sound (NaN or infinite) after {spoken(after_s)}"
    return AudioReadError(path, what, EXPORT_AGAIN)


def broken_off(path: Path, file: DiskFile, done_s: float, stated_s: float | None) -> AudioReadError:
    """Tell a missing end from damage: a decoder that stops at the last byte has run out of them."""
    if file.failure is not None:
        return unreachable(path, file.failure)
    if file.tell() + NEAR_THE_END_BYTES >= file.size_bytes:
        return cut_short(path, done_s, stated_s)
    what = f"it is damaged after {spoken(done_s)}"
    return AudioReadError(path, what, EXPORT_AGAIN)


def cut_short(path: Path, done_s: float, stated_s: float | None) -> AudioReadError:
    """Word that the end is missing; None where the file does not state its length."""
    what = f"the file breaks off after {spoken(done_s)}"
    if stated_s is not None and done_s > MOSTLY_THERE * stated_s:
        missing_s = stated_s - done_s
        what = f"{spoken(missing_s)} of its {spoken(stated_s)} cannot be decoded"
    elif stated_s is not None:
        what = f"the file ends after {spoken(done_s)} of {spoken(stated_s)}"
    return AudioReadError(path, what, EXPORT_AGAIN)


def spoken(seconds: float) -> str:
    """Say a duration as people do: 0.4 s, 38 s, 61 min 5 s."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if round(seconds) < 120:
        return f"{seconds:.0f} s"
    minutes, rest_s = divmod(round(seconds), 60)
    return f"{minutes} min {rest_s} s"


def _missing(path: Path) -> AudioReadError:
    if path.is_symlink():
        what = "it is a link to a file that does not exist"
        return AudioReadError(path, what, "Choose the original file.")
    return AudioReadError(path, "there is no such file", "Check whether it was moved or renamed.")
