"""Follow the pitch of notes whose true pitch is known, beside other trackers where installed.

    python -m tests.benchmarks.bench_bends [--phrases N]

Plays phrases with vibrato, scoops, falls, bends and glides on the synths of `core/training`, clean,
with noise at 20 dB and in a hall, and compares what each tracker hears with the curves that were
played. Ours is told the notes, as in the program; the others get the range of the phrase, which is
more than they usually know. Prints, per condition: the mean and 95th percentile of the error in
cents where a pitch was given, the share of frames off by more than a quarter tone, the share of
sounding frames that got a pitch, and how many times real time it was, in processor time on one
thread.
"""
# ruff: noqa: T201 - its output is for reading

import argparse
import importlib
import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from core.audio.clip import AudioClip
from core.audio.source import clip_source
from core.codec.contours import note_contours
from core.engine.pitch_hearing import candidates_in
from core.score.note import NoteEvent
from core.training.curve_synth import CONTROLS_PER_S, SAMPLE_RATE_HZ, breath, sounded
from core.training.effects import decaying_noise, reverberated
from core.training.performer import random_performer

PHRASE_S = 12.0
FADED_DB = -30.0  # below the loudest of a note; what is softer is its release
QUARTER_TONE_CENTS = 50.0
PLAYERS = (  # name, performer, lowest and highest key, whether plucked
    ("voice", "singer", (45, 77), False),
    ("sax", "reed", (49, 80), False),
    ("harmonica", "harmonica", (60, 88), False),
    ("violin", "bow", (55, 92), False),
    ("flute", "flute", (60, 94), False),
    ("trumpet", "brass", (52, 82), False),
    ("guitar", "bow", (45, 84), True),
    ("bass", "brass", (28, 52), True),
)


@dataclass(frozen=True)
class Phrase:
    """Samples [sample], notes, and true pitch and loudness [control]."""

    samples: np.ndarray
    notes: tuple[NoteEvent, ...]
    pitch: np.ndarray
    level: np.ndarray


@dataclass(frozen=True)
class Heard:
    """Pitches [frame] at times [frame]; NaN where none was given."""

    at_s: np.ndarray
    pitch: np.ndarray


Tracker = Callable[[Phrase], Heard]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--phrases", type=int, default=3, help="of each player")
    options = parser.parse_args()
    torch.set_num_threads(1)
    phrases = [
        (name, phrase(np.random.default_rng(seed), *player))
        for name, *player in PLAYERS
        for seed in range(options.phrases)
    ]
    trackers = {"Notewright": ours} | {
        name: tracker
        for name, (package, tracker) in OTHERS.items()
        if importlib.util.find_spec(package)
    }
    for title, condition in CONDITIONS.items():
        print(f"\n{title}\n{'':12}{'player':12}  mean   p95  >50 ct  given  x real time")
        changed = [(name, condition(each)) for name, each in phrases]
        error_and_time: dict[str, tuple[float, float]] = {}
        for tracker_name, tracker in trackers.items():
            tracker(changed[0][1])  # warm
            rows: dict[str, list[np.ndarray]] = {}
            began_s = time.process_time()
            heard = [(name, each, tracker(each)) for name, each in changed]
            took_s = time.process_time() - began_s
            for name, each, pitches in heard:
                rows.setdefault(name, []).append(errors_cents(each, pitches))
            every = [error for errors in rows.values() for error in errors]
            speed = PHRASE_S * len(heard) / took_s
            for name, errors in (rows | {"all": every}).items():
                print(f"{tracker_name:12}{name:12}{summary(np.concatenate(errors))}", end="")
                print(f"{speed:10.0f}" if name == "all" else "")
            error_and_time[tracker_name] = np.nanmean(np.abs(np.concatenate(every))), took_s
        our_error, our_s = error_and_time.pop("Notewright")
        for name, (error, took_s) in error_and_time.items():
            print(f"{name}: {error / our_error:.1f} times the error in {took_s / our_s:.1f} times"
                  " the time")  # fmt: skip


