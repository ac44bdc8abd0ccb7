"""The key of a song, from its notes.

Pitch classes are weighted by duration times velocity and correlated with the profiles of all 24
keys (Krumhansl & Kessler 1982; Temperley 1999, as revised in "What's Key for Key?").
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from core.score.transcription import Key, Track

MIN_NOTES = 8  # fewer say nothing about a key
MIN_CORRELATION = 0.5  # below it the notes follow no key; tonal music has 0.7 and more
MIN_MARGIN = 0.03  # by which the best key's correlation must lead the next

# [pitch class above the tonic]
KRUMHANSL_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
KRUMHANSL_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
TEMPERLEY_MAJOR = (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0)
TEMPERLEY_MINOR = (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0)

_MAJOR_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_MINOR_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")


def key_name(key: Key) -> str:
    """Return the key as musicians write it: "A minor", "Bb major"."""
    return f"{_tonic_name(key)} {'minor' if key.is_minor else 'major'}"


def key_signature(key: Key) -> str:
    """Return the key as a MIDI key signature names it: "Am", "Bb"; at most six accidentals."""
    return _tonic_name(key) + ("m" if key.is_minor else "")


def key_of_signature(signature: str) -> Key:
    """Return the key of a MIDI key signature: "Am", "F#", "Cb" ... (as `key_signature` gives)."""
    tonic = "C D EF G A B".index(signature[0])
    tonic += signature.count("#") - signature.count("b")
    return Key(tonic % 12, signature.endswith("m"))


def estimate_key(tracks: Iterable[Track]) -> Key | None:
    """Return the key of the pitched tracks, or None where the notes do not decide.

    They decide if one key fits well and clearly better than any other, its relative included.
    """
    notes = [note for track in tracks if not track.is_drum for note in track.notes]
    if len(notes) < MIN_NOTES:
        return None
    weights = np.zeros(12)
    for note in notes:
        weights[note.pitch % 12] += note.duration_s * note.velocity
    if np.ptp(weights) <= 1e-9 * weights.sum():
        return None
    scores = _key_scores(weights)
    best, second = np.argsort(scores)[::-1][:2]
    if scores[best] < MIN_CORRELATION or scores[best] - scores[second] < MIN_MARGIN:
        return None
    return Key(tonic=int(best) % 12, is_minor=int(best) >= 12)


def _tonic_name(key: Key) -> str:
    return (_MINOR_NAMES if key.is_minor else _MAJOR_NAMES)[key.tonic]


def _key_scores(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the mean correlation of `weights` [pitch class] with each key [12 major, 12 minor]."""
    return np.concatenate(
        [
            (_correlations(weights, krumhansl) + _correlations(weights, temperley)) / 2
            for krumhansl, temperley in (
                (KRUMHANSL_MAJOR, TEMPERLEY_MAJOR),
                (KRUMHANSL_MINOR, TEMPERLEY_MINOR),
            )
        ]
    )


def _correlations(
    weights: npt.NDArray[np.float64], profile: tuple[float, ...]
) -> npt.NDArray[np.float64]:
    """Return Pearson's r of `weights` with the profile on each tonic [12]."""
    profiles = np.stack([np.roll(profile, tonic) for tonic in range(12)])
    profiles -= profiles.mean(axis=1, keepdims=True)
    centred = weights - weights.mean()
    norms = np.linalg.norm(profiles, axis=1) * np.linalg.norm(centred)
    return np.asarray(profiles @ centred / norms, dtype=np.float64)
