"""Measure how fast the timeline pans: frames of the whole view, painted and copied to an image.

    python tests/benchmarks/bench_canvas.py [--frames 300] [--size 1280x800] [--bent]

Runs without a display (QT_QPA_PLATFORM=offscreen is set unless given). Every frame moves the view
and paints ruler, waveform lanes, roll and keyboard anew. Goals, in processor time, which is wall
time on an idle machine: median below 16 ms with 10,000 notes and below 40 ms with 50,000. With
`--bent` every note has 20 bends per second, as vibrato does.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from core.score.note import NoteEvent, PitchBend
from core.score.tempo import constant_tempo
from desktop.views import theme
from desktop.views.song_view import Lane, TrackView
from desktop.views.timeline import TimelineView
from tests.desktop.views.make_song import envelope

HOUR_S = 3600.0
BENDS_PER_S = 20
GOAL_MS = {10_000: 16.0, 50_000: 40.0}


def tracks_of(note_count: int, duration_s: float, *, are_bent: bool) -> list[TrackView]:
    random = np.random.default_rng(7)
    tracks = []
    for index in range(10):
        onsets_s = np.sort(random.uniform(0, duration_s - 1, note_count // 10))
        notes = tuple(
            NoteEvent(
                float(onset_s),
                int(pitch),
                float(onset_s + length_s),
                int(velocity),
                bends=vibrato(onset_s, length_s) if are_bent else (),
            )
            for onset_s, pitch, length_s, velocity in zip(
                onsets_s,
                random.integers(30, 90, len(onsets_s)),
                random.uniform(0.08, 0.8, len(onsets_s)),
                random.integers(30, 127, len(onsets_s)),
                strict=True,
            )
        )
        tracks.append(TrackView(f"Track {index + 1}", notes, index))
    return tracks


def vibrato(onset_s: float, length_s: float) -> tuple[PitchBend, ...]:
    times_s = onset_s + np.arange(0, length_s, 1 / BENDS_PER_S)
    return tuple(PitchBend(float(at_s), 0.5 * float(np.sin(38 * at_s))) for at_s in times_s)


def frame_times_ms(view: TimelineView, frames: int, step) -> tuple[np.ndarray, np.ndarray]:
    """Return wall and processor time of each frame; on a busy machine only the second is stable."""
    picture = QImage(view.size(), QImage.Format.Format_RGB32)
    wall_ms, processor_ms = [], []
    for frame in range(frames):
        started, processor_started = time.perf_counter(), time.process_time()
        step(frame)
        view.render(picture)
        wall_ms.append((time.perf_counter() - started) * 1000)
        processor_ms.append((time.process_time() - processor_started) * 1000)
    return np.array(wall_ms), np.array(processor_ms)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--frames", type=int, default=300)
    arguments.add_argument("--size", default="1280x800")
    arguments.add_argument("--bent", action="store_true")
    options = arguments.parse_args()
    width, height = map(int, options.size.split("x"))
    application = QApplication([])
    theme.apply_theme(application)
    lanes = [Lane(f"stem {n}", n, envelope(HOUR_S, seed=n)) for n in range(4)]
    misses = 0
    for note_count, goal_ms in GOAL_MS.items():
        for duration_s, label in ((HOUR_S, "an hour"), (300.0, "5 minutes")):
            view = TimelineView()
            view.resize(width, height)
            view.show()
            tracks = tracks_of(note_count, duration_s, are_bent=options.bent)
            view.set_song(tracks, constant_tempo(120.0), duration_s)
            view.set_lanes(lanes)
            application.processEvents()
            axis = view.time_axis

            def pan(frame: int, axis=axis) -> None:
                axis.scroll_by_px(7 if frame % 16 < 8 else -7)

            def zoom(frame: int, axis=axis) -> None:
                axis.zoom_at(400, 1.05 if frame < options.frames // 2 else 1 / 1.05)

            def play(frame: int, view=view) -> None:
                view.set_playhead(view.time_axis.start_s + frame * view.time_axis.seconds_per_pixel)

            for name, span_s, step in (
                ("pan, 10 s in view", 10.0, pan),
                ("pan, a minute in view", 60.0, pan),
                ("pan, nearly all in view", duration_s * 0.9, pan),
                ("zoom from all to detail", duration_s, zoom),
                ("play, whole view copied", duration_s, play),
            ):
                axis.show_range(duration_s * 0.04, duration_s * 0.04 + span_s)
                wall_ms, processor_ms = frame_times_ms(view, options.frames, step)
                median_ms = float(np.median(processor_ms))
                misses += median_ms > goal_ms
                sys.stdout.write(
                    f"{note_count:6d} notes over {label:9s} {name:24s}"
                    f" median {np.median(wall_ms):6.2f} ms  worst {wall_ms.max():6.2f}"
                    f"   processor: median {median_ms:6.2f}  worst {processor_ms.max():6.2f}\n"
                )
            view.close()
            view.deleteLater()
    sys.stdout.write(f"{misses} medians miss the goal\n" if misses else "all within the goal\n")
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main())
