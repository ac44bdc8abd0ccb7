"""YourMT3+ beside mt3-infer, and one channel against all: seconds and tokens, in one run.

    python -m tests.benchmarks.bench_yourmt3 yourmt3.ckpt [--model yourmt3] [--device cpu]
        [--segments 8] [--steps 128] [--as-music] [--threads 1 2]
        [--precisions float32 bfloat16 int8] [--mt3-infer PYTHON REPOSITORY]

mt3-infer (github.com/openmirlab/mt3-infer) needs an environment of its own with transformers
4.45.2, librosa and einops; it runs with no newer one. All hear the same noise and write the same
number of tokens for each row; spectra and encoding are part of what is measured. A mix is 13 rows
per segment, a vocal stem one. A segment is 2.05 s of audio.

Rows are of equal length, EOS or not. With `--as-music` they end as those of music do: in every
segment three channels write 20 to `steps` tokens, the others say in two that they are silent. What
is counted are tokens up to the end of their rows.
"""
# ruff: noqa: T201 - its output is for reading

import argparse
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from core.audio.clip import AudioClip
from core.audio.source import clip_source
from core.codec.token_rules import allowed_tokens
from core.codec.vocabulary import EOS, YOURMT3_VOCABULARY
from core.codec.yourmt3_programs import PROGRAMS_OF_STEM
from core.engine import generate, side_by_side
from core.engine.channel_listening import ChannelListener
from core.engine.device import choose_device
from core.engine.generate import WrittenTokens
from core.engine.model_set import TOKEN_MODELS
from core.engine.options import Device, Precision
from core.features.yourmt3_spectrogram import SAMPLE_RATE_HZ, SEGMENT_S, SEGMENT_SAMPLES
from core.models.yourmt3.config import CONFIGS
from core.score.instruments import StemKind

# Runs in mt3-infer's own environment. The first part loads, the second is timed.
MT3_INFER = """
import contextlib, io, json, os, sys, time
sys.path.insert(0, sys.argv[1])
import numpy as np, torch
from mt3_infer.adapters.yourmt3 import YourMT3Adapter
weights, noise, device = sys.argv[2:5]
threads, lengths = int(sys.argv[5]), np.load(sys.argv[6])
torch.set_num_threads(threads)
with contextlib.redirect_stdout(io.StringIO()):
    adapter = YourMT3Adapter(sys.argv[7])
    adapter.load_model(weights, device=device)
model = adapter.model
at, rows = 0, None
def end_where_told(module, inputs, logits):
    global at
    at += 1
    flat = logits.view(-1, logits.shape[-1])
    ends = torch.from_numpy(rows <= at).to(flat.device)
    flat[:, 1] = torch.where(ends, 1e9, -1e9)
    return logits
model.lm_head.register_forward_hook(end_where_told)
heard = adapter.preprocess(np.load(noise), 16000)
def run():
    global at, rows
    with torch.inference_mode():
        for first in range(0, len(heard), 8):
            at, rows = 0, lengths[first : first + 8].reshape(-1)
            batch = heard[first : first + 8].to(device)
            model.inference(batch, max_token_length=int(lengths.max())).cpu()
if device != "cpu":
    run()
started_s = time.perf_counter()
run()
print(json.dumps(time.perf_counter() - started_s))
"""
BUSY_CHANNELS = 3  # of a segment of music
THEIR_KEYS = {
    "yourmt3": "yptf_moe_nops",
    "yourmt3_moe_ps": "yptf_moe_ps",
    "yourmt3_multi_ps": "yptf_multi",
    "yourmt3_single": "yptf_single",
    "yourmt3_ymt3plus": "ymt3plus",
}


@dataclass(frozen=True)
class Took:
    """How long it took to write so many tokens for so much audio."""

    seconds: float
    tokens: int
    audio_s: float

    def __str__(self) -> str:
        return (
            f"{self.seconds:8.2f} s {self.tokens:8} tokens {self.tokens / self.seconds:8.0f}/s "
            f"{self.audio_s / self.seconds:7.2f} x real time"
        )


def main() -> None:
    options = _options()
    samples = 0.1 * np.random.default_rng(0).standard_normal(options.segments * SEGMENT_SAMPLES)
    noise = samples.astype(np.float32)
    for threads in options.threads:
        length = "2 or 20 to" if options.as_music else "each"
        print(f"\n{options.model}, {threads} thread(s) on {options.device}, "
              f"{options.segments} segments, rows of {length} {options.steps} tokens")  # fmt: skip
        torch.set_num_threads(threads)
        theirs = None if options.mt3_infer is None else _theirs(options, noise, threads)
        if theirs is not None:
            print(f"  {'mt3-infer, mix':24} {theirs}", flush=True)
        for precision in options.precisions:
            _print_ours(options, noise, precision, theirs)


