"""Builders of sound files, above all of those that must be refused.

`BAD_INPUTS` is the table behind "no bad file ends a batch". Each builder gets an empty folder of
its own and returns the path to be read.
"""

import os
import stat
import struct
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile

RATE = 44_100

# fmt: off
WRITTEN_BY_SOUNDFILE = {
    "wav": ("WAV", "PCM_16"), "aiff": ("AIFF", "PCM_16"), "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"), "mp3": ("MP3", "MPEG_LAYER_III"), "caf": ("CAF", "PCM_16"),
    "w64": ("W64", "PCM_16"), "rf64": ("RF64", "PCM_16"), "au": ("AU", "PCM_16"),
}
WRITTEN_BY_AV = {
    "m4a": "aac", "aac": "aac", "mp4": "aac", "mov": "pcm_s16le", "mkv": "aac", "mka": "aac",
    "webm": "libopus", "opus": "libopus", "wma": "wmav2", "wv": "wavpack",
}
# fmt: on


def tone(duration_s: float = 2.0, *, rate: int = RATE, channels: int = 2) -> np.ndarray:
    """Return a 440 Hz sine [sample, channel], the first channel at half of full scale."""
    seconds = np.arange(round(duration_s * rate)) / rate
    sine = 0.5 * np.sin(2 * np.pi * 440 * seconds)
    return np.stack([sine / (1 + channel) for channel in range(channels)], 1).astype(np.float32)


def written(
    path: Path, samples: np.ndarray | None = None, *, rate: int = RATE, **kind: str
) -> Path:
    """Write `samples` [sample, channel] with libsndfile or ffmpeg, by the suffix."""
    samples = tone() if samples is None else samples
    suffix = path.suffix.lower().lstrip(".")
    if suffix in WRITTEN_BY_AV:
        return encoded(path, samples, WRITTEN_BY_AV[suffix], rate=rate)
    file_format, subtype = WRITTEN_BY_SOUNDFILE[suffix]
    kind = {"format": file_format, "subtype": subtype} | kind
    # An open file: soundfile cannot write to names that are no valid Unicode.
    with (
        path.open("wb") as file,
        soundfile.SoundFile(file, "w", rate, samples.shape[1], **kind) as sound,
    ):
        for start in range(0, len(samples), 8192):  # libvorbis overflows its stack on long writes
            sound.write(samples[start : start + 8192])
    return path


def encoded(
    path: Path, samples: np.ndarray, codec: str, *, rate: int = RATE, container: str | None = None
) -> Path:
    """Write `samples` [sample, channel] with an encoder of ffmpeg."""
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[samples.shape[1]]
    stored_rate = 48_000 if codec == "libopus" else rate
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=stored_rate)
        stream.layout = layout
        stream.bit_rate = 128_000
        context = stream.codec_context
        context.open()
        fitted = av.AudioResampler(
            format=context.format,
            layout=layout,
            rate=stored_rate,
            frame_size=context.frame_size or 1024,
        )
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples.T), format="fltp", layout=layout
        )
        frame.sample_rate, frame.pts = (
            rate,
            0,
        )  # without a start, muxers leave out the encoder delay
        for fitting in [*fitted.resample(frame), *fitted.resample(None)]:
            output.mux(stream.encode(fitting))
        output.mux(stream.encode(None))
    return path


@dataclass(frozen=True, slots=True)
class BadInput:
    """A file that must be refused: `phrase` stands in the error."""

    name: str
    build: Callable[[Path], Path]
    phrase: str


def _with_bytes(name: str, content: bytes) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    return build


def _with_samples(
    name: str, samples: np.ndarray, *, rate: int = RATE, **kind: str
) -> Callable[[Path], Path]:
    return lambda folder: written(folder / name, samples, rate=rate, **kind)


def _cut(suffix: str, fraction: float = 0.5) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        path = written(folder / f"take3.{suffix}")
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * fraction)])
        return path

    return build


