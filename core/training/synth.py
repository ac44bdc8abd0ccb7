"""Procedural instruments: random additive patches, plucked, blown, bowed, electronic or sung.

Every call draws a new instrument, so that the network hears thousands of timbres instead of the few
dozen of a soundfont. Nothing is sampled: the sounds have no licence but ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.training.part import PlayedNote

Samples = npt.NDArray[np.float32]
PatchKind = Literal["pluck", "sustain", "wind", "voice"]

SAMPLE_RATE_HZ = 22_050
MAX_PARTIALS = 40
HIGHEST_PARTIAL_HZ = 9500.0
LEGATO_GAP_S = 0.12  # a note that starts this soon after the last one may glide from it


@dataclass(frozen=True, slots=True)
class Formant:
    """One resonance of a body or mouth."""

    centre_hz: float
    width_hz: float
    gain: float


@dataclass(frozen=True, slots=True)
class Patch:
    """One random instrument; levels are linear, pitches in semitones."""

    kind: PatchKind
    tilt: float
    even_gain: float
    partial_gains: Samples  # [partial]
    formants: tuple[Formant, ...]
    second_formants: tuple[Formant, ...]  # where the vowel moves to within a note
    pluck_position: float
    inharmonicity: float
    attack_s: float
    release_s: float
    decay_s: float
    decay_slope: float
    sustain: float
    noise: float
    click: float
    chiff: float
    consonant_share: float
    legato_share: float
    unison: int
    detune_cents: float
    vibrato_hz: float
    vibrato_depth: float
    vibrato_delay_s: float
    glide_s: float
    drift: float
    swell: float
    tremolo_hz: float
    tremolo_depth: float
    brightness: float
    velocity_brightness: float
    hammer_share: float  # of notes that follow closely: hammered on, pulled off or slid to
    mute_share: float  # of notes damped with the palm
    squeak_share: float  # of notes before which fingers squeak along a string or a body knocks


def random_patch(rng: np.random.Generator, kind: PatchKind) -> Patch:
    """Draw one instrument of a kind."""
    is_pluck, is_voice, is_wind = kind == "pluck", kind == "voice", kind == "wind"
    partial_gains = np.exp(rng.normal(0, rng.uniform(0.1, 0.9), MAX_PARTIALS))
    if rng.random() < 0.15:
        partial_gains[0] *= rng.uniform(0.05, 0.4)  # a weak fundamental, as in low piano notes
    attack_s = _log_uniform(rng, 0.002, 0.01) if is_pluck else _log_uniform(rng, 0.005, 0.09)
    vibrato_depth = rng.uniform(0.05, 0.6) if is_voice else _sometimes(rng, 0.5, 0.03, 0.3)
    glide_s = rng.uniform(0.03, 0.16) if is_voice else _sometimes(rng, 0.2, 0.01, 0.06)
    return Patch(
        kind=kind,
        tilt=rng.uniform(0.4, 2.4),
        even_gain=_sometimes(rng, 0.25, 0.02, 0.8, otherwise=1.0),
        partial_gains=partial_gains.astype(np.float32),
        formants=_random_formants(rng, is_voice),
        second_formants=_random_formants(rng, is_voice),
        pluck_position=rng.uniform(0.06, 0.45) if is_pluck and rng.random() < 0.5 else 0.0,
        inharmonicity=_log_uniform(rng, 3e-5, 8e-4) if is_pluck and rng.random() < 0.5 else 0.0,
        attack_s=attack_s,
        release_s=_log_uniform(rng, 0.015, 0.25),
        decay_s=_log_uniform(rng, 0.25, 4.0),
        decay_slope=rng.uniform(0.2, 1.2),
        sustain=rng.uniform(0.3, 1.0),
        noise=_sometimes(rng, 0.8 if is_wind or is_voice else 0.4, 0.005, 0.08),
        click=rng.uniform(0, 0.5) if is_pluck else rng.uniform(0, 0.1),
        chiff=_sometimes(rng, 0.6, 0.05, 0.5) if is_wind else 0.0,
        consonant_share=rng.uniform(0.0, 0.8) if is_voice else 0.0,
        legato_share=rng.uniform(0.0, 0.9) if is_wind or is_voice else _sometimes(rng, 0.3, 0, 0.4),
        unison=int(rng.choice([1, 1, 1, 2]) if is_voice else rng.choice([1, 1, 1, 2, 3])),
        detune_cents=rng.uniform(0.5, 3) if is_pluck else rng.uniform(3, 18),
        vibrato_hz=rng.uniform(4, 7.2),
        vibrato_depth=vibrato_depth,
        vibrato_delay_s=rng.uniform(0.05, 0.4),
        glide_s=glide_s,
        drift=rng.uniform(0.03, 0.2) if is_voice else _sometimes(rng, 0.3, 0.01, 0.06),
        swell=rng.uniform(0, 0.6) if not is_pluck else 0.0,
        tremolo_hz=rng.uniform(3, 7),
        tremolo_depth=_sometimes(rng, 0.33, 0.05, 0.4),
        brightness=rng.uniform(0, 1.2),
        velocity_brightness=rng.uniform(0, 0.8),
        hammer_share=_sometimes(rng, 0.5, 0.1, 0.8) if is_pluck else 0.0,
        mute_share=_sometimes(rng, 0.3, 0.1, 1.0) if is_pluck else 0.0,
        squeak_share=_sometimes(rng, 0.3, 0.05, 0.5) if is_pluck else 0.0,
    )


def render_part(
    rng: np.random.Generator, notes: Sequence[PlayedNote], patch: Patch, *, duration_s: float
) -> Samples:
    """Play notes in onset order on a patch; return mono samples [sample]."""
    samples = np.zeros(int(duration_s * SAMPLE_RATE_HZ) + 1, np.float32)
    before: PlayedNote | None = None
    for note in notes:
        follows = before is not None and note.onset_s - before.offset_s < LEGATO_GAP_S
        is_legato = follows and rng.random() < patch.legato_share
        played = _articulated(rng, note, patch, before) if patch.kind == "pluck" else patch
        voiced = _render_note(
            rng, note, played, before=before if follows else None, is_legato=is_legato
        )
        _add_at(samples, voiced, int(note.onset_s * SAMPLE_RATE_HZ))
        if rng.random() < patch.squeak_share:
            squeak = _consonant(rng) * rng.uniform(0.05, 0.5)
            _add_at(samples, squeak, int((note.onset_s - rng.uniform(0, 0.2)) * SAMPLE_RATE_HZ))
        if rng.random() < patch.consonant_share and not is_legato:
            burst = _consonant(rng) * (note.velocity / 127) ** 1.6
            _add_at(samples, burst, int(note.onset_s * SAMPLE_RATE_HZ) - len(burst) + 200)
        before = note
    return samples


def labelled(notes: Sequence[PlayedNote], patch: Patch) -> list[PlayedNote]:
    """Return the notes as heard: plucked ones end with their decay, others with their release."""
    heard = []
    for note in notes:
        if patch.kind == "pluck":
            decay_s = patch.decay_s * (261 / _pitch_hz(note.pitch)) ** 0.4
            offset_s = min(note.offset_s + 0.01, note.onset_s + max(0.12, 1.15 * decay_s))
        else:
            offset_s = note.offset_s + min(0.07, 0.02 + 0.4 * patch.release_s)
        heard.append(note._replace(offset_s=offset_s))
    return heard


def _articulated(
    rng: np.random.Generator, note: PlayedNote, patch: Patch, before: PlayedNote | None
) -> Patch:
    """Return the patch as one note of a plucked part is played: struck, hammered, slid, muted."""
    if before is not None and rng.random() < patch.hammer_share:
        interval, later_s = abs(note.pitch - before.pitch), note.onset_s - before.onset_s
        is_at_hand = 0 < interval <= 5 and later_s > 0.07
        if is_at_hand and note.onset_s - before.offset_s < LEGATO_GAP_S:
            slides = rng.random() < 0.4
            return replace(
                patch,
                click=patch.click * rng.uniform(0.0, 0.3),
                attack_s=rng.uniform(0.004, 0.03),
                glide_s=rng.uniform(0.04, 0.2) if slides else 0.0,
                tilt=patch.tilt + rng.uniform(0, 0.6),
            )
    if rng.random() < patch.mute_share:
        return replace(
            patch,
            decay_s=patch.decay_s * rng.uniform(0.04, 0.3),
            tilt=patch.tilt + rng.uniform(0.2, 1.2),
            glide_s=0.0,
        )
    return replace(patch, glide_s=0.0)


def _render_note(
    rng: np.random.Generator,
    note: PlayedNote,
    patch: Patch,
    *,
    before: PlayedNote | None,
    is_legato: bool,
) -> Samples:
    held = int((note.offset_s - note.onset_s) * SAMPLE_RATE_HZ)
    length = held + int(patch.release_s * SAMPLE_RATE_HZ)
    at_s = np.asarray(np.arange(length, dtype=np.float32) / SAMPLE_RATE_HZ, np.float32)
    bend = _bend(rng, at_s, note, patch, before)
    sound = _partials(rng, at_s, note, patch, bend)
    envelope = _envelope(rng, at_s, patch, held=held, is_legato=is_legato)
    if patch.noise:
        noise = rng.normal(0, patch.noise, length)
        sound += np.convolve(noise, rng.normal(0, 0.4, 8), "same").astype(np.float32)
    sound *= envelope
    click = patch.click * (0.3 if is_legato else 1.0)
    strike = min(length, int(0.02 * SAMPLE_RATE_HZ))
    if click:
        fading = np.exp(-np.arange(strike) / (0.003 * SAMPLE_RATE_HZ))
        sound[:strike] += (click * rng.normal(0, 1, strike) * fading).astype(np.float32)
    if patch.chiff and not is_legato:
        breath = min(length, int(0.05 * SAMPLE_RATE_HZ))
        fading = np.hanning(breath + 2)[1:-1]
        sound[:breath] += (patch.chiff * rng.normal(0, 0.5, breath) * fading).astype(np.float32)
    loudness = (note.velocity / 127) ** 1.6 * (0.75 if is_legato else 1.0)
    return np.asarray(loudness * sound, np.float32)


def _bend(
    rng: np.random.Generator,
    at_s: Samples,
    note: PlayedNote,
    patch: Patch,
    before: PlayedNote | None,
) -> Samples:
    """Return the deviation from the note's pitch in semitones [sample]."""
    bend = np.zeros(len(at_s), np.float32)
    is_voice = patch.kind == "voice"
    if patch.glide_s and before is not None and abs(before.pitch - note.pitch) <= 12:
        bend += (before.pitch - note.pitch) * np.exp(-at_s / (patch.glide_s * 0.35))
    elif is_voice or (patch.kind == "wind" and rng.random() < 0.3):
        depth = rng.uniform(0, 2.0) if is_voice else rng.uniform(0, 0.8)
        bend -= depth * np.exp(-at_s / rng.uniform(0.015, 0.06))
    if patch.vibrato_depth:
        fade_in = np.clip((at_s - patch.vibrato_delay_s) / 0.25, 0, 1)
        rate_hz = patch.vibrato_hz * rng.uniform(0.9, 1.1)
        turns = 2 * np.pi * rate_hz * at_s + rng.uniform(0, 6)
        bend += patch.vibrato_depth * fade_in * np.sin(turns)
    if patch.drift:
        corners = np.linspace(0, len(at_s) / SAMPLE_RATE_HZ, 6)
        wander = np.interp(at_s, corners, rng.normal(0, patch.drift, 6))
        bend += (rng.normal(0, patch.drift * 0.7) + wander).astype(np.float32)
    if patch.kind == "pluck" and rng.random() < 0.3:
        # A string struck hard starts sharp.
        bend += rng.uniform(0, 0.25) * np.exp(-at_s / 0.05)
    return bend


