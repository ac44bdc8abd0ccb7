"""The built-in model beside Basic Pitch: start-up, times real time and memory, in one run.

    python -m tests.benchmarks.bench_built_in CLIPS [--basic-pitch PYTHON REPOSITORY]
        [--cores 2 1] [--minutes 4] [--repeat 1]

CLIPS is a folder of <name>.flac beside <name>.json (see core/training/evaluate.py): its clips of
one kind, played over and over, make the stem and the mix that both hear. Every figure is of a whole
process, from its start to its exit, audio file in and MIDI file out, on that many cores; memory is
its largest resident set. The start-up is that of a file of one second. Of several runs the fastest
counts.

Basic Pitch (github.com/spotify/basic-pitch) needs an environment of its own with onnxruntime,
librosa, resampy, mir_eval, pretty_midi and scipy, and no TensorFlow; it runs as its own command
does, with the onnx file of its repository. Linux only.
"""
# ruff: noqa: T201 - its output is for reading

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
import soxr

from core.training.evaluate import LabelledClip, read_clips

ROOT = Path(__file__).resolve().parents[2]
FILE_RATE_HZ, CLIP_RATE_HZ = 44_100, 22_050
# onnxruntime starts a thread on every core of the machine, also on those that it may not use.
BASIC_PITCH = """
import functools, sys
sys.path.insert(0, sys.argv.pop(1))
import onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(sys.argv.pop(1))
onnxruntime.InferenceSession = functools.partial(
    onnxruntime.InferenceSession, sess_options=options
)
from basic_pitch.predict import main
main()
"""
STEM_KINDS = {"piano": "keys", "mix": "mix"}  # of clips -> of the command line


@dataclass(frozen=True)
class Run:
    """One whole process."""

    seconds: float
    cpu_seconds: float  # of all cores together: what other programs do hardly changes it
    peak_mb: float

    def __str__(self) -> str:
        return f"{self.seconds:8.2f} {self.cpu_seconds:8.2f} {self.peak_mb:6.0f}"


def main() -> None:
    options = _options()
    clips = read_clips(options.clips)
    with TemporaryDirectory() as name:
        folder = Path(name)
        second = _write_audio(folder / "second.wav", _played_over(clips, "piano", 1.0))
        for cores in options.cores:
            print(f"\n{cores} core(s); seconds and MB are of whole processes")
            print(f"  {'':6} {'':12} {'seconds':>8} {'of CPU':>8} {'MB':>6}")
            for kind, stem in STEM_KINDS.items():
                _print_starts(options, second, stem, cores, folder)
                audio = _played_over(clips, kind, 60 * options.minutes)
                path = _write_audio(folder / f"{stem}.wav", audio)
                _print_runs(options, path, stem, cores, folder)


def _print_starts(
    options: argparse.Namespace, second: Path, stem: str, cores: int, folder: Path
) -> None:
    for who, command in _commands(options, second, stem, cores, folder).items():
        run = _fastest(command, cores, options.repeat)
        print(f"  {stem:6} {who:12} {run}  start-up", flush=True)


def _print_runs(
    options: argparse.Namespace, path: Path, stem: str, cores: int, folder: Path
) -> None:
    runs = {
        who: _fastest(command, cores, options.repeat)
        for who, command in _commands(options, path, stem, cores, folder).items()
    }
    for who, run in runs.items():
        times = 60 * options.minutes / run.seconds
        share = runs["ours"].seconds / run.seconds
        compared = "" if who == "ours" else f"; ours takes {share:.2f} of its time"
        print(f"  {stem:6} {who:12} {run}  {times:.1f} x real time{compared}", flush=True)


def _commands(
    options: argparse.Namespace, audio: Path, stem: str, cores: int, folder: Path
) -> Mapping[str, Sequence[str]]:
    """Return how each turns the audio file into a MIDI file."""
    out = folder / f"out{time.monotonic_ns()}"
    out.mkdir()
    ours = [sys.executable, "-m", "core.cli", "transcribe", str(audio), "--stem", stem,
            "--model", "built-in", "--device", "cpu", "--out", str(out)]  # fmt: skip
    commands = {"ours": ours}
    if options.basic_pitch is not None:
        python, repository = options.basic_pitch
        commands["Basic Pitch"] = [
            python, "-W", "ignore", "-c", BASIC_PITCH, repository, str(cores),
            "--model-serialization", "onnx", str(out), str(audio),
        ]  # fmt: skip
    return commands


def _fastest(command: Sequence[str], cores: int, repeat: int) -> Run:
    return min((_run(command, cores) for _ in range(repeat)), key=lambda run: run.seconds)


def _run(command: Sequence[str], cores: int) -> Run:
    """Run a command on so many cores to its end; what it prints is not wanted unless it fails."""
    allowed = set(sorted(os.sched_getaffinity(0))[:cores])
    for midi in Path(command[-1]).parent.rglob("*.mid"):
        midi.unlink()  # Basic Pitch does not write over what is there
    with TemporaryDirectory() as name:
        said = Path(name) / "said.txt"
        started_s = time.perf_counter()
        child = os.fork()
        if child == 0:
            os.sched_setaffinity(0, allowed)
            os.chdir(ROOT)
            file = os.open(said, os.O_WRONLY | os.O_CREAT)
            os.dup2(file, 1)
            os.dup2(file, 2)
            os.execv(command[0], list(command))
        _, status, usage = os.wait4(child, 0)
        seconds = time.perf_counter() - started_s
        if status != 0:
            sys.exit(f"{' '.join(command)}\n{said.read_text()}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _played_over(clips: Sequence[LabelledClip], kind: str, length_s: float) -> np.ndarray:
    """Return clips of one kind, one after the other, until they are long enough [sample, 2]."""
    chosen = np.concatenate([_left_and_right(clip) for clip in clips if clip.kind == kind])
    return np.resize(chosen, (round(length_s * CLIP_RATE_HZ), 2))


def _left_and_right(clip: LabelledClip) -> np.ndarray:
    side = np.zeros_like(clip.samples) if clip.side is None else clip.side
    return np.stack([clip.samples + side, clip.samples - side], 1)


def _write_audio(path: Path, samples: np.ndarray) -> Path:
    """Write 16-bit stereo at the rate that files out of a DAW have."""
    stereo = soxr.resample(samples, CLIP_RATE_HZ, FILE_RATE_HZ)
    soundfile.write(path, stereo, FILE_RATE_HZ, subtype="PCM_16")
    return path


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--basic-pitch", nargs=2, metavar=("PYTHON", "REPOSITORY"))
    parser.add_argument("--cores", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--repeat", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
