"""What players of diatonic harmonicas breathe: lines, bends, warbles, chugs, splits and vamps."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from core.training.harmonica import (
    HOLES,
    LOWEST_HARP_PITCH,
    OCTAVE,
    Breath,
    Harp,
    play_breaths,
)
from core.training.performance import Performance
from core.training.performer import random_performer
from core.training.player import LOUDEST, SOFTEST
from core.training.song import Song

# Semitones from the key of the harp to that of the song: played straight, across, and further.
POSITIONS, POSITION_SHARES = (0, 7, 2, 9, 5), (0.3, 0.45, 0.15, 0.05, 0.05)
CELLS_BEATS = (  # how one beat is divided
    (1.0,),
    (1 / 2, 1 / 2),
    (2 / 3, 1 / 3),  # shuffled
    (1 / 3, 1 / 3, 1 / 3),
    (1 / 4, 1 / 4, 1 / 4, 1 / 4),
    (1 / 2, 1 / 4, 1 / 4),
    (1 / 4, 1 / 4, 1 / 2),
    (3 / 4, 1 / 4),
    (1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6),
)
QUICKEST_S = 0.08  # a breath is articulated no faster
LONGEST_CHUG_S = 0.25
CHORDAL_SHARE = 0.65  # of players, the others play single notes
# How often a phrase is played: the weights of a Dirichlet distribution. That they are near 1 and
# below lets every player have favourites.
SINGLE_PHRASES: Mapping[str, float] = {"line": 0.7, "bend": 0.4, "warble": 0.2}
CHORD_PHRASES: Mapping[str, float] = {
    "chug": 1.4,
    "octave": 0.6,
    "stop": 0.6,
    "vamp": 1.2,
    "slap": 0.6,
}
CHUG_SIZES, CHUG_SIZE_SHARES = (2, 3, 4), (0.3, 0.45, 0.25)
WARBLE_HZ = (4.5, 8.0)
SLAP_S = (0.02, 0.04)
BEND_STAGE_S = (0.1, 0.5)
JOINED_S = 0.001  # between breaths that are articulated by tongue or breath alone
SHORTEST_S = 0.03


@dataclass(frozen=True, slots=True)
class HarmonicaPlaying:
    """A diatonic harmonica as it is heard, and whether it plays chords."""

    performance: Performance
    has_chords: bool


class _Place(NamedTuple):
    """Where a pitch is found: in the order of pitch."""

    pitch: int
    hole: int
    is_drawn: bool
    bent: int


class _Slot(NamedTuple):
    onset_s: float
    length_s: float
    is_on_beat: bool


def play_diatonic(rng: np.random.Generator, song: Song, *, duration_s: float) -> HarmonicaPlaying:
    """Draw a player and a harp, and play along with a song."""
    position = int(rng.choice(POSITIONS, p=POSITION_SHARES))
    harp = harp_in(song.key - position)
    has_chords = bool(rng.random() < CHORDAL_SHARE)
    breaths = random_breaths(rng, song, harp, duration_s=duration_s, has_chords=has_chords)
    performer = random_performer(rng, "harmonica")
    performance = play_breaths(rng, harp, breaths, performer, duration_s=duration_s)
    return HarmonicaPlaying(performance, any(len(breath.holes) > 1 for breath in breaths))


def harp_in(key: int) -> Harp:
    """Return the harp of a key, a pitch class or a pitch."""
    return Harp(LOWEST_HARP_PITCH + (key - LOWEST_HARP_PITCH) % OCTAVE)


def random_breaths(
    rng: np.random.Generator, song: Song, harp: Harp, *, duration_s: float, has_chords: bool
) -> list[Breath]:
    """Draw what is breathed along with a song, in onset order, one breath after the other."""
    player = _Player(rng, song, harp, duration_s)
    player.play({**SINGLE_PHRASES, **CHORD_PHRASES} if has_chords else SINGLE_PHRASES)
    return _one_after_another(player.breaths, duration_s)


class _Player:
    """One player of a song; every phrase adds breaths and takes some beats."""

    def __init__(self, rng: np.random.Generator, song: Song, harp: Harp, duration_s: float) -> None:
        self.breaths: list[Breath] = []
        self._rng = rng
        self._song = song
        self._harp = harp
        self._duration_s = duration_s
        self._beat = 0
        self._loudness, self._spread = rng.uniform(40, 112), rng.uniform(2, 15)
        self._accent = rng.uniform(0, 15)
        self._jitter_s = abs(rng.normal(0, 0.012))
        self._joining = rng.uniform(0.2, 1.0)
        self._bending = rng.uniform(0, 0.5) if rng.random() < 0.7 else 0.0  # of places of a line
        self._slapping = rng.uniform(0.2, 1.0)
        self._quickest_s = QUICKEST_S * rng.uniform(1.0, 2.5)
        self._places = sorted(self._all_places())
        self._at = int(rng.integers(len(self._places)))

    def play(self, phrases: Mapping[str, float]) -> None:
        """Fill the duration with phrases, some more often than others."""
        rng = self._rng
        ways: dict[str, Callable[[int], None]] = {
            "line": self._line,
            "bend": self._bends,
            "warble": self._warble,
            "chug": self._chug,
            "octave": lambda beats: self._line(beats, self._with_octave),
            "stop": lambda beats: self._line(beats, self._with_neighbour),
            "vamp": self._vamp,
            "slap": lambda beats: self._line(beats, self._slapped),
        }
        shares = rng.dirichlet(list(phrases.values()))
        rests = rng.uniform(0, 0.8)
        while self._s_of(self._beat) < self._duration_s:
            beats = int(rng.choice([2, 3, 4, 4, 6, 8]))
            ways[str(rng.choice(list(phrases), p=shares))](beats)
            self._beat += beats
            if rng.random() < rests:
                self._beat += int(rng.choice([1, 1, 2, 4]))

    def _line(self, beats: int, dress: Callable[[Breath], list[Breath]] | None = None) -> None:
        """Play single notes, or what `dress` makes of them."""
        share = 1.0 if dress is None else self._rng.uniform(0.4, 1.0)
        for slot in self._slots(beats, self._quickest_s):
            place = self._next_place(slot)
            breath = self._breath(slot, (place.hole,), place.is_drawn, bent=place.bent)
            is_dressed = dress is not None and not place.bent and self._rng.random() < share
            self.breaths += dress(breath) if dress is not None and is_dressed else [breath]

    def _with_octave(self, breath: Breath) -> list[Breath]:
        """Add the hole an octave higher, at times the nearest the mouth can split to."""
        (hole,) = breath.holes
        upper = self._harp.octave_over(hole, is_drawn=breath.is_drawn)
        if upper is None and self._rng.random() < 0.3:
            upper = hole + 3
        if upper is None or upper >= HOLES:
            return [breath]
        return [replace(breath, holes=(hole, upper))]

    def _with_neighbour(self, breath: Breath) -> list[Breath]:
        (hole,) = breath.holes
        lower = hole if hole == 0 or (hole < HOLES - 1 and self._rng.random() < 0.5) else hole - 1
        return [replace(breath, holes=(lower, lower + 1))]

    def _slapped(self, breath: Breath) -> list[Breath]:
        """Let the holes below sound until the tongue shuts them."""
        rng = self._rng
        (hole,) = breath.holes
        slap_s = rng.uniform(*SLAP_S)
        lower = tuple(range(max(0, hole - int(rng.integers(2, 4))), hole + 1))
        if len(lower) < 2 or rng.random() > self._slapping:
            return [breath]
        slap = replace(
            breath,
            onset_s=breath.onset_s - slap_s,
            offset_s=breath.onset_s - JOINED_S,
            holes=lower,
            is_slap=True,
        )
        return [slap, breath]

    def _bends(self, beats: int) -> None:
        """Hold holes that bend, and slide down and up on them."""
        rng = self._rng
        end_s = self._s_of(self._beat + beats) - BEND_STAGE_S[0]  # the next phrase cuts the rest
        places = [place for place in self._places if place.bent]
        at_s = self._s_of(self._beat) + rng.normal(0, self._jitter_s)
        while places and at_s < end_s:
            place = places[int(rng.integers(len(places)))]
            stages = [(0, place.bent), (place.bent, 0), (0, place.bent, 0)][int(rng.integers(3))]
            velocity = self._velocity(accent=0.0)
            for number, bent in enumerate(stages):
                if at_s >= end_s:
                    break
                length_s = rng.uniform(*BEND_STAGE_S)
                self.breaths.append(
                    Breath(
                        at_s,
                        at_s + length_s - JOINED_S,
                        (place.hole,),
                        place.is_drawn,
                        velocity,
                        bent=bent,
                        is_slid=number > 0,
                    )
                )
                at_s += length_s
            at_s += rng.choice([0.0, 0.0, 0.5, 1.0]) * self._song.beat_s

    def _warble(self, beats: int) -> None:
        """Shake between two neighbouring holes."""
        rng = self._rng
        at_s, end_s = self._s_of(self._beat), self._s_of(self._beat + rng.uniform(1, beats))
        hole, is_drawn = int(rng.integers(1, 7)), bool(rng.random() < 0.75)
        step_s = 0.5 / rng.uniform(*WARBLE_HZ)
        number = 0
        while at_s < end_s:
            length_s = step_s * rng.uniform(0.9, 1.1)
            slot = _Slot(at_s, length_s, is_on_beat=False)
            breath = self._breath(slot, (hole + number % 2,), is_drawn)
            self.breaths.append(replace(breath, offset_s=at_s + length_s - JOINED_S))
            at_s, number = at_s + length_s, number + 1

    def _chug(self, beats: int) -> None:
        """Repeat a pattern of chords, in and out like a train or as the harmony goes."""
        rng = self._rng
        slots = list(self._slots(beats, QUICKEST_S, cell=self._chugging_cell()))
        cycle = int(rng.choice([4, 6, 8, 12, 16]))
        directions = str(rng.choice(["drawn", "blown", "pairs", "turns", "harmony"]))
        rests, singles, changes = rng.uniform(0, 0.3), rng.uniform(0, 0.5), rng.uniform(0, 0.3)
        holes = self._random_chord()
        pattern: list[tuple[int, ...]] = []
        for _ in range(cycle):
            kind = rng.random()
            if kind < rests:
                pattern.append(())
            elif kind < rests + singles:
                pattern.append((holes[int(rng.choice([0, -1]))],))
            else:
                pattern.append(self._random_chord() if rng.random() < changes else holes)
        for number, slot in enumerate(slots):
            is_drawn = {
                "drawn": True,
                "blown": False,
                "pairs": number % 4 < 2,
                "turns": number % 2 == 0,
                "harmony": self._fits_drawn(holes, slot.onset_s),
            }[directions]
            if pattern[number % cycle]:
                self.breaths.append(self._breath(slot, pattern[number % cycle], is_drawn))

    def _vamp(self, beats: int) -> None:
        """Put chords of low holes on the beat, or off it, between single notes."""
        rng = self._rng
        is_on_beat, holes = rng.random() < 0.7, self._random_chord()
        shortness = rng.uniform(0.3, 1.0)
        for slot in self._slots(beats, self._quickest_s):
            if slot.is_on_beat == is_on_beat and rng.random() < 0.85:
                breath = self._breath(slot, holes, self._fits_drawn(holes, slot.onset_s))
                length_s = max(QUICKEST_S, shortness * (breath.offset_s - breath.onset_s))
                self.breaths.append(
                    replace(breath, offset_s=min(breath.offset_s, breath.onset_s + length_s))
                )
            else:
                place = self._next_place(slot)
                self.breaths.append(
                    self._breath(slot, (place.hole,), place.is_drawn, bent=place.bent)
                )

    def _all_places(self) -> Iterator[_Place]:
        """Yield the unbent reeds, and the bends of a player who bends."""
        for hole in range(HOLES):
            for is_drawn in (False, True):
                pitch = self._harp.pitch(hole, is_drawn=is_drawn)
                yield _Place(pitch, hole, is_drawn, 0)
                for bent in range(1, self._harp.deepest_bend(hole, is_drawn=is_drawn) + 1):
                    yield _Place(pitch - bent, hole, is_drawn, bent)

    def _next_place(self, slot: _Slot) -> _Place:
        """Walk along the scale, leaning on the chord when a note is long."""
        rng, song = self._rng, self._song
        leaps = rng.random() < 0.15
        if rng.random() > 0.2:  # else once more
            self._at += int(rng.integers(-8, 9) if leaps else rng.choice([-3, -2, -1, 1, 2, 3]))
        classes = {(song.key + step) % OCTAVE for step in song.scale}
        if slot.length_s >= song.beat_s and rng.random() < 0.5:
            classes &= song.harmony_at(slot.onset_s).pitch_classes
        self._at = int(np.clip(self._at, 0, len(self._places) - 1))
        may_bend = rng.random() < self._bending
        fitting = [
            number
            for number, place in enumerate(self._places)
            if place.pitch % OCTAVE in classes and (may_bend or not place.bent)
        ]
        if fitting:
            self._at = min(fitting, key=lambda number: abs(number - self._at))
        place = self._places[self._at]
        if place.bent and not may_bend:
            return place._replace(pitch=place.pitch + place.bent, bent=0)
        return place

    def _random_chord(self) -> tuple[int, ...]:
        """Return neighbouring holes, more often low ones."""
        size = int(self._rng.choice(CHUG_SIZES, p=CHUG_SIZE_SHARES))
        lowest = int(min(self._rng.integers(0, HOLES - size + 1, 2)))
        return tuple(range(lowest, lowest + size))

    def _fits_drawn(self, holes: tuple[int, ...], at_s: float) -> bool:
        """Return whether more of the holes belong to the harmony drawn than blown."""
        classes = self._song.harmony_at(at_s).pitch_classes

        def fitting(*, is_drawn: bool) -> int:
            pitches = (self._harp.pitch(hole, is_drawn=is_drawn) for hole in holes)
            return sum(pitch % OCTAVE in classes for pitch in pitches)

        return fitting(is_drawn=True) >= fitting(is_drawn=False)

    def _chugging_cell(self) -> tuple[float, ...]:
        """Return how a beat is divided so that breaths are quick, or as quick as they can be."""
        beat_s = self._song.beat_s
        quick = [
            cell
            for cell in CELLS_BEATS
            if min(cell) * beat_s >= QUICKEST_S and np.mean(cell) * beat_s <= LONGEST_CHUG_S
        ]
        return quick[int(self._rng.integers(len(quick)))] if quick else CELLS_BEATS[1]

    def _slots(
        self, beats: int, quickest_s: float, *, cell: tuple[float, ...] | None = None
    ) -> Iterator[_Slot]:
        """Yield the slots of a phrase, each until the next; long notes and rests among them."""
        rng, beat_s = self._rng, self._song.beat_s
        cells = [other for other in CELLS_BEATS if min(other) * beat_s >= quickest_s]
        main = cell or cells[int(rng.integers(len(cells)))]
        straying, holding, resting = rng.uniform(0, 0.5), rng.uniform(0, 0.3), rng.uniform(0, 0.15)
        onsets_beats: list[float] = []
        end_beats = 0.0
        while end_beats < beats:
            kind = rng.random() if cell is None else 1.0
            lengths = main
            if kind < holding:
                lengths = (float(rng.choice([1, 2, 2, 3])),)
            elif kind < holding + straying:
                lengths = cells[int(rng.integers(len(cells)))]
            for length in lengths:
                onsets_beats.append(end_beats)
                end_beats += length
        onsets_s = [
            self._s_of(self._beat + onset) + rng.normal(0, self._jitter_s)
            for onset in (*onsets_beats, end_beats)
        ]
        for onset_beats, (onset_s, next_s) in zip(onsets_beats, pairwise(onsets_s), strict=True):
            if rng.random() >= resting:
                is_on_beat = round(onset_beats, 6) % 1 == 0
                yield _Slot(onset_s, next_s - onset_s, is_on_beat)

    def _breath(
        self, slot: _Slot, holes: tuple[int, ...], is_drawn: bool, *, bent: int = 0
    ) -> Breath:
        """Fill a slot, or leave it early."""
        rng = self._rng
        is_joined = rng.random() < self._joining
        held_s = slot.length_s * (1.0 if is_joined else rng.uniform(0.4, 0.9))
        offset_s = slot.onset_s + max(SHORTEST_S, held_s) - JOINED_S
        velocity = self._velocity(accent=self._accent if slot.is_on_beat else 0.0)
        return Breath(slot.onset_s, offset_s, holes, is_drawn, velocity, bent=bent)

    def _velocity(self, *, accent: float) -> int:
        drawn = self._rng.normal(self._loudness + accent, self._spread)
        return int(np.clip(drawn, SOFTEST, LOUDEST))

    def _s_of(self, beat: float) -> float:
        return self._song.start_s + beat * self._song.beat_s


def _one_after_another(breaths: list[Breath], duration_s: float) -> list[Breath]:
    """Sort, let no two breaths overlap, and leave out what is too short to sound."""
    ordered = sorted(
        (breath for breath in breaths if 0 <= breath.onset_s < duration_s - 0.05),
        key=lambda breath: breath.onset_s,
    )
    ends_s = [breath.onset_s - JOINED_S for breath in ordered[1:]] + [duration_s - 0.01]
    cut = [
        replace(breath, offset_s=min(breath.offset_s, end_s))
        for breath, end_s in zip(ordered, ends_s, strict=True)
    ]
    return [
        breath
        for breath in cut
        if breath.offset_s - breath.onset_s
        >= (SLAP_S[0] - JOINED_S if breath.is_slap else SHORTEST_S)
    ]
