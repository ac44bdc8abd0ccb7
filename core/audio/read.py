"""Audio files -> samples: a scan for the window, a stream for the networks, a clip for the ear.

Every reader here refuses what is no usable sound with an AudioReadError that says what to do.
"""

import hashlib
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr  # type: ignore[import-untyped]  # soxr ships no types

from core.audio import refusals
from core.audio.clip import AudioClip, Samples
from core.audio.decoders import Sound, opened
from core.audio.disk_file import DiskFile
from core.audio.peaks import PeaksBuilder, WaveformPeaks

# fmt: off
AUDIO_SUFFIXES = frozenset({
    ".wav", ".wave", ".bwf", ".rf64", ".w64", ".aif", ".aiff", ".aifc", ".caf", ".au", ".snd",
    ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".m4a", ".m4b", ".aac", ".wma", ".wv",
    ".mp4", ".m4v", ".mov", ".mkv", ".mka", ".webm",
})
# fmt: on

LOUDEST_SAMPLE = 65_504  # of float16 peaks; float files that hold 16-bit integers still pass
LEVEL_BLOCK_S = 0.1
LEVEL_PERCENTILE = 95
# Encoder delay and rounded clocks of containers stay below; it is also less than anyone would miss.
MISSING_END_S = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class AudioScan:
    """What one pass over a file tells; peak and level are of the mono mix, 1.0 is full scale.

    `level_p95` is the 95th percentile of the peaks of successive blocks of 0.1 s: how loud the file
    is where it plays. `sha256` is of the file's bytes. `format` is for people: "FLAC 16-bit".
    """

    path: Path
    duration_s: float
    sample_rate: int
    channels: int
    format: str
    peak: float
    level_p95: float
    peaks: WaveformPeaks
    sha256: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder that was not taken, and why, as half a sentence."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class FoundAudio:
    """The files to try, in natural order, and what was passed over."""

    files: tuple[Path, ...]
    skipped: tuple[Skipped, ...]


def scan_audio(path: Path, *, on_fraction: Callable[[float], None] | None = None) -> AudioScan:
    """Read the whole file once in small blocks and return its facts and waveform.

    `on_fraction` hears how much is read, 0..1. Raises AudioReadError also for silence.
    """
    with opened(path) as (file, sound):
        meter = LevelMeter(sound.sample_rate)
        builder = PeaksBuilder(sound.sample_rate)
        loudest_channel = 0.0
        for block in _checked(path, file, sound):
            mono = _mono(block)
            meter.add(mono)
            builder.add(mono)
            if meter.peak < refusals.SILENCE_PEAK:
                loudest_channel = max(loudest_channel, float(np.abs(block).max()))
            if on_fraction is not None:
                on_fraction(min(1.0, file.tell() / file.size_bytes))
        refusals.check_audible(path, meter.peak, loudest_channel)
        peaks = builder.finished()
        file.seek(0)
        return AudioScan(
            path=path,
            duration_s=peaks.duration_s,
            sample_rate=sound.sample_rate,
            channels=sound.channels,
            format=sound.format,
            peak=meter.peak,
            level_p95=meter.level_p95(),
            peaks=peaks,
            sha256=hashlib.file_digest(file, "sha256").hexdigest(),
        )


def stream_mono(
    path: Path, sample_rate: int, *, block_s: float = 10.0, until_s: float | None = None
) -> Iterator[Samples]:
    """Yield the mono mix (mean of channels) [sample] at `sample_rate`; the last block is shorter.

    Ends after `until_s` seconds of the file if that is given. Raises AudioReadError where the file
    turns out to be damaged.
    """
    return _streamed(path, sample_rate, _mono, block_s, until_s)


def stream_mid_and_side(
    path: Path, sample_rate: int, *, block_s: float = 10.0, until_s: float | None = None
) -> Iterator[Samples]:
    """Yield the mono mix as `stream_mono` does and what stands apart from it [sample, 2].

    That is half of what left has and right has not. A file of one channel has none [sample, 1].
    """
    return _streamed(path, sample_rate, _mid_and_side, block_s, until_s)


def stream_stereo(path: Path, sample_rate: int, *, block_s: float = 10.0) -> Iterator[Samples]:
    """Yield left and right [sample, 2] at `sample_rate`, for playback; the last block is shorter.

    Mono sounds on both sides; of more than two channels, the first two are taken.
    """
    return _in_blocks(_resampled(path, sample_rate, _stereo), round(block_s * sample_rate))


