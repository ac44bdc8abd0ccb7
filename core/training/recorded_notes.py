"""Instruments recorded note by note, put into SoundFonts that the synthesiser plays.

Two banks, so that an instrument sounds in two ways: other takes, other microphones, other makes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]  # it ships no types
import soxr  # type: ignore[import-untyped]  # it ships no types

from core.training.sound_sources import SoundSource, source_named
from core.training.soundfont_file import Preset, Zone, write_soundfont
from core.training.soundfonts import SAMPLE_RATE_HZ

BANKS = ("recorded-1", "recorded-2")
NOTE = r"(?P<letter>[A-Ga-g])(?P<accidental>[b#]?)(?P<octave>-?\d)"
SEMITONES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
LONGEST_S, FADE_S = 8.0, 0.3  # what is longer is faded out
LEAD_IN_S, SPEAKS_FROM = 0.004, 0.03  # of a note's peak
PEAK = 0.6  # of full scale: layers differ in sound, loudness comes from the velocity
LOUDEST_VELOCITY = 127


@dataclass(frozen=True, slots=True)
class RecordedNotes:
    """Which files of a source are one instrument; they name its notes and maybe layers.

    `octave_zero_pitch` is the MIDI pitch of what the file names call c0. `layers` go from soft to
    loud.
    """

    bank: str
    program: int
    source: str
    files: str
    octave_zero_pitch: int
    layers: tuple[str, ...] = ()
    release_s: float = 0.3

    @property
    def name(self) -> str:
        return f"{self.source} {self.program}"


FOUR_LAYERS = ("vl1", "vl2", "vl3", "vl4")
DYNAMICS = ("p", "mf", "f")
INSTRUMENTS = (
    RecordedNotes(
        "recorded-1",
        0,
        "splendid-grand",
        rf"Samples/(?P<layer>\w\w) {NOTE}\.flac",
        24,
        ("pp", "mp", "mf", "ff"),
        release_s=0.5,
    ),
    RecordedNotes(
        "recorded-1",
        27,
        "emilyguitar",
        rf"notes/{NOTE}_(?P<layer>\w+)_rr1\.wav",
        12,
        ("p", "mp", "mf", "f"),
    ),
    RecordedNotes(
        "recorded-1",
        26,
        "black-and-green-guitars",
        rf"Samples/black/ord/twang_{NOTE}_(?P<layer>\w+)_rr1\.wav",
        0,
        DYNAMICS,
    ),
    RecordedNotes(
        "recorded-1",
        28,
        "black-and-green-guitars",
        rf"Samples/black/stac/staccato_{NOTE}_rr1\.wav",
        0,
    ),
    RecordedNotes(
        "recorded-1",
        32,
        "double-bass",
        rf"pizz/pizz_{NOTE}_(?P<layer>[pmf])a\.wav",
        12,
        ("p", "m", "f"),
    ),
    RecordedNotes(
        "recorded-1",
        33,
        "growlybass",
        rf"sustain/{NOTE}_(?P<layer>\w+)_rr1\.wav",
        0,
        ("pp", "p", "f", "ff"),
    ),
    RecordedNotes(
        "recorded-1",
        34,
        "pastabass",
        rf"samples/spaghetti/{NOTE}_(?P<layer>vl\d)_rr1\.wav",
        0,
        ("vl1", "vl2", "vl3"),
    ),
    RecordedNotes(
        "recorded-1",
        65,
        "weresax",
        rf"Samples/alto/{NOTE}_(?P<layer>[pf])_rr1_cnd\.wav",
        24,
        ("p", "f"),
    ),
    RecordedNotes(
        "recorded-1",
        67,
        "bear-sax",
        rf"Samples/{NOTE}_looped_(?P<layer>[pf])\.wav",
        24,
        ("p", "f"),
    ),
    RecordedNotes(
        "recorded-2",
        25,
        "shinyguitar",
        rf"Samples/acoustic/{NOTE}_(?P<layer>vl\d)_rr1_1\.wav",
        12,
        FOUR_LAYERS,
    ),
    RecordedNotes(
        "recorded-2",
        26,
        "shinyguitar",
        rf"Samples/electric/{NOTE}_(?P<layer>vl\d)_rr2_2\.wav",
        12,
        FOUR_LAYERS,
    ),
    RecordedNotes(
        "recorded-2",
        27,
        "black-and-green-guitars",
        rf"Samples/green/ord/twang_{NOTE}_(?P<layer>\w+)_rr1\.wav",
        0,
        DYNAMICS,
    ),
    RecordedNotes(
        "recorded-2",
        28,
        "black-and-green-guitars",
        rf"Samples/green/stac/staccato_{NOTE}_rr1\.wav",
        0,
    ),
    RecordedNotes(
        "recorded-2",
        32,
        "meatbass",
        rf"Samples/pizz/{NOTE}_(?P<layer>vl\d)_rr1\.wav",
        12,
        FOUR_LAYERS,
    ),
    RecordedNotes(
        "recorded-2",
        33,
        "pastabass",
        rf"samples/fetuccine/{NOTE}_(?P<layer>vl\d)_rr1\.wav",
        0,
        FOUR_LAYERS,
    ),
    RecordedNotes(
        "recorded-2",
        34,
        "pastabass",
        rf"samples/linguine/{NOTE}_(?P<layer>vl\d)_rr2\.wav",
        0,
        ("vl1", "vl2", "vl3"),
    ),
    RecordedNotes(
        "recorded-2",
        65,
        "weresax",
        rf"Samples/alto/{NOTE}_(?P<layer>[pf])_rr2_dnm\.wav",
        24,
        ("p", "f"),
    ),
)


def sources_of(bank: str) -> list[SoundSource]:
    """Return what must be there to make one of BANKS."""
    names = dict.fromkeys(notes.source for notes in INSTRUMENTS if notes.bank == bank)
    return [source_named(name) for name in names]


def write_bank(path: Path, bank: str) -> None:
    """Write one of BANKS as a SoundFont; raises FileNotFoundError where its recordings lack."""
    presets = [_preset(notes) for notes in INSTRUMENTS if notes.bank == bank]
    write_soundfont(path, f"Notewright {bank}", presets, sample_rate_hz=SAMPLE_RATE_HZ)


def _preset(notes: RecordedNotes) -> Preset:
    source = source_named(notes.source)
    assert source.path is not None
    recorded: dict[str, dict[int, Path]] = {}
    for path in sorted(source.path.rglob("*")):
        named = re.fullmatch(notes.files, path.relative_to(source.path).as_posix())
        if named:
            layer = named.groupdict().get("layer", "").casefold()
            pitch = notes.octave_zero_pitch + _semitones(named)
            recorded.setdefault(layer, {})[pitch] = path
    layers = [recorded[layer] for layer in notes.layers or ("",) if layer in recorded]
    if not layers:
        raise FileNotFoundError(
            f"no recordings of '{notes.name}' in '{source.path}'; {source.way_to_get}"
        )
    softest = np.linspace(0, LOUDEST_VELOCITY + 1, len(layers) + 1).astype(int)
    zones = [
        Zone(
            recorded_note(path),
            pitch,
            (lowest, highest),
            (int(softest[number]), int(softest[number + 1]) - 1),
            notes.release_s,
        )
        for number, layer in enumerate(layers)
        for (pitch, path), (lowest, highest) in zip(
            sorted(layer.items()), _ranges(sorted(layer)), strict=True
        )
    ]
    return Preset(notes.name, notes.program, tuple(zones))


def recorded_note(path: Path) -> npt.NDArray[np.int16]:
    """Read a recording as mono [sample] at SAMPLE_RATE_HZ, from where it speaks."""
    sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    mono = soxr.resample(sound.mean(1), rate_hz, SAMPLE_RATE_HZ)
    loudest = np.abs(mono).max()
    speaks = int(np.argmax(np.abs(mono) >= SPEAKS_FROM * loudest))
    mono = mono[max(0, speaks - int(LEAD_IN_S * SAMPLE_RATE_HZ)) :][
        : int(LONGEST_S * SAMPLE_RATE_HZ)
    ]
    fade = min(len(mono), int(FADE_S * SAMPLE_RATE_HZ))
    mono[len(mono) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return np.asarray(mono * (PEAK / loudest * 32_767), np.int16)


def _ranges(pitches: Sequence[int]) -> list[tuple[int, int]]:
    """Return which pitches each recorded one plays: those that are nearest to it."""
    middles = [(low + high) // 2 for low, high in pairwise(pitches)]
    return list(zip([0, *(middle + 1 for middle in middles)], [*middles, 127], strict=True))


def _semitones(named: re.Match[str]) -> int:
    """Return how far a note lies above the c0 of its file name."""
    step = {"": 0, "#": 1, "b": -1}[named["accidental"]]
    return SEMITONES[named["letter"].casefold()] + step + 12 * int(named["octave"])
