"""TunedFont: parts on the instruments of a SoundFont, labelled as they are heard."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import soxr  # type: ignore[import-untyped]  # it ships no types

from core.training.calibration import Calibration
from core.training.composer import sounding
from core.training.families import PLUCKED, STRINGED, Family
from core.training.part import Part, PlayedNote, Timed
from core.training.rooms import Room
from core.training.soundfonts import SAMPLE_RATE_HZ, Samples, SoundFont

LATEST_ATTACK_S = 0.15  # slower presets are labelled too early rather than out of all tolerance
SILENT = 1e-3


@dataclass(frozen=True, slots=True)
class TunedFont:
    """A SoundFont with its measurements by program.

    `share` is how often it is drawn, beside the others that have the family asked for.
    """

    name: str
    font: SoundFont
    calibrations: Mapping[int, Calibration]
    share: float

    def programs_of(self, family: Family) -> list[int]:
        """Return the family's programs that this font has, in tune."""
        return [
            program
            for program in family.programs
            if program in self.calibrations and self.calibrations[program].is_in_tune
        ]

    def play(
        self,
        program: int,
        part: Part,
        duration_s: float,
        *,
        smaller_steps: int = 0,
        room: Room | None = None,
    ) -> Samples | None:
        """Return a part's sound [sample] at SAMPLE_RATE_HZ; None where there is none.

        In a room it is the middle and the side [sample, 2].
        An instrument that is `smaller_steps` semitones smaller is played that much lower and
        slower, and then heard faster: its body and its strokes are another's, its notes are not.
        """
        speed = 2 ** (smaller_steps / 12)
        slowed = _slowed(part, speed, smaller_steps)
        play = self.font.play if room is None else partial(self.font.play_in, room)
        sound = play(
            program,
            slowed.notes,
            duration_s=duration_s * speed,
            pedal=slowed.pedal,
            bends=slowed.bends,
        )
        if sound is None or np.abs(sound).max() < SILENT:
            return None
        if smaller_steps:
            sound = soxr.resample(sound, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ / speed)
        return np.asarray(sound, np.float32)

    def heard(
        self, program: int, part: Part, family: Family, *, smaller_steps: int = 0
    ) -> list[PlayedNote]:
        """Return the notes from when to when they are heard on this preset."""
        calibration = self.calibrations[program]
        speed = 2 ** (smaller_steps / 12)
        notes = []
        for note in sounding(part.notes, part.pedal):
            key = note.pitch - smaller_steps
            onset_s = note.onset_s + min(LATEST_ATTACK_S, calibration.attack_at(key) / speed)
            offset_s = note.offset_s
            if family.name not in PLUCKED:
                offset_s += 0.03 + min(0.03, 0.25 * calibration.release_at(key) / speed)
            elif family.name in STRINGED:
                offset_s += 0.01
            if family.name in PLUCKED:
                dies_s = onset_s + max(0.1, 0.8 * calibration.decay_at(key) / speed)
                offset_s = min(offset_s, dies_s)
            if offset_s > onset_s + 0.02:
                notes.append(PlayedNote(onset_s, offset_s, note.pitch, note.velocity, program))
        return notes


def _slowed(part: Part, speed: float, lower_steps: int) -> Part:
    if not lower_steps:
        return part
    notes = [
        note._replace(
            onset_s=note.onset_s * speed,
            offset_s=note.offset_s * speed,
            pitch=note.pitch - lower_steps,
        )
        for note in part.notes
        if 0 <= note.pitch - lower_steps <= 127
    ]
    return replace(
        part, notes=notes, pedal=_later(part.pedal, speed), bends=_later(part.bends, speed)
    )


def _later(controls: list[Timed], speed: float) -> list[Timed]:
    return [control._replace(at_s=control.at_s * speed) for control in controls]
