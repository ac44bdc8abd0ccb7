"""Fill folders with shards: synthesised clips, and the features the networks learn from."""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from core.features.logmel import DualWindowMel
from core.features.vqt import DualWindowVqt
from core.training.calibration import (
    Calibration,
    calibrate,
    read_calibrations,
    write_calibrations,
)
from core.training.drum_clips import make_drum_clip
from core.training.drum_kits import kits_of, own_kits, percussion_of
from core.training.drum_synth import Kit
from core.training.part import PlayedNote
from core.training.pitched_clips import PitchedClip, PitchedClipMaker, TunedFont
from core.training.schedule import replacing
from core.training.sound_sources import Use, source_named, sources_for
from core.training.soundfonts import Samples, SoundFont

FONT_SHARES = {"fluid": 0.43, "muse": 0.43, "csound": 0.14}
FULL_SCALE = 32_767
SAMPLED_KIT_COPIES = 2  # so that more than half of the kits drawn were recorded
OWN_KITS_STREAM = 999  # the seed's second number, beyond any shard number

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


@dataclass(frozen=True, slots=True)
class _DrumSounds:
    kits: list[Kit]
    percussion: list[Samples]  # strokes [sample] that are not to be written down


def make_pitched_shards(folder: Path, plan: ShardPlan) -> list[Path]:
    """Make what is missing of the plan's audio shards and their level shards; return the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    calibrations = {name: _calibrations(folder, name) for name in FONT_SHARES}
    vqt = DualWindowVqt()
    made: list[Path] = []
    for stream in plan.streams:
        # Fresh fonts per stream: fluidsynth remembers where in its 64-sample block it stopped.
        fonts = tuple(
            TunedFont(name, _font(name), calibrations[name], share)
            for name, share in FONT_SHARES.items()
        )
        for number in range(plan.shards_per_stream):
            audio = audio_shard(folder, stream, number)
            if not audio.exists():
                maker = PitchedClipMaker(np.random.default_rng([stream, number]), fonts)
                _write_audio_shard(audio, [maker.clip() for _ in range(plan.clips_per_shard)])
            levels = folder / f"levels_{stream}_{number:03d}.npz"
            if not levels.exists():
                _write_level_shard(levels, audio, vqt)
            _log.info("pitched shard %s", levels.name)
            made.append(levels)
    return made


def make_drum_shards(folder: Path, pitched_folder: Path, plan: ShardPlan) -> list[Path]:
    """Make what is missing of the plan's drum shards, played along with the last pitched stream."""
    folder.mkdir(parents=True, exist_ok=True)
    kits_rng = np.random.default_rng([plan.drum_seed, OWN_KITS_STREAM])
    sampled = kits_of(sources_for(Use.RELEASE))
    kits = sampled * SAMPLED_KIT_COPIES + own_kits(kits_rng, plan.own_kits)
    sounds = _DrumSounds(kits, percussion_of(sources_for(Use.RELEASE)))
    mel = DualWindowMel()
    made: list[Path] = []
    for number in range(plan.drum_shards):
        path = folder / f"drums_{plan.drum_seed}_{number:03d}.npz"
        if not path.exists():
            audio = audio_shard(pitched_folder, plan.streams[-1], number % plan.shards_per_stream)
            rng = np.random.default_rng([plan.drum_seed, number])
            _write_drum_shard(path, rng, sounds, accompaniments_in(audio), mel, plan)
        _log.info("drum shard %s", path.name)
        made.append(path)
    return made


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


def _calibrations(folder: Path, name: str) -> dict[int, Calibration]:
    path = folder / f"calibration_{name}.json"
    if not path.exists():
        with replacing(path) as partial:
            write_calibrations(partial, calibrate(_font(name)))
    return read_calibrations(path)


def _font(name: str) -> SoundFont:
    path = source_named(name).path
    assert path is not None
    return SoundFont(path)


def _write_audio_shard(path: Path, clips: list[PitchedClip]) -> None:
    audio = np.stack([(clip.samples * FULL_SCALE).astype(np.int16) for clip in clips])
    rows = [(number, *note) for number, clip in enumerate(clips) for note in clip.notes]
    recipes = json.dumps([clip.recipe for clip in clips])
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, audio=audio, notes=_table(rows, PlayedNote), meta=recipes)


def _write_level_shard(path: Path, audio_path: Path, vqt: DualWindowVqt) -> None:
    with np.load(audio_path, allow_pickle=False) as file:
        audio, notes, recipes = file["audio"], file["notes"], file["meta"]
    with torch.inference_mode():
        levels = [vqt(torch.from_numpy(_to_samples(clip))[None])[0].half() for clip in audio]
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, vqt=torch.stack(levels).numpy(), notes=notes, meta=recipes)


def _write_drum_shard(
    path: Path,
    rng: np.random.Generator,
    sounds: _DrumSounds,
    accompaniments: list[Samples],
    mel: DualWindowMel,
    plan: ShardPlan,
) -> None:
    levels, rows = [], []
    for number in range(plan.drum_clips_per_shard):
        clip = make_drum_clip(rng, sounds.kits, accompaniments, sounds.percussion)
        with torch.inference_mode():
            levels.append(mel(torch.from_numpy(clip.samples)[None])[0].half())
        rows += [(number, *hit) for hit in clip.hits]
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, levels=torch.stack(levels).numpy(), hits=np.array(rows, np.float32))


def _table(rows: Iterable[tuple[float, ...]], columns: type[PlayedNote]) -> npt.NDArray[np.float32]:
    """Return rows of clip number and note as a table, also when there is none."""
    return np.array(list(rows), np.float32).reshape(-1, 1 + len(columns._fields))


def _to_samples(clip: npt.NDArray[np.int16]) -> Samples:
    return np.asarray(clip.astype(np.float32) / 32_768, np.float32)
