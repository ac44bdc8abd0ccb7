"""Songs that look like songs, for pictures, benchmarks and tests of the timeline."""

from dataclasses import dataclass

import numpy as np

from core.audio.peaks import WaveformPeaks
from core.score.note import NoteEvent, PitchBend
from core.score.tempo import TempoMap, constant_tempo
from desktop.views.song_view import Lane, TrackView

CHORDS = ((57, 60, 64, 67), (53, 57, 60, 64), (48, 55, 60, 64), (55, 59, 62, 65))
PEAK_RATE = 2_000  # samples per second of the made-up audio: enough for a picture


@dataclass(frozen=True, slots=True)
class Song:
    tracks: tuple[TrackView, ...]
    lanes: tuple[Lane, ...]
    tempo: TempoMap
    duration_s: float


def song(*, minutes: float = 3.0, bpm: float = 122.0, seed: int = 1) -> Song:
    """Return ten tracks of `minutes` minutes with drums, bass, chords, arpeggios and melodies."""
    random = np.random.default_rng(seed)
    duration_s = minutes * 60.0
    tempo = constant_tempo(bpm, first_downbeat_s=0.42)
    sixteenth_s = 15.0 / bpm
    steps = int((duration_s - 0.42) / sixteenth_s)
    parts = {
        "Drums": _drums(steps, random),
        "Bass": _line(steps, random, low=33, every=4, length=3.2),
        "Piano": _chords(steps, random, transpose=0),
        "Strings": _chords(steps, random, transpose=12, every=16, length=15.6),
        "Arp": _line(steps, random, low=72, every=1, length=0.9),
        "Lead": _line(steps, random, low=76, every=3, length=2.6, rest=0.4),
        "Guitar": _line(steps, random, low=52, every=2, length=1.8, rest=0.2),
        "Brass": _chords(steps, random, transpose=7, every=8, length=2.0),
        "Voice": _line(steps, random, low=64, every=6, length=5.0, rest=0.3),
        "Pad": _chords(steps, random, transpose=-12, every=32, length=31.0),
    }
    tracks = tuple(
        TrackView(
            name=name,
            notes=tuple(
                _note(step, pitch, length, velocity, sixteenth_s, random, name == "Drums")
                for step, pitch, length, velocity in hits
            ),
            colour_index=index,
            is_drum=name == "Drums",
        )
        for index, (name, hits) in enumerate(parts.items())
    )
    lanes = tuple(
        Lane(name, index, envelope(duration_s, bpm=bpm, seed=index), None)
        for index, name in enumerate(("drums.wav", "bass.wav", "keys.wav", "vocals take 3.wav"))
    )
    return Song(tracks, lanes, tempo, duration_s)


def envelope(duration_s: float, *, bpm: float = 122.0, seed: int = 0) -> WaveformPeaks:
    """Return peaks of noise that is struck on every beat and swells with the sections."""
    random = np.random.default_rng(seed)
    seconds = np.arange(int(duration_s * PEAK_RATE), dtype=np.float32) / PEAK_RATE
    beat = (seconds * bpm / 60.0 / (1 + seed % 3)) % 1.0
    section = 0.55 + 0.35 * np.sign(np.sin(seconds / 17.0 + seed))
    level = np.exp(-beat * (2 + seed)) * section * 0.8
    noise = np.clip(random.standard_normal(len(seconds), dtype=np.float32) * 0.4, -1, 1)
    return WaveformPeaks.from_samples((noise * level).astype(np.float32), PEAK_RATE)


def _note(step, pitch, length, velocity, sixteenth_s, random, is_drum):
    onset_s = max(0.0, 0.42 + step * sixteenth_s + random.normal(0, 0.006))
    offset_s = onset_s + length * sixteenth_s * random.uniform(0.85, 1.0)
    bends = ()
    if length >= 5 and not is_drum and step % 3 == 0:
        times_s = np.linspace(onset_s + 0.05, offset_s, 24)
        bends = tuple(
            PitchBend(float(at_s), 0.4 * float(np.sin(index))) for index, at_s in enumerate(times_s)
        )
    velocity = int(np.clip(velocity + random.normal(0, 10), 1, 127))
    return NoteEvent(onset_s, pitch, offset_s, velocity, is_drum=is_drum, bends=bends)


def _drums(steps, random):
    for step in range(steps):
        if step % 8 == 0:
            yield step, 36, 0.8, 112
        if step % 8 == 4:
            yield step, 38, 0.8, 104
        if step % 2 == 0:
            yield step, 42, 0.6, 84 if step % 4 == 0 else 60
        if step % 128 == 0:
            yield step, 49, 3.0, 110


def _chords(steps, random, *, transpose, every=8, length=7.0):
    for step in range(0, steps, every):
        if (step // 64) % 4 == 3 and transpose:
            continue
        for pitch in CHORDS[(step // 16) % 4]:
            yield step, pitch + transpose, length, 78


def _line(steps, random, *, low, every, length, rest=0.05):
    for step in range(0, steps, every):
        if random.random() < rest:
            continue
        chord = CHORDS[(step // 16) % 4]
        pitch = low + (chord[random.integers(4)] - 48) % 12
        yield step, pitch, length, 70 + 40 * (step % 4 == 0)
