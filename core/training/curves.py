"""The learning curve of a training run: what its log holds, and a plot of it."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.training.svg import FAINT, SERIES, Drawing

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 48, 700, 28, 344
HEARD, NO_LOSSES = "heard_hours", ("step", "heard_hours", "times_real_time")
TICKS = (1, 2, 5)  # of each decade
MOST_POINTS, MOST_TICKS = 400, 8


def read_curve(run: Path) -> Mapping[str, list[float]]:
    """Return the columns of a run's curve.csv by name."""
    with (run / "curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def plot_curve(run: Path) -> Path:
    """Draw curve.svg beside curve.csv: every loss, on a log scale, over the hours heard."""
    curve = read_curve(run)
    losses = {name: values for name, values in curve.items() if name not in NO_LOSSES}
    hours, seen = curve[HEARD], [value for values in losses.values() for value in values]
    lowest, highest = math.log10(max(min(seen), 1e-6)), math.log10(max(*seen, 1e-5))

    def x_of(heard_hours: float) -> float:
        return LEFT + (RIGHT - LEFT) * heard_hours / max(hours[-1], 1e-9)

    def y_of(loss: float) -> float:
        share = (math.log10(max(loss, 1e-6)) - lowest) / max(highest - lowest, 1e-9)
        return BOTTOM - (BOTTOM - TOP) * share

    drawing = Drawing(WIDTH, HEIGHT)
    for loss in _ticks_between(lowest, highest):
        drawing.line([(LEFT, y_of(loss)), (RIGHT, y_of(loss))], FAINT)
        drawing.text(f"{loss:g}", LEFT - 6, y_of(loss) + 4, anchor="end")
    step = _round_step(hours[-1])
    for number in range(int(hours[-1] / step) + 1):
        drawing.text(f"{number * step:g}", x_of(number * step), BOTTOM + 16, anchor="middle")
    drawing.text("hours of audio heard", (LEFT + RIGHT) / 2, BOTTOM + 31, anchor="middle")
    every = max(1, len(hours) // MOST_POINTS)
    for number, (name, values) in enumerate(losses.items()):
        colour = SERIES[number % len(SERIES)]
        points = zip(hours[::every], values[::every], strict=True)
        drawing.line([(x_of(heard), y_of(loss)) for heard, loss in points], colour, 1.6)
        _key(drawing, f"{name} loss", number, colour)
    path = run / "curve.svg"
    drawing.write(path)
    return path


def _key(drawing: Drawing, words: str, number: int, colour: str) -> None:
    x = LEFT + 130 * number
    drawing.line([(x, 14), (x + 18, 14)], colour, 3)
    drawing.text(words, x + 24, 18)


def _round_step(length: float) -> float:
    """Return the least round step that cuts a length into eight parts at most."""
    decade = 10.0 ** math.floor(math.log10(max(length, 1e-6) / MOST_TICKS))
    steps = [tick * decade for tick in (*TICKS, 10)]
    return next(step for step in steps if length / step <= MOST_TICKS)


def _ticks_between(lowest: float, highest: float) -> Sequence[float]:
    """Return round losses between two powers of ten."""
    decades = range(math.floor(lowest), math.ceil(highest) + 1)
    ticks = [tick * 10.0**decade for decade in decades for tick in TICKS]
    return [tick for tick in ticks if lowest <= math.log10(tick) <= highest]
