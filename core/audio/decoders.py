"""Open files -> blocks of samples; the only module that knows decoders.

libsndfile (in soundfile) reads wav, aiff, flac, ogg, mp3, caf, w64, rf64 and au; ffmpeg's libraries
(in PyAV) read m4a, aac, wma, opus, wavpack and the sound of video files. `core.audio.container`
looks at the file's bytes and chooses.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile  # type: ignore[import-untyped]  # soundfile ships no types

from core.audio import refusals
from core.audio.clip import Samples
from core.audio.container import (
    ASF,
    Container,
    Decoder,
    asf_duration_s,
    breaks_off,
    container_of,
    other_kind_of,
    stated_fraction_present,
)
from core.audio.disk_file import DiskFile
from core.errors import AudioReadError

UNKNOWN_LENGTH = 1 << 62  # samples
BLOCK_SAMPLES = 1 << 16  # of all channels together: 256 kB stay in the cache


@dataclass(frozen=True, slots=True)
class Sound:
    """An open file: `blocks` yields samples [sample, channel], each valid until the next."""

    sample_rate: int
    channels: int
    format: str
    stated_s: float | None
    breaks_off: bool
    blocks: Iterator[Samples]


@contextmanager
def opened(path: Path) -> Iterator[tuple[DiskFile, Sound]]:
    """Open the file with the decoder that its bytes ask for; `blocks` end with the context."""
    refusals.check_regular_file(path)
    try:
        file = DiskFile(path)
    except PermissionError as cause:
        raise refusals.no_rights(path) from cause
    except OSError as cause:
        raise refusals.unreachable(path, cause) from cause
    with file:
        container = _recognised(path, file)
        if container.decoder is Decoder.LIBSNDFILE:
            with _opened_by_libsndfile(path, file, container) as sound:
                yield file, sound
        else:
            with _opened_by_ffmpeg(path, file, container) as sound:
                yield file, sound


def _recognised(path: Path, file: DiskFile) -> Container:
    container = container_of(file)
    if container is None:
        raise refusals.not_audio(path, file, other_kind_of(file))
    return container


class _ForwardSoundFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile ships no types
    """A SoundFile that is only read onwards.

    soundfile seeks after every read of a seekable file: slow in compressed formats, inexact in MP3
    without a seek table, and an error at the end of FLAC of unknown length.
    """

    def seekable(self) -> bool:
        return False


@contextmanager
def _opened_by_libsndfile(path: Path, file: DiskFile, container: Container) -> Iterator[Sound]:
    present = stated_fraction_present(file, container)
    ends_early = breaks_off(file, container)
    file.seek(0)
    try:
        # The open file, not its name: soundfile cannot pass on names that are no valid Unicode.
        sound_file = _ForwardSoundFile(file)
    except soundfile.LibsndfileError as cause:
        raise refusals.unopenable(path, file) from cause
    with sound_file:
        sample_rate: int = sound_file.samplerate
        refusals.check_rate(path, sample_rate)
        # A FLAC that was streamed does not know its length; libsndfile says so by a huge number.
        is_stated = sound_file.frames < UNKNOWN_LENGTH and present > 0
        stated_s = sound_file.frames / sample_rate / present if is_stated else None
        yield Sound(
            sample_rate=sample_rate,
            channels=sound_file.channels,
            format=_libsndfile_format(container, sound_file.subtype),
            stated_s=stated_s,
            breaks_off=ends_early,
            blocks=_libsndfile_blocks(path, file, sound_file, stated_s),
        )


def _libsndfile_blocks(
    path: Path, file: DiskFile, sound_file: Any, stated_s: float | None
) -> Iterator[Samples]:
    channels = sound_file.channels
    buffer = np.empty((max(1, BLOCK_SAMPLES // channels), channels), np.float32)
    done_samples = 0
    while True:
        try:
            block: Samples = sound_file.read(out=buffer)
        except soundfile.LibsndfileError as cause:
            raise refusals.broken_off(
                path, file, done_samples / sound_file.samplerate, stated_s
            ) from cause
        if not len(block):
            return
        done_samples += len(block)
        yield block


_LIBSNDFILE_SUBTYPES = {
    "PCM_S8": "8-bit",
    "PCM_U8": "8-bit",
    "PCM_16": "16-bit",
    "PCM_24": "24-bit",
    "PCM_32": "32-bit",
    "FLOAT": "32-bit float",
    "DOUBLE": "64-bit float",
    "VORBIS": "Vorbis",
    "ULAW": "u-law",
    "ALAW": "A-law",
}


def _libsndfile_format(container: Container, subtype: str) -> str:
    if subtype.startswith("MPEG_LAYER"):
        return container.name
    return f"{container.name} {_LIBSNDFILE_SUBTYPES.get(subtype, subtype)}"


@contextmanager
def _opened_by_ffmpeg(path: Path, file: DiskFile, container: Container) -> Iterator[Sound]:
    present = stated_fraction_present(file, container)
    ends_early = breaks_off(file, container)
    asf_stated_s = asf_duration_s(file) if container is ASF else None
    file.seek(0)
    try:
        # The open file and the demuxer by name, so that ffmpeg cannot follow links in a playlist.
        demuxed = av.open(
            file, "r", format=container.demuxer, metadata_errors="ignore", buffer_size=BLOCK_SAMPLES
        )
    except av.error.FFmpegError as cause:
        raise refusals.unopenable(path, file) from cause
    with demuxed:
        stream = _audio_stream(path, demuxed)
        stated_s = None
        if container.states_duration and present > 0:
            stated_s = asf_stated_s or _stated_by_ffmpeg(demuxed, stream, present)
        frames = _ffmpeg_frames(path, file, demuxed, stream, stated_s)
        first = next(frames, None)
        # The first frame, not the header: HE-AAC states half its real sample rate.
        sample_rate = first.sample_rate if first is not None else stream.sample_rate
        refusals.check_rate(path, sample_rate)
        yield Sound(
            sample_rate=sample_rate,
            channels=first.layout.nb_channels if first is not None else stream.channels,
            format=_ffmpeg_format(stream.codec_context.name),
            stated_s=stated_s,
            breaks_off=ends_early,
            blocks=_ffmpeg_blocks(path, first, frames),
        )


_FFMPEG_CODECS = {
    "aac": "AAC",
    "alac": "ALAC",
    "opus": "Opus",
    "libopus": "Opus",
    "vorbis": "Vorbis",
    "flac": "FLAC",
    "wmav1": "WMA",
    "wmav2": "WMA",
    "wmapro": "WMA Pro",
    "wmalossless": "WMA Lossless",
    "wavpack": "WavPack",
    "mp3float": "MP3",
    "mp3": "MP3",
}
_PCM_BITS = {"s8": "8", "u8": "8", "s16": "16", "s24": "24", "s32": "32", "f32": "32", "f64": "64"}
_PROTECTED_TAGS = {"drms", "enca", "aavd"}  # FairPlay, common encryption, Audible


def _ffmpeg_format(codec: str) -> str:
    """Name the codec for people; "pcm_s24le" is "PCM 24-bit"."""
    coding = codec.removeprefix("pcm_").removesuffix("le").removesuffix("be")
    if coding in _PCM_BITS:
        return f"PCM {_PCM_BITS[coding]}-bit{' float' if coding.startswith('f') else ''}"
    return _FFMPEG_CODECS.get(codec, codec)


def _audio_stream(path: Path, demuxed: "av.container.InputContainer") -> "av.AudioStream":
    stream = demuxed.streams.best("audio")
    if not isinstance(stream, av.AudioStream):
        if demuxed.streams.video:
            remedy = "Choose a video with sound, or export the sound from the DAW."
            raise AudioReadError(path, "it is a video without a sound track", remedy)
        raise AudioReadError(path, "it holds no sound", refusals.EXPORT_WAV)
    context = stream.codec_context
    if context is not None and context.codec_tag in _PROTECTED_TAGS:
        remedy = "Use a file without protection, such as a WAV from the DAW."
        raise AudioReadError(path, "it is protected against copying (DRM)", remedy)
    if context is None:
        raise AudioReadError(
            path, "its sound is stored in a way that is not known here", refusals.EXPORT_WAV
        )
    return stream


def _stated_by_ffmpeg(
    demuxed: "av.container.InputContainer", stream: "av.AudioStream", present: float
) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base) / present
    # Matroska states only the length of the longest stream, which may be the picture.
    if demuxed.duration is not None and not demuxed.streams.video:
        return demuxed.duration / av.time_base / present
    return None


def _ffmpeg_frames(
    path: Path,
    file: DiskFile,
    demuxed: "av.container.InputContainer",
    stream: "av.AudioStream",
    stated_s: float | None,
) -> Iterator["av.AudioFrame"]:
    done_s = 0.0
    try:
        for frame in demuxed.decode(stream):
            done_s += frame.samples / frame.sample_rate
            yield frame
    except av.error.FFmpegError as cause:
        raise refusals.broken_off(path, file, done_s, stated_s) from cause


def _ffmpeg_blocks(
    path: Path, first: "av.AudioFrame | None", frames: Iterator["av.AudioFrame"]
) -> Iterator[Samples]:
    if first is None:
        return
    kind = (first.sample_rate, first.layout.nb_channels, first.format.name)
    channels = first.layout.nb_channels
    waiting = [first.to_ndarray()]
    waiting_samples = first.samples * channels
    for frame in frames:
        if (frame.sample_rate, frame.layout.nb_channels, frame.format.name) != kind:
            what = "its sample rate or number of channels changes on the way"
            raise AudioReadError(path, what, refusals.EXPORT_WAV)
        waiting.append(frame.to_ndarray())
        waiting_samples += frame.samples * channels
        if waiting_samples >= BLOCK_SAMPLES:
            yield _in_full_scale(np.concatenate(waiting, axis=1), channels, first.format.is_planar)
            waiting, waiting_samples = [], 0
    if waiting:
        yield _in_full_scale(np.concatenate(waiting, axis=1), channels, first.format.is_planar)


def _in_full_scale(raw: "np.ndarray[Any, Any]", channels: int, is_planar: bool) -> Samples:
    """Turn planar [channel, sample] or packed [1, sample * channel] into [sample, channel]."""
    samples = raw.T if is_planar else raw.reshape(-1, channels)
    if samples.dtype.kind == "f":
        return np.ascontiguousarray(samples, np.float32)
    limits = np.iinfo(samples.dtype)
    middle = 0 if limits.min < 0 else (limits.max + 1) // 2
    full_scale = (int(limits.max) - int(limits.min) + 1) // 2
    return (samples.astype(np.float32) - np.float32(middle)) / np.float32(full_scale)