def resampled_mono(
    samples: Samples, from_rate: int, sample_rate: int, *, block_s: float = 10.0
) -> Iterator[Samples]:
    """Yield the mono mix of samples [sample, channel] in memory as `stream_mono` does of a file."""
    return _mixed(samples, from_rate, sample_rate, _mono, block_s)


def resampled_mid_and_side(
    samples: Samples, from_rate: int, sample_rate: int, *, block_s: float = 10.0
) -> Iterator[Samples]:
    """Yield samples [sample, channel] in memory as `stream_mid_and_side` does those of a file."""
    return _mixed(samples, from_rate, sample_rate, _mid_and_side, block_s)


def read_audio(path: Path) -> AudioClip:
    """Read the whole file at its own rate with all channels.

    An hour of 44.1 kHz stereo takes 1.3 GB; streams take next to nothing.
    """
    with opened(path) as (file, sound):
        stated_samples = math.ceil((sound.stated_s or 0.0) * sound.sample_rate)
        # Believed only as far as the file could hold it: a damaged header may state anything.
        samples = np.empty((min(stated_samples, 64 * file.size_bytes), sound.channels), np.float32)
        done = 0
        for block in _checked(path, file, sound):
            if done + len(block) > len(samples):
                more = np.empty((done + len(block), sound.channels), np.float32)
                samples = np.concatenate([samples[:done], more])
            samples[done : done + len(block)] = block
            done += len(block)
        return AudioClip(samples[:done], sound.sample_rate, path)


def find_audio(paths: Sequence[Path]) -> FoundAudio:
    """Gather the audio files that `paths` name, folders with all their folders, each file once.

    A file named directly is always taken: reading it tells what is wrong. Inside folders only audio
    suffixes count; hidden files and folders (also the ._ files of macOS) are passed over unsaid.
    """
    files: dict[Path, Path] = {}  # by real path
    skipped: list[Skipped] = []
    seen_folders: set[Path] = set()
    for path in paths:
        if not _is_folder(path):
            files.setdefault(_real(path), path)
            continue
        known, refused = len(files), len(skipped)
        for file in _files_within(path, seen_folders, skipped):
            files.setdefault(_real(file), file)
        if (len(files), len(skipped)) == (known, refused):
            skipped.append(Skipped(path, "holds no audio files that are not in the list already"))
    return FoundAudio(tuple(files.values()), tuple(skipped))


class LevelMeter:
    """Peak and level of mono samples that come in blocks of any length."""

    def __init__(self, sample_rate: int) -> None:
        self.peak = 0.0
        self._block_samples = round(LEVEL_BLOCK_S * sample_rate)
        self._rest: Samples = np.empty(0, np.float32)
        self._block_peaks: list[Samples] = []

    def add(self, mono: Samples) -> None:
        size = np.concatenate([self._rest, np.abs(mono)])
        whole = len(size) - len(size) % self._block_samples
        self._rest = size[whole:]
        if whole:
            self._block_peaks.append(size[:whole].reshape(-1, self._block_samples).max(axis=1))
        self.peak = max(self.peak, float(size.max(initial=0.0)))

    def level_p95(self) -> float:
        """Return the 95th percentile of the peaks of successive blocks of 0.1 s."""
        rest = [self._rest.max(keepdims=True)] if len(self._rest) else []
        return float(np.percentile(np.concatenate([*self._block_peaks, *rest]), LEVEL_PERCENTILE))


def _checked(path: Path, file: DiskFile, sound: Sound) -> Iterator[Samples]:
    """Yield the blocks; raise where they are no sound, and at the end if some of it is missing."""
    refusals.check_not_too_long(path, sound.stated_s or 0.0)
    done_samples = 0
    for block in sound.blocks:
        # NaN fails every comparison, so this finds it too.
        if not (block.max() <= LOUDEST_SAMPLE and block.min() >= -LOUDEST_SAMPLE):
            bad = int(np.argmax(~(np.abs(block) <= LOUDEST_SAMPLE).all(axis=1)))
            raise refusals.no_numbers(path, (done_samples + bad) / sound.sample_rate)
        done_samples += len(block)
        refusals.check_not_too_long(path, done_samples / sound.sample_rate)
        yield block
    done_s = done_samples / sound.sample_rate
    if file.failure is not None:
        raise refusals.unreachable(path, file.failure)
    if sound.stated_s is not None and sound.stated_s - done_s > MISSING_END_S:
        raise refusals.broken_off(path, file, done_s, sound.stated_s)
    if sound.breaks_off:
        raise refusals.cut_short(path, done_s, None)
    refusals.check_not_too_short(path, done_s)


