"""Kits of one-shots from files."""

from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types

from core.training.drum_kits import (
    TAKES,
    completed,
    hydrogen_kit,
    microphoned_kits,
    own_kits,
    percussion_of,
    snares_of,
    sonic_pi_kits,
)
from core.training.drum_synth import Drum
from core.training.sound_sources import SONIC_PI_FOLDER, SoundSource, Use, source_named

NAMES = {
    "Kick 22": Drum.KICK,
    "Snare": Drum.SNARE,
    "Side Stick": Drum.RIM,
    "Hand Clap": Drum.CLAP,
    "HH closed": Drum.CLOSED_HAT,
    "Hihat Pedal": Drum.PEDAL_HAT,
    "HH open": Drum.OPEN_HAT,
    "Floor Tom": Drum.TOM,
    "Crash left": Drum.CRASH,
    "Ride bell": Drum.RIDE,
}
needs_sonic_pi = pytest.mark.skipif(
    not SONIC_PI_FOLDER.is_dir(), reason="sonic-pi-samples is not installed"
)


@pytest.mark.parametrize(("name", "drum"), NAMES.items())
def test_instruments_of_a_kit_are_told_by_their_names(
    name: str, drum: Drum, tmp_path: Path
) -> None:
    kit = hydrogen_kit(hydrogen_folder(tmp_path, ["Kick", "Snare", "HH closed", name, "Cowbell"]))
    assert kit is not None
    assert set(kit) == {Drum.KICK, Drum.SNARE, Drum.CLOSED_HAT, drum}


def test_a_kit_without_a_snare_is_left_out(tmp_path: Path) -> None:
    assert hydrogen_kit(hydrogen_folder(tmp_path, ["Kick", "HH closed"])) is None


@needs_sonic_pi
def test_the_acoustic_kit_of_sonic_pi_has_a_pedal_hat_and_six_toms() -> None:
    acoustic, _machines = sonic_pi_kits(SONIC_PI_FOLDER)
    assert (len(acoustic[Drum.PEDAL_HAT]), len(acoustic[Drum.TOM])) == (1, 6)


@needs_sonic_pi
def test_percussion_outside_the_classes_is_heard_too() -> None:
    strokes = percussion_of([source_named("sonic-pi")])
    assert len(strokes) > 20
    assert all(np.abs(stroke).max() == pytest.approx(1.0) for stroke in strokes)


def hydrogen_folder(folder: Path, names: list[str]) -> Path:
    """A kit with one sample, of which every instrument is made."""
    sound = np.exp(-np.arange(4000) / 800)
    soundfile.write(folder / "hit.wav", sound, 22_050)
    instruments = "".join(
        f"<instrument><name>{name}</name><filename>hit.wav</filename></instrument>"
        for name in names
    )
    (folder / "drumkit.xml").write_text(f"<drumkit_info>{instruments}</drumkit_info>")
    return folder


def test_snare_drums_are_read_by_microphone_and_what_else_rattles_is_not(tmp_path: Path) -> None:
    for name in ("14a_basic/top", "14a_basic/oh", "xtra_tamb/top"):
        folder = tmp_path / "Samples" / name
        folder.mkdir(parents=True)
        for stroke in range(9):
            hit = np.linspace(1, 0, 2000) * (stroke + 1) / 10
            soundfile.write(folder / f"sn_vl{stroke}_rr1.flac", hit, 44_100)
    source = SoundSource("snares", tmp_path, "CC0-1.0", "", "", Use.RELEASE)
    kits = snares_of([source])
    assert [set(kit) for kit in kits] == [{Drum.SNARE}] * 2
    assert [len(kit[Drum.SNARE]) for kit in kits] == [TAKES] * 2


def test_a_kit_is_heard_by_each_microphone_and_by_all(tmp_path: Path) -> None:
    at_s = np.arange(8000) / 44_100
    for number, microphone in enumerate(("kick_mic", "oh_mic")):
        folder = tmp_path / "Samples" / microphone
        folder.mkdir(parents=True)
        for name in ("ks", "sc", "se", "ss", "ht", "hc", "hl", "hh", "ho", "hf", "tl", "tm", "th"):
            for stroke in range(1, 9):
                hit = np.sin(2 * np.pi * 500 * (number + 1) * at_s) * stroke / 10
                soundfile.write(folder / f"{name}_vl{stroke}_rr1.wav", hit, 44_100)
    source = SoundSource("kit", tmp_path, "CC0-1.0", "", "", Use.RELEASE)
    kits = microphoned_kits([source])
    assert len(kits) == 3
    assert all(len(kit[Drum.SNARE]) == 2 * TAKES for kit in kits)
    near, far, together = (np.abs(np.fft.rfft(kit[Drum.KICK][0][:1000])) for kit in kits)
    assert near.argmax() * 2 == pytest.approx(far.argmax(), abs=2)
    peaks = together[[near.argmax(), far.argmax()]]
    assert peaks.min() > 0.5 * peaks.max()


def test_kits_get_each_other_snare_once() -> None:
    rng = np.random.default_rng(1)
    kits = own_kits(rng, 3)
    snares = [{Drum.SNARE: [np.full(4, number, np.float32)]} for number in range(5)]
    changed = completed(rng, kits, snares)
    assert [kit[Drum.SNARE][0][0] for kit in changed] == [0, 1, 2, 3, 4]
    assert all(Drum.KICK in kit for kit in changed)
