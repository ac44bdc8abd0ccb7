from collections.abc import Callable
from math import pi, sin
from pathlib import Path
from random import Random

import numpy as np
import pytest
import soundfile

from core.errors import CancelledError
from core.rhythm.estimate import TempoChoice, estimate_tempo, moving
from core.score.note import NoteEvent
from core.score.tempo import Meter
from core.score.transcription import Track
from core.training.demo_song import tracks as demo_tracks

Rock = Callable[..., tuple[Track, ...]]


def test_demo_song_is_104_bpm_in_four_from_the_first_sample() -> None:
    estimate = estimate_tempo([], demo_tracks())

    assert estimate.tempo.bpm == pytest.approx(104.0, abs=0.05)
    assert estimate.tempo.is_constant
    assert estimate.tempo.meter == Meter(4, 4)
    assert estimate.tempo.first_downbeat_s == pytest.approx(0.0, abs=0.01)
    assert estimate.confidence > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("names", [["mix.ogg"], ["drums.flac", "bass.flac", "keys.flac"]])
def test_demo_song_is_heard_at_104_bpm_where_no_notes_were_found(names: list[str]) -> None:
    demo = Path(__file__).parents[3] / "resources" / "demo"

    tempo = estimate_tempo([demo / name for name in names], []).tempo

    assert (tempo.bpm, tempo.is_constant) == (104.0, True)


@pytest.mark.parametrize("bpm", [72.0, 88.5, 104.0, 120.0, 131.25, 150.0, 174.0])
def test_one_tempo_is_found_exactly(rock: Rock, bpm: float) -> None:
    tempo = estimate_tempo([], rock(bpm=bpm, loose_s=0.006)).tempo

    assert tempo.bpm == pytest.approx(bpm, abs=0.03)
    assert tempo.is_constant


def test_an_integer_tempo_comes_out_as_typed_in_the_daw(rock: Rock) -> None:
    assert estimate_tempo([], rock(bpm=97.0, loose_s=0.008)).tempo.bpm == 97.0


@pytest.mark.parametrize("start_s", [0.0, 0.37, 1.9, 3.333])
def test_bar_one_starts_where_the_music_does(rock: Rock, start_s: float) -> None:
    tempo = estimate_tempo([], rock(bpm=112.0, start_s=start_s, loose_s=0.004)).tempo

    assert tempo.first_downbeat_s == pytest.approx(start_s, abs=0.005)


def test_bar_line_near_the_start_of_the_file_lies_on_it(rock: Rock) -> None:
    assert estimate_tempo([], rock(bpm=112.0, start_s=0.011)).tempo.first_downbeat_s == 0.0


def test_silent_bars_of_an_exported_stem_are_counted(new_band: type) -> None:
    band = new_band(bpm=120.0)
    for bar in range(3, 19):
        band.rock_bar(4.0 * bar)

    assert estimate_tempo([], band.tracks()).tempo.first_downbeat_s == 0.0


def test_pickup_comes_before_bar_one(rock: Rock) -> None:
    tempo = estimate_tempo([], rock(bpm=100.0, start_s=0.9, pickup=True)).tempo

    assert tempo.first_downbeat_s == pytest.approx(0.9, abs=0.005)
    assert tempo.pickup_bars == 1


def test_a_cough_before_the_song_is_no_pickup(rock: Rock) -> None:
    cough = Track("voice", (NoteEvent(0.4, 60, 0.6, 40),))

    tempo = estimate_tempo([], (*rock(bpm=120.0, start_s=6.3), cough)).tempo

    assert tempo.first_downbeat_s == pytest.approx(6.3, abs=0.005)


def test_waltz_is_in_three(new_band: type) -> None:
    band = new_band(bpm=132.0, loose_s=0.005)
    for bar in range(20):
        root = (60, 65, 67, 57)[bar % 4]
        band.play(3.0 * bar, root - 24, beats=1.0)
        for beat in (1, 2):
            for step in (0, 4, 7):
                band.play(3.0 * bar + beat, root + step, beats=0.6, velocity=70)

    tempo = estimate_tempo([], band.tracks()).tempo

    assert (tempo.meter, tempo.bpm, tempo.first_downbeat_s) == (Meter(3, 4), 132.0, 0.0)


