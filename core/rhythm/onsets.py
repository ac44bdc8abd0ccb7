"""Onsets: where the transcribed notes of a song begin, as evidence for beats and bars."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.score.transcription import Track

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

KICKS = (35, 36)
SNARES = (37, 38, 39, 40)
CRASHES = (49, 52, 55, 57)
HATS = (42, 44, 46, 51, 53, 54, 59, 69, 70, 82)  # whatever only subdivides
NO_KEY = 0  # an onset whose drum is not known
HAT_STRENGTH = 0.4  # of a kick: cymbals play every subdivision and say little about the beat
ENTRY_SHARE = 0.2  # of what a bar usually holds
FULL_LENGTH_S = 0.3  # longer notes are not stronger evidence of a beat


@dataclass(frozen=True, slots=True, eq=False)
class Onsets:
    """All notes of a song in time order; every array is [note].

    `strength` is how much a note speaks for a beat: a loud kick drum counts about 1.
    """

    at_s: Floats
    length_s: Floats
    pitch: npt.NDArray[np.int64]
    strength: Floats
    is_drum: Flags

    def __len__(self) -> int:
        return len(self.at_s)

    def entry_s(self, bar_length_s: float) -> float:
        """Return where the music comes in: the first onset that starts a bar worth the name.

        A cough before the song or a note the network imagined is not the first note.
        """
        until = np.concatenate([[0.0], np.cumsum(self.strength)])
        later = np.searchsorted(self.at_s, self.at_s + bar_length_s)
        in_next_bar = until[later] - until[: len(self)]
        enough = in_next_bar >= ENTRY_SHARE * np.median(in_next_bar)
        return float(self.at_s[int(enough.argmax())])

    def is_key(self, keys: tuple[int, ...]) -> Flags:
        return self.is_drum & np.isin(self.pitch, keys)

    def from_to(self, from_s: float, until_s: float) -> "Onsets":
        """Return the notes that begin within [from_s, until_s)."""
        first, last = np.searchsorted(self.at_s, (from_s, until_s))
        kept = slice(int(first), int(last))
        return Onsets(
            self.at_s[kept],
            self.length_s[kept],
            self.pitch[kept],
            self.strength[kept],
            self.is_drum[kept],
        )


def onsets_of(tracks: Sequence[Track]) -> Onsets:
    """Collect the notes of all tracks."""
    notes = sorted(note for track in tracks for note in track.notes)
    length_s = np.array([note.duration_s for note in notes], dtype=np.float64)
    pitch = np.array([note.pitch for note in notes], dtype=np.int64)
    is_drum = np.array([note.is_drum for note in notes], dtype=np.bool_)
    loudness = np.array([note.velocity for note in notes], dtype=np.float64) / 100.0
    weight = np.sqrt(np.minimum(length_s, FULL_LENGTH_S) / FULL_LENGTH_S)
    weight = np.where(is_drum, np.where(np.isin(pitch, HATS), HAT_STRENGTH, 1.0), weight)
    at_s = np.array([note.onset_s for note in notes], dtype=np.float64)
    return Onsets(at_s, length_s, pitch, loudness * weight, is_drum)
