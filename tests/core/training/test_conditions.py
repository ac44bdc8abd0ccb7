"""The same clips under worse conditions."""

from dataclasses import replace

import numpy as np
import pytest

from core.score.note import NoteEvent
from core.training.conditions import CONDITIONS, means_of_conditions, worsened
from core.training.evaluate import ClipScore, LabelledClip

RATE_HZ = 22_050


def clip(frequency_hz: float) -> LabelledClip:
    """A tone from 0.5 to 1.5 s of 2 s."""
    at_s = np.arange(2 * RATE_HZ) / RATE_HZ
    is_sounding = (at_s >= 0.5) & (at_s < 1.5)
    tone = np.asarray(0.5 * np.sin(2 * np.pi * frequency_hz * at_s) * is_sounding, np.float32)
    return LabelledClip("tone", "piano", tone, (NoteEvent(0.5, 69, 1.5),), None)


@pytest.fixture(scope="module")
def changed() -> dict[str, LabelledClip]:
    names = [clip.kind.partition(":")[0] for clip in worsened([clip(440.0), clip(1000.0)])]
    every_first = list(worsened([clip(440.0), clip(1000.0)]))[::2]
    return dict(zip(names[::2], every_first, strict=True))


@pytest.mark.parametrize("condition", list(CONDITIONS))
def test_the_tone_starts_where_its_label_does(
    changed: dict[str, LabelledClip], condition: str
) -> None:
    worse = changed[condition]
    assert worse.notes is not None
    block = RATE_HZ // 100
    blocks = worse.samples[: len(worse.samples) // block * block].reshape(-1, block)
    level = np.sqrt((blocks.astype(np.float64) ** 2).mean(1))
    risen_s = np.argmax(level > 0.4 * level.max()) * block / RATE_HZ
    assert risen_s == pytest.approx(worse.notes[0].onset_s, abs=0.03)


@pytest.mark.parametrize(("condition", "sharp"), [("40 cents sharp", 1), ("40 cents flat", -1)])
def test_detuning_moves_pitch_and_labels(
    changed: dict[str, LabelledClip], condition: str, sharp: int
) -> None:
    worse = changed[condition]
    spectrum = np.abs(np.fft.rfft(worse.samples, 16 * RATE_HZ))
    assert np.argmax(spectrum) / 16 == pytest.approx(440 * 2 ** (sharp * 40 / 1200), rel=1e-3)
    assert worse.notes is not None
    assert (worse.notes[0].onset_s < 0.5) == (sharp > 0)


def test_bleed_brings_the_neighbour(changed: dict[str, LabelledClip]) -> None:
    spectrum = np.abs(np.fft.rfft(changed["bleed at -15 dB"].samples, RATE_HZ))
    assert spectrum[1000] / spectrum[440] == pytest.approx(10 ** (-15 / 20), rel=0.02)


def test_the_neighbour_is_a_stem_of_another_kind() -> None:
    of_kinds = [("piano", 440.0), ("mix", 700.0), ("piano", 440.0), ("sax", 1000.0)]
    clips = [replace(clip(frequency_hz), kind=kind) for kind, frequency_hz in of_kinds]
    bled = [worse for worse in worsened(clips) if worse.kind.startswith("bleed")]
    spectra = [np.abs(np.fft.rfft(worse.samples, RATE_HZ)) for worse in bled]
    assert [bool(spectrum[1000] > 0.1 * spectrum.max()) for spectrum in spectra[:3]] == [
        True,
        False,
        True,
    ]
    assert spectra[3][440] > 0.1 * spectra[3].max()


def test_quiet_is_quiet(changed: dict[str, LabelledClip]) -> None:
    assert np.abs(changed["at -30 dBFS"].samples).max() == pytest.approx(0.0316, rel=0.01)


def test_means_are_of_kinds_within_a_condition() -> None:
    scores = [
        ClipScore("a", "mp3: piano", 0.8, None, None),
        ClipScore("b", "mp3: piano", 0.6, None, None),
        ClipScore("c", "mp3: sax", 0.5, None, None),
        ClipScore("d", "clean: sax", 0.9, None, None),
    ]
    means = {mean.kind: mean.onset for mean in means_of_conditions(scores)}
    assert means == {"mp3": pytest.approx(0.6), "clean": pytest.approx(0.9)}
