"""What the choices of the drum training are worth, in the way of `ablations`."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save_file

from core.codec.posteriors_to_notes import decode_options_for
from core.engine.built_in import DrumListener
from core.models.checkpoint import learnt_tensors
from core.models.drum_net import DrumNet
from core.training.ablation_table import AblationTable
from core.training.evaluate import (
    MEAN_OF_KINDS,
    ClipScore,
    LabelledClip,
    drum_f1,
    hits_of,
    means_of_kinds,
)
from core.training.schedule import Effort, replacing, soup_in
from core.training.train_drums import DRUM_CHOICES, DrumChoices, train_drums

HOURS = 1.5
WEIGHTS = "drums.safetensors"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DrumAblation:
    """One row: what is changed, in words and in training."""

    name: str
    changed: str
    choices: DrumChoices = DRUM_CHOICES
    seed: int = 1


BASE = DrumAblation("drums", "nothing: the drum network as the recipe trains it")
DRUM_ABLATIONS = (
    BASE,
    replace(
        BASE, name="drums-another-seed", changed="the seed: how far rows differ by chance", seed=2
    ),
    replace(
        BASE,
        name="drums-ghosts",
        changed="ghost strokes count as all others do, not a third",
        choices=replace(DRUM_CHOICES, ghost_weight=1.0),
    ),
    replace(
        BASE,
        name="drums-even-onsets",
        changed="frames at onsets count as all others do, not three times",
        choices=replace(DRUM_CHOICES, onset_weight=0.0),
    ),
    replace(
        BASE,
        name="drums-no-levels",
        changed="levels are never tilted or moved",
        choices=replace(DRUM_CHOICES, tilt=0.0, level_change=(0.0, 0.0)),
    ),
    replace(
        BASE,
        name="drums-unmoved",
        changed="bands are never moved or stretched",
        choices=replace(DRUM_CHOICES, moved_bands=0.0),
    ),
    replace(
        BASE,
        name="drums-batch-24",
        changed="24 clips a step, not 6",
        choices=replace(DRUM_CHOICES, clips_per_batch=24),
    ),
)


def ablate_drums(
    folder: Path,
    shards: list[Path],
    *,
    clips: Iterable[LabelledClip],
    unheard: Callable[[], Iterable[LabelledClip]],
    hours: float = HOURS,
    only: str | None = None,
) -> Path:
    """Train and score what is missing of the rows; return the table that was written, a .md."""
    table = AblationTable(folder, "drum_ablations", [row.name for row in DRUM_ABLATIONS], ("Drm",))
    labelled, composed = list(clips), list[LabelledClip]()
    for ablation in DRUM_ABLATIONS:
        if not table.lacks(ablation.name, only):
            continue
        weights = _trained(ablation, shards, folder / ablation.name, hours)
        composed = composed or list(unheard())
        drums = DrumListener(weights)
        scores = [_mean_drums(labelled, drums), _mean_drums(composed, drums)]
        table.add(ablation.name, ablation.changed, hours, scores)
    return table.path


def _trained(ablation: DrumAblation, shards: list[Path], run: Path, hours: float) -> Path:
    """Return the weights of one row, ready to be listened with."""
    _log.info("%s: %.2f hours of audio", ablation.name, hours)
    torch.manual_seed(ablation.seed)
    network, effort, seed = DrumNet(), Effort(hours=hours), ablation.seed
    train_drums(network, shards, run, effort=effort, seed=seed, choices=ablation.choices)
    network.load_state_dict(soup_in(run))
    with replacing(run / WEIGHTS) as unfinished:
        save_file(learnt_tensors(network), unfinished)
    return run / WEIGHTS


def _mean_drums(clips: Iterable[LabelledClip], drums: DrumListener) -> float | None:
    return means_of_kinds(list(_scores(clips, drums)))[MEAN_OF_KINDS].drums


def _scores(clips: Iterable[LabelledClip], drums: DrumListener) -> Iterator[ClipScore]:
    for clip in clips:
        if clip.drum_hits is not None:
            found = hits_of(clip, drums, decode_options_for(clip.stem_kind))
            yield ClipScore(clip.name, clip.kind, None, None, drum_f1(clip.drum_hits, found))
