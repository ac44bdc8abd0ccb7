"""How hard notes were struck, from the sound at their onsets, for models that do not say.

A pitched note counts as loud by two things together: the level of its own partials, which tells the
notes of a chord apart, and the level from 1 to 8 kHz, since what is struck harder is brighter. High
notes are softer at the same touch, by about 0.2 dB per semitone. Drums are judged in the band where
each is heard best. On seven piano recordings the ranks of MT3's notes then agree with the true ones
by 0.67 (Spearman), and 43 % instead of 28 % pass `mir_eval`'s note test with velocity; winds and
dense mixes gain little.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.codec.onset_windows import Block, windows_at_onsets
from core.score.note import NoteEvent

TYPICAL_VELOCITY = 80  # what the median note of an instrument is given
SOFTEST, LOUDEST = 20, 120  # an estimate is never an extreme
WINDOW_S = 0.064
VELOCITY_PER_DB = 0.6  # of the sum of both levels; slopes on recordings lie from 0.4 to 1.4
TILT_DB_PER_SEMITONE = 0.2
PARTIALS = 6
PARTIAL_WIDTH = 0.03  # half width over frequency; half a semitone
BRIGHT_HZ = (1000.0, 8000.0)
SILENT_POWER = 1e-9

_Rows = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _DrumBand:
    """Where a drum is judged, and how its velocity follows the level there."""

    lowest_hz: float
    highest_hz: float
    velocity_per_db: float


_SKIN = _DrumBand(30.0, 500.0, 3.0)
_SNARE = _DrumBand(150.0, 1000.0, 3.0)
_METAL = _DrumBand(1000.0, 8000.0, 1.2)  # everything else in the kit rings into this band
_BAND_OF_KEY = dict.fromkeys((35, 36, 41, 43, 45, 47, 48, 50), _SKIN) | dict.fromkeys(
    (37, 38, 39, 40), _SNARE
)


def with_velocities(
    notes: Sequence[NoteEvent], blocks: Iterable[Block], sample_rate: int
) -> tuple[NoteEvent, ...]:
    """Return the notes, in their order, with velocities estimated from the sound of their file.

    `blocks` are the file's mono samples [sample] in order, of any lengths, at `sample_rate` Hz
    (16 kHz is enough); they are read once and not kept. The median note of each program, and of
    each drum key, gets TYPICAL_VELOCITY: how loud an instrument is in a mix is the fader's affair.
    """
    levels = _levels(notes, blocks, sample_rate)
    velocities = np.full(len(notes), TYPICAL_VELOCITY)
    for group in _groups(notes):
        of_group = levels[group]
        louder_db = of_group - np.median(of_group)
        first = notes[group[0]]
        slope = _band_of(first.pitch).velocity_per_db if first.is_drum else VELOCITY_PER_DB
        velocities[group] = np.clip(np.rint(TYPICAL_VELOCITY + slope * louder_db), SOFTEST, LOUDEST)
    return tuple(
        replace(note, velocity=int(velocity))
        for note, velocity in zip(notes, velocities, strict=True)
    )


def with_fixed_velocity(
    notes: Iterable[NoteEvent], velocity: int = TYPICAL_VELOCITY
) -> tuple[NoteEvent, ...]:
    """Return the notes at one velocity, for those who set their dynamics themselves."""
    return tuple(replace(note, velocity=velocity) for note in notes)


def _groups(notes: Sequence[NoteEvent]) -> list[list[int]]:
    """Return the places of the notes of each program and each drum key."""
    groups: dict[tuple[bool, int], list[int]] = {}
    for place, note in enumerate(notes):
        key = (note.is_drum, note.pitch if note.is_drum else note.program)
        groups.setdefault(key, []).append(place)
    return list(groups.values())


def _levels(notes: Sequence[NoteEvent], blocks: Iterable[Block], sample_rate: int) -> _Rows:
    """Return the level of each note [note] in dB; what lies behind the end is silent."""
    levels = np.full(len(notes), 10 * np.log10(SILENT_POWER))
    windows = windows_at_onsets(
        [note.onset_s for note in notes],
        blocks,
        sample_rate=sample_rate,
        window_samples=round(WINDOW_S * sample_rate),
    )
    for window in windows:
        struck = [notes[place] for place in window.places]
        levels[window.places] = _levels_of_windows(window.samples, struck, sample_rate)
    return levels


def _levels_of_windows(windows: Block, notes: Sequence[NoteEvent], sample_rate: int) -> _Rows:
    """Return the level [note] in dB of each note, struck where its window [note, sample] begins."""
    size = windows.shape[1]
    spectra = np.fft.rfft(windows * np.hanning(size), 2 * size)
    power = np.zeros((len(notes), spectra.shape[1] + 1))
    np.cumsum(spectra.real**2 + spectra.imag**2, axis=1, out=power[:, 1:])  # [note, bins below]
    hz_per_bin = sample_rate / (2 * size)
    pitches = np.array([note.pitch for note in notes])
    partials_hz = 440.0 * 2.0 ** ((pitches[:, None] - 69) / 12) * np.arange(1, PARTIALS + 1)
    width_hz = np.maximum(partials_hz * PARTIAL_WIDTH, hz_per_bin)
    own = _power_between(power, partials_hz - width_hz, partials_hz + width_hz, hz_per_bin).sum(1)
    bright = _power_between(power, *_columns([BRIGHT_HZ] * len(notes)), hz_per_bin)[:, 0]
    pitched_db = _decibels(own) + _decibels(bright) + TILT_DB_PER_SEMITONE * pitches
    bands = [_band_of(note.pitch) for note in notes]
    edges = _columns([(band.lowest_hz, band.highest_hz) for band in bands])
    drum_db = _decibels(_power_between(power, *edges, hz_per_bin)[:, 0])
    return np.where([note.is_drum for note in notes], drum_db, pitched_db)


def _power_between(power: _Rows, lowest_hz: _Rows, highest_hz: _Rows, hz_per_bin: float) -> _Rows:
    """Return the power [note, band] of summed spectra [note, bins below] in bands [note, band]."""
    bins = power.shape[1] - 1
    first = np.clip(np.rint(lowest_hz / hz_per_bin), 0, bins).astype(np.intp)
    end = np.clip(np.rint(highest_hz / hz_per_bin) + 1, 0, bins).astype(np.intp)
    return np.take_along_axis(power, end, 1) - np.take_along_axis(power, first, 1)


def _columns(edges: Sequence[tuple[float, float]]) -> tuple[_Rows, _Rows]:
    pairs = np.array(edges)
    return pairs[:, :1], pairs[:, 1:]


def _decibels(power: _Rows) -> _Rows:
    return np.asarray(10 * np.log10(np.maximum(power, SILENT_POWER)))


def _band_of(key: int) -> _DrumBand:
    return _BAND_OF_KEY.get(key, _METAL)