def phrase(
    rng: np.random.Generator, performer_kind: str, keys: tuple[int, int], is_plucked: bool
) -> Phrase:
    """Play notes with a gesture each; the loudness of plucked ones decays."""
    performer = random_performer(rng, performer_kind)
    at_s = np.arange(int(PHRASE_S * CONTROLS_PER_S)) / CONTROLS_PER_S
    pitch, level = np.full(len(at_s), float(keys[0])), np.zeros(len(at_s))
    notes: list[NoteEvent] = []
    key = last_key = int(rng.integers(*keys))
    onset_s = 0.2
    while onset_s < PHRASE_S - 1.5:
        held_s = float(np.exp(rng.uniform(np.log(0.15), np.log(1.2))))
        is_slurred = bool(notes) and rng.random() < 0.4
        span = (at_s >= onset_s) & (at_s < onset_s + held_s)
        since_s = at_s[span] - onset_s
        curve = key + gesture(rng, since_s, held_s)
        if is_slurred:  # a glide from the last key
            width_s = rng.uniform(0.01, 0.08)
            curve += (last_key - key) * np.exp(-since_s / width_s)
        pitch[at_s >= onset_s] = curve[-1]
        pitch[span] = curve
        fade = np.exp(-since_s / rng.uniform(0.3, 1.5)) if is_plucked else 1.0
        attack_s = 0.004 if is_plucked else performer.attack_s
        level[span] = fade * (1.0 if is_slurred else np.clip(since_s / attack_s, 0, 1))
        level[span] *= np.clip((held_s - since_s) / 0.03, 0.3, 1)
        written = round(float(np.median(curve)))  # as who writes it down hears it
        notes.append(NoteEvent(onset_s, written, onset_s + held_s))
        last_key = key
        onset_s += held_s + (0.0 if rng.random() < 0.5 else rng.uniform(0.02, 0.3))
        key = int(np.clip(key + rng.choice([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5]), *keys))
    tone = np.tile(
        np.array([600.0, 1200.0, 2500.0, 3500.0, 4500.0], np.float32) * performer.tract,
        (len(at_s), 1),
    )
    curves = pitch.astype(np.float32), level.astype(np.float32)
    sound = sounded(rng, performer, *curves, tone)
    sound = sound + breath(rng, performer, curves[1], loudest=float(np.abs(sound).max()))
    return Phrase(sound / np.abs(sound).max() * 0.7, tuple(notes), pitch, level)


def gesture(rng: np.random.Generator, since_s: np.ndarray, held_s: float) -> np.ndarray:
    """Return what a player does with the pitch of one note, in semitones [control]."""
    depth = rng.uniform(0.1, 1.0)
    turns = 2 * np.pi * rng.uniform(5, 8) * since_s
    vibrato = depth * np.clip((since_s - rng.uniform(0, 0.3)) / 0.2, 0, 1) * np.sin(turns)
    match rng.integers(5):
        case 0:
            return np.zeros(len(since_s))
        case 1:
            return vibrato
        case 2:  # a scoop
            return -rng.uniform(0.3, 2.0) * np.exp(-since_s / rng.uniform(0.02, 0.06))
        case 3:  # a bend up and a little vibrato
            width_s = rng.uniform(0.08, 0.25)
            return rng.choice([1.0, 2.0]) * np.clip((since_s - 0.08) / width_s, 0, 1) + vibrato / 4
        case _:  # a fall
            return -rng.uniform(0.5, 2.5) * np.clip((since_s - held_s + 0.2) / 0.2, 0, 1) ** 2


