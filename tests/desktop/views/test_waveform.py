import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from core.audio.peaks import WaveformPeaks
from desktop.views.lane_names import LaneNames
from desktop.views.layer import blended
from desktop.views.song_view import Lane
from desktop.views.theme import DARK
from desktop.views.time_axis import TimeAxis
from desktop.views.waveform import MAX_DISPLAY_GAIN, Waveform, display_gain

pytestmark = pytest.mark.gui
RATE = 8_000
BACKGROUND = QColor(DARK.background)
RMS = blended(DARK.track(0), BACKGROUND, 0.90)
PEAK = blended(DARK.track(0), BACKGROUND, 0.45)
AHEAD_RMS = blended(QColor(DARK.dim_text), BACKGROUND, 0.55)


def square_wave(level, *, from_s=0.0, until_s=10.0, spikes=0.0):
    """Return 10 s of a wave whose RMS is its level, with a spike every 32 ms."""
    at_s = np.arange(10 * RATE) / RATE
    samples = np.where((at_s >= from_s) & (at_s < until_s), level, 0.0)
    samples *= np.where(np.arange(len(samples)) % 2, 1, -1)
    samples[::256] = spikes or samples[::256]
    return WaveformPeaks.from_samples(samples.astype(np.float32), RATE)


@pytest.fixture
def waveform(qtbot, themed):
    axis = TimeAxis()
    axis.set_width(100)
    axis.set_duration(10.0)
    waveform = Waveform(axis)
    qtbot.addWidget(waveform)
    waveform.resize(100, 101)
    return waveform


def colour(waveform, x_px, y_px):
    return waveform.grab().toImage().pixelColor(x_px, y_px)


def test_rms_stands_brighter_inside_the_peaks(waveform):
    waveform.set_lanes([Lane("a", 0, square_wave(0.4, spikes=0.97))])
    assert colour(waveform, 50, 50) == RMS
    assert colour(waveform, 50, 15) == PEAK
    assert colour(waveform, 50, 90) == BACKGROUND


def test_sound_is_drawn_where_it_sounds(waveform):
    waveform.set_lanes([Lane("a", 0, square_wave(0.9, from_s=2.0, until_s=4.0))])
    assert colour(waveform, 15, 30) == BACKGROUND
    assert colour(waveform, 30, 30) == RMS
    assert colour(waveform, 45, 30) == BACKGROUND


def test_silence_is_a_line(waveform):
    waveform.set_lanes([Lane("a", 0, square_wave(0.0))])
    column = [colour(waveform, 50, y_px) != BACKGROUND for y_px in range(10, 90)]
    assert 1 <= sum(column) <= 2


def test_lane_whose_file_is_not_read_yet_is_a_line(waveform):
    waveform.set_lanes([Lane("a", 0, None)])
    column = [colour(waveform, 50, y_px) == QColor(DARK.ghost) for y_px in range(10, 90)]
    assert sum(column) == 1


def test_what_is_not_heard_yet_is_grey_behind_a_bright_edge(waveform):
    waveform.set_lanes([Lane("a", 0, square_wave(0.9), heard_spans=((0.0, 6.0),), edge_s=6.0)])
    assert colour(waveform, 30, 50) == RMS
    assert colour(waveform, 59, 50) == QColor(DARK.accent)
    assert colour(waveform, 61, 50) == AHEAD_RMS


def test_edge_moves_with_progress(waveform):
    peaks = square_wave(0.9)
    waveform.set_lanes([Lane("a", 0, peaks, heard_spans=((0.0, 6.0),), edge_s=6.0)])
    assert colour(waveform, 70, 50) == AHEAD_RMS
    waveform.set_lanes([Lane("a", 0, peaks, heard_spans=((0.0, 8.0),), edge_s=8.0)])
    assert colour(waveform, 70, 50) == RMS


def test_what_is_heard_out_of_order_is_coloured_where_it_is(waveform):
    spans = ((0.0, 2.0), (5.0, 6.0))
    waveform.set_lanes([Lane("a", 0, square_wave(0.9), heard_spans=spans)])
    assert [colour(waveform, x_px, 50) for x_px in (10, 30, 55, 80)] == [
        RMS,
        AHEAD_RMS,
        RMS,
        AHEAD_RMS,
    ]


def test_only_up_to_the_first_gap_there_is_an_edge(waveform):
    spans = ((0.0, 2.0), (5.0, 6.0))
    waveform.set_lanes([Lane("a", 0, square_wave(0.9), heard_spans=spans, edge_s=2.0)])
    assert colour(waveform, 19, 50) == QColor(DARK.accent)
    assert colour(waveform, 59, 50) == RMS


def test_heard_file_has_no_edge(waveform):
    waveform.set_lanes([Lane("a", 0, square_wave(0.9), heard_spans=((0.0, 10.0),), edge_s=10.0)])
    assert colour(waveform, 99, 50) == RMS


def test_several_stems_share_the_height(waveform):
    waveform.set_lanes([Lane("a", 0, square_wave(0.9)), Lane("b", 1, square_wave(0.9))])
    assert waveform.lane_tops(101) == [0, 50, 101]
    assert colour(waveform, 50, 25) == RMS
    assert colour(waveform, 50, 75) == blended(DARK.track(1), BACKGROUND, 0.90)


@pytest.mark.parametrize(
    ("level", "gain"), [(0.97, 1.0), (0.5, 1.94), (0.01, MAX_DISPLAY_GAIN), (0.0, 1.0)]
)
def test_quiet_file_is_enlarged_up_to_a_limit(level, gain):
    assert display_gain(square_wave(level)) == pytest.approx(gain, rel=0.01)


def test_clipped_file_stays_inside_its_lane():
    assert display_gain(square_wave(2.0)) == pytest.approx(0.485, rel=0.01)


def test_more_lanes_need_more_height(waveform):
    waveform.set_lanes([Lane(str(n)) for n in range(10)])
    assert waveform.minimumSizeHint().height() == 120


def test_names_stand_beside_their_lanes(qtbot, waveform):
    names = LaneNames(waveform)
    qtbot.addWidget(names)
    names.resize(72, 101)
    waveform.set_lanes([Lane("drums.wav", 0), Lane("a long name of a bass.wav", 1)])
    image = names.grab().toImage()
    assert (image.pixelColor(1, 20), image.pixelColor(1, 80)) == (DARK.track(0), DARK.track(1))
    assert names.toolTip() == "drums.wav\na long name of a bass.wav"
    right_rim = {image.pixelColor(x, y).name() for x in (70, 71) for y in range(101)}
    assert right_rim <= {DARK.panel, DARK.line}


def test_right_button_does_not_seek(qtbot, waveform):
    chosen = []
    waveform.placeChosen.connect(chosen.append)
    qtbot.mousePress(waveform, Qt.MouseButton.RightButton)
    assert chosen == []
