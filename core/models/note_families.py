"""NoteFamilies: which family of instruments plays a note, told by its partials alone.

Where FamilyHead hears a key among all others, this hears one onset closely; together they are
right more often than either.
"""

from math import prod

import torch
from torch import Tensor, nn

FAMILIES = 12
PATCH_SHAPE = (2, 16, 14)  # window, row, moment; see `note_patches`
HIDDEN, LATE_HIDDEN = 768, 256
MIDDLE_PITCH, PITCH_RANGE = 60, 12.0
OWN_ROWS, OWN_MOMENTS = slice(1, 5), slice(3, 8)  # partials 1 to 4 in the first 0.1 s
STEEPNESS = 2.0  # brings levels to about -2..2


class NoteFamilies(nn.Module):
    """Patches [note, window, row, moment] and pitches [note] to logits [note, family]."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(prod(PATCH_SHAPE) + 2, HIDDEN)
        self.second = nn.Linear(HIDDEN, LATE_HIDDEN)
        self.logits = nn.Linear(LATE_HIDDEN, FAMILIES)
        self.forgetting, self.late_forgetting = nn.Dropout(0.2), nn.Dropout(0.1)

    def forward(self, patches: Tensor, pitches: Tensor) -> Tensor:
        height = (pitches - MIDDLE_PITCH) / PITCH_RANGE
        seen = torch.cat([beside_own_level(patches), height[:, None], height[:, None] ** 2 / 3], 1)
        hidden = self.forgetting(torch.relu(self.first(seen)))
        hidden = self.late_forgetting(torch.relu(self.second(hidden)))
        logits: Tensor = self.logits(hidden)
        return logits


def beside_own_level(patches: Tensor) -> Tensor:
    """Return levels beside that of the note itself, so that loud and soft notes look alike."""
    own = patches[:, :, OWN_ROWS, OWN_MOMENTS].amax(3).mean((1, 2))
    return STEEPNESS * (patches - own[:, None, None, None]).flatten(1)
