"""Families of instruments: who plays a note of a mix, and what a whole stem is played on."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from core.codec.posteriors_to_notes import PitchPosteriors
from core.codec.struck_keys import StruckKeys
from core.codec.unisons import also_playing
from core.score.instruments import StemKind
from core.score.note import NoteEvent

# One General MIDI program stands for each family, in the order of the network's outputs.
PROGRAM_OF_FAMILY = (0, 11, 16, 25, 33, 48, 52, 61, 65, 73, 81, 89)
FAMILIES = len(PROGRAM_OF_FAMILY)
BLOCK_FRAMES = 4  # frames that share one opinion of twelve families: see PitchPosteriors.family
LOOK_S = 0.3  # a player is told by the first part of a note; later others drown it
LEAST_SHARE = 0.03  # of a mix's notes; families heard less are mistaken for others
REGISTER_SEMITONES, REGISTER_WEIGHT = 6.0, 0.5
ALONE_NOTES = 1.0
EVIDENCE_WEIGHT = 0.8  # of a note: what misleads the network in one misleads it in others
# Of the notes heard in training, by family: the network's opinion where it cannot tell.
TAUGHT_SHARES = (
    *(0.172, 0.036, 0.059, 0.141, 0.106, 0.087),
    *(0.086, 0.055, 0.154, 0.036, 0.044, 0.025),
)
ROUNDS = 15
FLOOR = 1e-4

_KIND_OF_FAMILY = (
    StemKind.KEYS,
    StemKind.OTHER,  # mallets and bells
    StemKind.KEYS,
    StemKind.GUITAR,
    StemKind.BASS,
    StemKind.STRINGS,
    StemKind.VOCALS,
    StemKind.BRASS,
    StemKind.WINDS,
    StemKind.WINDS,
    StemKind.SYNTH,
    StemKind.SYNTH,
)

Logs = npt.NDArray[np.float64]
PackedFamilies = npt.NDArray[np.uint8]


def with_players(notes: Sequence[NoteEvent], posteriors: PitchPosteriors) -> list[NoteEvent]:
    """Give each note of a mix the program of its family, and write it for others who double it.

    Each note is most likely played by who plays often, and by who plays notes at its height:
    shares of the families in the mix, shares in the register and what the network heard of each
    note are settled together. Families below LEAST_SHARE give their notes to the others.
    """
    if not notes or posteriors.family is None:
        return list(notes)
    opinions = np.stack([opinion_of(note, posteriors) for note in notes])
    logs = EVIDENCE_WEIGHT * (opinions - np.log(TAUGHT_SHARES))
    pitches = np.array([note.pitch for note in notes])
    belief = _normalised(logs)
    for _ in range(ROUNDS):
        shares = np.exp(belief).mean(0)
        is_rare = (shares < LEAST_SHARE) & (shares < shares.max())
        shares = np.where(is_rare, FLOOR**2, shares)
        shares /= shares.sum()
        beside = _shares_beside(pitches, np.exp(belief), shares)
        expected = (1 - REGISTER_WEIGHT) * np.log(shares) + REGISTER_WEIGHT * np.log(beside)
        belief = _normalised(logs + expected)
    players = belief.argmax(1)
    others = also_playing(players, _each_playing(notes, posteriors))
    return [
        replace(note, program=PROGRAM_OF_FAMILY[family])
        for note, player, also in zip(notes, players.tolist(), others, strict=True)
        for family in (player, *np.flatnonzero(also).tolist())
    ]


def kind_of_stem(notes: Sequence[NoteEvent], posteriors: PitchPosteriors) -> StemKind | None:
    """Return what a stem of one instrument is most likely played on; None when nobody can tell."""
    if not notes or posteriors.family is None:
        return None
    means = np.exp(np.stack([opinion_of(note, posteriors) for note in notes])).mean(0)
    return _KIND_OF_FAMILY[int(means.argmax())]


def opinion_of(note: NoteEvent, posteriors: PitchPosteriors) -> Logs:
    """Return the log-probability of each family for a note [family].

    What was heard of its key over its first part and what was heard of its onset count alike; the
    latter was taught with all families about equal, so TAUGHT_SHARES stay those of the whole.
    """
    if posteriors.family is None:
        raise ValueError("these posteriors know nothing of families")
    opinion = _opinion_of_key(note, posteriors.family, posteriors)
    if posteriors.struck is not None:
        close = _close_look_at(note, posteriors, posteriors.struck)
        if close is not None:
            opinion = opinion + np.log(np.maximum(close[:FAMILIES], FLOOR))
    return np.asarray(_normalised(opinion[None])[0], np.float64)


def _each_playing(notes: Sequence[NoteEvent], posteriors: PitchPosteriors) -> Logs:
    """Return how likely each family plays a note, be it with others [note, family]."""
    told = np.full((len(notes), FAMILIES), np.nan)
    for row, note in zip(told, notes, strict=True):
        if posteriors.struck is not None:
            close = _close_look_at(note, posteriors, posteriors.struck)
            if close is not None:
                row[:] = close[FAMILIES:]
    return told


def _close_look_at(note: NoteEvent, posteriors: PitchPosteriors, struck: StruckKeys) -> Logs | None:
    """Return what StruckKeys has of a note's onset as probabilities [24]; None for nothing."""
    frame = round(note.onset_s * posteriors.frames_per_s)
    close = struck.opinion_at(frame, note.pitch - posteriors.lowest_pitch)
    return None if close is None else _unpacked(close)


