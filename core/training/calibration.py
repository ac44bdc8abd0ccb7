"""Measure every preset of a SoundFont: how late it speaks, how fast it dies, whether it is in tune.

Labels straight from note-on and note-off are wrong for slow attacks, percussive decays and presets
that sound an octave off; the clips correct for what is measured here.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.training.families import FAMILIES, Family
from core.training.part import PlayedNote
from core.training.soundfonts import SAMPLE_RATE_HZ, Samples, SoundFont

PROBES = 4  # pitches per preset
PROBE_S, PROBE_HELD_S, LEAD_S = 3.2, 2.0, 0.02
ENVELOPE_HOP_SAMPLES = 110
ATTACK_LEVEL = 0.3  # a note is heard from this share of its peak on
DECAYED_DB = -35.0
LOUDER_ELSEWHERE = 1.25  # another pitch is this much more salient: the preset is mistuned
NEVER_DECAYS_S = 9.0
OTHER_INTERVALS = (-24, -12, -7, -1, 1, 5, 7, 12)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What one preset does at a few pitches; seconds, one value per pitch."""

    program: int
    pitches: tuple[int, ...]
    attack_s: tuple[float, ...]
    decay_s: tuple[float, ...]
    release_s: tuple[float, ...]
    mistuned_share: float

    @property
    def is_in_tune(self) -> bool:
        return self.mistuned_share < 0.5

    def attack_at(self, pitch: int) -> float:
        """Return how long after note-on the note is heard."""
        return float(np.interp(pitch, self.pitches, self.attack_s))

    def decay_at(self, pitch: int) -> float:
        """Return how long a held note stays within 35 dB of its peak."""
        return float(np.interp(pitch, self.pitches, self.decay_s))

    def release_at(self, pitch: int) -> float:
        """Return how long a note rings after note-off."""
        return float(np.interp(pitch, self.pitches, self.release_s))


def calibrate(font: SoundFont) -> dict[int, Calibration]:
    """Measure all presets the composer may use, by program."""
    measured: dict[int, Calibration] = {}
    for family in FAMILIES:
        for program in family.programs:
            calibration = _calibrate_preset(font, program, family)
            if calibration is not None:
                measured[program] = calibration
    return measured


def write_calibrations(path: Path, calibrations: dict[int, Calibration]) -> None:
    """Keep measurements for the next run."""
    path.write_text(json.dumps([asdict(calibration) for calibration in calibrations.values()]))


def read_calibrations(path: Path) -> dict[int, Calibration]:
    """Read kept measurements, by program."""
    rows = [Calibration(**row) for row in json.loads(path.read_text())]
    return {calibration.program: calibration for calibration in rows}


@dataclass(frozen=True, slots=True)
class _Probe:
    pitch: int
    attack_s: float
    decay_s: float
    release_s: float
    is_mistuned: bool


def _calibrate_preset(font: SoundFont, program: int, family: Family) -> Calibration | None:
    pitches = np.linspace(family.lowest_pitch + 4, family.highest_pitch - 6, PROBES).astype(int)
    starts_s = [number * PROBE_S + LEAD_S for number in range(PROBES)]
    notes = [
        PlayedNote(start_s, start_s + PROBE_HELD_S, int(pitch), 90)
        for start_s, pitch in zip(starts_s, pitches, strict=True)
    ]
    sound = font.play(program, notes, duration_s=PROBE_S * PROBES + 0.1)
    if sound is None:
        return None
    probes: list[_Probe] = []
    for number, (start_s, pitch) in enumerate(zip(starts_s, pitches, strict=True)):
        end_s = (number + 1) * PROBE_S
        note = sound[int(start_s * SAMPLE_RATE_HZ) : int(end_s * SAMPLE_RATE_HZ)]
        probe = _probe(note, int(pitch), is_sustained=family.is_sustained)
        if probe is not None:
            probes.append(probe)
    return _summary(program, probes) if probes else None


def _summary(program: int, probes: Sequence[_Probe]) -> Calibration:
    return Calibration(
        program=program,
        pitches=tuple(probe.pitch for probe in probes),
        attack_s=tuple(round(probe.attack_s, 4) for probe in probes),
        decay_s=tuple(round(probe.decay_s, 3) for probe in probes),
        release_s=tuple(round(probe.release_s, 3) for probe in probes),
        mistuned_share=sum(probe.is_mistuned for probe in probes) / len(probes),
    )


def _probe(note: Samples, pitch: int, *, is_sustained: bool) -> _Probe | None:
    hop, hop_s = ENVELOPE_HOP_SAMPLES, ENVELOPE_HOP_SAMPLES / SAMPLE_RATE_HZ
    blocks = note[: len(note) // hop * hop].reshape(-1, hop)
    envelope = np.sqrt((blocks**2).mean(1) + 1e-12)
    if not is_sustained:
        # Beating strings are not silent between two beats.
        envelope = np.maximum.accumulate(envelope[::-1])[::-1]
    peak = envelope[: int(0.6 / hop_s)].max()
    if peak < 1e-4:
        return None
    attack_s = float(np.argmax(envelope[: int(0.6 / hop_s)] >= ATTACK_LEVEL * peak) * hop_s)
    held = envelope[int(LEAD_S / hop_s) : int(PROBE_HELD_S / hop_s)]
    quiet = np.flatnonzero(held < peak * 10 ** (DECAYED_DB / 20))
    decay_s = float(quiet[0] * hop_s + LEAD_S) if len(quiet) else NEVER_DECAYS_S
    at_off = envelope[int(1.97 / hop_s)]
    gone = np.flatnonzero(envelope[int(PROBE_HELD_S / hop_s) :] < max(at_off * 0.1, peak * 0.01))
    release_s = float(gone[0] * hop_s) if len(gone) else 1.1
    steady = note[int(0.1 * SAMPLE_RATE_HZ) : int(1.2 * SAMPLE_RATE_HZ)]
    own = _salience(steady, pitch)
    others = [_salience(steady, pitch + interval) / (own + 1e-9) for interval in OTHER_INTERVALS]
    is_mistuned = round(max(others), 2) > LOUDER_ELSEWHERE
    return _Probe(pitch, attack_s, decay_s, release_s, is_mistuned)


def _salience(sound: npt.NDArray[np.float32], pitch: int) -> float:
    """Return how much of a pitch's harmonic series is in a sound."""
    size = 65_536
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), size))
    pitch_hz = 440 * 2 ** ((pitch - 69) / 12)
    salience = 0.0
    for order in range(1, 9):
        if pitch_hz * order > SAMPLE_RATE_HZ / 2.1:
            break
        centre = round(pitch_hz * order / (SAMPLE_RATE_HZ / size))
        width = max(2, int(centre * 0.012))
        around = spectrum[max(0, centre - width) : centre + width + 1]
        salience += float(around.max()) / order**0.5
    return salience
