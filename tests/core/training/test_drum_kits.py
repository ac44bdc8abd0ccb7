"""Kits of one-shots from files."""

from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]  # it ships no types

from core.training.drum_kits import hydrogen_kit, percussion_of, sonic_pi_kits
from core.training.drum_synth import Drum
from core.training.sound_sources import SONIC_PI_FOLDER, source_named

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
