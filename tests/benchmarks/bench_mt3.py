"""MT3 beside the ports it replaces: tokens per second on this machine, in one run.

    python -m tests.benchmarks.bench_mt3 mt3.pth [--steps 128] [--segments 15]
        [--kunato PYTHON REPOSITORY] [--mt3-infer PYTHON REPOSITORY]

The file is in kunato's spelling. Each port needs an environment of its own: kunato's
(github.com/kunato/mt3-pytorch) transformers 4.30.2 and einops, mt3-infer
(github.com/openmirlab/mt3-infer) transformers 4.57.1, librosa and absl-py. All get the same
features (30 s of audio are 15 segments) and write a fixed number of tokens for each segment, EOS or
not. Encoding is part of what is measured, everywhere. mt3-infer takes one segment after the other,
so three of them tell its rate.
"""
# ruff: noqa: T201 - its output is for reading

import argparse
import json
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from core.codec.vocabulary import EOS, MT3_VOCABULARY
from core.engine.generate import generate
from core.engine.options import Precision
from core.engine.precision import decoder_in
from core.models.checkpoint import load_published
from core.models.mt3 import Mt3, Mt3Config

# Runs in the port's own environment. The first part loads and prepares, the second is timed.
KUNATO = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
import numpy as np, torch
from transformers import T5Config
from transformers.modeling_outputs import BaseModelOutput
from models.t5 import T5ForConditionalGeneration
threads, steps = int(sys.argv[4]), int(sys.argv[5])
torch.set_num_threads(threads)
config = json.load(open(sys.argv[1] + "/config/mt3_config.json"))
config.pop("architectures")
net = T5ForConditionalGeneration(T5Config.from_dict(config)).eval()
state = torch.load(sys.argv[2], map_location="cpu", weights_only=True)
net.load_state_dict(state, strict=False)
inputs = torch.from_numpy(np.load(sys.argv[3]))
started_s = time.perf_counter()
with torch.inference_mode():
    tokens = torch.zeros(len(inputs), 1, dtype=torch.long)
    past = sound = None
    for _ in range(steps):
        out = net(inputs=inputs, decoder_input_ids=tokens, past_key_values=past,
                  encoder_outputs=sound, use_cache=True, return_dict=True)
        past = out.past_key_values
        sound = BaseModelOutput(last_hidden_state=out.encoder_last_hidden_state)
        logits = out.logits[:, -1]
        logits[:, 1] = -float("inf")
        tokens = logits.argmax(-1)[:, None]
print(json.dumps(time.perf_counter() - started_s))
"""
MT3_INFER = """
import contextlib, io, json, sys, time
sys.path.insert(0, sys.argv[1])
import numpy as np, torch
from mt3_infer.adapters.mt3_pytorch import MT3PyTorchAdapter
threads, steps = int(sys.argv[4]), int(sys.argv[5])
torch.set_num_threads(threads)
adapter = MT3PyTorchAdapter()
adapter.load_model(sys.argv[2], device="cpu")
adapter._model.config.eos_token_id = -1
adapter.MAX_GENERATION_LENGTH = steps
inputs = np.load(sys.argv[3])
started_s = time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()), torch.inference_mode():
    for row in inputs:
        adapter._model.generate(torch.from_numpy(row)[None], max_length=steps)
print(json.dumps(time.perf_counter() - started_s))
"""


def main() -> None:
    options = _options()
    features = _features(options.segments)
    tokens = options.segments * options.steps
    for threads in (1, 2):
        print(f"\n{threads} thread(s), {options.segments} segments x {options.steps} tokens")
        rivals = _rivals(options, features, threads)
        for name, rate in rivals.items():
            print(f"  {name:24} {rate:8.0f} tokens/s", flush=True)
        for name in (Precision.FLOAT32, Precision.BFLOAT16, Precision.INT8):
            rate = tokens / _ours(options.checkpoint, features, options.steps, threads, name)
            ratios = ", ".join(f"{rate / rival:.1f} x {who}" for who, rival in rivals.items())
            print(f"  {'ours, ' + name:24} {rate:8.0f} tokens/s  {ratios}", flush=True)


def _ours(
    path: Path, features: np.ndarray, steps: int, threads: int, precision: Precision
) -> float:
    with torch.device("meta"):
        net = Mt3(Mt3Config())
    load_published(net, path, "mt3")
    decoder = decoder_in(precision, net)
    allowed = np.ones(MT3_VOCABULARY.size, np.bool_)
    allowed[EOS] = False

    def work(part: torch.Tensor) -> int:
        torch.set_num_threads(1)
        with torch.inference_mode():
            encoded = net.encode(part)
        written = generate(
            decoder, iter([encoded]), rows=len(part), max_steps=steps, allowed=allowed
        )
        return sum(len(row.tokens) for row in written)

    parts = torch.from_numpy(features).chunk(threads)
    started_s = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        assert sum(pool.map(work, parts)) == len(features) * steps
    return time.perf_counter() - started_s


def _rivals(options: argparse.Namespace, features: np.ndarray, threads: int) -> dict[str, float]:
    """Return tokens per second of each port that was named."""
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        stored = Path(folder) / "features.npy"
        for name, given, script, weights, segments in (
            ("kunato with its cache", options.kunato, KUNATO, options.checkpoint, len(features)),
            ("mt3-infer", options.mt3_infer, MT3_INFER, Path(folder), 3),
        ):
            if given is None:
                continue
            python, repository = given
            np.save(stored, features[:segments])
            if weights.is_dir():  # it wants a folder with config and weights
                source = Path(options.kunato[1]) / "config" / "mt3_config.json"
                (weights / "config.json").write_bytes(source.read_bytes())
                if not (weights / "mt3.pth").exists():
                    (weights / "mt3.pth").symlink_to(options.checkpoint.resolve())
            out = subprocess.run(
                [python, "-W", "ignore", "-c", script, repository, weights, stored,
                 str(threads), str(options.steps)],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
            took_s = json.loads(out.stdout.strip().splitlines()[-1])
            rates[name] = segments * options.steps / took_s
    return rates


def _features(segments: int) -> np.ndarray:
    """Return made-up log-mel features [segment, frame, bin]: what is in them costs no time."""
    values = np.random.default_rng(0).standard_normal((segments, 256, 512))
    return (2.5 * values - 5).astype(np.float32)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--steps", type=int, default=128)
    parser.add_argument("--segments", type=int, default=15)
    parser.add_argument("--kunato", nargs=2, metavar=("PYTHON", "REPOSITORY"))
    parser.add_argument("--mt3-infer", nargs=2, metavar=("PYTHON", "REPOSITORY"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
