"""The real MT3 checkpoint over a folder of clips: speed, and tokens equal to a reference's.

    python -m tests.benchmarks.bench_real_mt3 CHECKPOINT CLIPS [--reference TOKENS.json]
        [--precision float32] [--device cpu] [--rows 32 ...] [--times 1]

CHECKPOINT is Magenta's T5X folder or kunato's `mt3.pth`, CLIPS holds audio files. All segments of
all clips, `--times` over, are decoded side by side, on a CPU by a worker on each core, from samples
to tokens; one line for each number of rows. TOKENS.json is {clip name: [tokens of each segment, EOS
included]} by another implementation on the same samples: channels averaged, 16 kHz by soxr HQ.
"""
# ruff: noqa: T201 - its output is for reading

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch

from core.engine.device import choose_device
from core.engine.generate import generate
from core.engine.options import Device, Precision
from core.engine.precision import decoder_in
from core.features.mt3_logmel import HOP_SAMPLES, SAMPLE_RATE_HZ, Mt3LogMel, frame_count
from core.models.checkpoint import load_published
from core.models.mt3 import Mt3, Mt3Config

FRAMES = 256
CPU_ENCODED, GPU_ENCODED = 8, 64  # segments at a time


def main() -> None:
    options = _options()
    chosen = choose_device(options.device)
    device = torch.device(chosen.name)
    clips = [_segments(path) for path in sorted(options.clips.glob("*.flac"))]
    names = [(clip, index) for clip, audio, _ in clips for index in range(len(audio))]
    audio = torch.from_numpy(np.concatenate([audio for _, audio, _ in clips]))
    frames = torch.tensor([count for _, _, counts in clips for count in counts])
    audio, frames = audio.repeat(options.times, 1), frames.repeat(options.times)
    net = _network(options.checkpoint).to(device)
    decoder, features = decoder_in(options.precision, net), Mt3LogMel().to(device)
    is_cpu = device.type == "cpu"
    workers = torch.get_num_threads() if is_cpu else 1
    at_once = CPU_ENCODED if is_cpu else GPU_ENCODED

    def work(mine: list[int], rows: int) -> dict[int, list[int]]:
        if is_cpu:
            torch.set_num_threads(1)

        def encoded():
            for at in range(0, len(mine), at_once):
                some = mine[at : at + at_once]
                with torch.inference_mode():
                    yield net.encode(features(audio[some].to(device), frames[some].to(device)))

        found = generate(decoder, encoded(), rows=rows, max_steps=1024)
        return {mine[row.segment]: row.tokens.tolist() for row in found}

    shares = [list(range(first, len(frames), workers)) for first in range(workers)]
    heard_s = float(frames.sum()) * HOP_SAMPLES / SAMPLE_RATE_HZ
    if not is_cpu:  # the first steps make ready what the others use
        work(list(range(min(len(frames), at_once))), at_once)
    for rows in options.rows:
        if not is_cpu:
            torch.cuda.reset_peak_memory_stats()
        started_s = time.perf_counter()
        with ThreadPoolExecutor(workers) as pool:
            parts = pool.map(work, shares, [rows] * workers)
            written = {number: row for part in parts for number, row in part.items()}
        took_s = time.perf_counter() - started_s
        where = f"{workers} cores" if is_cpu else chosen.reason
        peak = "" if is_cpu else f", {torch.cuda.max_memory_allocated() / 1e9:.2f} GB"
        count = sum(map(len, written.values()))
        print(f"{options.precision}, {rows} rows: {heard_s:.0f} s of audio in {took_s:.1f} s on "
              f"{where}, {heard_s / took_s:.1f} x real time, {count} tokens{peak}")  # fmt: skip
        if options.reference:
            theirs = json.loads(options.reference.read_text(encoding="utf-8"))
            _compare(written, [theirs[clip][index] for clip, index in names] * options.times)


def _network(checkpoint: Path) -> Mt3:
    with torch.device("meta"):
        net = Mt3(Mt3Config())
    load_published(net, checkpoint, "mt3")
    return net


def _compare(written: dict[int, list[int]], theirs: list[list[int]]) -> None:
    equal = longest = same = 0
    for index, reference in enumerate(theirs):
        row = written[index]
        equal += sum(ours == other for ours, other in zip(row, reference, strict=False))
        longest += max(len(row), len(reference))
        same += row == reference
    print(f"equal tokens {equal / longest:.2%}, equal segments {same} of {len(theirs)}")


def _segments(path: Path) -> tuple[str, np.ndarray, list[int]]:
    samples, rate = soundfile.read(path, always_2d=True, dtype="float32")
    mono = samples.mean(1)
    if rate != SAMPLE_RATE_HZ:
        mono = soxr.resample(mono, rate, SAMPLE_RATE_HZ, "HQ")
    frames = frame_count(len(mono))
    count = -(-frames // FRAMES)
    padded = np.zeros(count * FRAMES * HOP_SAMPLES, np.float32)
    padded[: len(mono)] = mono
    of_file = [min(FRAMES, frames - FRAMES * index) for index in range(count)]
    return path.stem, padded.reshape(count, -1), of_file


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--precision", type=Precision, default=Precision.FLOAT32)
    parser.add_argument("--device", type=Device, choices=list(Device), default=Device.CPU)
    parser.add_argument("--rows", type=int, nargs="+", default=[32])
    parser.add_argument("--times", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
