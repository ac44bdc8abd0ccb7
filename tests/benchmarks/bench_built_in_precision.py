"""The built-in networks in float32 and bfloat16: times real time on one thread, and F1 of notes.

    python -m tests.benchmarks.bench_built_in_precision CLIPS [--threads 1]

CLIPS holds <name>.flac beside <name>.json (see core/training/evaluate.py). Prints F1 in per cent,
means of kinds, as `core.training evaluate` does. Each CPU takes the format that is faster there:
bfloat16 where it multiplies it in hardware.
"""
# ruff: noqa: T201 - its output is for reading

import argparse
import time
from pathlib import Path
from unittest.mock import patch

import torch

from core.engine import built_in
from core.engine.model_set import BUILT_IN
from core.training.evaluate import MEAN_OF_KINDS, evaluate, means_of_kinds, read_clips


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    clips = read_clips(options.clips)
    heard_s = sum(
        len(clip.samples) / built_in.SAMPLE_RATE_HZ
        for clip in clips
        for truth in (clip.notes, clip.drum_hits)
        if truth is not None
    )
    print(f"taken here: {built_in._fastest_cpu_dtype()}")
    for dtype in (torch.float32, torch.bfloat16):
        with patch.object(built_in, "_fastest_cpu_dtype", lambda dtype=dtype: dtype):
            started_s = time.perf_counter()
            scores = evaluate(clips, BUILT_IN.pitch_weights.parent)
            took_s = time.perf_counter() - started_s
        mean = means_of_kinds(scores)[MEAN_OF_KINDS]
        cells = [
            f"{100 * f1:6.2f}" for f1 in (mean.onset, mean.offset, mean.drums) if f1 is not None
        ]
        print(f"{dtype!s:16} {heard_s / took_s:6.1f} x real time  On, Off, Drm {' '.join(cells)}")


if __name__ == "__main__":
    main()
