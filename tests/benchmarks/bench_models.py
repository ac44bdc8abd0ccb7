"""Score installed models on clips with ground truth, per kind of stem: the table behind `auto`.

    python -m tests.benchmarks.bench_models CLIPS [--model ID ...] [--stem-unknown]

CLIPS holds <name>.flac beside <name>.json (see core/training/evaluate.py). Prints F1 in per cent:
On (onset), Off (onset and offset), Ins (onset and family), Drm (drum hits), and how many times
faster than real time.
"""
# ruff: noqa: T201 - its output is for reading

import argparse
import time
from pathlib import Path

from core.engine.model_set import BUILT_IN
from core.engine.options import Precision
from core.engine.progress import CancelToken, Progress
from core.engine.transcriber import Transcriber
from core.model_manager.store import default_store
from core.training.evaluate import (
    ClipScore,
    LabelledClip,
    drum_f1,
    instrument_f1,
    note_f1,
    read_clips,
    table_of,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--model", action="append", help="default: every installed one")
    parser.add_argument("--precision", type=Precision, default=Precision.AUTO)
    options = parser.parse_args()
    checkpoints = default_store().installed_checkpoints()
    clips = read_clips(options.clips)
    for model in options.model or [BUILT_IN.id, *checkpoints]:
        transcriber = Transcriber(model, checkpoints=checkpoints, precision=options.precision)
        started_s = time.perf_counter()
        scores = [score(clip, options.clips, transcriber) for clip in clips]
        took_s = time.perf_counter() - started_s
        heard_s = sum(len(clip.samples) for clip in clips) / 22_050
        print(f"\n{model} ({heard_s / took_s:.1f} x real time)\n{table_of(scores)}", flush=True)


def score(clip: LabelledClip, folder: Path, transcriber: Transcriber) -> ClipScore:
    heard = transcriber.transcribe(
        folder / f"{clip.name}.flac", kind=clip.stem_kind, on_progress=ignore, cancel=CancelToken()
    )
    notes = [note for track in heard.tracks for note in track.notes if not track.is_drum]
    hits = [(note.onset_s, note.pitch) for track in heard.tracks for note in track.notes
            if track.is_drum]  # fmt: skip
    onset = offset = drums = instruments = None
    if clip.notes is not None:
        onset = note_f1(clip.notes, notes, with_offsets=False)
        offset = note_f1(clip.notes, notes, with_offsets=True)
        instruments = instrument_f1(clip.notes, notes)
    if clip.drum_hits is not None:
        drums = drum_f1(clip.drum_hits, hits)
    return ClipScore(clip.name, clip.kind, onset, offset, drums, instruments)


def ignore(_: Progress) -> None:
    pass


if __name__ == "__main__":
    main()
