"""Looks closely at every onset while the levels around it are at hand."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.codec.families import packed
from core.codec.struck_keys import StruckKeys, struck_keys
from core.features.note_patches import note_patches
from core.models.checkpoint import load_weights
from core.models.note_families import NoteFamilies
from core.models.note_unisons import MIDDLE, NoteUnisons
from core.models.stem_net import LOWEST_PITCH

LEAST_ONSET = 0.2  # a sensitive decoding asks for little more

Onsets = npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class NoteWeights:
    """The files of the networks that look at single notes."""

    families: Path
    unisons: Path


class NoteHearing:
    """Tells who plays each onset of a segment, whatever note it may become."""

    def __init__(self, weights: NoteWeights, *, device: str = "cpu") -> None:
        """Load the weights; raises ModelMissingError or ModelBrokenError."""
        self._families, self._unisons = NoteFamilies(), NoteUnisons()
        load_weights(self._families, weights.families)
        load_weights(self._unisons, weights.unisons)
        self._families.to(device)
        self._unisons.to(device)

    @torch.inference_mode()
    def opinions(self, levels: Tensor, onset: Onsets, *, first_frame: int) -> StruckKeys:
        """Return opinions on the onsets [frame, pitch] of a segment.

        Its frames begin at `first_frame` of `levels` [channel, window, frame, bin], which reach
        beyond it on both sides as far as a patch does. The second channel, if there is one, is what
        stands apart from the first.
        """
        frames, keys = _onsets_in(onset)
        at = torch.from_numpy(frames + first_frame).to(levels.device)
        on = torch.from_numpy(keys).to(levels.device)
        both = levels if len(levels) == 2 else torch.cat([levels, torch.zeros_like(levels)])
        patches, pitches = note_patches(both.flatten(0, 1), at, on), (on + LOWEST_PITCH).float()
        player = torch.softmax(self._families(patches[:, MIDDLE], pitches), 1)
        each = torch.sigmoid(self._unisons(patches, pitches))
        told = torch.cat([player, each], 1).half().cpu().numpy()
        return struck_keys(frames, keys, packed(told))


def _onsets_in(onset: Onsets) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return frames and keys of every peak; at the ends of a segment any rise may be one."""
    before = np.pad(onset, ((1, 0), (0, 0)))[:-1]
    after = np.pad(onset, ((0, 1), (0, 0)))[1:]
    frames, keys = np.nonzero((onset >= LEAST_ONSET) & (onset >= before) & (onset >= after))
    return frames.astype(np.int64), keys.astype(np.int64)