def errors_cents(each: Phrase, heard: Heard) -> np.ndarray:
    """Return errors where the phrase sounds; NaN where no pitch was given."""
    at_s = np.arange(len(each.pitch)) / CONTROLS_PER_S
    sounds = np.zeros(len(at_s), bool)
    for note in each.notes:
        span = (at_s >= note.onset_s) & (at_s < note.offset_s)
        sounds |= span & (each.level > each.level[span].max() * 10 ** (FADED_DB / 20))
    is_given = ~np.isnan(heard.pitch)
    found = np.interp(at_s, heard.at_s[is_given], heard.pitch[is_given])
    after = np.searchsorted(heard.at_s, at_s).clip(1, len(heard.at_s) - 1)
    found[~(is_given[after] & is_given[after - 1])] = np.nan
    return 100 * (found - each.pitch)[sounds]


def summary(errors: np.ndarray) -> str:
    given = np.abs(errors[~np.isnan(errors)])
    gross = np.mean(given > QUARTER_TONE_CENTS)
    share = len(given) / len(errors)
    return (
        f"{given.mean():6.1f}{np.percentile(given, 95):6.1f}{100 * gross:7.2f}%{100 * share:6.1f}%"
    )


def ours(each: Phrase) -> Heard:
    source = clip_source(AudioClip(each.samples[:, None].astype(np.float32), SAMPLE_RATE_HZ))
    candidates = candidates_in(source)
    at_s, pitch = list[np.ndarray](), list[np.ndarray]()
    for note, contour in zip(each.notes, note_contours(each.notes, candidates), strict=True):
        if contour is not None:
            heard = np.where(contour.is_heard, contour.semitones + note.pitch, np.nan)
            around_s = contour.at_s[[0, -1]] + [-0.001, 0.001]
            at_s += [around_s[:1], contour.at_s, around_s[1:]]
            pitch += [np.array([np.nan]), heard, np.array([np.nan])]
    return Heard(np.concatenate(at_s), np.concatenate(pitch))


def pyin(each: Phrase) -> Heard:
    librosa = importlib.import_module("librosa")
    lowest_hz, highest_hz = range_hz(each)
    hertz, is_voiced, _ = librosa.pyin(
        each.samples, fmin=lowest_hz, fmax=highest_hz, sr=SAMPLE_RATE_HZ, hop_length=221
    )
    pitch = np.where(is_voiced, 69 + 12 * np.log2(np.nan_to_num(hertz, nan=440.0) / 440), np.nan)
    return Heard(np.arange(len(pitch)) * 221 / SAMPLE_RATE_HZ, pitch)


def praat(each: Phrase) -> Heard:
    parselmouth = importlib.import_module("parselmouth")
    lowest_hz, highest_hz = range_hz(each)
    sound = parselmouth.Sound(each.samples.astype(np.float64), SAMPLE_RATE_HZ)
    found = sound.to_pitch_ac(time_step=0.01, pitch_floor=lowest_hz, pitch_ceiling=highest_hz)
    hertz = found.selected_array["frequency"]
    pitch = np.where(hertz > 0, 69 + 12 * np.log2(np.maximum(hertz, 1) / 440), np.nan)
    return Heard(np.asarray(found.xs()), pitch)


def range_hz(each: Phrase) -> tuple[float, float]:
    keys = [note.pitch for note in each.notes]
    return 440 * 2 ** ((min(keys) - 72) / 12), 440 * 2 ** ((max(keys) - 66) / 12)


def noisy(each: Phrase) -> Phrase:
    noise = np.random.default_rng(1).normal(0, 1, len(each.samples))
    loudness = np.sqrt(np.mean(each.samples**2)) / 10
    return Phrase(each.samples + loudness * noise, each.notes, each.pitch, each.level)


def in_a_hall(each: Phrase) -> Phrase:
    rng = np.random.default_rng(2)
    wet = reverberated(rng, each.samples, decaying_noise(rng, 1.8), -8.0)
    return Phrase(wet, each.notes, each.pitch, each.level)


CONDITIONS = {"clean": lambda each: each, "noise at 20 dB": noisy, "in a hall": in_a_hall}
OTHERS: dict[str, tuple[str, Tracker]] = {
    "pYIN": ("librosa", pyin),
    "Praat": ("parselmouth", praat),
}

if __name__ == "__main__":
    main()
