"""SVG text that every viewer reads."""

from pathlib import Path
from xml.etree import ElementTree as ET

from core.training.svg import Box, Drawing

SVG = "{http://www.w3.org/2000/svg}"


def drawn(drawing: Drawing, folder: Path) -> ET.Element:
    drawing.write(folder / "picture.svg")
    return ET.parse(folder / "picture.svg").getroot()


def test_shapes_lie_where_they_were_put(tmp_path: Path) -> None:
    drawing = Drawing(200, 100)
    drawing.boxes([Box(1, 2, 3.25, 4), Box(-0.5, 0, 10, 1)], "#123456")
    drawing.line([(0, 1), (2.5, 3)], "#abcdef", 2)
    picture = drawn(drawing, tmp_path)
    path, line = picture.find(f"{SVG}path"), picture.find(f"{SVG}polyline")
    assert picture.get("viewBox") == "0 0 200 100"
    assert path is not None
    assert path.get("d") == "M1 2h3.2v4h-3.2zM-0.5 0h10v1h-10z"
    assert line is not None
    assert line.get("points") == "0,1 2.5,3"


def test_words_may_hold_what_xml_does_not(tmp_path: Path) -> None:
    drawing = Drawing(200, 100)
    drawing.text("R&B <live>", 10, 20)
    text = drawn(drawing, tmp_path).find(f"{SVG}text")
    assert text is not None
    assert text.text == "R&B <live>"


def test_no_boxes_are_no_shape(tmp_path: Path) -> None:
    drawing = Drawing(200, 100)
    drawing.boxes([], "#123456")
    assert drawn(drawing, tmp_path).find(f"{SVG}path") is None
