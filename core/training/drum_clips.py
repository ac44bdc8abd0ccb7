"""Drum clips with their labels: patterns played on kits, through effects, often under music."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.training.drum_bus import mastered, on_the_drum_bus
from core.training.drum_kits import DRUM_OF_KEY
from core.training.drum_patterns import CLIP_S, LAST_HIT_S, Hit, random_pattern
from core.training.drum_synth import SAMPLE_RATE_HZ, Drum, Kit, Samples, shaken, wires_buzz
from core.training.drum_takes import HATS, chosen_kit, dulled, tuned
from core.training.effects import FINAL_PEAK, to_peak, to_rms
from core.training.part import PlayedNote

ACCOMPANIED_SHARE = 0.6
WRITTEN_SHARE = 0.35  # of the clips, where there are songs: drums as somebody wrote them
ALONE_SHARE = 0.35  # of these: without those who play along
DRUMLESS_SHARE = 0.05  # of the clips: music only
PERCUSSION_SHARE = 0.35
DUCKED_SHARE = 0.15
CHOKE_S = 0.015
SOFTEST_HIT = 0.08
DULLED_SHARE = 0.5  # of the clips: soft strokes are not only softer
BUZZING_SHARE = 0.45
SLOSHY_SHARE = 0.4  # of the clips: an open hi-hat that is struck again rings on

Sound = npt.NDArray[np.float32] | npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DrumClip:
    """Mono samples [sample] and the hits in them."""

    samples: Samples
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Song:
    """CLIP_S seconds of a song: what its drummer hits, and the others [sample]."""

    hits: list[Hit]
    music: Samples


def hits_of(drums: Sequence[PlayedNote]) -> list[Hit]:
    """Return the notes of a drum part as hits; percussion that has no class is left out."""
    return [
        Hit(note.onset_s, DRUM_OF_KEY[note.pitch], max(SOFTEST_HIT, note.velocity / 127))
        for note in drums
        if note.pitch in DRUM_OF_KEY and note.onset_s < LAST_HIT_S
    ]


def make_drum_clip(
    rng: np.random.Generator,
    kits: Sequence[Kit],
    accompaniments: Sequence[Samples],
    percussion: Sequence[Samples] = (),
    songs: Callable[[], Song | None] | None = None,
) -> DrumClip:
    """Draw a kit, a pattern, effects and, at times, music [sample] to play along with.

    `percussion` are strokes [sample] of instruments that are heard but not written down. `songs`
    draws one that was written, for some of the clips.
    """
    kit = chosen_kit(rng, kits)
    song = songs() if songs is not None and rng.random() < WRITTEN_SHARE else None
    pattern = random_pattern(rng) if song is None else song.hits
    hits = sorted(hit for hit in pattern if hit.drum in kit)
    kit = tuned(rng, kit, Counter(hit.drum for hit in hits))
    sound: Sound = _played(rng, kit, hits)
    if rng.random() < PERCUSSION_SHARE:
        sound = sound + _percussion_track(rng, percussion, np.abs(sound).max())
    sound = on_the_drum_bus(rng, sound)
    piece: Sound | None = None
    if song is not None:
        piece = None if rng.random() < ALONE_SHARE else song.music / (song.music.std() + 1e-4)
    elif len(accompaniments) and rng.random() < ACCOMPANIED_SHARE:
        piece = _music(rng, accompaniments)
    if piece is not None:
        music = _ducked(rng, piece, hits)
        if rng.random() < DRUMLESS_SHARE / ACCOMPANIED_SHARE:
            sound, hits = music, []
        else:
            sound = to_rms(sound) + music * 10 ** (rng.uniform(-14, 9) / 20)
    return DrumClip((to_peak(mastered(rng, sound)) * FINAL_PEAK).astype(np.float32), tuple(hits))


def _played(rng: np.random.Generator, kit: Kit, hits: Sequence[Hit]) -> Samples:
    """Strike the kit: soft strokes may be duller, wires buzz along, hats choke the open hat."""
    sound = np.zeros(int((CLIP_S + 4) * SAMPLE_RATE_HZ), np.float32)
    buzz_db = -rng.uniform(9, 30) if rng.random() < BUZZING_SHARE else -np.inf
    buzz = wires_buzz(rng) * np.float32(10 ** (buzz_db / 20))
    dull = {drum: [dulled(take) for take in takes] for drum, takes in kit.items()}
    is_sloshy = rng.random() < SLOSHY_SHARE
    dullness = 0.6 if rng.random() < DULLED_SHARE else 0.0
    ringing: tuple[int, Samples] | None = None
    for hit in hits:
        take = int(rng.integers(len(kit[hit.drum])))
        start = int(hit.at_s * SAMPLE_RATE_HZ)
        bright = 1 - dullness * (1 - hit.strength)
        struck = bright * kit[hit.drum][take] + (1 - bright) * dull[hit.drum][take]
        struck = np.asarray(hit.strength**1.5 * struck, np.float32)
        chokes = hit.drum in HATS and not (is_sloshy and hit.drum is Drum.OPEN_HAT)
        if ringing is not None and chokes:
            began, tail = ringing[0], ringing[1][start - ringing[0] :]
            fade = np.minimum(1, np.arange(len(tail)) / (CHOKE_S * SAMPLE_RATE_HZ))
            sound[start : began + len(ringing[1])] -= (tail * fade).astype(np.float32)
            ringing = None
        sound[start : start + len(struck)] += struck
        if hit.drum in (Drum.KICK, Drum.TOM):
            sound[start : start + len(buzz)] += hit.strength * buzz
        if hit.drum is Drum.OPEN_HAT:
            ringing = (start, struck)
    return sound[: int(CLIP_S * SAMPLE_RATE_HZ)]


def _percussion_track(
    rng: np.random.Generator, percussion: Sequence[Samples], peak: float
) -> Samples:
    """Return strokes of one or two instruments that nobody writes down."""
    track = np.zeros(int((CLIP_S + 4) * SAMPLE_RATE_HZ), np.float32)
    for _ in range(int(rng.choice([1, 1, 2]))):
        is_shaken = not len(percussion) or rng.random() < 0.4
        stroke = shaken(rng) if is_shaken else percussion[int(rng.integers(len(percussion)))]
        stroke = stroke[: int(2.5 * SAMPLE_RATE_HZ)]
        step_s, level = rng.uniform(0.1, 0.5), peak * 10 ** (-rng.uniform(0, 26) / 20)
        is_struck = rng.random(8) < rng.choice([0.3, 0.6, 1.0])
        for step, at_s in enumerate(np.arange(rng.uniform(0, 0.5), CLIP_S - 0.1, step_s)):
            if is_struck[step % 8]:
                start = int(at_s * SAMPLE_RATE_HZ)
                loud = np.float32(level * rng.uniform(0.4, 1))
                track[start : start + len(stroke)] += loud * stroke
    return track[: int(CLIP_S * SAMPLE_RATE_HZ)]


def _music(rng: np.random.Generator, accompaniments: Sequence[Samples]) -> Sound:
    """Return one to three pieces at once, as loud as drums at root mean square 1."""
    length = int(CLIP_S * SAMPLE_RATE_HZ)
    music = np.zeros(length)
    for _ in range(int(rng.choice([1, 1, 2, 3]))):
        piece = accompaniments[int(rng.integers(len(accompaniments)))]
        start = int(rng.integers(0, len(piece) - length + 1))
        music += piece[start : start + length] * rng.uniform(0.4, 1)
    return np.asarray(music / (music.std() + 1e-4))


def _ducked(rng: np.random.Generator, music: Sound, hits: Sequence[Hit]) -> Sound:
    """Now and then let every kick push the music down, as side-chain compressors do."""
    if rng.random() > DUCKED_SHARE:
        return music
    at_s = np.arange(len(music)) / SAMPLE_RATE_HZ
    depth, recovery_s = rng.uniform(0.3, 0.9), rng.uniform(0.05, 0.3)
    held = np.zeros(len(music))
    for hit in hits:
        if hit.drum is Drum.KICK:
            start = int(hit.at_s * SAMPLE_RATE_HZ)
            held[start:] = np.exp(-(at_s[start:] - at_s[start]) / recovery_s)
    return np.asarray(music * (1 - depth * held))
