"""Remake or measure the built-in models: `python -m core.training COMMAND`."""

import argparse
import logging
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch

from core.training.ablations import ABLATIONS, HOURS, PLAN, ablate
from core.training.conditions import CONDITIONS, means_of_conditions, worsened
from core.training.curves import plot_curve
from core.training.drum_ablations import DRUM_ABLATIONS, ablate_drums
from core.training.drum_ablations import HOURS as DRUM_HOURS
from core.training.evaluate import evaluate, read_clips, table_of, table_of_means
from core.training.pictures import draw_clips, errors_table
from core.training.recipe import BACKGROUND, SIZES, Recipe, make
from core.training.shard_making import make_drum_shards, make_pitched_shards
from core.training.unheard import unheard_clips
from core.training.unnamed import hear_unnamed, unnamed_table

_log = logging.getLogger(__name__)

PITCH_ROWS = [row.name for row in ABLATIONS]
DRUM_ROWS = [row.name for row in DRUM_ABLATIONS]
RELEASE_WEIGHTS = Path(__file__).resolve().parents[2] / "resources" / "models"


def main() -> None:
    """Run the command of the terminal."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(arguments.threads)
    arguments.run(arguments)


def _make(arguments: argparse.Namespace) -> None:
    size = SIZES[arguments.size]
    size = replace(
        size,
        minutes=arguments.minutes or size.minutes,
        workers=arguments.workers or size.workers,
    )
    make(arguments.out, Recipe(arguments.seed, size))


def _evaluate(arguments: argparse.Namespace) -> None:
    clips = read_clips(arguments.clips) if arguments.clips else unheard_clips()
    if arguments.conditions is not None:
        scores = evaluate(worsened(clips, arguments.conditions), arguments.weights)
        _log.info("\n%s", table_of_means(means_of_conditions(scores)))
        return
    kept = list(clips)
    _log.info("\n%s", table_of(evaluate(kept, arguments.weights)))
    if arguments.clips:
        _log.info("\n%s", unnamed_table(hear_unnamed(kept, arguments.weights)))


def _ablate(arguments: argparse.Namespace) -> None:
    only, pitched = arguments.only, arguments.out / "pitched"
    clips, unheard = read_clips(arguments.clips), cache(lambda: list(unheard_clips()))
    tables = []
    levels = make_pitched_shards(pitched, PLAN)
    if only is None or only in PITCH_ROWS:
        hours = arguments.hours or HOURS
        tables.append(
            ablate(arguments.out, levels, clips=clips, unheard=unheard, hours=hours, only=only)
        )
    if only is None or only in DRUM_ROWS:
        hits = make_drum_shards(arguments.out / "drums", pitched, PLAN)
        hours = arguments.hours or DRUM_HOURS
        tables.append(
            ablate_drums(arguments.out, hits, clips=clips, unheard=unheard, hours=hours, only=only)
        )
    for table in tables:
        _log.info("\n%s", table.read_text(encoding="utf-8"))


def _draw(arguments: argparse.Namespace) -> None:
    clips = read_clips(arguments.clips)
    chosen = [clip for clip in clips if arguments.only is None or clip.name in arguments.only]
    pictures = list(draw_clips(chosen, arguments.weights, arguments.out))
    _log.info("\n%s", errors_table(pictures))


def _plot(arguments: argparse.Namespace) -> None:
    _log.info("drew %s", plot_curve(arguments.folder))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core.training", description=__doc__)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default 1)")
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make", help="remake both weights files; resumes")
    making.set_defaults(run=_make)
    making.add_argument("--out", type=Path, required=True, help="folder for shards and weights")
    making.add_argument(
        "--size",
        choices=list(SIZES),
        default=BACKGROUND.name,
        help="background: hours on one or two CPU cores; gpu: 25 minutes on a large GPU and 16 "
        "cores, not timed on one so far",
    )
    making.add_argument("--minutes", type=float, help="by the clock, for everything")
    making.add_argument("--workers", type=int, help="processes that make clips")
    making.add_argument("--seed", type=int, default=Recipe().seed)
    measuring = commands.add_parser("evaluate", help="score weights on clips with ground truth")
    measuring.set_defaults(run=_evaluate)
    measured = measuring.add_mutually_exclusive_group(required=True)
    measured.add_argument("--clips", type=Path, help="folder of .flac and .json")
    measured.add_argument("--unheard", action="store_true", help="compose clips of unheard sounds")
    measuring.add_argument(
        "--conditions",
        nargs="*",
        choices=list(CONDITIONS),
        help="in noise, rooms ...: all or these",
    )
    measuring.add_argument("--weights", type=Path, default=RELEASE_WEIGHTS)
    ablating = commands.add_parser("ablate", help="change one choice at a time; resumes")
    ablating.set_defaults(run=_ablate)
    ablating.add_argument("--out", type=Path, required=True, help="folder for shards and table")
    ablating.add_argument("--clips", type=Path, required=True, help="folder of .flac and .json")
    ablating.add_argument(
        "--hours",
        type=float,
        help=f"of audio heard, per row (default {HOURS}, of drums {DRUM_HOURS})",
    )
    ablating.add_argument("--only", choices=[*PITCH_ROWS, *DRUM_ROWS], help="this row")
    drawing = commands.add_parser(
        "pictures", help="draw truth and ours as piano rolls; count errors"
    )
    drawing.set_defaults(run=_draw)
    drawing.add_argument("--clips", type=Path, required=True, help="folder of .flac and .json")
    drawing.add_argument("--out", type=Path, required=True, help="folder for the .svg files")
    drawing.add_argument("--only", nargs="+", help="clips of these names")
    drawing.add_argument("--weights", type=Path, default=RELEASE_WEIGHTS)
    plotting = commands.add_parser("curve", help="draw the learning curve of a training run")
    plotting.set_defaults(run=_plot)
    plotting.add_argument("folder", type=Path, help="folder with curve.csv")
    return parser


if __name__ == "__main__":
    main()
