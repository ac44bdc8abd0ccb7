"""Peak memory of a YourMT3+ model above the idle process, over a song or noise.

    python -m tests.benchmarks.bench_memory_yourmt3 yourmt3.ckpt [song.flac] [--model yourmt3]
        [--segments 24] [--steps 256] [--precision float32] [--threads 2]

Idle is the process that has imported everything and loaded nothing. No row ends by itself: each
writes `steps` tokens, which takes as much memory as rows of that length can. Without a song so many
segments of noise are heard. Memory is read 20 times a second: what the process holds (RSS), and
what of it is its own rather than files mapped into it. Prints it along the way, so that one sees
whether it grows with the song.
"""
# ruff: noqa: T201 - its output is for reading

import argparse
import threading
import time
from pathlib import Path

import numpy as np
import torch

from core.audio.clip import AudioClip
from core.audio.read import scan_audio
from core.audio.source import AudioSource, FileSource, clip_source
from core.codec.token_rules import allowed_tokens
from core.codec.vocabulary import EOS, YOURMT3_VOCABULARY
from core.codec.yourmt3_programs import PROGRAMS_OF_STEM
from core.engine.channel_listening import ChannelListener
from core.engine.device import choose_device
from core.engine.model_set import TOKEN_MODELS, YOURMT3_FAMILIES
from core.engine.options import Device, Precision
from core.features.yourmt3_spectrogram import SAMPLE_RATE_HZ, SEGMENT_SAMPLES
from core.score.instruments import StemKind

LOOK_EVERY_S = 0.05
TELL_AT = 8  # times along the way


def main() -> None:
    options = _options()
    torch.set_num_threads(options.threads)
    idle, _ = _held_mb()
    print(f"idle {idle:.0f} MB")
    ears = ChannelListener(
        TOKEN_MODELS[options.model],
        options.checkpoint,
        choose_device(Device.CPU),
        precision=options.precision,
    )
    ears.network.config.max_steps = options.steps
    print(f"loaded {_held_mb()[0] - idle:.0f} MB above idle")
    source = _source(options)
    allowed = allowed_tokens(StemKind.MIX, YOURMT3_VOCABULARY, PROGRAMS_OF_STEM)
    allowed[EOS] = False
    told = 0

    def tell(fraction: float) -> None:
        nonlocal told
        if fraction * TELL_AT >= told:
            told += 1
            print(f"{fraction:6.0%} {_held_mb()[0] - idle:6.0f} MB above idle", flush=True)

    with _Watch() as watch:
        started_s = time.perf_counter()
        rows = ears.write(source, ears.channels_heard(StemKind.MIX), allowed, tell)
    tokens = sum(len(row.tokens) for row in rows.values())
    print(
        f"{options.model}, {options.precision}, {options.threads} thread(s), "
        f"{source.duration_s:.0f} s of audio, rows of {options.steps} tokens: peak "
        f"{watch.peak_mb - idle:.0f} MB above idle, {watch.own_peak_mb:.0f} MB of the process its "
        f"own; {tokens} tokens in {time.perf_counter() - started_s:.0f} s"
    )


class _Watch:
    """Looks at the memory of the process as long as it is entered."""

    def __init__(self) -> None:
        self.peak_mb = self.own_peak_mb = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "_Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(LOOK_EVERY_S):
            held, own = _held_mb()
            self.peak_mb, self.own_peak_mb = max(self.peak_mb, held), max(self.own_peak_mb, own)


def _held_mb() -> tuple[float, float]:
    """Return what the process holds, and what of it is not mapped from files (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    kb = {
        line.split()[0]: int(line.split()[1])
        for line in lines
        if line.startswith(("VmRSS", "RssAnon"))
    }
    return kb["VmRSS:"] / 1e3, kb["RssAnon:"] / 1e3


def _source(options: argparse.Namespace) -> AudioSource:
    if options.song is not None:
        return FileSource(scan_audio(options.song))
    samples = 0.1 * np.random.default_rng(0).standard_normal(options.segments * SEGMENT_SAMPLES)
    return clip_source(AudioClip(samples.astype(np.float32)[:, None], SAMPLE_RATE_HZ))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("song", type=Path, nargs="?")
    models = [name for name, model in TOKEN_MODELS.items() if model.family in YOURMT3_FAMILIES]
    parser.add_argument("--model", choices=models, default="yourmt3")
    parser.add_argument("--segments", type=int, default=24)
    parser.add_argument("--steps", type=int, default=256)
    parser.add_argument("--precision", type=Precision, default=Precision.FLOAT32)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
