"""NoteStock: close looks at the notes of training clips, with the families that may play them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from core.features.note_patches import note_patches
from core.features.vqt import FRAMES_PER_S
from core.models.stem_net import LOWEST_PITCH, PITCHES
from core.training.families import HEARD_FAMILIES, UNKNOWN_FAMILY, heard_family
from core.training.feature_shards import PitchShard, read_pitch_shard
from core.training.part import PlayedNote

STEPS_PER_LEVEL = 100  # of the bytes that patches are kept in
UNISON_S = 0.03  # notes of one key this close are one onset, of several players perhaps
SOLO_SHARE = 0.6  # solo clips kept as such; all of them are heard together as well
MOST_TOGETHER, BASS_SHARE, STRANGER_SHARE = 5, 0.5, 0.1
BASS_FAMILY = 4
LEVEL_CHANGE = (-0.2, 0.1)  # of a clip
TOGETHER_LEVEL, TOGETHER_DEVIATION = -0.1, 0.1  # of each player
LATEST_START_S = 1.2  # players who never met begin at different places of their clips
LEAST_HEARD_S = 0.2  # of a note before the clip ends
LEVELS_PER_DECADE = 4.0  # of power: a level is 40 dB

Levels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NoteStock:
    """`patches` [note, window, row, moment] in bytes, `pitches` [note], who may play each.

    `families` [note, family] are 0 or 1; several players in unison are several.
    """

    patches: npt.NDArray[np.uint8]
    pitches: npt.NDArray[np.int64]
    families: npt.NDArray[np.uint8]


class Onset(NamedTuple):
    """Where a key is struck, by players of these families at once."""

    pitch: int
    onset_s: float
    families: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Clip:
    levels: Levels
    notes: Sequence[PlayedNote]


def stock_of(shards: Iterable[Path], rng: np.random.Generator, *, joined_clips: int) -> NoteStock:
    """Look at the clips of shards, and at as many as `joined_clips` that are made of their solos.

    The composer's mixes are few: solo clips sounding at once are any number of them. Raises
    ValueError where no clip has a known player.
    """
    parts: list[NoteStock] = []
    solos: dict[int, list[_Clip]] = {}
    for path in shards:
        for clip, family in _clips_of(read_pitch_shard(path)):
            if family is not None:
                solos.setdefault(family, []).append(clip)
            is_kept = family is None or (family != UNKNOWN_FAMILY and rng.random() < SOLO_SHARE)
            if is_kept:
                louder = np.float32(rng.uniform(*LEVEL_CHANGE))
                parts.append(_notes_in(_Clip(clip.levels.astype(np.float32) + louder, clip.notes)))
    if any(family != UNKNOWN_FAMILY for family in solos):
        parts += [_notes_in(_together(rng, solos)) for _ in range(joined_clips)]
    return NoteStock(
        np.concatenate([part.patches for part in parts]),
        np.concatenate([part.pitches for part in parts]),
        np.concatenate([part.families for part in parts]),
    )


def _clips_of(shard: PitchShard) -> Iterator[tuple[_Clip, int | None]]:
    """Yield clips with the family of their only player; None for several."""
    for levels, notes, recipe in zip(shard.levels, shard.notes, shard.recipes, strict=True):
        players = [part for part in recipe.split("+") if part != "drums"]
        if notes:
            is_solo = len(players) == 1
            clip = _Clip(np.asarray(levels), notes)
            yield clip, heard_family(notes[0].program) if is_solo else None


def _together(rng: np.random.Generator, solos: dict[int, list[_Clip]]) -> _Clip:
    """Let solo clips sound at once, each from a place of its own on, round its end."""
    known = sorted(family for family in solos if family != UNKNOWN_FAMILY)
    power = np.zeros(())
    notes: list[PlayedNote] = []
    for player in range(int(rng.integers(2, MOST_TOGETHER + 1))):
        family = int(rng.choice(known))
        if player == 0 and BASS_FAMILY in solos and rng.random() < BASS_SHARE:
            family = BASS_FAMILY
        elif UNKNOWN_FAMILY in solos and rng.random() < STRANGER_SHARE:
            family = UNKNOWN_FAMILY
        clip = solos[family][int(rng.integers(len(solos[family])))]
        start_frames = int(rng.integers(0, round(LATEST_START_S * FRAMES_PER_S)))
        loudness = rng.normal(TOGETHER_LEVEL, TOGETHER_DEVIATION)
        levels = np.roll(clip.levels.astype(np.float32), -start_frames, 1) + loudness
        power = power + 10.0 ** (LEVELS_PER_DECADE * (levels - 1))
        length_s = clip.levels.shape[1] / FRAMES_PER_S
        notes += _rolled(clip.notes, start_frames / FRAMES_PER_S, length_s)
    levels = np.log10(power) / LEVELS_PER_DECADE + 1
    return _Clip(np.maximum(levels, 0.0).astype(np.float32), notes)


def _rolled(notes: Sequence[PlayedNote], start_s: float, length_s: float) -> list[PlayedNote]:
    """Return the notes as they lie when a clip begins at `start_s`; those there are left out."""
    rolled = []
    for note in notes:
        if note.onset_s > start_s + 0.1 or note.offset_s < start_s - 0.1:
            onset_s = (note.onset_s - start_s) % length_s
            offset_s = onset_s + note.offset_s - note.onset_s
            rolled.append(note._replace(onset_s=onset_s, offset_s=offset_s))
    return rolled


def known_onsets(notes: Sequence[PlayedNote], frames: int) -> list[Onset]:
    """Return the onsets of a clip of so many frames whose players are all known."""
    players: dict[tuple[int, float], set[int]] = {}
    latest: dict[int, float] = {}
    for note in sorted(notes):
        onset_s = latest.get(note.pitch, -np.inf)
        if note.onset_s - onset_s >= UNISON_S:
            onset_s = latest[note.pitch] = note.onset_s
        players.setdefault((note.pitch, onset_s), set()).add(heard_family(note.program))
    last_s = frames / FRAMES_PER_S - LEAST_HEARD_S
    return [
        Onset(pitch, onset_s, frozenset(families))
        for (pitch, onset_s), families in players.items()
        if UNKNOWN_FAMILY not in families
        and onset_s < last_s
        and LOWEST_PITCH <= pitch < LOWEST_PITCH + PITCHES
    ]


def looked_at(levels: Levels, onsets: Sequence[Onset]) -> NoteStock:
    """Look closely at onsets in levels [window, frame, bin]."""
    pitches = np.array([onset.pitch for onset in onsets], np.int64)
    frames = np.array([round(onset.onset_s * FRAMES_PER_S) for onset in onsets], np.int64)
    patches = note_patches(
        torch.from_numpy(levels),
        torch.from_numpy(frames),
        torch.from_numpy(pitches - LOWEST_PITCH),
    )
    plays = [[family in onset.families for family in range(HEARD_FAMILIES)] for onset in onsets]
    return NoteStock(
        np.rint(patches.numpy() * STEPS_PER_LEVEL).astype(np.uint8),
        pitches,
        np.array(plays, np.uint8).reshape(-1, HEARD_FAMILIES),
    )


def _notes_in(clip: _Clip) -> NoteStock:
    return looked_at(clip.levels, known_onsets(clip.notes, clip.levels.shape[1]))