def _overwritten(suffix: str, *, at: float, size: int) -> Callable[[Path], Path]:
    """Replace `size` bytes from the fraction `at` on by noise."""

    def build(folder: Path) -> Path:
        noise = np.random.default_rng(5)
        samples = tone(6.0) + 0.1 * noise.standard_normal((6 * RATE, 2)).astype(np.float32)
        path = written(folder / f"scratched.{suffix}", samples)
        content = bytearray(path.read_bytes())
        start = int(len(content) * at)
        content[start : start + size] = noise.bytes(size)
        path.write_bytes(content)
        return path

    return build


def _with_a_value(value: float, *, at: int = RATE) -> np.ndarray:
    samples = tone()
    samples[at, 1] = value
    return samples


def _folder(folder: Path) -> Path:
    path = folder / "stems.wav"
    path.mkdir()
    return path


def _link_to_nothing(folder: Path) -> Path:
    path = folder / "bass.wav"
    path.symlink_to(folder / "gone.wav")
    return path


def _link_to_itself(folder: Path) -> Path:
    path = folder / "loop.wav"
    path.symlink_to(path)
    return path


def _pipe(folder: Path) -> Path:
    path = folder / "pipe.wav"
    os.mkfifo(path)
    return path


def _socket(folder: Path) -> Path:
    path = folder / "socket.wav"
    os.mknod(path, stat.S_IFSOCK | 0o600)
    return path


def without_rights(folder: Path) -> Path:
    """Write a good file that nobody may read; the system administrator may all the same."""
    path = written(folder / "locked.wav")
    path.chmod(0)
    return path


def _wav_header(
    *, codec: int = 1, channels: int = 2, rate: int = RATE, bits: int = 16, sound_bytes: int
) -> bytes:
    frame_bytes = channels * bits // 8
    fmt = struct.pack("<HHIIHH", codec, channels, rate, rate * frame_bytes, frame_bytes, bits)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + sound_bytes)
        + b"WAVEfmt "
        + struct.pack("<I", len(fmt))
        + fmt
        + b"data"
        + struct.pack("<I", sound_bytes)
    )


def _four_hours(folder: Path) -> Path:
    """Write a sparse file: 4 h of 8-bit mono at 8 kHz."""
    sound_bytes = 4 * 3600 * 8000
    path = folder / "festival.wav"
    path.write_bytes(_wav_header(channels=1, rate=8000, bits=8, sound_bytes=sound_bytes))
    os.truncate(path, 44 + sound_bytes)
    return path


def _protected(folder: Path) -> Path:
    path = written(folder / "bought.m4a")
    content = path.read_bytes()
    entry = content.index(b"mp4a", content.index(b"stsd"))
    path.write_bytes(content[:entry] + b"drms" + content[entry + 4 :])
    return path.rename(folder / "bought.m4p")


def _silent_film(folder: Path) -> Path:
    path = folder / "clip.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mpeg4", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        for _ in range(25):
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    return path


def _no_samples(suffix: str) -> Callable[[Path], Path]:
    return lambda folder: written(folder / f"empty.{suffix}", np.zeros((0, 2), np.float32))


def _missing(name: str) -> Callable[[Path], Path]:
    return lambda folder: folder / name


_FLAC_HEADER = b"fLaC\x80\0\0\x22\x10\0\x10\0" + bytes(6) + b"\x0a\xc4\x42\xf0" + bytes(20)
_QUIET = np.full((RATE, 2), 3e-5, np.float32)  # -90 dBFS
_OPPOSITE = tone(1.0, channels=1) * np.array([[1.0, -1.0]], np.float32)
_RANDOM = np.random.default_rng(1).bytes(20_000)