def _print_ours(
    options: argparse.Namespace, noise: np.ndarray, precision: Precision, theirs: Took | None
) -> None:
    ears = ChannelListener(
        TOKEN_MODELS[options.model],
        options.checkpoint,
        choose_device(options.device),
        precision=precision,
    )
    ears.network.config.max_steps = options.steps
    mix = _ours(ears, options, noise, StemKind.MIX)
    times = "" if theirs is None else f"  {theirs.seconds / mix.seconds:5.2f} x mt3-infer"
    print(f"  {f'ours, {precision}, mix':24} {mix}{times}", flush=True)
    if len(ears.channels_heard(StemKind.MIX)) > 1:
        vocals = _ours(ears, options, noise, StemKind.VOCALS)
        times = f"  {mix.seconds / vocals.seconds:5.2f} x the mix"
        print(f"  {f'ours, {precision}, vocals':24} {vocals}{times}", flush=True)


def _ours(
    ears: ChannelListener, options: argparse.Namespace, noise: np.ndarray, kind: StemKind
) -> Took:
    allowed = allowed_tokens(kind, YOURMT3_VOCABULARY, PROGRAMS_OF_STEM)
    allowed[EOS] = False
    source = clip_source(AudioClip(noise[:, None], SAMPLE_RATE_HZ))
    channels = ears.channels_heard(kind)
    lengths = _lengths(options)[:, channels]
    with _rows_that_end_at(lengths.flatten()):
        if options.device is not Device.CPU:  # the first run makes ready what the others use
            ears.write(source, channels, allowed, _ignore)
        started_s = time.perf_counter()
        rows = ears.write(source, channels, allowed, _ignore)
        took_s = time.perf_counter() - started_s
    written = [len(rows[number].tokens) for number in range(lengths.size)]  # silence follows them
    assert written == lengths.flatten().tolist()
    return Took(took_s, sum(written), options.segments * SEGMENT_S)


def _lengths(options: argparse.Namespace) -> np.ndarray:
    """Return how many tokens each row writes [segment, channel]."""
    channels = CONFIGS[TOKEN_MODELS[options.model].family]().channels
    shape = options.segments, channels
    if not options.as_music:
        return np.full(shape, options.steps)
    random = np.random.default_rng(0)
    busy = random.permuted(np.tile(np.arange(channels) < BUSY_CHANNELS, (shape[0], 1)), axis=1)
    return np.where(busy, random.integers(20, options.steps + 1, shape), 2)


@contextmanager
def _rows_that_end_at(lengths: np.ndarray) -> Iterator[None]:
    """Let each row end at its length instead of where the model says so."""
    here = threading.local()

    def told(*given: Any, number_of: Callable[[int], int], **more: Any) -> Iterator[WrittenTokens]:
        here.number_of = number_of
        yield from generate.generate(*given, number_of=number_of, **more)

    def is_done(_batch: object, row: Any) -> bool:
        return len(row.tokens) == lengths[here.number_of(row.segment)]

    with (
        patch.object(side_by_side, "generate", told),
        patch.object(generate._Batch, "_is_done", is_done),
    ):
        yield


def _theirs(options: argparse.Namespace, noise: np.ndarray, threads: int) -> Took:
    python, repository = options.mt3_infer
    lengths = _lengths(options)
    with tempfile.TemporaryDirectory() as folder:
        stored = [Path(folder) / "noise.npy", Path(folder) / "lengths.npy"]
        np.save(stored[0], noise)
        np.save(stored[1], lengths)
        out = subprocess.run(
            [python, "-W", "ignore", "-c", MT3_INFER, repository, options.checkpoint, stored[0],
             options.device, str(threads), stored[1], THEIR_KEYS[options.model]],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    seconds = json.loads(out.stdout.strip().splitlines()[-1])
    return Took(seconds, int(lengths.sum()), options.segments * SEGMENT_S)


def _ignore(_fraction: float) -> None:
    pass


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--model", choices=THEIR_KEYS, default="yourmt3")
    parser.add_argument("--device", type=Device, choices=list(Device), default=Device.CPU)
    parser.add_argument("--segments", type=int, default=8)
    parser.add_argument("--steps", type=int, default=128)
    parser.add_argument("--as-music", action="store_true")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    every = [Precision.FLOAT32, Precision.BFLOAT16, Precision.INT8]
    parser.add_argument("--precisions", type=Precision, nargs="+", default=every)
    parser.add_argument("--mt3-infer", nargs=2, metavar=("PYTHON", "REPOSITORY"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
