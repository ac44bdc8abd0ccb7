"""Structured-random music: parts as an instrument of a family might play them."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.training.families import Family
from core.training.guitar_chords import Stroke, comping, fingerpicking
from core.training.part import Part, PlayedNote, Timed
from core.training.song import Harmony, Song, random_song

PACES_BEATS = {
    "slow": (2, 4, 3, 1),
    "mid": (1, 1, 0.5, 0.5, 2, 1.5),
    "fast": (0.5, 0.5, 0.25, 0.25, 1, 0.75, 1 / 3, 1 / 3, 1 / 3),
    "veryfast": (0.25, 0.25, 0.25, 0.25, 0.5, 1 / 6, 1 / 6, 1 / 6),
}
BASS_STEPS = (0, 0, 7, 12, 5, 3, 10, 2)
ARTICULATIONS = (0.35, 0.6, 0.85, 0.98, 1.08)  # share of a note's slot that it sounds
ARTICULATION_SHARES = (0.12, 0.18, 0.3, 0.3, 0.1)
SOFTEST, LOUDEST = 8, 127
SHORTEST_SLOT_S = 0.06
PAUSE_S = 0.012  # a key is let go this long before it is struck again
MONOPHONIC = frozenset({"reed", "harmonica", "pipe", "bass"})
MONOPHONIC_IN_MELODIES = frozenset({"brass", "strings", "lead"})
BENDING = frozenset({"guitar", "bass", "strings", "reed", "harmonica", "brass", "lead", "pipe"})
OCTAVE_DOUBLING = frozenset({"piano", "organ", "strings", "lead", "guitar"})
DOUBLING_STEPS, BROKEN_SHARE = (12, 12, -12, -12, 24, 19), 0.3
MELODIC = frozenset({"melody", "runs", "riff", "bop"})
DYNAMIC_SHARE = 0.6  # of parts whose loudness comes and goes
SLIDE_STEPS = 6  # in which a bend glides
OCTAVE_SHARE, PEDAL_SHARE, THIRD_VOICE_SHARE = 0.45, 0.55, 0.4
TWO_VOICED = frozenset({"piano", "guitar", "strings"})


@dataclass(frozen=True, slots=True)
class Composition:
    """A part, and the style it was drawn in."""

    part: Part
    style: str


def compose(
    rng: np.random.Generator, family: Family, duration_s: float, *, song: Song | None = None
) -> Composition:
    """Draw a part of one instrument; notes in onset order, never overlapping on one pitch.

    Without a song to play along with, one is drawn.
    """
    style = str(rng.choice(family.styles))
    player = _Player(rng, family, duration_s, song or random_song(rng, duration_s))
    player.play(style)
    is_doubled = family.name in OCTAVE_DOUBLING and rng.random() < OCTAVE_SHARE
    if is_doubled:
        player.double_in_octaves()
    if rng.random() < DYNAMIC_SHARE:
        player.notes = _with_dynamics(rng, player.notes, duration_s)
    is_monophonic = family.name in MONOPHONIC or (
        family.name in MONOPHONIC_IN_MELODIES and style in MELODIC and not is_doubled
    )
    part = Part(notes=_untangled(player.notes, duration_s, is_monophonic=is_monophonic))
    part.muted_strokes = player.muted_strokes
    if family.name == "piano" and rng.random() < PEDAL_SHARE:
        part.pedal = _pedal(rng, player.beat_s, duration_s)
    is_bending = family.name in BENDING and (is_monophonic or style in MELODIC)
    if is_bending and rng.random() < 0.35:
        part.bends = _bends(rng, part.notes)
    return Composition(part, style)


def one_voice_of(notes: list[PlayedNote], duration_s: float) -> list[PlayedNote]:
    """Leave out of a part what one voice cannot play."""
    return _untangled(notes, duration_s, is_monophonic=True)


def one_player_of(notes: list[PlayedNote], duration_s: float) -> list[PlayedNote]:
    """Let hands that meet on a key strike it one after another."""
    return _untangled(notes, duration_s, is_monophonic=False)


def sounding(notes: list[PlayedNote], pedal: list[Timed]) -> list[PlayedNote]:
    """Hold notes until the pedal is let go, at most until their key is struck again."""
    ups = [press.at_s for press in pedal if press.amount == 0]
    downs = [press.at_s for press in pedal if press.amount > 0]
    held: list[PlayedNote] = []
    last_of_pitch: dict[int, int] = {}
    for note in notes:
        offset_s = note.offset_s
        pressed = [at_s for at_s in downs if at_s <= offset_s]
        if pressed:
            released = [at_s for at_s in ups if at_s > pressed[-1]]
            if released and released[0] > offset_s:
                offset_s = released[0]
        held.append(note._replace(offset_s=offset_s))
    for number, note in enumerate(held):
        before = last_of_pitch.get(note.pitch)
        if before is not None and held[before].offset_s > note.onset_s - 0.01:
            held[before] = held[before]._replace(offset_s=note.onset_s - 0.01)
        last_of_pitch[note.pitch] = number
    return held


class _Player:
    """One player of a song; every style adds notes."""

    def __init__(
        self, rng: np.random.Generator, family: Family, duration_s: float, song: Song
    ) -> None:
        self.rng = rng
        self.family = family
        self.duration_s = duration_s
        self.notes: list[PlayedNote] = []
        self.muted_strokes: list[Timed] = []
        self.song = song
        self.beat_s = song.beat_s
        self.loudness, self.spread = rng.uniform(35, 110), rng.uniform(2, 18)
        self.jitter_s = abs(rng.normal(0, 0.012))
        self.articulation = rng.choice(ARTICULATIONS, p=ARTICULATION_SHARES)
        degrees = np.array(
            [octave * 12 + step + song.key for octave in range(-1, 11) for step in song.scale]
        )
        self.degrees = degrees[(degrees >= family.lowest_pitch) & (degrees <= family.highest_pitch)]

    def play(self, style: str) -> None:
        """Fill the duration in one style."""
        styles: dict[str, Callable[[], None]] = {
            "hands": self._two_hands,
            "chords": self._block_chords,
            "strum": self._strummed_chords,
            "comp": lambda: self._strokes(comping),
            "finger": lambda: self._strokes(fingerpicking),
            "arp": lambda: self._arpeggios(*self._window(24, 32)),
            "melody": self._melodies,
            "sung": lambda: self._sung(*self._window(18, int(self.rng.integers(8, 20)))),
            "bop": lambda: self._bop(*self._window(22, int(self.rng.integers(16, 28)))),
            "runs": lambda: self._melody(*self._window(24, 28), "veryfast"),
            "riff": lambda: self._bass(*self._window(20, 14)),
            "bass": self._bass_line,
            "random": self._random_notes,
        }
        styles[style]()

    def double_in_octaves(self) -> None:
        """Double the low notes or the high ones, at once or while they ring, perhaps softer."""
        rng = self.rng
        split = int(rng.integers(45, 72))
        is_left, share = rng.random() < 0.5, rng.uniform(0.3, 1.0)
        is_broken = rng.random() < BROKEN_SHARE
        step = int(rng.choice([-12, 12] if is_broken else DOUBLING_STEPS))
        if is_left and not is_broken:
            step = -12
        softness = rng.uniform(0.45, 1.0) if rng.random() < 0.6 else 1.0
        for note in list(self.notes):
            if (note.pitch < split) == is_left and rng.random() < share:
                length_s = note.offset_s - note.onset_s
                late_s = 0.5 * length_s if is_broken else rng.normal(0, 0.004)
                late_s = max(-note.onset_s, late_s)
                velocity = int(
                    np.clip(note.velocity * softness + rng.normal(0, 8), SOFTEST, LOUDEST)
                )
                self._add(note.onset_s + late_s, length_s - late_s, note.pitch + step, velocity)

    def _lowest(self, room: int) -> int:
        low, high = self.family.lowest_pitch, self.family.highest_pitch
        return int(self.rng.integers(low, max(low + 1, high - room)))

    def _window(self, room: int, width: int) -> tuple[int, int]:
        """Return the lowest and highest key of a random stretch of the instrument."""
        lowest = self._lowest(room)
        return lowest, min(self.family.highest_pitch, lowest + width)

    def _block_chords(self) -> None:
        self._chords(*self._window(24, 30), self.rng.choice([0, 0.003, 0.012]))

    def _strummed_chords(self) -> None:
        low, high = self.family.lowest_pitch, self.family.highest_pitch
        self._chords(low, high - 8, self.rng.uniform(0.004, 0.03), is_strummed=True)

    def _bass_line(self) -> None:
        low, high = self.family.lowest_pitch, self.family.highest_pitch
        self._bass(low + int(self.rng.integers(0, 8)), high)

    def _two_hands(self) -> None:
        low, high = self.family.lowest_pitch, self.family.highest_pitch
        split = int(self.rng.integers(50, 66))
        left = self.rng.random()
        if left < 0.3:
            self._bass(max(low, 26), split - 1)
        elif left < 0.6:
            self._arpeggios(max(low, 36), split)
        elif left < 0.85:
            self._chords(max(low, 36), split + 3, 0.004)
        else:
            self._melody(max(low, 33), split, "mid")
        if self.rng.random() < 0.6:
            pace = str(self.rng.choice(["mid", "fast", "veryfast"]))
            self._melody(split, min(high, split + 30), pace)
        else:
            self._chords(split - 2, min(high, split + 28), 0.004)
        if self.rng.random() < THIRD_VOICE_SHARE:
            pace = str(self.rng.choice(["slow", "slow", "mid"]))
            self._melody(split - 12, min(high, split + 30), pace)

    def _melodies(self) -> None:
        low, high = self.family.lowest_pitch, self.family.highest_pitch
        lowest = self._lowest(18)
        highest = min(high, lowest + int(self.rng.integers(12, 26)))
        self._melody(lowest, highest, str(self.rng.choice(["slow", "mid", "mid", "fast"])))
        if self.family.name in TWO_VOICED and self.rng.random() < 0.3:
            self._melody(max(low, lowest - 14), lowest, "mid")

    def _melody(self, lowest: int, highest: int, pace: str) -> None:
        rng = self.rng
        steps = self.degrees[(self.degrees >= lowest) & (self.degrees <= highest)]
        if len(steps) < 4:
            steps = np.arange(lowest, highest + 1)
        at = int(rng.integers(len(steps)))
        repeating, leaping = rng.uniform(0, 0.35), rng.uniform(0.05, 0.35)
        leaning = rng.uniform(0, 0.8)  # of long notes, on the chord
        for onset_s, slot_s in self._rhythm(pace):
            move = rng.random()
            if repeating <= move < repeating + leaping:
                at += int(rng.integers(-7, 8))
            elif move >= repeating + leaping:
                at += int(rng.choice([-2, -1, -1, 1, 1, 2]))
            at = int(np.clip(at, 0, len(steps) - 1))
            if slot_s >= self.beat_s and rng.random() < leaning:
                at = _nearest_of(self.song.harmony_at(onset_s).pitch_classes, steps, at)
            held = min(self.articulation, 1.0) if self.family.is_sustained else self.articulation
            length_s = slot_s * held
            self._add(
                onset_s + rng.normal(0, self.jitter_s),
                length_s * rng.uniform(0.8, 1.02),
                steps[at],
                self._velocity(),
            )
            if rng.random() < 0.03:  # a double stop
                above = steps[min(len(steps) - 1, at + 2)]
                self._add(onset_s + rng.normal(0, self.jitter_s), length_s, above, self._velocity())

    def _sung(self, lowest: int, highest: int) -> None:
        """Sing lines of syllables, many on one pitch, the last one held; then take breath."""
        rng = self.rng
        steps = self.degrees[(self.degrees >= lowest) & (self.degrees <= highest)]
        if len(steps) < 4:
            steps = np.arange(lowest, highest + 1)
        syllable_s, reciting = rng.uniform(0.13, 0.5), rng.uniform(0.1, 0.7)
        at_s, at = self.song.start_s, int(rng.integers(len(steps)))
        while at_s < self.duration_s:
            length = int(rng.integers(2, 14))
            for number in range(length):
                if rng.random() > reciting:
                    at += int(rng.choice([-4, -2, -1, -1, -1, 1, 1, 1, 2, 4]))
                at = int(np.clip(at, 0, len(steps) - 1))
                slots = rng.choice([0.5, 1, 1, 1, 1.5, 2] if number < length - 1 else [2, 3, 5])
                held_s = slots * syllable_s * rng.uniform(0.75, 1.0)
                self._add(at_s + rng.normal(0, self.jitter_s), held_s, steps[at], self._velocity())
                at_s += slots * syllable_s
            at_s += rng.uniform(0.2, 1.5)

    def _bop(self, lowest: int, highest: int) -> None:
        """Play swung eighths in long lines that turn, leap and lead in by semitones."""
        rng = self.rng
        steps = self.degrees[(self.degrees >= lowest) & (self.degrees <= highest)]
        if len(steps) < 4:
            steps = np.arange(lowest, highest + 1)
        tempo_s, swing = 60 / rng.uniform(110, 290), rng.uniform(0.5, 0.68)
        ghosts = rng.uniform(0, 0.3) if rng.random() < 0.5 else 0.08
        at_s, at, way = rng.uniform(0, 0.4), int(rng.integers(len(steps))), 1
        while at_s < self.duration_s:
            length = int(rng.integers(3, 26))
            beat_s = tempo_s / (2 if rng.random() < 0.15 else 1)  # at times in double time
            for number in range(length):
                move = rng.random()
                if move < 0.12 or not 0 < at < len(steps) - 1:
                    way = -way
                at += way * (1 if move < 0.65 else 2) if move < 0.92 else int(rng.integers(-5, 6))
                at = int(np.clip(at, 0, len(steps) - 1))
                slot_s = max(SHORTEST_SLOT_S, beat_s * (swing if number % 2 == 0 else 1 - swing))
                pitches = [steps[at]]
                if rng.random() < 0.1:  # a chromatic note between two steps
                    pitches = [steps[at] - way]
                elif rng.random() < 0.08 and slot_s > 3 * SHORTEST_SLOT_S:  # a turn
                    pitches = [steps[at], steps[min(at + 1, len(steps) - 1)], steps[at]]
                if number == length - 1:
                    slot_s = tempo_s * rng.choice([0.5, 1, 2, 3])
                ghost = rng.uniform(0.3, 0.7) if rng.random() < ghosts else 1.0
                accent = rng.uniform(0, 12) if number % 2 else 0.0
                for place, pitch in enumerate(pitches):
                    part_s = slot_s / len(pitches)
                    self._add(
                        at_s + place * part_s + rng.normal(0, 0.5 * self.jitter_s),
                        part_s * min(1.0, self.articulation + 0.1),
                        pitch,
                        int(np.clip((self._velocity() + accent) * ghost, SOFTEST, LOUDEST)),
                    )
                at_s += slot_s
            at_s += tempo_s * rng.choice([0.0, 0.5, 1, 2, 3])

    def _strokes(self, pattern: Callable[..., list[Stroke]]) -> None:
        """Play a pattern of strokes over guitar chords, damped strokes among them."""
        for stroke in pattern(self.rng, self.song, duration_s=self.duration_s):
            velocity = self._velocity()
            if not stroke.strings:
                self.muted_strokes.append(Timed(stroke.at_s, velocity))
            for string in stroke.strings:
                self._add(
                    stroke.at_s + string.late_s,
                    string.sounding_s,
                    string.pitch,
                    int(np.clip(velocity + stroke.accent + self.rng.normal(0, 6), SOFTEST, 127)),
                )

    def _chords(
        self, lowest: int, highest: int, spread_s: float, *, is_strummed: bool = False
    ) -> None:
        rng = self.rng
        rhythm = self._rhythm(str(rng.choice(["slow", "mid", "mid", "fast"])))
        size = int(rng.choice([3, 4, 5, 6, 6] if is_strummed else [3, 3, 4, 4, 5, 6]))
        harmony, keys = None, list[int]()
        for onset_s, slot_s in rhythm:
            if harmony is not (harmony := self.song.harmony_at(onset_s)):
                keys = self._voicing(harmony, lowest, highest, size)
            is_upwards = is_strummed and rng.random() < 0.4
            delay_s = abs(rng.normal(0, spread_s))
            velocity = self._velocity()
            for number, key in enumerate(keys[::-1] if is_upwards else keys):
                if is_strummed and rng.random() < 0.06:
                    continue
                late_s = number * delay_s
                self._add(
                    onset_s + late_s + rng.normal(0, self.jitter_s * 0.5),
                    slot_s * self.articulation - (late_s if is_strummed else 0),
                    key,
                    int(np.clip(velocity + rng.normal(0, 6), SOFTEST, LOUDEST)),
                )

    def _arpeggios(self, lowest: int, highest: int) -> None:
        rng = self.rng
        step_s = rng.choice([0.25, 0.5, 1 / 3, 0.5]) * self.beat_s
        is_held = rng.random() < 0.5
        direction = str(rng.choice(["up", "down", "updown", "rand"]))
        ends_s = [harmony.at_s for harmony in self.song.harmonies[1:]] + [self.duration_s]
        for harmony, end_s in zip(self.song.harmonies, ends_s, strict=True):
            start_s, length_s = harmony.at_s, end_s - harmony.at_s
            keys = self._voicing(harmony, lowest, highest, int(rng.integers(3, 7)))
            if not keys:
                continue
            order = {
                "up": keys,
                "down": keys[::-1],
                "updown": keys + keys[-2:0:-1],
                "rand": [int(key) for key in rng.permutation(keys)],
            }[direction]
            steps = max(1, int(length_s / step_s))
            for step in range(steps):
                note_s = length_s - step * step_s if is_held else step_s * self.articulation
                if is_held and step + len(order) < steps:
                    note_s = min(note_s, step_s * len(order) * 0.98)
                self._add(
                    start_s + step * step_s + rng.normal(0, self.jitter_s),
                    note_s,
                    order[step % len(order)],
                    self._velocity(),
                )

    def _bass(self, lowest: int, highest: int) -> None:
        rng = self.rng
        pace = str(rng.choice(["slow", "mid", "fast", "fast"]))
        for onset_s, slot_s in self._rhythm(pace):
            root = lowest + (self.song.harmony_at(onset_s).root - lowest) % 12
            key = root if rng.random() < 0.5 else root + int(rng.choice(BASS_STEPS))
            self._add(
                onset_s + rng.normal(0, self.jitter_s),
                slot_s * min(self.articulation, 1.0),
                key if key <= highest else key - 12,
                self._velocity(),
            )

    def _random_notes(self) -> None:
        rng = self.rng
        low, high = self.family.lowest_pitch, self.family.highest_pitch
        rate_hz = np.exp(rng.uniform(np.log(1.5), np.log(14)))
        at_s = 0.0
        while at_s < self.duration_s:
            at_s += rng.exponential(1 / rate_hz)
            together = 1 if rng.random() < 0.7 else int(rng.integers(2, 5))
            for _ in range(together):
                self._add(
                    at_s + abs(rng.normal(0, 0.008)),
                    np.exp(rng.uniform(np.log(0.08), np.log(1.8))),
                    int(rng.integers(low, high + 1)),
                    int(rng.integers(20, 125)),
                )

    def _rhythm(self, pace: str) -> list[tuple[float, float]]:
        """Return onset and slot length of successive notes, with rests."""
        rng, cells = self.rng, PACES_BEATS[pace]
        slots: list[tuple[float, float]] = []
        at_s = self.song.start_s + self.beat_s * int(rng.choice([0, 0, 0, 1, 2]))
        is_steady = rng.random() < 0.35
        steady = rng.choice(cells)
        while at_s < self.duration_s:
            beats = steady if is_steady else rng.choice(cells)
            if is_steady and rng.random() < 0.06:
                steady = rng.choice(cells)
            slot_s = max(SHORTEST_SLOT_S, beats * self.beat_s)
            slots.append((at_s, slot_s))
            at_s += slot_s
            if rng.random() < 0.08:
                at_s += self.beat_s * rng.choice([0.5, 1, 2])
        return slots

    def _voicing(self, harmony: Harmony, lowest: int, highest: int, size: int) -> list[int]:
        """Return up to `size` keys of a chord, spread upwards from a random one."""
        classes = harmony.pitch_classes
        key = int(self.rng.integers(lowest, max(lowest + 1, highest - 12)))
        keys: list[int] = []
        while len(keys) < size and key <= highest:
            if key % 12 in classes and (not keys or key - keys[-1] >= self.rng.choice([2, 3, 5])):
                keys.append(key)
            key += 1
        return keys

    def _velocity(self) -> int:
        return int(np.clip(self.rng.normal(self.loudness, self.spread), SOFTEST, LOUDEST))

    def _add(
        self, onset_s: float, length_s: float, pitch: int | npt.NDArray[np.int_], velocity: int
    ) -> None:
        in_range = self.family.lowest_pitch <= pitch <= self.family.highest_pitch
        if in_range and 0 <= onset_s < self.duration_s - 0.05:
            offset_s = onset_s + max(0.05, length_s)
            self.notes.append(PlayedNote(onset_s, offset_s, int(pitch), velocity))


def _untangled(
    notes: list[PlayedNote], duration_s: float, *, is_monophonic: bool
) -> list[PlayedNote]:
    """Sort; let no two notes of a pitch, or of a monophonic part, overlap."""
    last: dict[int, int] = {}
    kept: list[PlayedNote] = []
    for note in sorted(notes):
        voice = 0 if is_monophonic else note.pitch
        if voice in last and kept[last[voice]].offset_s > note.onset_s - PAUSE_S:
            before = kept[last[voice]]
            if note.onset_s - before.onset_s < 0.045:
                continue
            cut_s = max(before.onset_s + 0.03, note.onset_s - PAUSE_S)
            kept[last[voice]] = before._replace(offset_s=cut_s)
        last[voice] = len(kept)
        kept.append(note._replace(offset_s=min(note.offset_s, duration_s - 0.01)))
    return [note for note in kept if note.offset_s > note.onset_s + 0.025]


def _with_dynamics(
    rng: np.random.Generator, notes: list[PlayedNote], duration_s: float
) -> list[PlayedNote]:
    """Let a part grow and fade, and its lower notes stand back or come out."""
    corners_s = np.linspace(0, duration_s, 6)
    swell = rng.normal(0, rng.uniform(4, 20), 6)
    split = int(rng.integers(48, 70))
    backing = rng.uniform(0.5, 1.2) if rng.random() < 0.6 else 1.0
    return [
        note._replace(
            velocity=int(
                np.clip(
                    note.velocity * (backing if note.pitch < split else 1.0)
                    + np.interp(note.onset_s, corners_s, swell),
                    SOFTEST,
                    LOUDEST,
                )
            )
        )
        for note in notes
    ]


def _pedal(rng: np.random.Generator, beat_s: float, duration_s: float) -> list[Timed]:
    pedal: list[Timed] = []
    at_s = 0.0
    while at_s < duration_s:
        length_s = beat_s * rng.choice([1, 2, 4, 4, 8])
        up_s = min(duration_s, at_s + length_s - rng.uniform(0.02, 0.1))
        pedal += [Timed(at_s + 0.05, 127), Timed(up_s, 0)]
        at_s += length_s
        if rng.random() < 0.2:
            at_s += length_s
    return pedal


def _bends(rng: np.random.Generator, notes: list[PlayedNote]) -> list[Timed]:
    """Let some notes slide in from below, and long ones waver."""
    bends: list[Timed] = []
    rate_hz, depth = rng.uniform(4, 7), rng.uniform(0.08, 0.45)
    sliding = rng.uniform(0, 0.4) if rng.random() < 0.4 else 0.0
    for note in notes:
        slide_s = rng.uniform(0.03, 0.1) if rng.random() < sliding else 0.0
        depth_of_slide = float(rng.choice([1, 1, 2])) if slide_s else 0.0
        for left in np.linspace(1, 0, SLIDE_STEPS) if slide_s else (0.0,):
            at_s = note.onset_s - 0.003 + (1 - left) * slide_s
            bends.append(Timed(at_s, -left * depth_of_slide))
        if note.offset_s - note.onset_s > 0.35 and rng.random() < 0.7:
            for at_s in np.arange(note.onset_s + 0.18, note.offset_s, 0.015):
                turns = 2 * np.pi * rate_hz * (at_s - note.onset_s - 0.18)
                bends.append(Timed(at_s, depth * np.sin(turns)))
    return bends


def _nearest_of(classes: Collection[int], steps: npt.NDArray[np.int_], at: int) -> int:
    """Return which step of these pitch classes is nearest, `at` where there is none."""
    places = np.flatnonzero(np.isin(steps % 12, list(classes)))
    return int(places[np.argmin(np.abs(places - at))]) if len(places) else at
