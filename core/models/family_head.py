"""FamilyHead: which family of instruments plays a pitch, asked of what StemNet hears.

Shapes are [batch, channel, frame, pitch].
"""

import torch
from torch import Tensor, nn

from core.models.stem_net import RELEASED, Hearing, StemNet, StemSize

FAMILIES = 12
BLOCK_FRAMES = 4  # families are told of blocks of frames: instruments do not change faster
ROWS = FAMILIES // BLOCK_FRAMES
HIDDEN = 64


class FamilyHead(nn.Module):
    """Hearing to one logit per family [batch, 12, frame, 88]."""

    def __init__(self, size: StemSize = RELEASED) -> None:
        super().__init__()
        self.mix = nn.Conv2d(2 * size.channels, HIDDEN, 1)
        self.logits = nn.Conv2d(HIDDEN, FAMILIES, 1)

    def forward(self, hearing: Hearing) -> Tensor:
        hidden = nn.functional.relu(self.mix(torch.cat(hearing, 1)))
        logits: Tensor = self.logits(hidden)
        return logits


class StemAndFamilies(nn.Module):
    """Levels to the logits of StemNet and, interleaved, of families [batch, 3 + 3, frame, 88]."""

    def __init__(self, size: StemSize = RELEASED) -> None:
        super().__init__()
        self.network = StemNet(size)
        self.families = FamilyHead(size)

    def forward(self, levels: Tensor) -> Tensor:
        hearing = self.network.hear(levels)
        probabilities = torch.softmax(self.families(hearing).float(), 1)
        rows = torch.logit(interleaved(probabilities), eps=1e-4)
        answers = self.network.answers(hearing)
        return torch.cat([answers, rows.to(answers.dtype)], 1)


def interleaved(families: Tensor) -> Tensor:
    """Pack values of families [batch, 12, frame, 88] into rows [batch, 3, frame, 88].

    In frame j of each block of four, row r holds the block's mean of family 4 * r + j: twelve
    families take no more room than onset, frame and velocity. A last block may be shorter.
    """
    batch, _, frames, pitches = families.shape
    missing = -frames % BLOCK_FRAMES
    padded = nn.functional.pad(families, (0, 0, 0, missing), mode="replicate")
    means = nn.functional.avg_pool2d(padded, (BLOCK_FRAMES, 1))
    rows = means.reshape(batch, ROWS, BLOCK_FRAMES, -1, pitches).transpose(2, 3)
    return rows.reshape(batch, ROWS, frames + missing, pitches)[:, :, :frames]