def _partials(
    rng: np.random.Generator, at_s: Samples, note: PlayedNote, patch: Patch, bend: Samples
) -> Samples:
    """Sum the partials of one note, normalised to unit power before decay [sample]."""
    pitch_hz = _pitch_hz(note.pitch)
    count = max(1, min(MAX_PARTIALS, int(HIGHEST_PARTIAL_HZ // pitch_hz)))
    order = np.arange(1, count + 1)
    partial_hz = pitch_hz * order * np.sqrt(1 + patch.inharmonicity * order * order)
    gains = _partial_gains(patch, order, partial_hz, note.velocity)
    first = _resonated(gains, partial_hz, patch.formants)
    moves = patch.kind == "voice" and bool(patch.formants) and rng.random() < 0.6
    second = _resonated(gains, partial_hz, patch.second_formants) if moves else first
    sound = np.zeros(len(at_s), np.float32)
    later = np.zeros(len(at_s), np.float32)
    for voice in range(patch.unison):
        spread = 0.0 if patch.unison == 1 else voice / (patch.unison - 1) * 2 - 1
        speed = 2 ** ((bend + patch.detune_cents / 100 * spread) / 12)
        phase = np.cumsum(speed, dtype=np.float64) * (2 * np.pi / SAMPLE_RATE_HZ)
        root = np.exp(1j * (pitch_hz * phase + rng.uniform(0, 6))).astype(np.complex64)
        rotor = np.ones(len(at_s), np.complex64)
        for partial in range(count):
            if patch.inharmonicity == 0:
                rotor *= root  # the next harmonic is one more turn of the same phasor
            if first[partial] < 2e-3 and second[partial] < 2e-3 and partial:
                continue
            if patch.inharmonicity == 0:
                wave = rotor.imag
            else:
                turns = partial_hz[partial] * phase + rng.uniform(0, 6)
                wave = np.sin(turns).astype(np.float32)
            wave = wave * _partial_decay(at_s, patch, partial, pitch_hz, count)
            sound += first[partial] * wave
            if moves:
                later += second[partial] * wave
    if not moves:
        return sound
    moved = 1 / (1 + np.exp(-(at_s - rng.uniform(0.05, 0.4)) / rng.uniform(0.02, 0.08)))
    return np.asarray(sound * (1 - moved) + later * moved, np.float32)


def _partial_gains(
    patch: Patch, order: npt.NDArray[np.int_], partial_hz: npt.NDArray[np.float64], velocity: int
) -> npt.NDArray[np.float64]:
    softness = patch.velocity_brightness * (1 - velocity / 127)
    gains = order ** -(patch.tilt + softness) * patch.partial_gains[: len(order)]
    gains = gains * np.where(order % 2 == 0, patch.even_gain, 1.0)
    if patch.pluck_position:
        gains = gains * (0.05 + np.abs(np.sin(np.pi * order * patch.pluck_position)))
    return np.asarray(gains, np.float64)


def _resonated(
    gains: npt.NDArray[np.float64],
    partial_hz: npt.NDArray[np.float64],
    formants: tuple[Formant, ...],
) -> npt.NDArray[np.float64]:
    response = np.full(len(gains), 0.15 if formants else 1.0)
    for formant in formants:
        distance = (partial_hz - formant.centre_hz) / formant.width_hz
        response += formant.gain / (1 + distance**2)
    shaped = gains * response
    return np.asarray(shaped / (np.sqrt((shaped**2).sum()) + 1e-9), np.float64)


def _partial_decay(
    at_s: Samples, patch: Patch, partial: int, pitch_hz: float, count: int
) -> Samples | float:
    if patch.kind == "pluck":
        decay_s = patch.decay_s * (261 / pitch_hz) ** 0.4 / (1 + patch.decay_slope * partial * 0.35)
        return np.asarray(np.exp(-at_s * np.float32(3.45 / max(decay_s, 0.03))), np.float32)
    if not patch.brightness:
        return 1.0
    closed = min(0.9, patch.brightness * partial / count)
    return np.asarray(1 - np.float32(closed) * (1 - np.exp(-at_s / np.float32(0.15))), np.float32)


def _envelope(
    rng: np.random.Generator, at_s: Samples, patch: Patch, *, held: int, is_legato: bool
) -> Samples:
    attack = np.minimum(1, at_s / patch.attack_s)
    envelope = 0.45 + 0.55 * attack if is_legato else attack
    if patch.kind != "pluck":
        envelope = envelope * (patch.sustain + (1 - patch.sustain) * np.exp(-at_s / 0.2))
    if patch.swell:
        corners = np.linspace(0, max(0.05, float(at_s[-1]) if len(at_s) else 0.05), 4)
        envelope = envelope * np.interp(at_s, corners, 1 - patch.swell * rng.uniform(0, 1, 4))
    if patch.tremolo_depth:
        turns = 2 * np.pi * patch.tremolo_hz * at_s
        envelope = envelope * (1 - patch.tremolo_depth * 0.5 * (1 + np.sin(turns)))
    if held < len(at_s):
        released_s = at_s[held:] - at_s[held]
        envelope[held:] = envelope[held:] * np.exp(-released_s * (4.6 / patch.release_s))
    return np.asarray(envelope, np.float32)


def _consonant(rng: np.random.Generator) -> Samples:
    """Return a burst of coloured noise as before a sung vowel [sample]."""
    length = int(rng.uniform(0.02, 0.12) * SAMPLE_RATE_HZ)
    noise = rng.normal(0, 1, length)
    if rng.random() < 0.6:
        noise = np.diff(noise, append=0.0)  # sibilants are bright
    else:
        noise = np.convolve(noise, np.ones(5) / 5, "same")
    shape = np.hanning(length + 2)[1:-1] ** 0.5
    return (noise * shape * rng.uniform(0.03, 0.35)).astype(np.float32)


def _add_at(samples: Samples, sound: Samples, start: int) -> None:
    sound = sound[max(0, -start) :]
    start = max(0, start)
    room = min(len(sound), len(samples) - start)
    if room > 0:
        samples[start : start + room] += sound[:room]


def _random_formants(rng: np.random.Generator, is_voice: bool) -> tuple[Formant, ...]:
    if is_voice:
        ranges = ((280, 900), (800, 2400), (2300, 3400))
        widths = (60, 90, 140)
        return tuple(
            Formant(rng.uniform(low, high), width * rng.uniform(0.8, 2.0), rng.uniform(0.8, 7))
            for (low, high), width in zip(ranges, widths, strict=True)
        )
    return tuple(
        Formant(_log_uniform(rng, 250, 4000), rng.uniform(80, 500), rng.uniform(0.5, 6))
        for _ in range(rng.integers(0, 4))
    )


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _sometimes(
    rng: np.random.Generator, share: float, low: float, high: float, otherwise: float = 0.0
) -> float:
    return float(rng.uniform(low, high)) if rng.random() < share else otherwise


def _pitch_hz(pitch: int) -> float:
    return float(440 * 2 ** ((pitch - 69) / 12))
