"""The log of a run as a plot."""

from pathlib import Path
from xml.etree import ElementTree as ET

from core.training.curves import BOTTOM, LEFT, RIGHT, TOP, plot_curve, read_curve

SVG = "{http://www.w3.org/2000/svg}"
LOG = """step,heard_hours,times_real_time,onset,velocity
10,0.5,20.0,10.0,0.1
20,1.0,21.0,1.0,0.1
"""


def test_every_loss_is_a_line_over_the_hours(tmp_path: Path) -> None:
    (tmp_path / "curve.csv").write_text(LOG)
    picture = ET.parse(plot_curve(tmp_path)).getroot()
    points = [line.get("points") for line in picture.findall(f"{SVG}polyline")]
    middle_x, middle_y = (LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2
    assert f"{middle_x:g},{TOP} {RIGHT},{middle_y:g}" in points  # 10 to 1 of 10 to 0.1
    assert f"{middle_x:g},{BOTTOM} {RIGHT},{BOTTOM}" in points
    words = {text.text for text in picture.findall(f"{SVG}text")}
    assert {"0", "0.2", "0.4", "0.6", "0.8", "1"} <= words
    assert {"onset loss", "velocity loss", "hours of audio heard"} <= words


def test_a_log_is_read_by_column(tmp_path: Path) -> None:
    (tmp_path / "curve.csv").write_text(LOG)
    assert read_curve(tmp_path)["onset"] == [10.0, 1.0]
