"""Basses to the octave in which they sound.

MT3 writes basses one or two octaves above what sounds, throughout: so it was taught. The sound
tells: the partials of a note are the even partials of its lower octave, whose odd ones are heard
only where the lower octave is what is played. On the development clips, where all basses are
written too high, 152 of 165 notes come to the true octave; any limit from 7 to 15 dB does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from core.codec.onset_windows import Block, windows_at_onsets
from core.score.note import NoteEvent

BASS_PROGRAMS = range(32, 40)
LOWEST_BASS_PITCH = 23  # the low B of five strings
OCTAVE = 12
MOST_OCTAVES_DOWN = 2
WINDOW_S = 0.256  # tells the partials of the lowest string apart
SHORTEST_WINDOW_S = 0.064
AFTER_ATTACK_S = 0.02
ODD_BELOW_EVEN_DB = 10.0  # odd partials of the true octave are at most this much weaker
PARTIAL_PAIRS = 2  # the first and third against the second and fourth
PARTIAL_WIDTH = 0.03  # half width over frequency; half a semitone
SILENT_POWER = 1e-6

_Rows = npt.NDArray[np.float64]


def with_bass_octaves(
    notes: Sequence[NoteEvent], blocks: Iterable[Block], sample_rate: int
) -> tuple[NoteEvent, ...]:
    """Return the notes, in their order, those of bass programs lowered to where they sound.

    `blocks` are the file's mono samples [sample] in order, of any lengths, at `sample_rate` Hz;
    they are read once and not kept, and not at all where no bass plays.
    """
    places = [
        place
        for place, note in enumerate(notes)
        if note.program in BASS_PROGRAMS and not note.is_drum
    ]
    if not places:
        return tuple(notes)
    basses = [notes[place] for place in places]
    corrected = list(notes)
    windows = windows_at_onsets(
        [note.onset_s + AFTER_ATTACK_S for note in basses],
        blocks,
        sample_rate=sample_rate,
        window_samples=round(WINDOW_S * sample_rate),
    )
    for window in windows:
        heard = [basses[place] for place in window.places]
        octaves = _octaves_down(window.samples, heard, sample_rate)
        for place, note, down in zip(window.places, heard, octaves.tolist(), strict=True):
            corrected[places[place]] = replace(note, pitch=note.pitch - OCTAVE * down)
    return tuple(corrected)


def _octaves_down(
    samples: Block, notes: Sequence[NoteEvent], sample_rate: int
) -> npt.NDArray[np.intp]:
    """Return how many octaves [note] each note sounds lower than it is written."""
    lengths_s = np.clip([n.duration_s for n in notes], SHORTEST_WINDOW_S, WINDOW_S)
    lengths = np.rint(lengths_s * sample_rate)[:, None]
    at = np.arange(samples.shape[1])
    hann = np.where(at < lengths, np.sin(np.pi * at / lengths) ** 2, 0.0)
    power = np.abs(np.fft.rfft(samples * hann, 4 * samples.shape[1])) ** 2
    hz_per_bin = sample_rate / (4 * samples.shape[1])
    resolution_hz = (0.6 * sample_rate / lengths)[:, 0]
    pitches = np.array([note.pitch for note in notes])
    down = np.zeros(len(notes), np.intp)
    for octaves in range(1, MOST_OCTAVES_DOWN + 1):
        lower = pitches - OCTAVE * octaves
        lower_hz = 440.0 * 2.0 ** ((lower - 69) / 12)
        odd, even = np.zeros(len(notes)), np.zeros(len(notes))
        for partial in range(1, 2 * PARTIAL_PAIRS, 2):
            odd += _peak_power(power, lower_hz * partial, resolution_hz, hz_per_bin)
            even += _peak_power(power, lower_hz * (partial + 1), resolution_hz, hz_per_bin)
        is_lower = odd > np.maximum(even / 10 ** (ODD_BELOW_EVEN_DB / 10), SILENT_POWER)
        down[is_lower & (down == octaves - 1) & (lower >= LOWEST_BASS_PITCH)] = octaves
    return down


def _peak_power(power: _Rows, hz: _Rows, resolution_hz: _Rows, hz_per_bin: float) -> _Rows:
    """Return the highest power [note] near `hz` [note] in spectra [note, bin]."""
    width_hz = np.maximum(hz * PARTIAL_WIDTH, resolution_hz)
    first = np.floor((hz - width_hz) / hz_per_bin).astype(np.intp)
    count = int(np.ceil(2 * width_hz.max() / hz_per_bin)) + 2
    bins = np.clip(first[:, None] + np.arange(count), 0, power.shape[1] - 1)
    is_near = bins * hz_per_bin <= (hz + width_hz)[:, None] + hz_per_bin
    return np.asarray(np.where(is_near, np.take_along_axis(power, bins, 1), 0.0).max(axis=1))
