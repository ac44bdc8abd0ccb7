"""Performances: whole phrases of one voice, wind or bow, with what happens between the notes.

`synth.py` plays note by note. Here pitch, loudness and tone are curves over the whole part, because
real singers and players scoop, slide, let vibrato start late, tongue, breathe, fall off and rarely
hold still.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.training.curve_synth import (
    CONTROLS_PER_S,
    SAMPLE_RATE_HZ,
    Samples,
    breath,
    coloured,
    sounded,
)
from core.training.part import PlayedNote
from core.training.performer import Curve, Performer, log_uniform
from core.training.recorded_voice import RecordedVoice, played

PHRASE_GAP_S = 0.09  # a note that starts this soon after the last one belongs to its phrase
HEARD_LEVEL = 0.3  # an attack is heard from this share of its peak on
FALLING_S = 0.16
VOWELS_HZ = (  # first three formants of a man's vowels, after Peterson and Barney (1952)
    (270, 2290, 3010),
    (390, 1990, 2550),
    (530, 1840, 2480),
    (660, 1720, 2410),
    (730, 1090, 2440),
    (570, 840, 2410),
    (440, 1020, 2240),
    (300, 870, 2240),
    (490, 1350, 1690),
    (500, 1500, 2500),
)


@dataclass(frozen=True, slots=True)
class Performance:
    """Mono samples [sample] and the notes as they are heard."""

    samples: Samples
    notes: list[PlayedNote]


def perform(
    rng: np.random.Generator,
    notes: Sequence[PlayedNote],
    performer: Performer,
    *,
    duration_s: float,
    slides: Collection[float] | None = None,
    voice: RecordedVoice | None = None,
) -> Performance:
    """Play the notes of a monophonic part, in onset order; on a recorded voice if there is one.

    `slides` are the onsets of notes that are slid to from the note before; with them, notes are
    joined where they are written so. Without, the performer joins and slides by habit.
    """
    if slides is None:
        notes = _slurred(rng, notes, performer)
    length = int(duration_s * CONTROLS_PER_S) + 1
    curves = _Curves(rng, performer, length, slides)
    for number, note in enumerate(notes):
        before = notes[number - 1] if number else None
        after = notes[number + 1] if number + 1 < len(notes) else None
        curves.add(note, before, after)
    pitch, level, tone = curves.finished()
    if voice is not None:
        sound = played(rng, voice, pitch, level)
    else:
        sound = _synthesised(rng, performer, pitch, level, tone)
    sound = sound + breath(rng, performer, level, loudest=float(np.abs(sound).max()))
    loudest = float(np.abs(sound).max())
    for at_s, burst in curves.bursts:
        _add_at(sound, burst * loudest, int(at_s * SAMPLE_RATE_HZ))
    return Performance(sound.astype(np.float32), curves.heard)


def _synthesised(
    rng: np.random.Generator, performer: Performer, pitch: Curve, level: Curve, tone: Curve
) -> npt.NDArray[np.float32]:
    """Return the sound of the performer's own voice or reeds along the curves."""
    sound = sounded(rng, performer, pitch, level, tone)
    if performer.second_reed_cents:
        sound = sound + sounded(
            rng, performer, pitch + performer.second_reed_cents / 100, level, tone
        )
    if performer.leak:
        neighbour = float(rng.choice([-4, -3, 3, 4, 5]))
        sound = sound + performer.leak * sounded(rng, performer, pitch + neighbour, level, tone)
    return sound


def _slurred(
    rng: np.random.Generator, notes: Sequence[PlayedNote], performer: Performer
) -> list[PlayedNote]:
    """Let most notes of a phrase reach to the next; make some ghosts."""
    slurred: list[PlayedNote] = []
    reaches = rng.uniform(0.3, 1.0)
    for number, note in enumerate(notes):
        if number + 1 < len(notes):
            gap_s = notes[number + 1].onset_s - note.offset_s
            if 0 <= gap_s < PHRASE_GAP_S and rng.random() < reaches:
                note = note._replace(offset_s=notes[number + 1].onset_s - 0.001)
        if rng.random() < performer.ghost_share:
            note = note._replace(velocity=max(8, int(note.velocity * rng.uniform(0.2, 0.5))))
        slurred.append(note)
    return slurred