def _streamed(
    path: Path,
    sample_rate: int,
    mixed: Callable[[Samples], Samples],
    block_s: float,
    until_s: float | None,
) -> Iterator[Samples]:
    parts = _resampled(path, sample_rate, mixed)
    if until_s is not None:
        parts = _first(parts, round(until_s * sample_rate))
    return _in_blocks(parts, round(block_s * sample_rate))


def _mixed(
    samples: Samples,
    from_rate: int,
    sample_rate: int,
    mixed: Callable[[Samples], Samples],
    block_s: float,
) -> Iterator[Samples]:
    length = round(block_s * from_rate)
    blocks = (samples[at : at + length] for at in range(0, len(samples), length))
    parts: Iterator[Samples] = map(mixed, blocks)
    if from_rate != sample_rate:
        parts = _at_rate(parts, from_rate, sample_rate)
    return _in_blocks(parts, round(block_s * sample_rate))


def _resampled(
    path: Path, sample_rate: int, mixed: Callable[[Samples], Samples]
) -> Iterator[Samples]:
    """Yield the file in parts of any length, mixed down first: that leaves less to resample."""
    with opened(path) as (file, sound):
        blocks = map(mixed, _checked(path, file, sound))
        if sound.sample_rate == sample_rate:
            yield from blocks
            return
        yield from _at_rate(blocks, sound.sample_rate, sample_rate)


def _at_rate(blocks: Iterator[Samples], from_rate: int, sample_rate: int) -> Iterator[Samples]:
    resampler: soxr.ResampleStream | None = None
    block: Samples = np.empty(0, np.float32)
    for block in blocks:
        channels = 1 if block.ndim == 1 else block.shape[1]
        resampler = resampler or soxr.ResampleStream(
            from_rate, sample_rate, channels, "float32", "HQ"
        )
        yield resampler.resample_chunk(block)
    if resampler is not None:
        yield resampler.resample_chunk(block[:0], last=True)


def _first(parts: Iterator[Samples], samples: int) -> Iterator[Samples]:
    for part in parts:
        yield part[:samples]
        samples -= len(part)
        if samples <= 0:
            return


def _in_blocks(parts: Iterator[Samples], block_samples: int) -> Iterator[Samples]:
    """Cut parts of any length into blocks of one length and a shorter last one."""
    waiting: list[Samples] = []
    waiting_samples = 0
    for part in parts:
        waiting.append(part)
        waiting_samples += len(part)
        if waiting_samples >= block_samples:
            joined = np.concatenate(waiting)
            whole = len(joined) - len(joined) % block_samples
            yield from np.split(joined[:whole], range(block_samples, whole, block_samples))
            waiting, waiting_samples = [joined[whole:]], len(joined) - whole
    if waiting_samples:
        yield np.concatenate(waiting)


def _mono(block: Samples) -> Samples:
    """Return the mean of the channels, a new array; a product is ten times faster than mean()."""
    channels = block.shape[1]
    return block @ np.full(channels, 1 / channels, np.float32)


def _mid_and_side(block: Samples) -> Samples:
    """Return the mean of the channels and half of left less right, of one channel itself."""
    if block.shape[1] == 1:
        return block.copy()
    side = np.float32(0.5) * (block[:, 0] - block[:, 1])
    return np.stack([_mono(block), side], axis=1)


def _stereo(block: Samples) -> Samples:
    """Return left and right, a new array."""
    return np.repeat(block, 2, axis=1) if block.shape[1] == 1 else block[:, :2].copy()


def _files_within(folder: Path, seen_folders: set[Path], skipped: list[Skipped]) -> Iterator[Path]:
    """Yield the audio files under `folder`, its own first; links cannot make it run in circles."""
    real = _real(folder)
    if real in seen_folders:
        return
    seen_folders.add(real)
    try:
        entries = sorted(folder.iterdir(), key=_natural_order)
    except OSError as cause:
        skipped.append(Skipped(folder, f"cannot be opened ({cause.strerror})"))
        return
    visible = [entry for entry in entries if not entry.name.startswith(".")]
    folders = {entry for entry in visible if _is_folder(entry)}
    for entry in visible:
        if entry in folders:
            continue
        if entry.suffix.lower() not in AUDIO_SUFFIXES:
            skipped.append(Skipped(entry, "is not an audio file"))
        elif not entry.is_file():
            skipped.append(Skipped(entry, "is a broken link or no regular file"))
        else:
            yield entry
    for inner in sorted(folders, key=_natural_order):
        yield from _files_within(inner, seen_folders, skipped)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # names that no disk can hold
        return False


def _natural_order(path: Path) -> list[tuple[int, str]]:
    """Sort "take 2" before "take 10", and letters without regard to case."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a link that leads to itself
        return path.absolute()