BAD_INPUTS: list[BadInput] = [
    BadInput("missing", _missing("gone.wav"), "there is no such file"),
    BadInput("missing, name with line break", _missing("a\nb.wav"), "there is no such file"),
    BadInput("missing, name no Unicode", _missing("a\udcff.wav"), "there is no such file"),
    BadInput("missing, non-Latin name", _missing("ギター.wav"), "Cannot read 'ギター.wav'"),
    BadInput("name too long for the disk", _missing(300 * "x" + ".wav"), "the system says"),
    BadInput("folder", _folder, "it is a folder"),
    BadInput("link to nothing", _link_to_nothing, "it is a link to a file that does not exist"),
    BadInput("link to itself", _link_to_itself, "the system says"),
    BadInput("pipe", _pipe, "a pipe or a socket"),
    BadInput("socket", _socket, "a pipe or a socket"),
    BadInput("device", lambda _: Path("/dev/zero"), "it is a device"),
    BadInput("no rights", without_rights, "you have no right to read it"),
    BadInput("zero bytes", _with_bytes("a.wav", b""), "it is empty (zero bytes)"),
    BadInput("one byte", _with_bytes("a.flac", b"\xf0"), "not audio"),
    BadInput("text", _with_bytes("a.wav", b"Dear diary,\n" * 99), "it is a text file, not audio"),
    BadInput("web page", _with_bytes("a.mp3", b"<!DOCTYPE html><p>404"), "it is a text file"),
    BadInput("PNG", _with_bytes("a.wav", b"\x89PNG\r\n\x1a\n" + _RANDOM), "it is an image"),
    BadInput("JPEG", _with_bytes("a.mp3", b"\xff\xd8\xff\xe0" + _RANDOM[:500]), "it is an image"),
    BadInput("PDF", _with_bytes("a.flac", b"%PDF-1.7\n" + _RANDOM[:500]), "it is a PDF document"),
    BadInput("ZIP", _with_bytes("a.m4a", b"PK\x03\x04" + _RANDOM[:500]), "it is a ZIP archive"),
    BadInput("gzip", _with_bytes("a.wav", b"\x1f\x8b\x08" + _RANDOM[:500]), "a gzip archive"),
    BadInput("MIDI", _with_bytes("a.wav", b"MThd\0\0\0\6\0\0\0\1\1\xe0"), "it is a MIDI file"),
    BadInput("noise bytes", _with_bytes("a.wav", _RANDOM), "not audio of any known kind"),
    BadInput("zeros", _with_bytes("a.aiff", bytes(20_000)), "not audio of any known kind"),
    BadInput("WAV, header only", _no_samples("wav"), "only a header"),
    BadInput("AIFF, header only", _no_samples("aiff"), "only a header"),
    BadInput("FLAC, header only", _with_bytes("a.flac", _FLAC_HEADER), "only a header"),
    BadInput("WAV, half a header", _cut("wav", 0.0001), "it is damaged or incomplete"),
    BadInput(
        "WAV, samples promised but none there",
        _with_bytes("a.wav", _wav_header(sound_bytes=4 * RATE)),
        "only a header",
    ),
    BadInput("one sample", _with_samples("a.wav", tone()[:1]), "it is too short (0.000 s"),
    BadInput("50 ms", _with_samples("a.flac", tone(0.05)), "it is too short (0.050 s"),
    BadInput("over 3 h", _four_hours, "it is longer than 3 hours"),
    BadInput("WAV cut", _cut("wav"), "the file ends after 1.0 s of 2.0 s"),
    BadInput("AIFF cut", _cut("aiff"), "the file ends after 1.0 s of 2.0 s"),
    BadInput("W64 cut", _cut("w64"), "the file ends after 1.0 s of 2.0 s"),
    BadInput("RF64 cut", _cut("rf64"), "the file ends after 1.0 s of 2.0 s"),
    BadInput("AU cut", _cut("au"), "the file ends after 1.0 s of 2.0 s"),
    BadInput("CAF cut", _cut("caf"), "the file ends after"),
    BadInput("FLAC cut", _cut("flac"), "the file ends after"),
    BadInput("MP3 cut", _cut("mp3"), "the file ends after"),
    BadInput("Ogg Vorbis cut", _cut("ogg"), "the file breaks off after"),
    BadInput("Opus cut", _cut("opus"), "the file breaks off after"),
    BadInput("AAC cut", _cut("aac"), "the file breaks off after"),
    BadInput("M4A cut", _cut("m4a"), "it is damaged or incomplete"),
    BadInput("Matroska cut", _cut("mka"), "the file ends after"),
    BadInput("WavPack cut", _cut("wv"), "the file ends after"),
    BadInput("WMA cut", _cut("wma"), "the file ends after"),
    BadInput("FLAC damaged", _overwritten("flac", at=0.6, size=500), "it is damaged after"),
    BadInput("MP3 damaged", _overwritten("mp3", at=0.5, size=4000), "it is damaged after"),
    BadInput("Ogg damaged", _overwritten("ogg", at=0.5, size=9000), "cannot be decoded"),
    BadInput("M4A damaged", _overwritten("m4a", at=0.5, size=9000), "it is damaged after"),
    BadInput("M4A, index damaged", _overwritten("m4a", at=0.0, size=90), "not audio"),
    BadInput(
        "NaN",
        _with_samples("a.wav", _with_a_value(np.nan), subtype="FLOAT"),
        "(NaN or infinite) after 1.0 s",
    ),
    BadInput(
        "NaN as the last sample",
        _with_samples("a.wav", _with_a_value(np.nan, at=-1), subtype="FLOAT"),
        "no sound (NaN or",
    ),
    BadInput(
        "infinite",
        _with_samples("a.aiff", _with_a_value(np.inf), subtype="DOUBLE"),
        "no sound (NaN",
    ),
    BadInput(
        "absurdly loud", _with_samples("a.wav", _with_a_value(1e30), subtype="FLOAT"), "no sound"
    ),
    BadInput("silence", _with_samples("a.flac", np.zeros((RATE, 2), np.float32)), "it is silent"),
    BadInput("-90 dBFS", _with_samples("a.wav", _QUIET, subtype="PCM_24"), "it is silent"),
    BadInput("opposite polarity", _with_samples("a.wav", _OPPOSITE), "cancel each other"),
    BadInput("384 kHz", _with_samples("a.wav", tone(rate=384_000), rate=384_000), "is 384 kHz"),
    BadInput("4 kHz", _with_samples("a.wav", tone(rate=4_000), rate=4_000), "is 4 kHz, outside"),
    BadInput(
        "no channels",
        _with_bytes("a.wav", _wav_header(channels=0, sound_bytes=20_000) + _RANDOM),
        "it is damaged",
    ),
    BadInput(
        "no sample rate",
        _with_bytes("a.wav", _wav_header(rate=0, sound_bytes=20_000) + _RANDOM),
        "it is damaged",
    ),
    BadInput(
        "unknown codec",
        _with_bytes("a.wav", _wav_header(codec=0x1234, sound_bytes=20_000) + _RANDOM),
        "stored in a way that is not known here",
    ),
    BadInput("protected", _protected, "it is protected against copying"),
    BadInput("video without sound", _silent_film, "it is a video without a sound track"),
]

GOOD_BUT_ODD_NAMES = [
    "ギター 二本目.wav",
    "Klavier — ünïcode.flac",
    "очень громко.m4a",
    "line\nbreak.wav",
    'quote\'s "and" %s {} \\.mp3',
    "  spaces  .ogg",
    "undecodable \udcff\udcfe.wav",
    "undecodable \udcff.m4a",
    "🎸" * 62 + ".wav",  # 252 bytes
    "x" * 251 + ".m4a",
    "-n.wav",
    "no suffix",
    "UPPER.WAV",
    "http:__example.org.m4a",
    "concat:a|b.m4a",
]
