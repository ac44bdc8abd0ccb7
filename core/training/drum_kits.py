"""Drum kits as one-shots per class: from SoundFonts, Hydrogen kits and our own synthesiser."""

import re
from collections.abc import Iterable
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
    Drum.SNARE: (38, 40, 37),
    Drum.CLOSED_HAT: (42, 44),
    Drum.OPEN_HAT: (46,),
    Drum.TOM: (41, 43, 45, 47, 48, 50),
    Drum.CRASH: (49, 57, 52, 55),
    Drum.RIDE: (51, 59, 53),
}
KIT_PROGRAMS = (0, 8, 16, 24, 25, 32, 40, 48)
SOFT, LOUD = 50, 110
LONGEST_HIT_S = 2.5
LEAST_DRUMS = (Drum.KICK, Drum.SNARE, Drum.CLOSED_HAT)

_OTHER_PERCUSSION = re.compile(
    r"clap|conga|cow|tamb|shak|clave|whist|fx|click|bongo|timb|triangle|guiro|drum_|voice|marac"
    r"|perc|noise|zap|loop|cymbal"
)
_DRUM_NAMES = (
    (Drum.CLOSED_HAT, r"clos|chh|hat.?c|hh.?c|hhc|hh_?cl|pedal|tight|hat_low|hat-light"),
    (Drum.OPEN_HAT, r"open|ohh|hat.?o|hh.?o|hho"),
    (Drum.KICK, r"kick|bass.?drum|\bbd|bd[_-]|_bd|^bd"),
    (Drum.SNARE, r"snare|\bsd|sd[_-]|_sd|rim|side.?stick|stick"),
    (Drum.TOM, r"tom"),
    (Drum.CRASH, r"crash|splash|china"),
    (Drum.RIDE, r"ride|bell"),
    (Drum.CLOSED_HAT, r"hat|hh"),
)


def kits_of(sources: Iterable[SoundSource]) -> list[Kit]:
    """Read all usable kits of soundfonts and Hydrogen kits, in the order of the sources."""
    kits: list[Kit] = []
    for source in sources:
        if source.path is None:
            continue
        if source.path.suffix == ".sf2":
            kits += soundfont_kits(source.path)
        else:
            kits += [kit for kit in (hydrogen_kit(source.path),) if kit is not None]
    return kits


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
            for key in keys:
                for velocity in (SOFT, LOUD):
                    note = PlayedNote(0.01, 0.5, key, velocity)
                    hit = font.play(program, [note], duration_s=LONGEST_HIT_S, bank=DRUM_BANK)
                    if hit is not None and np.abs(hit).max() > 1e-3:
                        kit.setdefault(drum, []).append(_trimmed(hit))
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