class _Curves:
    """Pitch, loudness and tone of a part, grown note by note."""

    def __init__(
        self,
        rng: np.random.Generator,
        performer: Performer,
        length: int,
        slides: Collection[float] | None,
    ) -> None:
        self._rng = rng
        self._performer = performer
        self._slides = slides
        self._at_s = (np.arange(length) / CONTROLS_PER_S).astype(np.float32)
        self._pitch = np.full(length, np.nan, np.float32)
        self._level = np.zeros(length, np.float32)
        self._tone = np.zeros((length, 5), np.float32)  # formants in Hz, singers only
        self._vowel = self._random_vowel()
        self.heard: list[PlayedNote] = []
        self.bursts: list[tuple[float, Samples]] = []

    def add(self, note: PlayedNote, before: PlayedNote | None, after: PlayedNote | None) -> None:
        """Add one note and the way from the last one to it."""
        rng, performer = self._rng, self._performer
        is_slurred = before is not None and note.onset_s - before.offset_s < 0.004
        is_repeated = before is not None and is_slurred and before.pitch == note.pitch
        first, end = self._index(note.onset_s), self._index(note.offset_s + performer.release_s)
        if end - first < 3:
            return
        at_s = self._at_s[first:end] - note.onset_s
        held_s = note.offset_s - note.onset_s
        centre = note.pitch + performer.tuning_semitones
        centre += rng.normal(
            0, (1.2 if performer.kind == "singer" else 0.6) * performer.drift_semitones
        )
        self._pitch[first:end] = centre + self._vibrato(at_s)
        level, attack_s = self._note_level(note, at_s, held_s, is_slurred=is_slurred)
        glides = is_slurred and self._glides_to(note)
        if is_repeated:  # or nobody would hear two
            self._interrupt(note.onset_s, depth=rng.uniform(0.3, 1.0))
        elif glides and before is not None and abs(before.pitch - note.pitch) <= 9:
            self._glide(note, before)
        elif is_slurred and rng.random() < performer.tongue_share:
            self._interrupt(note.onset_s, depth=rng.uniform(0.6, 1.0))
        elif not is_slurred and rng.random() < performer.scoop_share:
            depth = performer.scoop_semitones * rng.uniform(0.3, 1.3)
            self._pitch[first:end] -= depth * np.exp(-at_s / rng.uniform(0.015, 0.05))
        if held_s > 0.3 and rng.random() < performer.bend_share:
            self._bend(note, first, end)
        if not is_slurred and rng.random() < performer.grace_share:
            self._grace(note, before, centre)
        is_last = after is None or after.onset_s - note.offset_s > PHRASE_GAP_S
        if is_last and held_s > 0.25 and rng.random() < performer.fall_share:
            self._fall(note, first, end)
        self._level[first:end] = level
        if is_slurred and not (glides and self._slides):
            self._interrupt(note.onset_s, depth=performer.dip * rng.uniform(0, 1))
        self._pronounce(note, is_slurred=is_slurred, first=first, end=end)
        heard_s = 0.0 if is_slurred else HEARD_LEVEL * attack_s
        ends_s = note.offset_s + (0.0 if not is_last else 0.015 + 0.4 * performer.release_s)
        # Out of tune by more than a quarter tone is another note to everybody who listens.
        self.heard.append(PlayedNote(note.onset_s + heard_s, ends_s, round(centre), note.velocity))

    def finished(self) -> tuple[Curve, Curve, Curve]:
        """Return pitch in semitones [control], loudness [control] and formants [control, 5]."""
        rng, performer = self._rng, self._performer
        known = np.flatnonzero(~np.isnan(self._pitch))
        if len(known) == 0:
            return np.full(len(self._at_s), 60, np.float32), self._level, self._tone
        pitch = np.interp(np.arange(len(self._pitch)), known, self._pitch[known])
        slow = np.convolve(rng.normal(0, 1, len(pitch)), np.hanning(90), "same") / 6.0
        quick = np.convolve(rng.normal(0, 1, len(pitch)), np.hanning(7), "same") / 2.0
        pitch = pitch + performer.drift_semitones * (slow + 0.15 * quick)
        level = np.convolve(self._level, np.hanning(5) / np.hanning(5).sum(), "same")
        level = level * (
            1 + 0.06 * np.convolve(rng.normal(0, 1, len(pitch)), np.hanning(9), "same")
        )
        tone = np.stack([_smoothed(column, 17) for column in self._filled_tone().T], 1)
        return pitch.astype(np.float32), np.maximum(level, 0).astype(np.float32), tone

    def _vibrato(self, at_s: Curve) -> Curve:
        rng, performer = self._rng, self._performer
        if not performer.vibrato_semitones or rng.random() < 0.15:
            return np.zeros_like(at_s)
        grown = np.clip((at_s - performer.vibrato_delay_s * rng.uniform(0.5, 1.3)) / 0.3, 0, 1)
        rate_hz = performer.vibrato_hz * rng.uniform(0.9, 1.1)
        turns = 2 * np.pi * rate_hz * at_s + rng.uniform(0, 6)
        depth = performer.vibrato_semitones * rng.uniform(0.4, 1.2)
        return np.asarray(depth * grown * np.sin(turns), np.float32)

    def _note_level(
        self, note: PlayedNote, at_s: Curve, held_s: float, *, is_slurred: bool
    ) -> tuple[Curve, float]:
        """Return the loudness of a note and how long its attack takes."""
        rng, performer = self._rng, self._performer
        attack_s = min(performer.attack_s * rng.uniform(0.6, 1.5), 0.6 * held_s)
        rise = np.ones(len(at_s)) if is_slurred else np.clip(at_s / attack_s, 0, 1) ** 0.8
        corners = np.linspace(0, max(0.1, held_s), 4)
        swell = np.interp(at_s, corners, 1 - rng.uniform(0, 0.5) * rng.uniform(0, 1, 4))
        after_s = np.maximum(0, at_s - held_s)
        release = np.exp(-after_s * (4.6 / performer.release_s))
        if performer.vibrato_semitones:
            turns = 2 * np.pi * performer.vibrato_hz * at_s + rng.uniform(0, 6)
            swell = swell * (
                1 - performer.vibrato_tremolo * 0.5 * (1 + np.sin(turns)) * (at_s > 0.2)
            )
        loudness = (note.velocity / 127) ** 1.6
        return (loudness * rise * swell * release).astype(np.float32), attack_s

    def _glides_to(self, note: PlayedNote) -> bool:
        if self._slides is not None:
            return note.onset_s in self._slides
        return bool(self._rng.random() < self._performer.glide_share)

    def _glide(self, note: PlayedNote, before: PlayedNote) -> None:
        """Slide from the last pitch, half-way at the onset of the new one."""
        width_s = min(
            self._performer.glide_s * self._rng.uniform(0.5, 1.4),
            0.8 * (note.offset_s - note.onset_s),
            0.8 * (before.offset_s - before.onset_s),
        )
        first, end = self._index(note.onset_s - width_s), self._index(note.onset_s + width_s)
        at_s = self._at_s[first:end] - note.onset_s
        share = 1 / (1 + np.exp(-at_s / (0.22 * width_s + 1e-4)))
        interval = note.pitch - before.pitch
        bent = np.where(at_s < 0, interval * share, interval * (share - 1))
        self._pitch[first:end] += bent.astype(np.float32)

    def _interrupt(self, at_s: float, *, depth: float) -> None:
        width_s = self._rng.uniform(0.01, 0.04)
        distance = (self._at_s - at_s) / width_s
        self._level *= (1 - depth * np.exp(-(distance**2))).astype(np.float32)

    def _bend(self, note: PlayedNote, first: int, end: int) -> None:
        """Lean into a held note from beside and come back; it stays one note."""
        rng = self._rng
        held_s = note.offset_s - note.onset_s
        middle_s, width_s = rng.uniform(0.3, 0.9) * held_s, rng.uniform(0.06, 0.3 * held_s)
        at_s = self._at_s[first:end] - note.onset_s - middle_s
        depth = rng.uniform(0.3, 1.6) * (-1 if rng.random() < 0.85 else 1)
        self._pitch[first:end] += (depth * np.exp(-((at_s / width_s) ** 2))).astype(np.float32)

    def _grace(self, note: PlayedNote, before: PlayedNote | None, centre: float) -> None:
        """Flick another pitch just before the note; nobody would write it down."""
        rng = self._rng
        start_s = note.onset_s - rng.uniform(0.025, 0.06)
        if before is not None and before.offset_s > start_s - 0.02:
            return
        first, end = self._index(start_s), self._index(note.onset_s)
        self._pitch[first:end] = centre + rng.choice([-2, -1, -1, 1, 2])
        self._level[first:end] = rng.uniform(0.3, 0.9) * (note.velocity / 127) ** 1.6

    def _fall(self, note: PlayedNote, first: int, end: int) -> None:
        """Let pitch drop while the sound fades."""
        rest_s = self._at_s[first:end] - (note.offset_s - FALLING_S)
        depth = self._rng.uniform(0.5, 6)
        self._pitch[first:end] -= (depth * np.clip(rest_s / FALLING_S, 0, 1.5) ** 2).astype(
            np.float32
        )
        self._level[first:end] *= np.clip(1 - 0.7 * rest_s / FALLING_S, 0.1, 1).astype(np.float32)

    def _pronounce(self, note: PlayedNote, *, is_slurred: bool, first: int, end: int) -> None:
        """Choose the vowel and put a consonant or an intake of breath before the note."""
        rng, performer = self._rng, self._performer
        if performer.kind == "singer":
            if rng.random() < 0.7:
                self._vowel = self._random_vowel()
            self._tone[first:end] = self._vowel
            if rng.random() < performer.consonant_share:
                self._consonant(note, is_slurred=is_slurred)
        if rng.random() < performer.click_share:
            length = int(rng.uniform(0.004, 0.02) * SAMPLE_RATE_HZ)
            click = coloured(rng, length, rng.uniform(300, 4000)) * np.linspace(1, 0, length)
            start_s = note.onset_s - rng.uniform(0, 0.03)
            self.bursts.append((start_s, (click * rng.uniform(0.005, 0.12)).astype(np.float32)))
        if not is_slurred and rng.random() < performer.breath_share * 0.4:
            length = int(rng.uniform(0.12, 0.4) * SAMPLE_RATE_HZ)
            hiss = coloured(rng, length, rng.uniform(800, 5000)) * np.hanning(length)
            start_s = note.onset_s - length / SAMPLE_RATE_HZ - rng.uniform(0.02, 0.1)
            self.bursts.append((start_s, (hiss * rng.uniform(0.01, 0.08)).astype(np.float32)))

    def _consonant(self, note: PlayedNote, *, is_slurred: bool) -> None:
        rng = self._rng
        if rng.random() < 0.4:  # m, n, l, w: voiced and soft, at the pitch of the note
            length_s = rng.uniform(0.03, 0.09)
            first, end = self._index(note.onset_s - length_s), self._index(note.onset_s)
            murmur = rng.uniform(0.1, 0.4) * (note.velocity / 127) ** 1.6
            if not is_slurred:
                self._pitch[first:end] = note.pitch + self._performer.tuning_semitones
            self._level[first:end] = murmur
            self._tone[first:end] = np.array([250, 1100, 2200, 3300, 4300]) * self._performer.tract
            return
        length = int(rng.uniform(0.015, 0.13) * SAMPLE_RATE_HZ)
        shape = np.hanning(length + 2)[1:-1] ** 0.5
        if rng.random() < 0.4:  # a stop: silence, then a short burst
            length = int(rng.uniform(0.008, 0.03) * SAMPLE_RATE_HZ)
            shape = np.linspace(1, 0, length)
        noise = coloured(rng, length, log_uniform(rng, 700, 8000)) * shape
        loudness = rng.uniform(0.03, 0.5) * (note.velocity / 127) ** 1.2
        start_s = note.onset_s - length / SAMPLE_RATE_HZ + rng.uniform(0, 0.015)
        self.bursts.append((start_s, (noise * loudness).astype(np.float32)))
        if is_slurred:
            first, end = self._index(start_s), self._index(note.onset_s)
            self._level[first:end] *= np.float32(rng.uniform(0, 0.3))

    def _random_vowel(self) -> Curve:
        rng, performer = self._rng, self._performer
        first, second, third = VOWELS_HZ[int(rng.integers(len(VOWELS_HZ)))]
        formants = np.array([first, second, third, 3500, 4500]) * performer.tract
        return (formants * np.exp(rng.normal(0, 0.06, 5))).astype(np.float32)

    def _filled_tone(self) -> Curve:
        """Between notes the mouth already forms the next vowel."""
        tone = self._tone.copy()
        known = np.flatnonzero(tone[:, 0] > 0)
        if len(known) == 0:
            return tone
        following = known[np.minimum(np.searchsorted(known, np.arange(len(tone))), len(known) - 1)]
        return tone[following]

    def _index(self, at_s: float) -> int:
        return int(np.clip(round(at_s * CONTROLS_PER_S), 0, len(self._at_s)))


def _smoothed(column: Curve, width: int) -> Curve:
    window = np.hanning(width + 2)[1:-1]
    padded = np.pad(column, width // 2, mode="edge")
    return np.convolve(padded, window / window.sum(), "valid").astype(np.float32)


def _add_at(sound: Samples, burst: Samples, start: int) -> None:
    burst = burst[max(0, -start) :]
    start = max(0, start)
    room = min(len(burst), len(sound) - start)
    if room > 0:
        sound[start : start + room] += burst[:room]
