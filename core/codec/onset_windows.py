"""The sound right after each onset, cut from a stream that is read once and not kept."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

NOTES_AT_A_TIME = 256  # keeps the spectra of a dense file small

Block = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class OnsetWindows:
    """`places` [note] in the list of onsets, and what sounds there: `samples` [note, sample]."""

    places: npt.NDArray[np.intp]
    samples: Block


def windows_at_onsets(
    onsets_s: Sequence[float], blocks: Iterable[Block], *, sample_rate: int, window_samples: int
) -> Iterator[OnsetWindows]:
    """Yield the windows that begin at the onsets, a few notes at a time, in order of time.

    `blocks` are the mono samples [sample] of a file in order, of any lengths. Behind their end
    there is silence for the length of a window; onsets later than the end are left out.
    """
    firsts = np.array([max(0, round(onset_s * sample_rate)) for onset_s in onsets_s], np.int64)
    order = np.argsort(firsts, kind="stable")
    held, held_from, done = np.zeros(0, np.float32), 0, 0
    silence = np.zeros(window_samples, np.float32)
    for block in chain(blocks, [silence]):
        held = np.concatenate([held, block])
        last_first = held_from + len(held) - window_samples
        ready = int(np.searchsorted(firsts[order], last_first, "right"))
        for start in range(done, ready, NOTES_AT_A_TIME):
            places = order[start : min(start + NOTES_AT_A_TIME, ready)]
            at = (firsts[places] - held_from)[:, None] + np.arange(window_samples)
            yield OnsetWindows(places, held[at])
        done = max(done, ready)
        kept = min(len(held), window_samples)
        held_from += len(held) - kept
        held = held[len(held) - kept :]
