"""What the choices of the recipe are worth: a small network trained anew with one of them changed.

All rows hear as many hours of the same shards, or compute as much where the network is another,
and are scored with the same decoding. Rows are made one by one and kept, so that the command
resumes; clips that were not heard in training are composed once.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from core.engine.built_in import PitchListener
from core.models.checkpoint import learnt_tensors
from core.models.family_head import StemAndFamilies
from core.models.stem_net import LARGE, SMALL, Hearing, StemNet, StemSize
from core.score.instruments import StemKind
from core.training.ablation_table import AblationTable
from core.training.evaluate import (
    MEAN_OF_KINDS,
    ClipScore,
    LabelledClip,
    means_of_kinds,
    score_clip,
)
from core.training.feature_shards import ShardPool
from core.training.schedule import Effort, replacing, soup_in
from core.training.shard_making import ShardPlan
from core.training.train_pitch import CHOICES, Choices, train_pitch

HOURS = 0.5
PLAN = ShardPlan(streams=(1,), shards_per_stream=4, drum_shards=4)  # more than a row hears
NEIGHBOURS = tuple(range(-5, 5))  # as many as harmonics are gathered
BINS, FRAMES = 306, 128  # of what the cost of a network is counted on
WEIGHTS = "pitch.safetensors"

_log = logging.getLogger(__name__)


class OneWindowNet(StemNet):
    """Hears the first window only; the second is a copy of it."""

    def hear(self, levels: Tensor) -> Hearing:
        return super().hear(levels[:, [0, 0]])


def is_any(_recipe: str) -> bool:
    """Want every clip."""
    return True


def is_alone(recipe: str) -> bool:
    """Want clips of one player."""
    return "+" not in recipe


def is_of_fonts(recipe: str) -> bool:
    """Want clips in which all play on SoundFonts."""
    return "own-" not in recipe and "performer-" not in recipe


def is_computed(recipe: str) -> bool:
    """Want clips in which none play on SoundFonts."""
    parts = [part for part in recipe.split("+") if part != "drums"]
    return all(part.startswith(("own-", "performer-")) for part in parts)


def is_without_performers(recipe: str) -> bool:
    """Want clips in which nobody slides, scoops or breathes as `performer` does."""
    return "performer-" not in recipe


def is_without_recordings(recipe: str) -> bool:
    """Want clips in which nobody plays an instrument that was recorded note by note."""
    return "recorded-" not in recipe  # neither a bank of SoundFonts nor a performer


def is_without_sections(recipe: str) -> bool:
    """Want clips in which no section plays chords of which each player has a voice."""
    return "/section" not in recipe


@dataclass(frozen=True, slots=True)
class Ablation:
    """One row: what is changed, in words and in training."""

    name: str
    changed: str
    choices: Choices = CHOICES
    size: StemSize = SMALL
    network: Callable[[StemSize], StemNet] = StemNet
    is_wanted: Callable[[str], bool] = is_any
    seed: int = 1
    decoded_as: StemKind | None = None  # else each clip as its kind
    is_averaged: bool = True  # else the weights of the last step are taken, unaveraged
    run_of: str | None = None  # the row whose training this one shares

    @property
    def share_of_hours(self) -> float:
        """How much of the audio it hears for as much computing as the others."""
        return _cost_of(SMALL) / _cost_of(self.size)


BASE = Ablation("base", "nothing: the small network as the recipe trains it")
ABLATIONS = (
    BASE,
    replace(BASE, name="another-seed", changed="the seed: how far rows differ by chance", seed=2),
    replace(
        BASE,
        name="no-harmonics",
        changed="ten neighbours of each pitch are gathered, not its harmonics",
        size=replace(SMALL, above=NEIGHBOURS, below=NEIGHBOURS),
    ),
    replace(BASE, name="one-window", changed="one window, not two", network=OneWindowNet),
    replace(BASE, name="large", changed="the large network from the start", size=LARGE),
    replace(
        BASE,
        name="batch-16",
        changed="16 clips a step, not 4",
        choices=replace(CHOICES, clips_per_batch=16),
    ),
    replace(
        BASE,
        name="batch-16-faster",
        changed="16 clips a step at twice the rate",
        choices=replace(CHOICES, clips_per_batch=16, peak_rate=2 * CHOICES.peak_rate),
    ),
    replace(
        BASE,
        name="no-averaging",
        changed="the last weights, not the mean of averaged snapshots",
        is_averaged=False,
        run_of=BASE.name,
    ),
    replace(
        BASE,
        name="one-decoding",
        changed="all kinds decoded with the same options",
        decoded_as=StemKind.OTHER,
        run_of=BASE.name,
    ),
    replace(
        BASE,
        name="no-shifts",
        changed="clips are never shifted in pitch",
        choices=replace(CHOICES, most_shift_semitones=0),
    ),
    replace(
        BASE,
        name="no-levels",
        changed="levels are never tilted, roughened or moved",
        choices=replace(
            CHOICES, tilted_share=0.0, roughened_share=0.0, level_change=(0.0, 0.0)
        ),
    ),
    replace(
        BASE,
        name="even-onsets",
        changed="frames at onsets count as all others do, not three times",
        choices=replace(CHOICES, onset_weight=0.0),
    ),
    replace(
        BASE,
        name="narrow-onsets",
        changed="onset targets one frame to both sides, not two",
        choices=replace(CHOICES, onset_half_width_frames=1.0),
    ),
    replace(BASE, name="fonts-only", changed="SoundFonts only", is_wanted=is_of_fonts),
    replace(BASE, name="computed-only", changed="no SoundFonts", is_wanted=is_computed),
    replace(
        BASE,
        name="no-performers",
        changed="no players that slide, scoop and breathe",
        is_wanted=is_without_performers,
    ),
    replace(
        BASE,
        name="no-recordings",
        changed="no instruments recorded note by note",
        is_wanted=is_without_recordings,
    ),
    replace(
        BASE,
        name="no-sections",
        changed="no sections that play chords voice by voice",
        is_wanted=is_without_sections,
    ),
    replace(BASE, name="no-mixes", changed="one player at a time", is_wanted=is_alone),
)  # fmt: skip


def ablate(
    folder: Path,
    shards: list[Path],
    *,
    clips: Iterable[LabelledClip],
    unheard: Callable[[], Iterable[LabelledClip]],
    hours: float = HOURS,
    only: str | None = None,
) -> Path:
    """Train and score what is missing of the rows; return the table that was written, a .md."""
    table = AblationTable(folder, "ablations", [row.name for row in ABLATIONS], ("On", "Off"))
    labelled, composed = list(_pitched(clips)), list[LabelledClip]()
    for ablation in ABLATIONS:
        if not table.lacks(ablation.name, only):
            continue
        heard_hours = hours * ablation.share_of_hours
        weights = _trained(ablation, shards, folder, heard_hours)
        composed = composed or list(_pitched(unheard()))
        score = partial(_score, ablation=ablation, weights=weights)
        dev, sounds = score(labelled), score(composed)
        scores = [dev.onset, dev.offset, sounds.onset, sounds.offset]
        table.add(ablation.name, ablation.changed, heard_hours, scores)
    return table.path


def _trained(ablation: Ablation, shards: list[Path], folder: Path, hours: float) -> Path:
    """Return the weights of one row, ready to be listened with."""
    run = folder / (ablation.run_of or ablation.name)
    torch.manual_seed(ablation.seed)
    network = ablation.network(ablation.size)
    pool = ShardPool(shards, ablation.is_wanted)
    _log.info("%s: %.2f hours of audio", ablation.name, hours)
    effort, seed = Effort(hours=hours), ablation.seed
    train_pitch(network, pool, run, effort=effort, seed=seed, choices=ablation.choices)
    if ablation.is_averaged:
        network.load_state_dict(soup_in(run))
    else:
        kept = torch.load(run / "last.pt", weights_only=True)
        network.load_state_dict(kept["network"])
    (folder / ablation.name).mkdir(exist_ok=True)
    weights = folder / ablation.name / WEIGHTS
    with replacing(weights) as unfinished:
        save_file(learnt_tensors(_listening(ablation, network)), unfinished)
    return weights


def _listening(ablation: Ablation, network: StemNet) -> StemAndFamilies:
    """Return the network as listeners want it, with a head for families that knows nothing."""
    model = StemAndFamilies(ablation.size)
    model.network = network
    return model


def _score(clips: Iterable[LabelledClip], *, ablation: Ablation, weights: Path) -> ClipScore:
    network = _listening(ablation, ablation.network(ablation.size))
    pitch = PitchListener(weights, network=network)
    scores = [score_clip(clip, pitch, None, ablation.decoded_as) for clip in clips]
    return means_of_kinds(scores)[MEAN_OF_KINDS]


def _pitched(clips: Iterable[LabelledClip]) -> Iterator[LabelledClip]:
    """Yield the clips whose notes are known, without their drums."""
    return (replace(clip, drum_hits=None) for clip in clips if clip.notes is not None)


@cache
def _cost_of(size: StemSize) -> int:
    """Return the operations that a segment takes."""
    network = StemNet(size).eval().to("meta")  # counted, not computed
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(torch.zeros(1, 2, FRAMES, BINS, device="meta"))
    return int(counter.get_total_flops())
