"""Bars: which pulse is the beat, how many make a bar, and where bar 1 starts.

The pulse is divided into twelfths; each reading of the music (a beat of 12, 6, 24, 8, ...
twelfths, a meter, a first beat) is a stride and an offset on that grid. Readings are weighed by
what musicians mark them with: where kick, snare and bass fall, where chords change, how full the
beats, their halves and their thirds are, in which length the music repeats, and how usual the tempo
is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from core.rhythm.onsets import CRASHES, KICKS, SNARES, Flags, Floats, Onsets
from core.score.tempo import Meter

TWELFTHS = 12
SLOWEST_BPM, FASTEST_BPM = 44.0, 216.0  # of the beat that is felt: three eighths in 6/8
USUAL_BPM = 110.0
USUAL_METERS = (Meter(4, 4), Meter(3, 4), Meter(6, 8))
# The tracked pulse may be a level above or below the beat, or lie between the beats:
# stride of the beat in twelfths -> the offsets at which its first beat may lie.
OFFSETS = {
    12: (0, 6),
    6: (0,),
    24: (0, 12),
    8: (0, 4),
    18: (0, 6, 12),
    4: (0,),
    36: (0, 12, 24),
    9: (0,),
    16: (0, 4, 8, 12),
}
LOWEST_PITCHES = 55  # below, a note may be the bass
FULL = 0.3  # a place with onsets of this strength is not empty
STRONGEST = 1.5  # marks are capped: two notes at once are not twice the accent
CHORD_PULSES = 4.0  # a note speaks for the chord no longer
ENTRY_PULSES = 4.0

# Fitted as a choice among readings (multinomial logit) on 136 composed songs with the errors of a
# transcription, 251 parts of such songs, 63 folk tunes and 57 piano arrangements of pop songs.
WEIGHTS = {
    "unusual tempo": -2.89,
    "fast tempo": 2.75,
    "beats are full": 6.44,
    "halves are full": 6.34,
    "quarters are full": -0.90,
    "first thirds are full": -5.86,
    "second thirds are full": 4.70,
    "compound, first thirds are full": 7.44,
    "compound, second thirds are full": 4.08,
    "compound, halves are full": -8.40,
    "beats over halves": 3.47,
    "beats over thirds": 3.20,
    "kick on one": 1.86,
    "snare on one": -2.97,
    "crash on one": 0.61,
    "bass on one": 1.56,
    "chord changes on one": 20.24,
    "kick on three": 1.38,
    "bass on three": 1.18,
    "snare on even beats": -0.70,
    "music comes in on one": 0.93,
    "bars repeat": 4.32,
    "three beats": -0.81,
    "compound": -2.10,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to count: beats of `stride` twelfths of the pulse, a bar line at twelfth `start`."""

    stride: int
    start: int
    meter: Meter

    @property
    def beats_per_bar(self) -> int:
        """Beats that are felt: two in 6/8; quarters, the last of them cut short in 7/8."""
        if self.is_compound:
            return self.meter.beats_per_bar // 3
        return ceil(self.meter.quarters_per_bar)

    @property
    def is_compound(self) -> bool:
        return self.meter.beat_unit == 8 and self.meter.beats_per_bar % 3 == 0

    @property
    def bar(self) -> int:
        """Length of a bar in twelfths."""
        quarters_per_beat = 1.5 if self.is_compound else 1.0
        return round(self.stride * self.meter.quarters_per_bar / quarters_per_beat)

    def with_bar_line_near(self, twelfth: float) -> "Reading":
        """Return the same beats, counted so that a bar starts on the one nearest to `twelfth`."""
        beats = round((twelfth - self.start) / self.stride)
        return replace(self, start=self.start + beats * self.stride)

    def beats_of(self, pulse_s: Floats) -> Floats:
        """Return the times of the beats that are felt, for a pulse in seconds [tap]."""
        twelfths = np.arange(self.start % self.stride, (len(pulse_s) - 1) * TWELFTHS, self.stride)
        return np.interp(twelfths, np.arange(len(pulse_s)) * TWELFTHS, pulse_s)

    def beat_s(self, pulse_length_s: float) -> float:
        return pulse_length_s * self.stride / TWELFTHS

    def quarter_bpm(self, pulse_length_s: float) -> float:
        return 60.0 / self.beat_s(pulse_length_s) * (1.5 if self.is_compound else 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """What happens at each twelfth of the pulse; every array is [twelfth].

    `entry` is the twelfth at which the music comes in.
    """

    entry: int
    any: Floats
    kick: Floats
    snare: Floats
    crash: Floats
    bass: Floats
    chord_change: Floats


@dataclass(frozen=True, slots=True)
class Judgement:
    """The likeliest reading and its probability among those weighed."""

    reading: Reading
    probability: float


def readings(meters: Sequence[Meter] = USUAL_METERS) -> list[Reading]:
    """Return every way to count that is considered."""
    return [
        Reading(stride, offset + beat * stride, meter)
        for stride, offsets in OFFSETS.items()
        for meter in meters
        for offset in offsets
        for beat in range(Reading(stride, 0, meter).beats_per_bar)
    ]


def judge(
    candidates: Sequence[Reading], marks: Marks, pulse_length_s: float, *, tempo_is_known: bool
) -> Judgement:
    """Return the likeliest of the candidates.

    Unless the tempo is known it is evidence too, and tempi nobody counts at are left out.
    """
    usual = [
        reading
        for reading in candidates
        if SLOWEST_BPM <= 60.0 / reading.beat_s(pulse_length_s) <= FASTEST_BPM
    ]
    weighed = list(candidates) if tempo_is_known else usual
    counts = [not (tempo_is_known and name.endswith(" tempo")) for name in WEIGHTS]
    weights = np.array(list(WEIGHTS.values())) * counts
    likeness: dict[int, float] = {}
    for reading in weighed:
        likeness.setdefault(reading.bar, _likeness_to_itself(marks, reading.bar))
    score = np.array(
        [
            weights @ evidence(reading, marks, pulse_length_s, likeness[reading.bar])
            for reading in weighed
        ]
    )
    probability = np.exp(score - score.max())
    best = int(score.argmax())
    return Judgement(weighed[best], float(probability[best] / probability.sum()))


def marks_of(onsets: Onsets, pulse_s: Floats) -> Marks:
    """Sort the onsets into twelfths of the pulse at `pulse_s`, which encloses them."""
    count = (len(pulse_s) - 1) * TWELFTHS
    places = np.arange(len(pulse_s)) * float(TWELFTHS)
    at = np.round(np.interp(onsets.at_s, pulse_s, places)).astype(np.int64)
    at = np.minimum(at, count - 1)
    is_low = ~onsets.is_drum & (onsets.pitch < LOWEST_PITCHES)
    lowness = np.clip((LOWEST_PITCHES - onsets.pitch) / 12.0, 0.3, 1.0) * is_low

    def gathered(share: Floats | Flags) -> Floats:
        return np.bincount(at, onsets.strength * share, count).astype(np.float64)

    entry_s = onsets.entry_s(ENTRY_PULSES * float(np.median(np.diff(pulse_s))))
    return Marks(
        entry=int(at[np.searchsorted(onsets.at_s, entry_s)]),
        any=np.sqrt(gathered(np.ones(len(onsets)))),
        kick=np.minimum(gathered(onsets.is_key(KICKS)), STRONGEST),
        snare=np.minimum(gathered(onsets.is_key(SNARES)), STRONGEST),
        crash=np.minimum(gathered(onsets.is_key(CRASHES)), STRONGEST),
        bass=np.minimum(gathered(lowness), STRONGEST),
        chord_change=_chord_change(onsets, pulse_s),
    )


def _chord_change(onsets: Onsets, pulse_s: Floats) -> Floats:
    """Return how unlike the pitch classes of one pulse before and after are, 0..1 [twelfth]."""
    count = (len(pulse_s) - 1) * TWELFTHS
    places = np.arange(len(pulse_s)) * float(TWELFTHS)
    pitched = ~onsets.is_drum
    begin_s, pitch = onsets.at_s[pitched], onsets.pitch[pitched]
    end_s = begin_s + onsets.length_s[pitched]
    begin = np.round(np.interp(begin_s, pulse_s, places)).astype(np.int64)
    end = np.round(np.interp(end_s, pulse_s, places)).astype(np.int64)
    end = np.clip(end, begin + 1, begin + round(CHORD_PULSES * TWELFTHS))
    weight = onsets.strength[pitched] * np.where(pitch < LOWEST_PITCHES, 2.0, 1.0)
    turned = np.zeros((12, count + 1))
    np.add.at(turned, (pitch % 12, np.minimum(begin, count)), weight)
    np.add.at(turned, (pitch % 12, np.minimum(end, count)), -weight)
    sounding = np.cumsum(turned, axis=1)[:, :count]
    until = np.concatenate([np.zeros((12, 1)), np.cumsum(sounding, axis=1)], axis=1)
    at = np.arange(count)
    after = until[:, np.minimum(at + TWELFTHS, count)] - until[:, at]
    before = until[:, at] - until[:, np.maximum(at - TWELFTHS, 0)]
    size = np.linalg.norm(after, axis=0) * np.linalg.norm(before, axis=0)
    likeness = (after * before).sum(axis=0) / np.maximum(size, 1e-9)
    return np.where(size > 1e-9, 1.0 - likeness, 0.0)


def _likeness_to_itself(marks: Marks, lag: int) -> float:
    """Return how much the music is like itself `lag` twelfths later, -1..1."""
    if lag >= len(marks.any) // 2:
        return 0.0
    shared, size = 0.0, 0.0
    for values in (marks.any, marks.kick, marks.snare, marks.bass):
        around = values - values.mean()
        shared += float((around[lag:] * around[:-lag]).sum()) * len(values) / (len(values) - lag)
        size += float((around * around).sum())
    return shared / max(size, 1e-9)


def evidence(reading: Reading, marks: Marks, pulse_length_s: float, likeness: float) -> Floats:
    """Return what speaks for a reading [evidence], in the order of WEIGHTS."""
    octaves = float(np.log2(60.0 / reading.beat_s(pulse_length_s) / USUAL_BPM))
    at_share = {
        share: _at(marks.any, reading.start + reading.stride * share, reading.stride)
        for share in (0, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4)
    }
    full = {share: float((strength > FULL).mean()) for share, strength in at_share.items()}
    beat, half = float(at_share[0].mean()), float(at_share[1 / 2].mean())
    third = max(float(at_share[1 / 3].mean()), float(at_share[2 / 3].mean()))
    kick, snare, bass = (
        _by_beat(values, reading) for values in (marks.kick, marks.snare, marks.bass)
    )
    is_compound = float(reading.is_compound)
    return np.array(
        [
            octaves**2,
            octaves,
            full[0],
            full[1 / 2],
            (full[1 / 4] + full[3 / 4]) / 2,
            full[1 / 3],
            full[2 / 3],
            full[1 / 3] * is_compound,
            full[2 / 3] * is_compound,
            full[1 / 2] * is_compound,
            (beat - half) / max(beat + half, 0.05),
            (beat - third) / max(beat, 0.05),
            _first_over_others(kick),
            _first_over_others(snare),
            _first_over_others(_by_beat(marks.crash, reading)),
            _first_over_others(bass),
            _first_over_others(_by_beat(marks.chord_change, reading)),
            _third_over_even(kick),
            _third_over_even(bass),
            _even_over_odd(snare),
            float((marks.entry - reading.start + 1) % reading.bar <= 2),
            likeness,
            float(reading.beats_per_bar == 3),
            is_compound,
        ]
    )


def _at(values: Floats, start: float, step: int) -> Floats:
    """Return every `step`-th value from `start`; of the nearest two if it lies between them."""
    first = int(start) % step
    picked = values[first::step]
    if start != int(start):
        later = values[first + 1 :: step]
        picked = np.maximum(picked[: len(later)], later)
    return picked if len(picked) else np.zeros(1)


def _by_beat(values: Floats, reading: Reading) -> Floats:
    """Return the mean on each beat of the bar [beat], against what a whole pulse holds."""
    each = [
        _at(values, reading.start + reading.stride * beat, reading.bar).mean()
        for beat in range(reading.beats_per_bar)
    ]
    return np.array(each) / max(float(values.mean()) * TWELFTHS, 0.05)


def _first_over_others(by_beat: Floats) -> float:
    return float(by_beat[0] - by_beat[1:].mean()) if len(by_beat) > 1 else 0.0


def _third_over_even(by_beat: Floats) -> float:
    return float(by_beat[2] - (by_beat[1] + by_beat[3]) / 2) if len(by_beat) == 4 else 0.0


def _even_over_odd(by_beat: Floats) -> float:
    if len(by_beat) % 2:
        return 0.0
    return float(by_beat[1::2].mean() - by_beat[0::2].mean())
