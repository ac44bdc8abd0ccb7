"""YourMT3+ beside mt3-infer, and one channel against all: seconds and tokens, in one run.

    python -m tests.benchmarks.bench_yourmt3 yourmt3.ckpt [--model yourmt3] [--device cpu]
        [--segments 8] [--steps 128] [--threads 1 2] [--precisions float32 bfloat16 int8]
        [--mt3-infer PYTHON REPOSITORY]

mt3-infer (github.com/openmirlab/mt3-infer) needs an environment of its own with transformers
4.45.2, librosa and einops; it runs with no newer one. All hear the same noise and write a fixed
number of tokens for each row, EOS or not; spectra and encoding are part of what is measured. A mix
is 13 rows per segment, a vocal stem one. A segment is 2.05 s of audio.
"""
# ruff: noqa: T201 - its output is for reading

import argparse
import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.audio.clip import AudioClip
from core.audio.source import clip_source
from core.codec.token_rules import allowed_tokens
from core.codec.vocabulary import EOS, YOURMT3_VOCABULARY
from core.codec.yourmt3_programs import PROGRAMS_OF_STEM
from core.engine.channel_listening import ChannelListener
from core.engine.device import choose_device
from core.engine.model_set import TOKEN_MODELS
from core.engine.options import Device, Precision
from core.features.yourmt3_spectrogram import SAMPLE_RATE_HZ, SEGMENT_S, SEGMENT_SAMPLES
from core.score.instruments import StemKind

# Runs in mt3-infer's own environment. The first part loads, the second is timed.
MT3_INFER = """
import contextlib, io, json, os, sys, time
sys.path.insert(0, sys.argv[1])
import numpy as np, torch
from mt3_infer.adapters.yourmt3 import YourMT3Adapter
weights, noise, device = sys.argv[2:5]
threads, steps = int(sys.argv[5]), int(sys.argv[6])
torch.set_num_threads(threads)
with contextlib.redirect_stdout(io.StringIO()):
    adapter = YourMT3Adapter(sys.argv[7])
    adapter.load_model(weights, device=device)
model = adapter.model
def no_end(module, inputs, logits):
    logits[..., 1] = -float("inf")
    return logits
model.lm_head.register_forward_hook(no_end)
heard = adapter.preprocess(np.load(noise), 16000)
def run():
    tokens = 0
    with torch.inference_mode():
        for batch in heard.split(8):
            tokens += model.inference(batch.to(device), max_token_length=steps).cpu().numel()
    return tokens
if device != "cpu":
    run()
started_s = time.perf_counter()
tokens = run()
print(json.dumps([time.perf_counter() - started_s, tokens]))
"""
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
        print(f"\n{options.model}, {threads} thread(s) on {options.device}, "
              f"{options.segments} segments, {options.steps} tokens a row")  # fmt: skip
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
    if options.device is not Device.CPU:  # the first run makes ready what the others use
        ears.write(source, channels, allowed, _ignore)
    started_s = time.perf_counter()
    rows = ears.write(source, channels, allowed, _ignore)
    took_s = time.perf_counter() - started_s
    wanted = options.segments * len(channels)  # a row of silence follows, which no one wrote
    tokens = sum(len(row.tokens) for number, row in rows.items() if number < wanted)
    assert tokens == wanted * options.steps
    return Took(took_s, tokens, options.segments * SEGMENT_S)


def _theirs(options: argparse.Namespace, noise: np.ndarray, threads: int) -> Took:
    python, repository = options.mt3_infer
    with tempfile.TemporaryDirectory() as folder:
        stored = Path(folder) / "noise.npy"
        np.save(stored, noise)
        out = subprocess.run(
            [python, "-W", "ignore", "-c", MT3_INFER, repository, options.checkpoint, stored,
             options.device, str(threads), str(options.steps), THEIR_KEYS[options.model]],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    seconds, tokens = json.loads(out.stdout.strip().splitlines()[-1])
    return Took(seconds, tokens, options.segments * SEGMENT_S)


def _ignore(_fraction: float) -> None:
    pass


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--model", choices=THEIR_KEYS, default="yourmt3")
    parser.add_argument("--device", type=Device, choices=list(Device), default=Device.CPU)
    parser.add_argument("--segments", type=int, default=8)
    parser.add_argument("--steps", type=int, default=128)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    every = [Precision.FLOAT32, Precision.BFLOAT16, Precision.INT8]
    parser.add_argument("--precisions", type=Precision, nargs="+", default=every)
    parser.add_argument("--mt3-infer", nargs=2, metavar=("PYTHON", "REPOSITORY"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