def test_six_eight_counts_quarters_in_its_tempo(new_band: type) -> None:
    band = new_band(bpm=105.0, loose_s=0.004)
    for bar in range(20):
        band.play(3.0 * bar, 36, drum=True, velocity=100)
        band.play(3.0 * bar + 1.5, 38, drum=True, velocity=100)
        for eighth in range(6):
            band.play(3.0 * bar + eighth / 2, 42, drum=True, velocity=80 if eighth % 3 else 95)
        band.play(3.0 * bar, (36, 41, 43, 33)[bar % 4], beats=3.0)

    tempo = estimate_tempo([], band.tracks()).tempo

    assert (tempo.meter, tempo.bpm, tempo.first_downbeat_s) == (Meter(6, 8), 105.0, 0.0)


def test_shuffle_stays_in_four(new_band: type) -> None:
    band = new_band(bpm=116.0, loose_s=0.004)
    for bar in range(16):
        for beat in range(4):
            band.play(4.0 * bar + beat, 38 if beat % 2 else 36, drum=True, velocity=100)
            for part in (0, 2 / 3):
                band.play(4.0 * bar + beat + part, 42, drum=True, velocity=75)
                band.play(4.0 * bar + beat + part, (36, 41, 43, 36)[bar % 4], beats=0.3)

    tempo = estimate_tempo([], band.tracks()).tempo

    assert (tempo.meter, tempo.bpm) == (Meter(4, 4), 116.0)


def drifting(beat: float) -> float:
    """Second at which a beat falls for a band that wanders by 3 % around 110 BPM over 30 bars."""
    wave = 120.0 / (2 * pi)
    return 60.0 / 110.0 * (beat + 0.03 * wave * (1 - sin(pi / 2 + beat / wave)))


def test_live_band_gets_a_tempo_map_that_keeps_to_its_beats(rock: Rock) -> None:
    tempo = estimate_tempo([], rock(bars=60, clock=drifting, loose_s=0.005)).tempo

    off_s = [tempo.beats_to_seconds(beat) - drifting(beat) for beat in range(240)]
    assert not tempo.is_constant
    assert np.abs(off_s).max() < 0.03


def test_tempo_map_has_fewer_than_120_changes_in_four_minutes(rock: Rock) -> None:
    chance = Random(3)
    times_s = [0.0]
    for _ in range(600):
        times_s.append(times_s[-1] + 60.0 / 110.0 * (1 + chance.gauss(0.0, 0.02)))

    def nervous(beat: float) -> float:
        return float(np.interp(beat, np.arange(len(times_s)), times_s))

    tempo = estimate_tempo([], rock(bars=110, clock=nervous)).tempo

    assert 1 < len(tempo.changes) < 120


def test_new_tempo_in_the_middle_is_followed(rock: Rock) -> None:
    def faster_from_bar_17(beat: float) -> float:
        return beat * 0.6 if beat < 64 else 64 * 0.6 + (beat - 64) * 0.5

    tempo = estimate_tempo([], rock(bars=32, clock=faster_from_bar_17)).tempo

    assert tempo.bpm == pytest.approx(100.0, abs=0.1)
    assert tempo.changes[-1].bpm == pytest.approx(120.0, abs=0.1)


@pytest.mark.parametrize("notes_per_s", [1.5, 4.0, 8.0])
def test_notes_without_a_beat_get_120_bpm_and_no_confidence(notes_per_s: float) -> None:
    chance = Random(5)
    at_s, notes = 0.0, []
    while at_s < 60.0:
        at_s += chance.expovariate(notes_per_s)
        notes.append(NoteEvent(at_s, chance.randrange(40, 80), at_s + 0.4))

    estimate = estimate_tempo([], [Track("solo", tuple(notes))])

    assert (estimate.tempo.bpm, estimate.confidence) == (120.0, 0.0)
    assert "no steady beat" in estimate.how


@pytest.mark.parametrize("count", [0, 1, 5])
def test_hardly_any_notes_and_no_sound_are_no_beat(count: int) -> None:
    notes = tuple(NoteEvent(0.5 * number, 60, 0.5 * number + 0.2) for number in range(count))

    estimate = estimate_tempo([], [Track("few", notes)])

    assert (estimate.tempo.bpm, estimate.confidence) == (120.0, 0.0)


