"""Pictures as SVG text: the little that plots and piano rolls need, readable by day and night."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from core.training.schedule import replacing

BACKGROUND, INK, FAINT = "#22262c", "#c8ccd2", "#343a42"
SERIES = ("#5aa9e6", "#ff6b6b", "#ffd166", "#8fd694", "#c792ea")
FONT_PX = 11


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; y grows downwards."""

    x: float
    y: float
    width: float
    height: float


class Drawing:
    """A picture of a size in pixels to which shapes are added, the later over the earlier."""

    def __init__(self, width: float, height: float) -> None:
        self._size = f"{_px(width)} {_px(height)}"
        self._shapes = [
            f'<rect width="{_px(width)}" height="{_px(height)}" rx="6" fill="{BACKGROUND}"/>'
        ]

    def boxes(self, boxes: Iterable[Box], colour: str) -> None:
        """Fill boxes with one colour."""
        outline = "".join(
            f"M{_px(box.x)} {_px(box.y)}h{_px(box.width)}v{_px(box.height)}h{_px(-box.width)}z"
            for box in boxes
        )
        if outline:
            self._shapes.append(f'<path fill="{colour}" d="{outline}"/>')

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float = 1) -> None:
        """Draw a line through points."""
        through = " ".join(f"{_px(x)},{_px(y)}" for x, y in points)
        self._shapes.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="{width:g}" points="{through}"/>'
        )

    def text(self, words: str, x: float, y: float, *, anchor: str = "start") -> None:
        """Write words whose baseline is at y; `anchor` is start, middle or end."""
        self._shapes.append(
            f'<text x="{_px(x)}" y="{_px(y)}" text-anchor="{anchor}">{escape(words)}</text>'
        )

    def write(self, path: Path) -> None:
        """Write the file."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self._size}" '
            f'font-family="sans-serif" font-size="{FONT_PX}" fill="{INK}">'
        )
        with replacing(path) as unfinished:
            unfinished.write_text("\n".join([head, *self._shapes, "</svg>", ""]), encoding="utf-8")


def _px(length: float) -> str:
    """Return a length to a tenth of a pixel, short: a picture has thousands of them."""
    return f"{length:.1f}".removesuffix(".0")
