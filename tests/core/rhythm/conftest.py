"""A band that plays from patterns in beats, in time or not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest

from core.score.note import NoteEvent
from core.score.transcription import Track

KICK, SNARE, HAT = 36, 38, 42


@dataclass
class Band:
    """Writes notes at beats and plays them at `bpm` from `start_s` on, or when `clock` says."""

    bpm: float = 120.0
    start_s: float = 0.0
    loose_s: float = 0.0
    clock: Callable[[float], float] | None = None
    notes: dict[str, list[NoteEvent]] = field(default_factory=dict)
    chance: Random = field(default_factory=lambda: Random(1))

    def at(self, beat: float) -> float:
        if self.clock is not None:
            return self.clock(beat)
        return self.start_s + beat * 60.0 / self.bpm

    def play(
        self,
        beat: float,
        pitch: int,
        *,
        beats: float = 0.25,
        velocity: int = 90,
        drum: bool = False,
    ) -> None:
        onset_s = max(0.0, self.at(beat) + self.chance.gauss(0.0, self.loose_s))
        offset_s = max(onset_s + 0.01, self.at(beat + beats))
        part = self.notes.setdefault("drums" if drum else "keys", [])
        part.append(NoteEvent(onset_s, pitch, offset_s, velocity, is_drum=drum))

    def rock_bar(self, beat: float) -> None:
        """Four beats: kick on one and three, snare on two and four, eighths on the hat."""
        for hit, key in ((0, KICK), (1, SNARE), (2, KICK), (2.5, KICK), (3, SNARE)):
            self.play(beat + hit, key, velocity=100, drum=True)
        for eighth in range(8):
            self.play(beat + eighth / 2, HAT, velocity=70, drum=True)

    def chord_bar(self, beat: float, root: int, beats: float = 4.0) -> None:
        """One bar of harmony: a low root held, and a chord on each beat."""
        self.play(beat, root - 24, beats=beats, velocity=95)
        for quarter in range(int(beats)):
            for step in (0, 4, 7):
                self.play(beat + quarter, root + step, beats=0.9, velocity=75)

    def tracks(self) -> tuple[Track, ...]:
        return tuple(
            Track(name, tuple(notes), 0, name == "drums") for name, notes in self.notes.items()
        )


ROOTS = (60, 65, 67, 57)


@pytest.fixture
def new_band() -> type[Band]:
    return Band


@pytest.fixture
def rock() -> Callable[..., tuple[Track, ...]]:
    """Play bars of rock in four over changing chords; keywords are those of Band."""

    def play(bars: int = 16, pickup: bool = False, **how: object) -> tuple[Track, ...]:
        band = Band(**how)  # type: ignore[arg-type]
        if pickup:
            band.play(-1.0, 67, beats=0.5)
            band.play(-0.5, 69, beats=0.5)
        for bar in range(bars):
            band.rock_bar(4.0 * bar)
            band.chord_bar(4.0 * bar, ROOTS[bar % 4])
        return band.tracks()

    return play
