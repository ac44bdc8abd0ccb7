"""Fill folders with shards: synthesised clips, and the features the networks learn from.

A shard is the same to the last bit whoever makes it and whatever was made before: its number and
its stream's decide all that is drawn, and its SoundFonts are opened anew.
"""

import json
import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

from core.features.logmel import DualWindowMel
from core.features.vqt import DualWindowVqt
from core.training.arrangements import Arrangement, arrangements_at_hand
from core.training.calibration import (
    calibrate,
    read_calibrations,
    write_calibrations,
)
from core.training.drum_clips import DrumClip, Song, hits_of, make_drum_clip
from core.training.drum_kits import (
    completed,
    kits_of,
    microphoned_kits,
    own_kits,
    percussion_of,
    snares_of,
)
from core.training.drum_patterns import CLIP_S as DRUM_CLIP_S
from core.training.drum_synth import Kit
from core.training.font_players import TunedFont
from core.training.part import PlayedNote
from core.training.pitched_clips import PitchedClip, PitchedClipMaker
from core.training.recorded_notes import BANKS, sources_of, voices_of, write_bank
from core.training.recorded_voice import RecordedVoice
from core.training.schedule import replacing
from core.training.sound_sources import (
    KITS,
    SNARES,
    SoundSource,
    Use,
    at_hand,
    source_named,
    sources_for,
)
from core.training.soundfonts import Samples, SoundFont
from core.training.stem_shards import write_stem_shard

FONT_SHARES = {
    "fluid": 0.3,
    "muse": 0.3,
    "csound": 0.1,
    "recorded-1": 0.35,
    "recorded-2": 0.25,
    "recorded-3": 0.45,
    "recorded-4": 0.3,
}
FULL_SCALE = 32_767
SAMPLED_KIT_COPIES = 2  # so that more than half of the kits drawn were recorded
MICROPHONED_COPIES = 3
STEMS_STREAM = 998
OWN_KITS_STREAM = 999  # the seed's second number, beyond any shard number
SPENT = "minutes.txt"  # in a folder of shards: how long they took to make

Work = TypeVar("Work")
Made = TypeVar("Made")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """How much to make; a stream is one seed's sequence of shards."""

    streams: tuple[int, ...] = (1, 2)
    shards_per_stream: int = 16
    clips_per_shard: int = 128
    drum_seed: int = 1
    drum_shards: int = 24
    drum_clips_per_shard: int = 192
    own_kits: int = 100
    stem_seed: int = 1
    stem_shards: int = 64
    mixes_per_stem_shard: int = 16


@dataclass(frozen=True, slots=True)
class _DrumSounds:
    kits: list[Kit]
    percussion: list[Samples]  # strokes [sample] that are not to be written down


@dataclass(frozen=True, slots=True)
class Makers:
    """Who makes shards, and for how long by the clock, over all calls that fill a folder."""

    processes: int = 1
    minutes: float = math.inf


ALONE = Makers()


def make_pitched_shards(folder: Path, plan: ShardPlan, makers: Makers = ALONE) -> list[Path]:
    """Make what is missing of the plan's audio shards and their level shards; return the latter.

    When the time is over, what was made is all there is, but one shard of each stream at least.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clock = _Clock(folder, makers.minutes)
    for name in BANKS:
        at_hand(sources_of(name))
    for _ in _each(partial(_calibrate, folder), _fonts_at_hand(), makers):
        clock.strike()
    make = partial(_make_pitched_shard, folder, plan.clips_per_shard, clock.over_at_s)
    numbers = range(plan.shards_per_stream)
    places = [(stream, number) for number in numbers for stream in plan.streams]
    return clock.made(_each(make, places, makers))


def make_drum_shards(
    folder: Path, pitched_folder: Path, plan: ShardPlan, makers: Makers = ALONE
) -> list[Path]:
    """Make what is missing of the plan's drum shards, played along with the last pitched stream.

    When the time is over, what was made is all there is, but one shard at least.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clock = _Clock(folder, makers.minutes)
    places = [
        audio_shard(pitched_folder, plan.streams[-1], number)
        for number in range(plan.shards_per_stream)
    ]
    music = [place for place in places if place.exists()]
    make = partial(_make_drum_shard, folder, pitched_folder, plan, music, clock.over_at_s)
    return clock.made(_each(make, range(plan.drum_shards), makers))


