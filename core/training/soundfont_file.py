"""Write SoundFont 2.01 files: recorded notes as presets that any synthesiser plays."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

# Generators of the specification ("SoundFont Technical Specification", 2.01, section 8.1.2).
INSTRUMENT, KEY_RANGE, VELOCITY_RANGE, SAMPLE = 41, 43, 44, 53
RELEASE, LOOPING, ROOT_KEY = 38, 54, 58
SILENCE_SAMPLES = 46  # the specification asks for them after every sample
MONO = 1


@dataclass(frozen=True, slots=True)
class Zone:
    """One recorded note and where it is played; both ends of a range belong to it."""

    samples: npt.NDArray[np.int16]  # [sample]
    root_pitch: int
    pitches: tuple[int, int]
    velocities: tuple[int, int]
    release_s: float  # by which it fades by 100 dB once the key is let go
    loop: tuple[int, int] | None = None  # samples that are repeated while the key is held


@dataclass(frozen=True, slots=True)
class Preset:
    """One instrument, by its program of General MIDI."""

    name: str
    program: int
    zones: tuple[Zone, ...]


def write_soundfont(
    path: Path, name: str, presets: Sequence[Preset], *, sample_rate_hz: int
) -> None:
    """Write presets of bank 0; each has an instrument of its own. All samples have one rate."""
    info = _chunk(b"ifil", struct.pack("<HH", 2, 1))
    info += _chunk(b"isng", _text("EMU8000")) + _chunk(b"INAM", _text(name))
    zones = [zone for preset in presets for zone in preset.zones]
    silence = np.zeros(SILENCE_SAMPLES, np.int16)
    sound = np.concatenate([part for zone in zones for part in (zone.samples, silence)])
    body = b"sfbk" + _list(b"INFO", info)
    body += _list(b"sdta", _chunk(b"smpl", sound.astype("<i2").tobytes()))
    body += _list(b"pdta", _hydra(presets, zones, sample_rate_hz))
    path.write_bytes(_chunk(b"RIFF", body))


def _hydra(presets: Sequence[Preset], zones: Sequence[Zone], sample_rate_hz: int) -> bytes:
    """Return the nine tables: presets point to instruments, these by zones to samples."""
    bags = [1] * len(presets)
    splits = [len(preset.zones) for preset in presets]
    preset_rows = [
        struct.pack("<20sHHHIII", _name(preset.name), preset.program, 0, number, 0, 0, 0)
        for number, preset in enumerate(presets)
    ]
    preset_rows.append(struct.pack("<20sHHHIII", b"EOP", 0, 0, sum(bags), 0, 0, 0))
    instrument_rows = [
        struct.pack("<20sH", _name(preset.name), first)
        for preset, first in zip(presets, _starts(splits), strict=True)
    ]
    instrument_rows.append(struct.pack("<20sH", b"EOI", len(zones)))
    choices = [_generator(INSTRUMENT, number) for number in range(len(presets))]
    settings = [_settings(zone, number) for number, zone in enumerate(zones)]
    no_modulator = struct.pack("<HHhHH", 0, 0, 0, 0, 0)
    tables = (
        (b"phdr", preset_rows),
        (b"pbag", _bags([1] * len(choices))),
        (b"pmod", [no_modulator]),
        (b"pgen", [*choices, _generator(0, 0)]),
        (b"inst", instrument_rows),
        (b"ibag", _bags([len(setting) for setting in settings])),
        (b"imod", [no_modulator]),
        (b"igen", [*(row for setting in settings for row in setting), _generator(0, 0)]),
        (b"shdr", list(_sample_headers(zones, sample_rate_hz))),
    )
    return b"".join(_chunk(tag, b"".join(rows)) for tag, rows in tables)


def _settings(zone: Zone, number: int) -> list[bytes]:
    """Return a zone's generators; the specification asks for the ranges first, the sample last."""
    release_timecents = round(1200 * np.log2(zone.release_s))
    return [
        _range(KEY_RANGE, zone.pitches),
        _range(VELOCITY_RANGE, zone.velocities),
        _generator(RELEASE, release_timecents),
        _generator(LOOPING, int(zone.loop is not None)),
        _generator(ROOT_KEY, zone.root_pitch),
        _generator(SAMPLE, number),
    ]


def _sample_headers(zones: Sequence[Zone], sample_rate_hz: int) -> Iterator[bytes]:
    lengths = [len(zone.samples) + SILENCE_SAMPLES for zone in zones]
    for number, (zone, start) in enumerate(zip(zones, _starts(lengths), strict=True)):
        end = start + len(zone.samples)
        first, last = zone.loop or (0, len(zone.samples))
        yield struct.pack(
            "<20sIIIIIBbHH",
            _name(f"sample {number}"),
            start,
            end,
            start + first,
            start + last,
            sample_rate_hz,
            zone.root_pitch,
            0,
            0,
            MONO,
        )
    yield struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)


def _bags(generators: Iterable[int]) -> list[bytes]:
    """Return where each zone's generators start, and where the last ones end."""
    counts = list(generators)
    return [struct.pack("<HH", start, 0) for start in (*_starts(counts), sum(counts))]


def _starts(lengths: Sequence[int]) -> list[int]:
    return [sum(lengths[:number]) for number in range(len(lengths))]


def _generator(kind: int, amount: int) -> bytes:
    return struct.pack("<Hh", kind, amount)


def _range(kind: int, ends: tuple[int, int]) -> bytes:
    return struct.pack("<HBB", kind, *ends)


def _list(kind: bytes, content: bytes) -> bytes:
    return _chunk(b"LIST", kind + content)


def _chunk(tag: bytes, content: bytes) -> bytes:
    return tag + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _text(text: str) -> bytes:
    encoded = text.encode("ascii") + b"\0"
    return encoded + b"\0" * (len(encoded) % 2)


def _name(text: str) -> bytes:
    return text.encode("ascii")[:19]
