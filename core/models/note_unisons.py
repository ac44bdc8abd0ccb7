"""NoteUnisons: whether each family of instruments plays a note, be it with others.

NoteFamilies tells who plays; this is asked who else does. In stereo it also hears which partials
stand apart from the middle: two players in unison seldom stand in the same place.
"""

from math import prod

import torch
from torch import Tensor, nn

from core.models.note_families import (
    FAMILIES,
    HIDDEN,
    LATE_HIDDEN,
    MIDDLE_PITCH,
    PITCH_RANGE,
    STEEPNESS,
    beside_own_level,
)

MIDDLE = slice(0, 2)  # windows of the mono mix; those of what stands apart follow
PATCH_SHAPE = (4, 16, 14)  # window, row, moment; see `note_patches`
USUALLY_APART, MOST_APART = -0.3, 0.7  # beside the middle, in levels of 40 dB
AUDIBLE_LEVEL = 0.25  # -70 dB; a fainter side is what coding leaves of a mono mix


class NoteUnisons(nn.Module):
    """Patches [note, window, row, moment] and pitches [note] to logits [note, family]."""

    def __init__(self, answers: int = FAMILIES) -> None:
        super().__init__()
        self.first = nn.Linear(prod(PATCH_SHAPE) + 2, HIDDEN)
        self.second = nn.Linear(HIDDEN, LATE_HIDDEN)
        self.logits = nn.Linear(LATE_HIDDEN, answers)
        self.forgetting, self.late_forgetting = nn.Dropout(0.2), nn.Dropout(0.1)

    def forward(self, patches: Tensor, pitches: Tensor) -> Tensor:
        height = (pitches - MIDDLE_PITCH) / PITCH_RANGE
        seen = [beside_own_level(patches[:, MIDDLE]), _apart(patches)]
        seen += [height[:, None], height[:, None] ** 2 / 3]
        hidden = self.forgetting(torch.relu(self.first(torch.cat(seen, 1))))
        hidden = self.late_forgetting(torch.relu(self.second(hidden)))
        logits: Tensor = self.logits(hidden)
        return logits


def _apart(patches: Tensor) -> Tensor:
    """Return how much of each place stands apart; 0 everywhere where nothing does."""
    middle, side = patches[:, MIDDLE], patches[:, MIDDLE.stop :]
    apart = (side - middle - USUALLY_APART).clamp(-MOST_APART, MOST_APART)
    is_wide = side.amax((1, 2, 3), keepdim=True) > AUDIBLE_LEVEL
    return STEEPNESS * (apart * is_wide).flatten(1)
