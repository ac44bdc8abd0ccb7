"""Instruments recorded note by note, put into SoundFonts that the synthesiser plays.

Two banks, so that an instrument sounds in two ways: other takes, other microphones, other makes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]  # it ships no types
import soxr  # type: ignore[import-untyped]  # it ships no types

from core.training.recorded_voice import RecordedVoice, voice_of
from core.training.sound_sources import SoundSource, source_named
from core.training.soundfont_file import Preset, Zone, write_soundfont
from core.training.soundfonts import SAMPLE_RATE_HZ
from core.training.sustained_notes import TooShortError, from_where_heard, in_tune, looped

BANKS = ("recorded-1", "recorded-2", "recorded-3", "recorded-4")
NOTE = r"(?P<letter>[A-Ha-h])(?P<accidental>is|[b#])?(?P<octave>-?\d)"
KEY = r"(?P<key>\d\d)"  # the MIDI pitch itself
SEMITONES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11, "h": 11}
LONGEST_S, FADE_S = 8.0, 0.3  # what is longer is faded out
LEAD_IN_S, SPEAKS_FROM = 0.004, 0.03  # of a note's peak
PEAK = 0.6  # of full scale: layers differ in sound, loudness comes from the velocity
LOUDEST_VELOCITY = 127

Samples16 = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class RecordedNotes:
    """Which files of a source are one instrument; they name its notes and maybe layers.

    `octave_zero_pitch` is the MIDI pitch of what the file names call c0. `layers` go from soft to
    loud. Sustained notes are brought into tune and last for as long as a key is held.
    """

    bank: str
    program: int
    source: str
    files: str
    octave_zero_pitch: int = 12
    layers: tuple[str, ...] = ()
    release_s: float = 0.3
    is_sustained: bool = False

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
    RecordedNotes(
        "recorded-3",
        0,
        "upright-piano-kw",
        rf"samples/{NOTE}v(?P<layer>[LH])\.flac",
        12,
        ("l", "h"),
        release_s=0.5,
    ),
    RecordedNotes("recorded-3", 24, "spanish-guitar", rf"samples/{NOTE}\.flac"),
    RecordedNotes("recorded-3", 45, "bigcat-cello", rf"Samples/pizzcato/{NOTE}_1\.wav", 24),
    RecordedNotes("recorded-4", 45, "bigcat-cello", rf"Samples/pizzcato/{NOTE}_3\.wav", 24),
    RecordedNotes(
        "recorded-3",
        42,
        "bigcat-cello",
        rf"Samples/sus/{NOTE}_(?P<layer>p|mf|f)_d\.wav",
        24,
        DYNAMICS,
        is_sustained=True,
    ),
    RecordedNotes(
        "recorded-4",
        43,
        "bigcat-cello",
        rf"Samples/sus/{NOTE}_(?P<layer>p|mf|f)_g\.wav",
        24,
        DYNAMICS,
        is_sustained=True,
    ),
    RecordedNotes(
        "recorded-4", 21, "accordion-hn", rf"Button Accordion HN {NOTE}\.flac", 0, is_sustained=True
    ),
    RecordedNotes(
        "recorded-3", 58, "war-tuba", rf"Samples/{NOTE}_sus_cnd\.wav", 24, is_sustained=True
    ),
    RecordedNotes(
        "recorded-4", 58, "war-tuba", rf"Samples/{NOTE}_sus_dyn\.wav", 24, is_sustained=True
    ),
    *(
        RecordedNotes(bank, program, "spectmorph", rf"{files}\.flac", is_sustained=True)
        for bank, program, files in (
            # Higher up on each string of the violin the names of the files are not what sounds.
            ("recorded-3", 40, r"violin/[ag]-note-(?P<key>5\d|6[0-59]|7\d)"),
            ("recorded-4", 40, r"violin/[de]-note-(?P<key>6[2-9]|7[016-9]|8[0-4])"),
            ("recorded-3", 41, rf"viola/Vla_ff-{KEY}-\w+"),
            ("recorded-4", 42, rf"cello/[acdg]-note-{KEY}"),
            ("recorded-3", 43, rf"double-bass/Kb\w*-ff-{KEY}-\w+-arco"),
            ("recorded-3", 52, rf"mirko-ah/mirko-ah-{KEY}"),
            ("recorded-4", 52, rf"mirko-oh/mirko-oh-{KEY}"),
            ("recorded-3", 53, rf"(?:claudia-ah/claudia-ah-\w+|sven-ah/Sven-a)-{KEY}"),
            ("recorded-4", 53, rf"(?:claudia-oh/claudia-oh-\w+|sven-oh/Sven-o)-{KEY}"),
            ("recorded-4", 54, rf"(?:claudia-ih/claudia-ih-\w+|sven-ih/Sven-i)-{KEY}"),
            ("recorded-3", 56, rf"trumpet/trumpet-ff-{NOTE}"),
            ("recorded-3", 57, rf"tenor-trombone/TenPos_\w+-{KEY}-\w+"),
            ("recorded-4", 57, rf"bass-trombone/note-{KEY}"),
            ("recorded-3", 60, rf"french-horn/note-{KEY}"),
            ("recorded-3", 64, rf"soprano-saxophone/SopRSax-ff-{KEY}-\w+"),
            ("recorded-4", 65, rf"alto-saxophone/note-{KEY}"),
            ("recorded-3", 68, rf"oboe/note-{KEY}"),
            ("recorded-4", 70, rf"bassoon/note-{KEY}"),
            ("recorded-3", 71, rf"clarinet/Cl_ff-{KEY}-\w+"),
            ("recorded-4", 71, rf"bass-clarinet/BCl_ff-{KEY}-\w+"),
            ("recorded-3", 73, rf"alto-flute/note-{KEY}"),
            ("recorded-4", 73, rf"bass-flute/Bassfl_ff-{KEY}-\w+"),
        )
    ),
)


def sources_of(bank: str) -> list[SoundSource]:
    """Return what must be there to make one of BANKS."""
    names = dict.fromkeys(notes.source for notes in INSTRUMENTS if notes.bank == bank)
    return [source_named(name) for name in names]


def voices_of(bank: str) -> list[RecordedVoice]:
    """Read who sustains notes in one of BANKS; FileNotFoundError where their recordings lack."""
    sustained = [notes for notes in INSTRUMENTS if notes.bank == bank and notes.is_sustained]
    voices = [voice_of(preset_of(notes)) for notes in sustained]
    return [voice for voice in voices if voice is not None]


def write_bank(path: Path, bank: str) -> None:
    """Write one of BANKS as a SoundFont; raises FileNotFoundError where its recordings lack."""
    presets = [preset_of(notes) for notes in INSTRUMENTS if notes.bank == bank]
    write_soundfont(path, f"Notewright {bank}", presets, sample_rate_hz=SAMPLE_RATE_HZ)


def preset_of(notes: RecordedNotes) -> Preset:
    """Read an instrument; raises FileNotFoundError where its recordings lack."""
    source = source_named(notes.source)
    assert source.path is not None
    recorded: dict[str, dict[int, Path]] = {}
    for path in sorted(source.path.rglob("*")):
        named = re.fullmatch(notes.files, path.relative_to(source.path).as_posix())
        if named:
            layer = named.groupdict().get("layer", "").casefold()
            recorded.setdefault(layer, {})[_pitch(named, notes.octave_zero_pitch)] = path
    layers = [recorded[layer] for layer in notes.layers or ("",) if layer in recorded]
    if not layers:
        raise FileNotFoundError(
            f"no recordings of '{notes.name}' in '{source.path}'; {source.way_to_get}"
        )
    softest = np.linspace(0, LOUDEST_VELOCITY + 1, len(layers) + 1).astype(int)
    zones: list[Zone] = []
    for number, layer in enumerate(layers):
        velocities = int(softest[number]), int(softest[number + 1]) - 1
        zones += _zones(notes, layer, velocities)
    return Preset(notes.name, notes.program, tuple(zones))


def _zones(
    notes: RecordedNotes, layer: Mapping[int, Path], velocities: tuple[int, int]
) -> list[Zone]:
    samples: dict[int, Samples16] = {}
    loops: dict[int, tuple[int, int]] = {}
    for pitch, path in sorted(layer.items()):
        sound = recorded_note(path)
        if notes.is_sustained:
            try:
                tuned = in_tune(sound, pitch, SAMPLE_RATE_HZ)
                heard = from_where_heard(tuned, SAMPLE_RATE_HZ)
                sound, loops[pitch] = looped(heard, SAMPLE_RATE_HZ)
            except TooShortError:
                continue
        samples[pitch] = _as_loud_as_all(sound)
    return [
        Zone(sound, pitch, keys, velocities, notes.release_s, loops.get(pitch))
        for (pitch, sound), keys in zip(samples.items(), _ranges(list(samples)), strict=True)
    ]


def recorded_note(path: Path) -> npt.NDArray[np.float32]:
    """Read a recording as mono [sample] at SAMPLE_RATE_HZ, from where it speaks."""
    sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    mono = np.asarray(soxr.resample(sound.mean(1), rate_hz, SAMPLE_RATE_HZ), np.float32)
    loudest = np.abs(mono).max()
    speaks = int(np.argmax(np.abs(mono) >= SPEAKS_FROM * loudest))
    mono = mono[max(0, speaks - int(LEAD_IN_S * SAMPLE_RATE_HZ)) :][
        : int(LONGEST_S * SAMPLE_RATE_HZ)
    ]
    fade = min(len(mono), int(FADE_S * SAMPLE_RATE_HZ))
    mono[len(mono) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return mono


def _as_loud_as_all(sound: npt.NDArray[np.float32]) -> Samples16:
    return np.asarray(sound * (PEAK / np.abs(sound).max() * 32_767), np.int16)


def _ranges(pitches: Sequence[int]) -> list[tuple[int, int]]:
    """Return which pitches each recorded one plays: those that are nearest to it."""
    middles = [(low + high) // 2 for low, high in pairwise(pitches)]
    return list(zip([0, *(middle + 1 for middle in middles)], [*middles, 127], strict=True))


def _pitch(named: re.Match[str], octave_zero_pitch: int) -> int:
    """Return which MIDI pitch a file name means."""
    if "key" in named.groupdict():
        return int(named["key"])
    step = {None: 0, "#": 1, "is": 1, "b": -1}[named["accidental"]]
    letter = SEMITONES[named["letter"].casefold()]
    return octave_zero_pitch + letter + step + 12 * int(named["octave"])
