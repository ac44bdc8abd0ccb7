"""Note patches: how loud the partials of a note are, from just before its onset to past its attack.

Laid out by partial, notes of one instrument look alike wherever they lie. Shapes are named in
brackets; levels are those of `vqt`.
"""

import numpy as np
import torch
from torch import Tensor, nn

from core.features.vqt import BINS_PER_SEMITONE, WINDOW_SETS

# Between partials lie breath, bow and hammer noise, and whoever else sounds.
PARTIALS = (0.5, *range(1, 13))
BETWEEN_PARTIALS = (1.5, 2.5, 3.5)
MOMENTS_FRAMES = (-4, -2, -1, 0, 1, 2, 3, 4, 6, 9, 12, 16, 21, 27)  # from the onset on
FRAMES_BEFORE, FRAMES_AFTER = -MOMENTS_FRAMES[0], MOMENTS_FRAMES[-1]
ROWS = len(PARTIALS) + len(BETWEEN_PARTIALS)
PATCH_SHAPE = (len(WINDOW_SETS), ROWS, len(MOMENTS_FRAMES))
LOUDEST = 2.55  # so that a patch can be kept in bytes

_BINS_PER_OCTAVE = 12 * BINS_PER_SEMITONE
ROW_BINS = tuple(
    round(_BINS_PER_OCTAVE * float(np.log2(ratio))) for ratio in (*PARTIALS, *BETWEEN_PARTIALS)
)
_BINS_BELOW, _BINS_ABOVE = -min(ROW_BINS), max(ROW_BINS) + BINS_PER_SEMITONE


def note_patches(levels: Tensor, frames: Tensor, keys: Tensor) -> Tensor:
    """Return what lies around onsets, 0..LOUDEST [note, window, row, moment].

    `levels` [window, frame, bin], of one channel or of several after each other, are silent beyond
    their ends. `frames` [note] tell when each note
    starts, `keys` [note] where: 0 is the lowest. Of a partial the loudest of three bins counts.
    """
    around = (_BINS_BELOW, _BINS_ABOVE, FRAMES_BEFORE, FRAMES_AFTER)
    padded = nn.functional.pad(levels.float(), around)
    loudest = nn.functional.max_pool1d(padded, 3, stride=1, padding=1)
    moments = torch.tensor(MOMENTS_FRAMES, device=levels.device)
    rows = torch.tensor(ROW_BINS, device=levels.device)
    at = (frames[:, None] + moments + FRAMES_BEFORE)[:, None, :]
    bins = BINS_PER_SEMITONE * keys[:, None] + BINS_PER_SEMITONE // 2 + _BINS_BELOW + rows
    bins = bins[:, :, None]
    on_partials = len(PARTIALS)
    both = torch.cat(
        [loudest[:, at, bins[:, :on_partials]], padded[:, at, bins[:, on_partials:]]], 2
    )
    return both.transpose(0, 1).clamp(0.0, LOUDEST)
