"""Container: what a file is, judged by its bytes, and whether its end is missing.

The name of a file is never asked: a wav that is called .mp3 is a wav.
Sources: the header layouts of RIFF/RF64 (EBU Tech 3306), AIFF, CAF, Sony W64, Ogg (RFC 3533), ISO
media files and MPEG audio.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from core.audio.disk_file import DiskFile

HEAD_BYTES = 64 * 1024  # MP3 rips may begin with padding this long before the first frame
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
MOST_CHUNKS = 1000  # in front of the sound; a damaged file may look like endless empty chunks
_UNKNOWN_SIZE_32 = 0xFFFFFFFF  # written by programs that stream to a pipe, and by RF64


class Decoder(Enum):
    """Which library decodes the file."""

    LIBSNDFILE = "libsndfile"
    FFMPEG = "ffmpeg"


@dataclass(frozen=True, slots=True)
class Container:
    """A kind of file: its `name` for people, its decoder, and the demuxer that ffmpeg must use."""

    name: str
    decoder: Decoder
    demuxer: str | None = None
    states_duration: bool = True  # False: ffmpeg's duration would be a guess from the bit rate


WAV = Container("WAV", Decoder.LIBSNDFILE)
RIFX = Container("WAV (big-endian)", Decoder.LIBSNDFILE)
RF64 = Container("RF64", Decoder.LIBSNDFILE)
AIFF = Container("AIFF", Decoder.LIBSNDFILE)
W64 = Container("W64", Decoder.LIBSNDFILE)
AU = Container("AU", Decoder.LIBSNDFILE)
FLAC = Container("FLAC", Decoder.LIBSNDFILE)
OGG = Container("Ogg", Decoder.LIBSNDFILE)
MP3 = Container("MP3", Decoder.LIBSNDFILE)
# libsndfile decodes Opus too, four times slower than ffmpeg; and CAF, but not AAC in it.
OGG_BY_FFMPEG = Container("Ogg", Decoder.FFMPEG, "ogg")
WAV_BY_FFMPEG = Container("WAV", Decoder.FFMPEG, "wav")
CAF = Container("CAF", Decoder.FFMPEG, "caf")
MP4 = Container("MP4", Decoder.FFMPEG, "mov")
MATROSKA = Container("Matroska", Decoder.FFMPEG, "matroska")
ASF = Container("ASF", Decoder.FFMPEG, "asf")
WAVPACK = Container("WavPack", Decoder.FFMPEG, "wv")
ADTS = Container("AAC", Decoder.FFMPEG, "aac", states_duration=False)

_AUDIO_BY_START: tuple[tuple[int, bytes, Container], ...] = (
    (0, b"RF64", RF64),
    (0, b"riff\x2e\x91\xcf\x11", W64),
    (0, b"fLaC", FLAC),
    (0, b"caff", CAF),
    (0, b".snd", AU),
    (0, b"wvpk", WAVPACK),
    (0, b"\x1a\x45\xdf\xa3", MATROSKA),
    (0, bytes.fromhex("3026b2758e66cf11"), ASF),
    (4, b"ftyp", MP4),
    (4, b"moov", MP4),  # QuickTime of the time before ftyp
    (4, b"mdat", MP4),
    (4, b"wide", MP4),
    (8, b"AIFF", AIFF),
    (8, b"AIFC", AIFF),
)

_OTHER_BY_START: tuple[tuple[int, bytes, str], ...] = (
    (0, b"MThd", "a MIDI file"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x89PNG", "an image"),
    (0, b"\xff\xd8\xff", "an image"),
    (0, b"GIF8", "an image"),
    (8, b"WEBP", "an image"),
    (0, b"BM", "an image"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"7z\xbc\xaf", "a 7-Zip archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
)

_WAV_FORMATS_OF_LIBSNDFILE = {1, 2, 3, 6, 7, 0x11, 0x14, 0x31, 0x40, 0x64, 0xFFFE}
_OGG_CODECS_OF_LIBSNDFILE = (b"\x01vorbis", b"\x7fFLAC")


def container_of(file: DiskFile) -> Container | None:
    """Return the kind of the open `file`, or None if it is no audio or video that is known here."""
    head = _read_at(file, 0, HEAD_BYTES)
    if head[:3] == b"ID3":  # a tag in front of MP3, and by some taggers of FLAC and AAC
        head = _read_at(file, _id3_bytes(head), HEAD_BYTES)
    for offset, start, container in _AUDIO_BY_START:
        if head[offset:].startswith(start):
            return container
    if head[:4] in (b"RIFF", b"RIFX") and head[8:12] == b"WAVE":
        return _wav(file, head)
    if head[:4] == b"OggS":
        return _ogg(head)
    return _mpeg_audio(head)


def other_kind_of(file: DiskFile) -> str | None:
    """Name what a file is that is no audio ("a PDF document"), or None if that is unknown."""
    head = _read_at(file, 0, HEAD_BYTES)
    for offset, start, name in _OTHER_BY_START:
        if head[offset:].startswith(start):
            return name
    return "a text file" if _is_text(head) else None


def stated_fraction_present(file: DiskFile, container: Container) -> float:
    """Return which part of the stated sound bytes of an uncompressed file is there, 0..1.

    libsndfile reads what there is and keeps quiet about the rest, so the chunks are walked here.
    """
    if container is AU:
        start, stated = struct.unpack(">II", _read_at(file, 4, 8).ljust(8, b"\0"))
        return _fraction(file.size_bytes - start, stated if stated != _UNKNOWN_SIZE_32 else 0)
    layout = _LAYOUTS.get(container.name)
    if layout is None:
        return 1.0
    stated_64 = 0
    for chunk in _chunks(file, layout):
        if chunk.name == b"ds64":  # RF64: sizes of the file and of the sound, 64 bits each
            sizes = _read_at(file, chunk.start, 16).ljust(16, b"\0")
            (stated_64,) = struct.unpack("<8xQ", sizes)
        if chunk.name == layout.sound_chunk:
            stated = stated_64 if chunk.stated_bytes == _UNKNOWN_SIZE_32 else chunk.stated_bytes
            return _fraction(file.size_bytes - chunk.start, stated)
    return 1.0


def asf_duration_s(file: DiskFile) -> float | None:
    """Return the length that a WMA file states; ffmpeg looks at the end of the file instead."""
    head = _read_at(file, 0, HEAD_BYTES)
    fields_at = head.find(_ASF_FILE_PROPERTIES) + 64  # size, file id, bytes, date, packets skipped
    if fields_at < 64 or len(head) < fields_at + 24:
        return None
    play_100ns, _, preroll_ms = struct.unpack("<QQQ", head[fields_at : fields_at + 24])
    return play_100ns / 1e7 - preroll_ms / 1e3 or None


def _fraction(present_bytes: int, stated_bytes: int) -> float:
    """Return the part that is there; unknown sizes are zero or negative."""
    return min(1.0, max(0, present_bytes) / stated_bytes) if stated_bytes > 0 else 1.0


def breaks_off(file: DiskFile, container: Container) -> bool:
    """Tell whether an Ogg file ends within a page; Ogg states its length nowhere else."""
    if container.name != "Ogg":
        return False
    tail = _read_at(file, max(0, file.size_bytes - 2 * HEAD_BYTES), 2 * HEAD_BYTES)
    page = tail[tail.rfind(b"OggS") :]
    segments = page[26] if len(page) > 26 else 255
    return len(page) < 27 + segments or len(page) < 27 + segments + sum(page[27 : 27 + segments])


@dataclass(frozen=True, slots=True)
class _ChunkLayout:
    first: int
    sound_chunk: bytes
    size: str
    id_bytes: int = 4
    alignment: int = 2
    size_counts_header: bool = False

    @property
    def size_bytes(self) -> int:
        return struct.calcsize(self.size)


_LAYOUTS = {
    "WAV": _ChunkLayout(12, b"data", "<I"),
    "WAV (big-endian)": _ChunkLayout(12, b"data", ">I"),
    "RF64": _ChunkLayout(12, b"data", "<I"),
    "AIFF": _ChunkLayout(12, b"SSND", ">I"),
    "CAF": _ChunkLayout(8, b"data", ">q", alignment=1),
    "W64": _ChunkLayout(
        40,
        b"data" + bytes.fromhex("f3acd3118cd100c04f8edb8a"),
        "<Q",
        id_bytes=16,
        alignment=8,
        size_counts_header=True,
    ),
}


@dataclass(frozen=True, slots=True)
class _Chunk:
    name: bytes
    start: int  # of the content, in the file
    stated_bytes: int


def _chunks(file: DiskFile, layout: _ChunkLayout) -> Iterator[_Chunk]:
    """Yield the chunks from the first on; a chunk of negative (unknown) size is the last."""
    offset = layout.first
    header_bytes = layout.id_bytes + layout.size_bytes
    for _ in range(MOST_CHUNKS):
        header = _read_at(file, offset, header_bytes)
        if len(header) < header_bytes:
            return
        (stated_bytes,) = struct.unpack(layout.size, header[layout.id_bytes :])
        if layout.size_counts_header:
            stated_bytes -= header_bytes
        yield _Chunk(header[: layout.id_bytes], offset + header_bytes, stated_bytes)
        if stated_bytes < 0:
            return
        offset += header_bytes + stated_bytes + (-stated_bytes) % layout.alignment


def _read_at(file: DiskFile, offset: int, size_bytes: int) -> bytes:
    file.seek(offset)
    return file.read(size_bytes)


def _id3_bytes(head: bytes) -> int:
    """Return the length of an ID3v2 tag with its header; its size has seven bits in a byte."""
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _wav(file: DiskFile, head: bytes) -> Container:
    """Choose by the codec in the fmt chunk: MP3 in WAV and the like need ffmpeg."""
    wav = WAV if head[:4] == b"RIFF" else RIFX
    layout = _LAYOUTS[wav.name]
    for chunk in _chunks(file, layout):
        if chunk.name == b"fmt ":
            endian: Literal["little", "big"] = "little" if wav is WAV else "big"
            codec = int.from_bytes(_read_at(file, chunk.start, 2), endian)
            if codec not in _WAV_FORMATS_OF_LIBSNDFILE:
                return WAV_BY_FFMPEG
        # A recording that was interrupted states no sound and holds it; libsndfile believes it.
        if chunk.name == b"data" and not chunk.stated_bytes and chunk.start < file.size_bytes:
            return WAV_BY_FFMPEG
    return wav


def _ogg(head: bytes) -> Container:
    segments = head[26] if len(head) > 26 else 0
    first_packet = head[27 + segments :]
    return OGG if first_packet.startswith(_OGG_CODECS_OF_LIBSNDFILE) else OGG_BY_FFMPEG


_MP3_KBPS = {  # bit rate by index, per (is MPEG 1, layer); ISO 11172-3 and 13818-3
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MP3_RATES = (44100, 48000, 32000)


def _mpeg_audio(head: bytes) -> Container | None:
    """Find two successive frames of MP3 or raw AAC; one sync word alone occurs in anything."""
    sync = head.find(b"\xff")
    while 0 <= sync < len(head) - 7:
        frame_bytes = _mpeg_frame_bytes(head, sync)
        following = head[sync + frame_bytes : sync + frame_bytes + 2]
        kind = head[sync + 1] & 0xF6  # sync, version and layer are the same in every frame
        if (
            frame_bytes
            and following[:1] == b"\xff"
            and following[1:2]
            and following[1] & 0xF6 == kind
        ):
            return ADTS if kind == 0xF0 else MP3
        sync = head.find(b"\xff", sync + 1)
    return None


def _mpeg_frame_bytes(head: bytes, sync: int) -> int:
    """Return the length of the frame whose header begins at `sync`; 0 if it is no frame header."""
    second, third = head[sync + 1], head[sync + 2]
    if second & 0xF6 == 0xF0:  # ADTS: layer bits zero; 13 bits of length
        length = (head[sync + 3] & 3) << 11 | head[sync + 4] << 3 | head[sync + 5] >> 5
        return length if length >= 7 else 0
    version, layer = second >> 3 & 3, 4 - (second >> 1 & 3)
    bit_rate, rate = third >> 4, third >> 2 & 3
    if second & 0xE0 != 0xE0 or version == 1 or layer == 4 or bit_rate in (0, 15) or rate == 3:
        return 0
    bits = 1000 * _MP3_KBPS[version == 3, layer][bit_rate]
    sample_rate = _MP3_RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    padding = third >> 1 & 1
    if layer == 1:
        return (12 * bits // sample_rate + padding) * 4
    return (144 if layer == 2 or version == 3 else 72) * bits // sample_rate + padding


def _is_text(head: bytes) -> bool:
    if not head or b"\0" in head:
        return False
    try:
        head[: 4 * 1024].decode("utf-8")
    except UnicodeDecodeError as reason:
        return reason.start > 0 and reason.reason == "unexpected end of data"
    return True
