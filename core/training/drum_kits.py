"""Drum kits as one-shots per class: from SoundFonts, Hydrogen kits and our own synthesiser."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import soundfile  # type: ignore[import-untyped]  # it ships no types
import soxr  # type: ignore[import-untyped]  # it ships no types

from core.training.drum_synth import SAMPLE_RATE_HZ, Drum, Kit, Samples, random_kit
from core.training.part import PlayedNote
from core.training.sound_sources import SoundSource
from core.training.soundfonts import DRUM_BANK, SoundFont

KEYS_OF_DRUM = {
    Drum.KICK: (35, 36),
    Drum.SNARE: (38, 40),
    Drum.CLOSED_HAT: (42,),
    Drum.OPEN_HAT: (46,),
    Drum.TOM: (41, 43, 45, 47, 48, 50),
    Drum.CRASH: (49, 57, 52, 55),
    Drum.RIDE: (51, 59, 53),
    Drum.RIM: (37,),
    Drum.CLAP: (39,),
    Drum.PEDAL_HAT: (44,),
}
DRUM_OF_KEY = {key: drum for drum, keys in KEYS_OF_DRUM.items() for key in keys}
OTHER_PERCUSSION_KEYS = (31, 33, 34, 54, 56, 58, *range(60, 82))  # sticks, tambourine to triangle
KIT_PROGRAMS = (*range(20), 24, 25, 32, 33, 34, 35, 36, 40, 41, 42, 48, 56)
SOFT, LOUD = 50, 110
LONGEST_HIT_S = 2.5
SIZES = ("lo", "mid", "hi")
SONIC_PI_KICKS = (
    *("808", "ada", "boom", "fat", "gas", "haus", "klub", "mehackit", "pure", "sone", "tek"),
    *("zome", "zum"),
)
TAKES = 6  # of each drum and microphone, from soft to loud
LEAST_DRUMS = (Drum.KICK, Drum.SNARE, Drum.CLOSED_HAT)

_OTHER_PERCUSSION = re.compile(
    r"conga|cow|tamb|shak|clave|whist|fx|click|bongo|timb|triangle|guiro|drum_|voice|marac"
    r"|perc|noise|zap|loop|cymbal"
)
_SNARE_FOLDER = re.compile(r"\d+[a-z]?_(basic|brush|muted|tight|rimshot)")  # not its clangs
_DRUM_NAMES = (
    (Drum.PEDAL_HAT, r"pedal|foot"),
    (Drum.CLOSED_HAT, r"clos|chh|hat.?c|hh.?c|hhc|hh_?cl|tight|hat_low|hat-light"),
    (Drum.OPEN_HAT, r"open|ohh|hat.?o|hh.?o|hho"),
    (Drum.KICK, r"kick|bass.?drum|\bbd|bd[_-]|_bd|^bd"),
    (Drum.RIM, r"rim|side.?stick|stick"),
    (Drum.CLAP, r"clap"),
    (Drum.SNARE, r"snare|\bsd|sd[_-]|_sd"),
    (Drum.TOM, r"tom"),
    (Drum.CRASH, r"crash|splash|china"),
    (Drum.RIDE, r"ride|bell"),
    (Drum.CLOSED_HAT, r"hat|hh"),
)

# Sonic Pi's samples: one acoustic kit, and strokes of many drum machines.
_SONIC_PI_KITS: tuple[dict[Drum, tuple[str, ...]], ...] = (
    {
        Drum.KICK: ("drum_bass_soft", "drum_bass_hard", "drum_heavy_kick"),
        Drum.SNARE: ("drum_snare_soft", "drum_snare_hard"),
        Drum.CLOSED_HAT: ("drum_cymbal_closed",),
        Drum.PEDAL_HAT: ("drum_cymbal_pedal",),
        Drum.OPEN_HAT: ("drum_cymbal_open",),
        Drum.TOM: tuple(f"drum_tom_{size}_{how}" for size in SIZES for how in ("soft", "hard")),
        Drum.CRASH: ("drum_splash_soft", "drum_splash_hard"),
    },
    {
        Drum.KICK: tuple(f"bd_{name}" for name in SONIC_PI_KICKS),
        Drum.SNARE: tuple(f"sn_{name}" for name in ("dolf", "dub", "generic", "zome"))
        + tuple(f"elec_{name}snare" for name in ("", "lo_", "mid_", "hi_", "filt_")),
        Drum.CLOSED_HAT: ("drum_cymbal_closed",),
        Drum.OPEN_HAT: ("drum_cymbal_open", "elec_cymbal"),
        Drum.TOM: ("elec_fuzz_tom",),
    },
)
# How the strokes of Gogodze Phu Vol II are called; each lies in the folder of every microphone.
_MICROPHONED: dict[Drum, tuple[str, ...]] = {
    Drum.KICK: ("ks",),
    Drum.SNARE: ("sc", "se"),
    Drum.RIM: ("ss",),
    Drum.CLOSED_HAT: ("ht", "hc"),
    Drum.OPEN_HAT: ("hl", "hh", "ho"),
    Drum.PEDAL_HAT: ("hf",),
    Drum.TOM: ("tl", "tm", "th"),
}
_SONIC_PI_PERCUSSION = re.compile(r"tabla_\w+|drum_cowbell|elec_(wood|tick|bong|pop)|perc_bell2?")


def kits_of(sources: Iterable[SoundSource]) -> list[Kit]:
    """Read all usable kits of soundfonts and Hydrogen kits, in the order of the sources."""
    kits: list[Kit] = []
    for source in sources:
        if source.path is None or source.repository:  # repositories hold notes
            continue
        if source.path.suffix == ".sf2":
            kits += soundfont_kits(source.path)
        elif (source.path / "drumkit.xml").exists():
            kits += [kit for kit in (hydrogen_kit(source.path),) if kit is not None]
        else:
            kits += sonic_pi_kits(source.path)
    return kits


def percussion_of(sources: Iterable[SoundSource]) -> list[Samples]:
    """Read strokes [sample] of percussion that no drum class is for, from congas to triangles."""
    strokes: list[Samples] = []
    for source in sources:
        if source.path is None or not source.path.exists():
            continue
        if source.path.suffix == ".sf2":
            font = SoundFont(source.path)
            for key in OTHER_PERCUSSION_KEYS:
                strokes += _struck(font, 0, key)
        else:
            files = sorted(source.path.glob("*.flac"))
            strokes += [_read(file) for file in files if _SONIC_PI_PERCUSSION.fullmatch(file.stem)]
    return strokes


def snares_of(sources: Iterable[SoundSource]) -> list[Kit]:
    """Read what repositories of snare drums hold: kits of nothing else, each of one microphone.

    A folder of a drum has a folder for each microphone, with strokes from soft to loud.
    """
    kits: list[Kit] = []
    for source in sources:
        if source.path is not None:
            files = source.path.glob("Samples/*/*/*.flac")
            for folder in sorted({file.parent for file in files if _is_snare(file)}):
                strokes = sorted(folder.glob("*.flac"))
                kits.append(
                    {Drum.SNARE: [_read(stroke) for stroke in _softest_to_loudest(strokes)]}
                )
    return kits


def microphoned_kits(sources: Iterable[SoundSource]) -> list[Kit]:
    """Read kits that were recorded by several microphones: as each hears it, and as all do."""
    kits: list[Kit] = []
    for source in sources:
        if source.path is not None:
            microphones = sorted((source.path / "Samples").glob("*_mic"))
            heard = [(microphone,) for microphone in microphones]
            kits += [_microphoned(folders) for folders in (*heard, tuple(microphones))]
    return kits


def completed(rng: np.random.Generator, kits: Sequence[Kit], parts: Sequence[Kit]) -> list[Kit]:
    """Return a kit for each part of one, the rest of it drawn from `kits`."""
    return [{**kits[int(rng.integers(len(kits)))], **part} for part in parts]


def own_kits(rng: np.random.Generator, count: int) -> list[Kit]:
    """Draw procedural kits."""
    return [random_kit(rng) for _ in range(count)]


def soundfont_kits(path: Path) -> list[Kit]:
    """Render every drum key of every kit of a SoundFont, soft and loud."""
    font = SoundFont(path)
    kits = []
    for program in KIT_PROGRAMS:
        kit: Kit = {}
        for drum, keys in KEYS_OF_DRUM.items():
            takes = [take for key in keys for take in _struck(font, program, key)]
            if takes:
                kit[drum] = takes
        if all(drum in kit for drum in LEAST_DRUMS):
            kits.append(kit)
    return kits


def hydrogen_kit(folder: Path) -> Kit | None:
    """Read a Hydrogen kit; instruments are told by their names, others left out."""
    text = (folder / "drumkit.xml").read_text(errors="ignore")
    root = ET.fromstring(re.sub(r'\sxmlns="[^"]+"', "", text))
    kit: Kit = {}
    for instrument in root.iter("instrument"):
        drum = _drum_named(instrument.findtext("name") or "")
        if drum is None:
            continue
        names = [element.text or "" for element in instrument.iter("filename")]
        for name in names[:6]:
            hit, rate_hz = soundfile.read(folder / name, dtype="float32", always_2d=True)
            mono = soxr.resample(hit.mean(1), rate_hz, SAMPLE_RATE_HZ)[: SAMPLE_RATE_HZ * 3]
            if len(mono) > 200 and np.abs(mono).max() > 1e-3:
                kit.setdefault(drum, []).append(_trimmed(mono))
    return kit if all(drum in kit for drum in LEAST_DRUMS) else None


def sonic_pi_kits(folder: Path) -> list[Kit]:
    """Read the kits that the samples of Sonic Pi make up."""
    return [
        {drum: [_read(folder / f"{name}.flac") for name in names] for drum, names in kit.items()}
        for kit in _SONIC_PI_KITS
    ]


def _struck(font: SoundFont, program: int, key: int) -> list[Samples]:
    """Return a soft and a loud stroke of a key, if the kit of this program has it."""
    strokes = []
    for velocity in (SOFT, LOUD):
        note = PlayedNote(0.01, 0.5, key, velocity)
        hit = font.play(program, [note], duration_s=LONGEST_HIT_S, bank=DRUM_BANK)
        if hit is not None and np.abs(hit).max() > 1e-3:
            strokes.append(_trimmed(hit))
    return strokes


def _read(file: Path) -> Samples:
    return _trimmed(_mono(file))


def _mono(file: Path) -> Samples:
    hit, rate_hz = soundfile.read(file, dtype="float32", always_2d=True)
    mono = soxr.resample(hit.mean(1), rate_hz, SAMPLE_RATE_HZ)
    return np.asarray(mono[: SAMPLE_RATE_HZ * 3], np.float32)


def _microphoned(microphones: Sequence[Path]) -> Kit:
    kit: Kit = {}
    for drum, names in _MICROPHONED.items():
        for name in names:
            strokes = _softest_to_loudest(sorted(microphones[0].glob(f"{name}_*.wav")))
            for stroke in strokes:
                heard = [_mono(microphone / stroke.name) for microphone in microphones]
                length = min(map(len, heard))
                together = np.sum([hit[:length] for hit in heard], 0)
                kit.setdefault(drum, []).append(_trimmed(together))
    return kit


def _softest_to_loudest(strokes: Sequence[Path]) -> list[Path]:
    """Return TAKES of a drum's strokes, which are in order of loudness."""
    chosen = np.linspace(0, len(strokes) - 1, TAKES).round().astype(int).tolist()
    return [strokes[number] for number in chosen]


def _is_snare(file: Path) -> bool:
    return _SNARE_FOLDER.fullmatch(file.parent.parent.name) is not None


def _drum_named(name: str) -> Drum | None:
    name = name.lower()
    if _OTHER_PERCUSSION.search(name):
        return None
    return next((drum for drum, pattern in _DRUM_NAMES if re.search(pattern, name)), None)


def _trimmed(hit: Samples) -> Samples:
    """Start a hit where it becomes audible, at peak 1."""
    loud = np.abs(hit)
    start = int(np.argmax(loud > 0.05 * loud.max()))
    return np.asarray(hit[max(0, start - 8) :] / loud.max(), np.float32)