def make_stem_shards(
    folder: Path, pitched_folder: Path, plan: ShardPlan, makers: Makers = ALONE
) -> list[Path]:
    """Make what is missing of the plan's stem shards: players of mixes one by one, in rooms.

    They play SoundFonts and our own sounds: with instruments that were recorded note by note among
    them, players are heard that are not there.

    When the time is over, what was made is all there is, but one shard at least.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clock = _Clock(folder, makers.minutes)
    make = partial(_make_stem_shard, folder, pitched_folder, plan, clock.over_at_s)
    return clock.made(_each(make, range(plan.stem_shards), makers))


def audio_shard(folder: Path, stream: int, number: int) -> Path:
    """Return where the audio of a pitched shard lies."""
    return folder / f"audio_{stream}_{number:03d}.npz"


def accompaniments_in(path: Path) -> list[Samples]:
    """Read the clips [sample] of an audio shard that have no drums in them."""
    with np.load(path, allow_pickle=False) as file:
        audio, recipes = file["audio"], json.loads(str(file["meta"]))
    return [
        _to_samples(clip)
        for clip, recipe in zip(audio, recipes, strict=True)
        if "drums" not in recipe
    ]


def _each(make: Callable[[Work], Made], works: Sequence[Work], makers: Makers) -> Iterator[Made]:
    """Yield what is made of each, in order."""
    if makers.processes == 1:
        yield from map(make, works)
        return
    with ProcessPoolExecutor(
        makers.processes,
        mp_context=get_context("spawn"),
        initializer=torch.set_num_threads,
        initargs=(torch.get_num_threads(),),
    ) as pool:
        yield from pool.map(make, works)


class _Clock:
    """Tells when the making of a folder's shards is over; goes on where an earlier call stopped."""

    def __init__(self, folder: Path, minutes: float) -> None:
        self._path = folder / SPENT
        self._spent_s = float(self._path.read_text()) * 60 if self._path.exists() else 0.0
        self._started_at_s = time.time()
        self.over_at_s = self._started_at_s + 60 * minutes - self._spent_s

    def made(self, shards: Iterable[Path | None]) -> list[Path]:
        """Return those that were made, which strike the clock as they come."""
        made = []
        for shard in shards:
            if shard is not None:
                _log.info("shard %s", shard.name)
                made.append(shard)
            self.strike()
        return made

    def strike(self) -> None:
        """Keep how much time was spent."""
        spent_s = self._spent_s + time.time() - self._started_at_s
        with replacing(self._path) as unfinished:
            unfinished.write_text(f"{spent_s / 60:.3f}")


def _calibrate(folder: Path, name: str) -> None:
    path = _calibration_of(folder, name)
    if not path.exists():
        with replacing(path) as unfinished:
            write_calibrations(unfinished, calibrate(_font(folder, name)))


def _make_pitched_shard(
    folder: Path, clips: int, over_at_s: float, place: tuple[int, int]
) -> Path | None:
    """Return the level shard of this stream and number; None if it is too late to make it."""
    stream, number = place
    audio = audio_shard(folder, stream, number)
    levels = folder / f"levels_{stream}_{number:03d}.npz"
    if levels.exists():
        return levels
    if number and time.time() > over_at_s:
        return None
    if not audio.exists():
        rng = np.random.default_rng([stream, number])
        maker = PitchedClipMaker(rng, _tuned_fonts(folder), songs=_songs(), voices=_voices())
        _write_audio_shard(audio, [maker.clip() for _ in range(clips)])
    _write_level_shard(levels, audio, DualWindowVqt())
    return levels


def _make_drum_shard(
    folder: Path,
    pitched_folder: Path,
    plan: ShardPlan,
    music: Sequence[Path],
    over_at_s: float,
    number: int,
) -> Path | None:
    """Return the drum shard of this number; None if it is too late to make it."""
    path = folder / f"drums_{plan.drum_seed}_{number:03d}.npz"
    if path.exists():
        return path
    if number and time.time() > over_at_s:
        return None
    rng = np.random.default_rng([plan.drum_seed, number])
    accompaniments = accompaniments_in(music[number % len(music)])
    sounds = _drum_sounds(plan.drum_seed, plan.own_kits)
    songs = _drawn_songs(rng, pitched_folder) if _songs() else None
    clips = [
        make_drum_clip(rng, sounds.kits, accompaniments, sounds.percussion, songs)
        for _ in range(plan.drum_clips_per_shard)
    ]
    _write_drum_shard(path, clips, DualWindowMel())
    return path


def _make_stem_shard(
    folder: Path, pitched_folder: Path, plan: ShardPlan, over_at_s: float, number: int
) -> Path | None:
    """Return the stem shard of this number; None if it is too late to make it."""
    path = folder / f"stems_{plan.stem_seed}_{number:03d}.npz"
    if path.exists():
        return path
    if number and time.time() > over_at_s:
        return None
    rng = np.random.default_rng([plan.stem_seed, STEMS_STREAM, number])
    fonts = tuple(font for font in _tuned_fonts(pitched_folder) if font.name not in BANKS)
    maker = PitchedClipMaker(rng, fonts, songs=_songs(), in_rooms=True)
    write_stem_shard(path, [maker.players() for _ in range(plan.mixes_per_stem_shard)])
    return path