def test_notes_all_at_once_are_no_beat() -> None:
    chord = Track("pad", tuple(NoteEvent(1.0, pitch, 9.0) for pitch in range(50, 70)))

    assert estimate_tempo([], [chord]).confidence == 0.0


@pytest.mark.parametrize("start_s", [0.0, 0.2, 0.37])
def test_tempo_set_by_hand_is_kept_and_its_bars_are_found(rock: Rock, start_s: float) -> None:
    tracks = rock(bpm=112.0, start_s=start_s, loose_s=0.004)

    tempo = estimate_tempo([], tracks, TempoChoice(bpm=112.0)).tempo

    assert tempo.bpm == 112.0
    assert tempo.first_downbeat_s == pytest.approx(start_s, abs=0.005)


@pytest.mark.parametrize("bpm", [60.0, 240.0])
def test_half_and_double_tempo_by_hand_stay_in_four(rock: Rock, bpm: float) -> None:
    tempo = estimate_tempo([], rock(bpm=120.0), TempoChoice(bpm=bpm)).tempo

    assert (tempo.bpm, tempo.meter) == (bpm, Meter(4, 4))
    assert tempo.first_downbeat_s == 0.0


@pytest.mark.parametrize("downbeat_s", [0.5361, 1.0, 2.37])
def test_downbeat_set_by_hand_is_kept_to_the_last_digit(rock: Rock, downbeat_s: float) -> None:
    tracks = rock(bpm=112.0, loose_s=0.004)

    tempo = estimate_tempo([], tracks, TempoChoice(first_downbeat_s=downbeat_s)).tempo

    assert tempo.first_downbeat_s == downbeat_s
    assert tempo.bpm == 112.0


def test_downbeat_set_by_hand_is_kept_under_a_tempo_map(rock: Rock) -> None:
    second_bar_s = drifting(4.0) + 0.003

    tempo = estimate_tempo(
        [], rock(bars=60, clock=drifting), TempoChoice(first_downbeat_s=second_bar_s)
    ).tempo

    assert tempo.first_downbeat_s == second_bar_s
    assert tempo.beats_to_seconds(100) == pytest.approx(drifting(104), abs=0.03)


@pytest.mark.parametrize(
    "meter", [Meter(3, 4), Meter(5, 4), Meter(7, 8), Meter(2, 2), Meter(12, 8)]
)
def test_meter_set_by_hand_is_kept(rock: Rock, meter: Meter) -> None:
    assert estimate_tempo([], rock(), TempoChoice(meter=meter)).tempo.meter == meter


def test_all_set_by_hand_needs_no_notes() -> None:
    choice = TempoChoice(bpm=93.0, meter=Meter(3, 4), first_downbeat_s=0.25)

    estimate = estimate_tempo([], [], choice)

    tempo = estimate.tempo
    assert (tempo.bpm, tempo.meter, tempo.first_downbeat_s) == (93.0, Meter(3, 4), 0.25)
    assert estimate.confidence == 1.0


class Stopped:
    def raise_if_set(self) -> None:
        raise CancelledError


def test_stopping_stops(rock: Rock) -> None:
    with pytest.raises(CancelledError):
        estimate_tempo([], rock(), cancel=Stopped())


def test_clicks_without_notes_are_heard(tmp_path: Path) -> None:
    samples = np.zeros(30 * 16_000, np.float32)
    burst = np.exp(-np.arange(800) / 120) * np.random.default_rng(0).uniform(-0.5, 0.5, 800)
    for click in range(59):
        start = round(click * 60 / 117 * 16_000)
        samples[start : start + 800] += burst.astype(np.float32)
    path = tmp_path / "click.wav"
    soundfile.write(path, samples, 16_000)

    tempo = estimate_tempo([path], []).tempo

    assert tempo.bpm == pytest.approx(117.0, abs=0.05)
    assert tempo.seconds_to_beats(6000 / 117) % 1 == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize(
    ("slowest_bpm", "fastest_bpm", "said"),
    [
        (161.6, 162.4, "the tempo moves a little around 162 BPM"),
        (118.2, 124.9, "the tempo moves between 118 and 125 BPM"),
    ],
)
def test_a_moving_tempo_names_two_only_where_they_differ(
    slowest_bpm: float, fastest_bpm: float, said: str
) -> None:
    assert moving(slowest_bpm, fastest_bpm) == said
