"""Train the family head on what the trained pitch network hears of notes whose player is known."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from core.features.vqt import FRAMES_PER_S
from core.models.family_head import FAMILIES, FamilyHead
from core.models.stem_net import LOWEST_PITCH, PITCHES, Hearing, StemNet
from core.training.feature_shards import PitchShard, read_pitch_shard
from core.training.part import NO_PROGRAM, PlayedNote
from core.training.schedule import cpu_has_bfloat16

# Sung and bowed ensembles are one family of General MIDI, harmonicas and organs another: here
# voices are on their own, and harmonicas with the reeds.
VOICES, HARMONICA = range(52, 55), 22
STRING_FAMILY, VOICE_FAMILY, REED_FAMILY = 5, 6, 8
LOOKS_S = (0.03, 0.1, 0.2, 0.4)  # after the onset
EPOCHS, VECTORS_PER_BATCH, PEAK_RATE = 12, 1024, 2e-3
RARITY = 0.2  # rare families weigh more, by this power of their rarity

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FamilyVectors:
    """What was heard [look, channel] of both layers, and the family that played [look]."""

    heard: Tensor
    family: Tensor


def train_families(network: StemNet, shards: list[Path], *, seed: int) -> FamilyHead:
    """Return a head for a network that stays as it is."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    parts = [vectors_of(network, read_pitch_shard(path)) for path in shards]
    heard = torch.cat([part.heard for part in parts])
    family = torch.cat([part.family for part in parts])
    counts = torch.bincount(family, minlength=FAMILIES).clamp(min=1)
    weights = (counts.max() / counts) ** RARITY
    head = FamilyHead(network.size)
    optimiser = torch.optim.AdamW(head.parameters(), PEAK_RATE, weight_decay=1e-3)
    batches = len(family) // VECTORS_PER_BATCH
    plan = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, EPOCHS * max(1, batches) + 1)
    for epoch in range(EPOCHS):
        order = torch.from_numpy(rng.permutation(len(family)))
        smooth = 0.0
        for batch in range(max(1, batches)):
            chosen = order[batch * VECTORS_PER_BATCH : (batch + 1) * VECTORS_PER_BATCH]
            loss = nn.functional.cross_entropy(
                logits_of(head, heard[chosen].float()), family[chosen], weights
            )
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimiser.step()
            plan.step()
            smooth = 0.98 * smooth + 0.02 * loss.item()
        _log.info("families: epoch %d of %d, loss %.3f", epoch + 1, EPOCHS, smooth)
    return head


def logits_of(head: FamilyHead, heard: Tensor) -> Tensor:
    """Ask the head about vectors [look, channel] instead of a whole clip."""
    half = heard.shape[1] // 2
    columns = heard[:, :, None, None]
    answer: Tensor = head(Hearing(columns[:, :half], columns[:, half:]))[:, :, 0, 0]
    return answer


@torch.inference_mode()
def vectors_of(network: StemNet, shard: PitchShard) -> FamilyVectors:
    """Look at each note of a known player a few times."""
    network.eval()
    heard, families = [], []
    for levels, notes in zip(shard.levels, shard.notes, strict=True):
        clip = torch.from_numpy(levels[None].astype(np.float32))
        with torch.autocast("cpu", torch.bfloat16, enabled=cpu_has_bfloat16()):
            hearing = network.hear(clip.contiguous(memory_format=torch.channels_last))
        layers = torch.cat(hearing, 1)[0]  # [channel, frame, pitch]
        for frame, key, family in _looks(notes, frames=layers.shape[1]):
            heard.append(layers[:, frame, key].half())
            families.append(family)
    return FamilyVectors(torch.stack(heard), torch.tensor(families))


def _looks(notes: tuple[PlayedNote, ...], *, frames: int) -> list[tuple[int, int, int]]:
    """Return frame, key and family of every look; keys that two families hold are left out."""
    holders: dict[tuple[int, int], set[int]] = {}
    for note in notes:
        for frame in range(int(note.onset_s * FRAMES_PER_S), int(note.offset_s * FRAMES_PER_S) + 1):
            holders.setdefault((frame, note.pitch), set()).add(_family_of(note))
    looks = []
    for note in notes:
        family, key = _family_of(note), note.pitch - LOWEST_PITCH
        for look_s in LOOKS_S:
            frame = round((note.onset_s + look_s) * FRAMES_PER_S)
            is_inside = note.onset_s + look_s < note.offset_s and frame < frames
            is_known = 0 <= family < FAMILIES and 0 <= key < PITCHES
            if is_inside and is_known and holders.get((frame, note.pitch)) == {family}:
                looks.append((frame, key, family))
    return looks


def _family_of(note: PlayedNote) -> int:
    """Return the index of a note's family, -1 for sounds of none."""
    if note.program in VOICES:
        return VOICE_FAMILY
    if note.program == HARMONICA:
        return REED_FAMILY
    if note.program == NO_PROGRAM:
        return -1
    family = note.program // 8
    return STRING_FAMILY if family == VOICE_FAMILY else family