def _opinion_of_key(
    note: NoteEvent, packed_families: PackedFamilies, posteriors: PitchPosteriors
) -> Logs:
    fps = posteriors.frames_per_s
    end_s = min(note.offset_s, note.onset_s + LOOK_S)
    first, last = int(note.onset_s * fps + 1) // BLOCK_FRAMES, int(end_s * fps) // BLOCK_FRAMES
    blocks = slice(first * BLOCK_FRAMES, (max(first, last) + 1) * BLOCK_FRAMES)
    rows = _unpacked(packed_families[:, blocks, note.pitch - posteriors.lowest_pitch])
    whole = rows.shape[1] // BLOCK_FRAMES * BLOCK_FRAMES
    if whole == 0:
        return np.full(FAMILIES, -np.log(FAMILIES))
    each = rows[:, :whole].reshape(len(rows), -1, BLOCK_FRAMES).mean(1).reshape(FAMILIES)
    return np.asarray(np.log(np.maximum(each, FLOOR)), np.float64)


def packed(probabilities: npt.NDArray[np.float16]) -> PackedFamilies:
    """Return probabilities as PitchPosteriors.family has them, in a byte each.

    Small ones matter as much as large ones, so it is square roots that are spaced evenly.
    """
    return np.asarray(np.rint(255 * np.sqrt(probabilities.astype(np.float32))), np.uint8)


def _unpacked(family: PackedFamilies) -> npt.NDArray[np.float64]:
    return np.asarray((family / 255.0) ** 2, np.float64)


def _shares_beside(pitches: npt.NDArray[np.int_], belief: Logs, shares: Logs) -> Logs:
    """Return for each note the shares of the families in its register, itself left out.

    Few neighbours say little: ALONE_NOTES are as in the whole mix.
    """
    lowest = pitches.min()
    keys = np.arange(pitches.max() - lowest + 1)
    played = np.zeros((len(keys), FAMILIES))
    np.add.at(played, pitches - lowest, belief)
    nearness = np.exp(-0.5 * ((keys[:, None] - keys) / REGISTER_SEMITONES) ** 2)
    others = np.maximum((nearness @ played)[pitches - lowest] - belief, 0.0)
    others = np.where(shares > FLOOR, others, 0.0) + ALONE_NOTES * shares
    return np.asarray(others / others.sum(1, keepdims=True), np.float64)


def _normalised(logs: Logs) -> Logs:
    """Let the probabilities of each row sum to 1 [row, family]."""
    highest = logs.max(1, keepdims=True)
    return np.asarray(logs - highest - np.log(np.exp(logs - highest).sum(1, keepdims=True)))
