"""What stems and tracks are known by, whatever they are called and however often they are named."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NewType

from core.score.instruments import StemKind
from core.score.transcription import Track

HUES = 8  # track colours in the palette
_SEVERAL_INSTRUMENTS = (StemKind.MIX, StemKind.OTHER)

StemId = NewType("StemId", int)
SongId = NewType("SongId", int)


@dataclass(frozen=True, slots=True)
class TrackId:
    """A track of a stem: the one instrument that the stem is of, else an instrument beside it.

    The first keeps its id whatever program its notes are given; the others, and all in a mix, go by
    their program. `number` tells tracks of one program apart.
    """

    stem_id: StemId
    program: int | None = None
    is_drum: bool = False
    number: int = 0


def track_ids(stem_id: StemId, kind: StemKind, tracks: Sequence[Track]) -> tuple[TrackId, ...]:
    """Return the id of each track that was heard in a stem of a kind."""
    its_own = _its_own_track(kind, tracks)
    seen: Counter[tuple[int, bool]] = Counter()
    ids = []
    for place, track in enumerate(tracks):
        instrument = (track.program, track.is_drum)
        if place == its_own:
            ids.append(TrackId(stem_id))
        else:
            ids.append(TrackId(stem_id, *instrument, number=seen[instrument]))
            seen[instrument] += 1
    return tuple(ids)


def _its_own_track(kind: StemKind, tracks: Sequence[Track]) -> int | None:
    """Return the place of the instrument that the stem is of: what has the most notes."""
    if kind in _SEVERAL_INSTRUMENTS:
        return None
    places = [
        place for place, track in enumerate(tracks) if track.is_drum == (kind is StemKind.DRUMS)
    ]
    return max(places, key=lambda place: len(tracks[place].notes), default=None)


class TrackColours:
    """Gives the stems and tracks of one song colours that stay, the least used one to each.

    A stem's first track has the colour of the stem.
    """

    def __init__(self) -> None:
        self._of_stems: dict[StemId, int] = {}
        self._of_tracks: dict[TrackId, int] = {}

    def of_stem(self, stem_id: StemId) -> int:
        if stem_id not in self._of_stems:
            self._of_stems[stem_id] = self._least_used()
        return self._of_stems[stem_id]

    def of_track(self, track_id: TrackId) -> int:
        if track_id not in self._of_tracks:
            is_first = all(other.stem_id != track_id.stem_id for other in self._of_tracks)
            colour = self.of_stem(track_id.stem_id) if is_first else self._least_used()
            self._of_tracks[track_id] = colour
        return self._of_tracks[track_id]

    def _least_used(self) -> int:
        """Count a stem and its first track as one use."""
        used = list(self._of_stems.values())
        firsts = set[StemId]()
        for track_id, colour in self._of_tracks.items():
            if track_id.stem_id in firsts:
                used.append(colour)
            firsts.add(track_id.stem_id)
        return min(range(HUES), key=used.count)