def _drawn_songs(rng: np.random.Generator, folder: Path) -> Callable[[], Song | None]:
    """Return what draws songs that were written, with their drums."""
    maker = PitchedClipMaker(rng, _tuned_fonts(folder), songs=_songs(), voices=_voices())

    def draw() -> Song | None:
        drawn = maker.song(DRUM_CLIP_S)
        return None if drawn is None else Song(hits_of(drawn[1]), drawn[0])

    return draw


def _tuned_fonts(folder: Path) -> tuple[TunedFont, ...]:
    return tuple(
        TunedFont(
            name, _font(folder, name), read_calibrations(_calibration_of(folder, name)), share
        )
        for name, share in FONT_SHARES.items()
        if name in _fonts_at_hand()
    )


def _fonts_at_hand() -> list[str]:
    """Return which of FONT_SHARES are used: banks of recorded notes only if all of it is there."""
    return [name for name in FONT_SHARES if name not in BANKS or not _missing(name)]


def _missing(bank: str) -> list[SoundSource]:
    return [source for source in sources_of(bank) if source.path and not source.path.exists()]


@cache
def _voices() -> tuple[RecordedVoice, ...]:
    return tuple(voice for bank in BANKS if not _missing(bank) for voice in voices_of(bank))


@cache
def _songs() -> tuple[Arrangement, ...]:
    return arrangements_at_hand()


@cache
def _drum_sounds(seed: int, own: int) -> _DrumSounds:
    sampled = kits_of(sources_for(Use.RELEASE))
    kits = sampled * SAMPLED_KIT_COPIES
    rng = np.random.default_rng([seed, OWN_KITS_STREAM])
    kits += own_kits(rng, own)
    parts = snares_of(at_hand(SNARES)) + microphoned_kits(at_hand(KITS)) * MICROPHONED_COPIES
    kits += completed(rng, kits, parts)
    return _DrumSounds(kits, percussion_of(sources_for(Use.RELEASE)))


def _calibration_of(folder: Path, name: str) -> Path:
    return folder / f"calibration_{name}.json"


def _font(folder: Path, name: str) -> SoundFont:
    """Open a SoundFont; those of recorded notes are made in the folder when first asked for."""
    if name not in BANKS:
        path = source_named(name).path
        assert path is not None
        return SoundFont(path)
    bank = folder / f"{name}.sf2"
    if not bank.exists():
        with replacing(bank) as unfinished:
            write_bank(unfinished, name)
    return SoundFont(bank)


def _write_audio_shard(path: Path, clips: list[PitchedClip]) -> None:
    audio = np.stack([(clip.samples * FULL_SCALE).astype(np.int16) for clip in clips])
    rows = [(number, *note) for number, clip in enumerate(clips) for note in clip.notes]
    recipes = json.dumps([clip.recipe for clip in clips])
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        np.savez(file, audio=audio, notes=_table(rows, PlayedNote), meta=recipes)


def _write_level_shard(path: Path, audio_path: Path, vqt: DualWindowVqt) -> None:
    with np.load(audio_path, allow_pickle=False) as file:
        audio, notes, recipes = file["audio"], file["notes"], file["meta"]
    with torch.inference_mode():
        levels = [vqt(torch.from_numpy(_to_samples(clip))[None])[0].half() for clip in audio]
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        np.savez(file, vqt=torch.stack(levels).numpy(), notes=notes, meta=recipes)


def _write_drum_shard(path: Path, clips: Sequence[DrumClip], mel: DualWindowMel) -> None:
    with torch.inference_mode():
        levels = [mel(torch.from_numpy(clip.samples)[None])[0].half() for clip in clips]
    rows = [(number, *hit) for number, clip in enumerate(clips) for hit in clip.hits]
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        np.savez(file, levels=torch.stack(levels).numpy(), hits=np.array(rows, np.float32))


def _table(rows: Iterable[tuple[float, ...]], columns: type[PlayedNote]) -> npt.NDArray[np.float32]:
    """Return rows of clip number and note as a table, also when there is none."""
    return np.array(list(rows), np.float32).reshape(-1, 1 + len(columns._fields))


def _to_samples(clip: npt.NDArray[np.int16]) -> Samples:
    return np.asarray(clip.astype(np.float32) / 32_768, np.float32)
