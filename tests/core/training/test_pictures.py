"""Piano rolls of truth and transcription."""

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from core.training.evaluate import DRUM_CLASSES, LabelledClip, matched_hits
from core.training.note_errors import compared
from core.training.pictures import EXTRA, FOUND, MISSED, TRUTH, Picture, draw, errors_table
from tests import make

SVG = "{http://www.w3.org/2000/svg}"
TRUE = (make.note(60, 0.0, 1.0), make.note(64, 1.0, 2.0))
OURS = (make.note(60, 0.0, 0.5), make.note(67, 1.0, 2.0), make.note(70, 1.5, 2.0))
HITS = ((0.5, 36), (1.0, 38))


def drawn(folder: Path) -> tuple[Picture, ET.Element]:
    clip = LabelledClip("a & b", "mix", np.zeros(44_100, np.float32), TRUE, HITS)
    hits = tuple(matched_hits(HITS, [(0.5, 36)], keys) for keys in DRUM_CLASSES)
    picture = Picture(folder / "clip.svg", compared(TRUE, OURS), hits)
    draw(clip, picture)
    return picture, ET.parse(picture.path).getroot()


def test_notes_and_hits_are_in_the_colours_of_the_legend(tmp_path: Path) -> None:
    _, root = drawn(tmp_path)
    shapes = root.findall(f"{SVG}path")

    def count(colour: str) -> int:
        return sum(
            (path.get("d") or "").count("M") for path in shapes if path.get("fill") == colour
        )

    in_legend = 1
    assert count(FOUND) == 1 + 1 + in_legend
    assert count(MISSED) == 1 + 1 + in_legend
    assert count(EXTRA) == 2 + in_legend
    assert count(TRUTH) == 1 + in_legend
    words = {text.text for text in root.findall(f"{SVG}text")}
    assert {"a & b", "found 2", "missed 2", "extra 2", "kick", "C4"} <= words


def test_a_picture_is_small(tmp_path: Path) -> None:
    notes = tuple(make.note(40 + n % 40, n * 0.03, n * 0.03 + 0.2) for n in range(1000))
    clip = LabelledClip("dense", "piano", np.zeros(30 * 22_050, np.float32), notes, None)
    draw(clip, Picture(tmp_path / "dense.svg", compared(notes, notes), None))
    assert (tmp_path / "dense.svg").stat().st_size < 100_000


def test_errors_are_counted_by_kind(tmp_path: Path) -> None:
    picture, _ = drawn(tmp_path)
    head, _, row = errors_table([picture]).splitlines()
    cells = dict(
        zip(
            (cell.strip() for cell in head.split("|")), row.replace(" ", "").split("|"), strict=True
        )
    )
    assert cells["notes"] == "2"
    assert cells["found"] == "1"
    assert cells["ends early"] == "1"
    assert cells["not heard"] == "1"
    assert cells["invented"] == "2"
