"""The same clips under worse conditions: noise, rooms, codecs, detuning, bleed, telephone bands.

All but the clean ones are mono.
"""

import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import soundfile  # type: ignore[import-untyped]  # it ships no types
import soxr  # type: ignore[import-untyped]  # it ships no types
from scipy.signal import butter, fftconvolve, sosfilt

from core.engine.built_in import SAMPLE_RATE_HZ
from core.score.instruments import StemKind
from core.training.effects import Sound, decaying_noise, reverberated
from core.training.evaluate import (
    MEAN_OF_KINDS,
    ClipScore,
    LabelledClip,
    Samples,
    means_of_kinds,
)

NOISE_DB, BLEED_DB, QUIET_PEAK_DB = -20.0, -15.0, -30.0
ROOM_DECAY_S, ROOM_DB = 2.0, -6.0
BAND_HZ = 8000.0
DETUNED_CENTS = 40.0
MP3_RATE_HZ, MP3_LEVEL = 44_100, 0.78  # libsndfile's scale from best to smallest: 96 kbit/s
SEPARATOR = ": "

Condition = Callable[[LabelledClip, LabelledClip], LabelledClip]  # a clip, and who plays next door


def worsened(
    clips: Iterable[LabelledClip], names: Collection[str] | None = None
) -> Iterator[LabelledClip]:
    """Yield every clip under every condition, or those of these names; the kind says which."""
    kept = list(clips)
    for name in names or CONDITIONS:
        for number, clip in enumerate(kept):
            changed = CONDITIONS[name](clip, _neighbour_of(number, kept))
            yield replace(changed, name=f"{clip.name} {name}", kind=f"{name}{SEPARATOR}{clip.kind}")


def means_of_conditions(scores: Sequence[ClipScore]) -> list[ClipScore]:
    """Return the mean of kinds under each condition."""
    by_condition: dict[str, list[ClipScore]] = {}
    for score in scores:
        condition, _, kind = score.kind.partition(SEPARATOR)
        by_condition.setdefault(condition, []).append(replace(score, kind=kind))
    return [
        replace(means_of_kinds(scores)[MEAN_OF_KINDS], name=condition, kind=condition)
        for condition, scores in by_condition.items()
    ]


def _neighbour_of(number: int, clips: Sequence[LabelledClip]) -> LabelledClip:
    """Return a stem of another kind, as in a session: each is the neighbour of as many clips."""
    clip = clips[number]
    others = [other for other in clips if other.stem_kind not in (clip.stem_kind, StemKind.MIX)]
    return others[number % len(others)] if others else clips[(number + 1) % len(clips)]


def _unchanged(clip: LabelledClip, _neighbour: LabelledClip) -> LabelledClip:
    return clip


def _noisy(clip: LabelledClip, _neighbour: LabelledClip) -> LabelledClip:
    noise = np.random.default_rng(0).normal(0, 1, len(clip.samples))
    return _with(clip, clip.samples + noise * _rms(clip.samples) * _gain(NOISE_DB))


def _in_a_hall(clip: LabelledClip, _neighbour: LabelledClip) -> LabelledClip:
    rng = np.random.default_rng(0)
    return _with(clip, reverberated(rng, clip.samples, decaying_noise(rng, ROOM_DECAY_S), ROOM_DB))


def _as_mp3(clip: LabelledClip, _neighbour: LabelledClip) -> LabelledClip:
    file = io.BytesIO()
    soundfile.write(
        file,
        soxr.resample(clip.samples, SAMPLE_RATE_HZ, MP3_RATE_HZ),
        MP3_RATE_HZ,
        format="MP3",
        bitrate_mode="CONSTANT",
        compression_level=MP3_LEVEL,
    )
    file.seek(0)
    decoded = soxr.resample(soundfile.read(file, dtype="float32")[0], MP3_RATE_HZ, SAMPLE_RATE_HZ)
    stretch = slice(0, 20 * SAMPLE_RATE_HZ)
    likeness = fftconvolve(decoded[stretch], clip.samples[stretch][::-1])
    delay = max(0, int(np.argmax(likeness)) - len(clip.samples[stretch]) + 1)
    return _with(clip, decoded[delay : delay + len(clip.samples)])


def _sharp(clip: LabelledClip, _neighbour: LabelledClip) -> LabelledClip:
    return _detuned(clip, DETUNED_CENTS)


def _flat(clip: LabelledClip, _neighbour: LabelledClip) -> LabelledClip:
    return _detuned(clip, -DETUNED_CENTS)


def _quiet(clip: LabelledClip, _neighbour: LabelledClip) -> LabelledClip:
    """Lower to 16 bits at a low peak, with what rounding does to it."""
    low = clip.samples / (np.abs(clip.samples).max() + 1e-9) * _gain(QUIET_PEAK_DB)
    return _with(clip, np.rint(low * 32_767) / 32_767)


def _bled_into(clip: LabelledClip, neighbour: LabelledClip) -> LabelledClip:
    other = np.resize(neighbour.samples, len(clip.samples))
    return _with(clip, clip.samples + other * _rms(clip.samples) / _rms(other) * _gain(BLEED_DB))


def _band_limited(clip: LabelledClip, _neighbour: LabelledClip) -> LabelledClip:
    steep = butter(8, BAND_HZ, fs=SAMPLE_RATE_HZ, output="sos")
    return _with(clip, sosfilt(steep, clip.samples))


def _detuned(clip: LabelledClip, cents: float) -> LabelledClip:
    """Play faster or slower; the labels move along."""
    speed = 2 ** (cents / 1200)
    samples = soxr.resample(clip.samples, SAMPLE_RATE_HZ * speed, SAMPLE_RATE_HZ)
    notes = hits = None
    if clip.notes is not None:
        notes = tuple(
            replace(note, onset_s=note.onset_s / speed, offset_s=note.offset_s / speed)
            for note in clip.notes
        )
    if clip.drum_hits is not None:
        hits = tuple((at_s / speed, key) for at_s, key in clip.drum_hits)
    return replace(_with(clip, samples), notes=notes, drum_hits=hits)


def _with(clip: LabelledClip, samples: Sound) -> LabelledClip:
    return replace(clip, samples=np.ascontiguousarray(samples, np.float32), side=None)


def _gain(level_db: float) -> float:
    return float(10 ** (level_db / 20))


def _rms(samples: Samples) -> float:
    return float(np.sqrt((samples.astype(np.float64) ** 2).mean()) + 1e-9)


CONDITIONS: Mapping[str, Condition] = {
    "clean": _unchanged,
    "noise at 20 dB": _noisy,
    "large room": _in_a_hall,
    "mp3": _as_mp3,
    "40 cents sharp": _sharp,
    "40 cents flat": _flat,
    "at -30 dBFS": _quiet,
    "bleed at -15 dB": _bled_into,
    "8 kHz band": _band_limited,
}
