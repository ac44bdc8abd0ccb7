"""Bends as another program plays them: FluidSynth's sound has the pitch that was written."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import soundfile

from core.audio.clip import AudioClip
from core.audio.source import AudioSource, clip_source
from core.codec.bends import Bends, with_bends
from core.codec.contours import note_contours
from core.engine.pitch_hearing import candidates_in
from core.midi.write import MidiOptions, write_midi
from core.score.note import NoteEvent
from tests import make
from tests.make_sound import RATE_HZ, seconds, tone

SOUNDFONT = Path(pretty_midi.__file__).parent / "TimGM6mb.sf2"
SQUARE_LEAD = 80
SYNTH_HZ = 44_100  # it looks at wheels every 64 samples
PITCHES = (57, 64, 60)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("fluidsynth") is None, reason="needs FluidSynth")
@pytest.mark.skipif(not SOUNDFONT.is_file(), reason="needs pretty_midi's soundfont")
@pytest.mark.parametrize(
    "options",
    [MidiOptions(), MidiOptions(bend_range_semitones=12), MidiOptions(bend_range_semitones=24)],
    ids=lambda options: f"range {options.bend_range_semitones}",
)
def test_another_synth_plays_the_contours_that_were_heard(
    tmp_path: Path, options: MidiOptions
) -> None:
    vibrato = 0.5 * np.sin(2 * np.pi * 5 * seconds(1.0))
    scoop = -1.5 * np.exp(-seconds(1.0) / 0.1)
    played = [np.zeros(RATE_HZ), vibrato, scoop]
    sound = np.concatenate(
        [tone(pitch + curve, 1.0) for pitch, curve in zip(PITCHES, played, strict=True)]
    )
    notes = with_bends(_notes(), candidates_in(_source(sound)), Bends.CONTINUOUS)
    midi = write_midi(
        make.song(make.track(*notes, program=SQUARE_LEAD)), tmp_path / "bent.mid", options
    )
    wav = tmp_path / "bent.wav"
    subprocess.run(
        [
            "fluidsynth",
            "-ni",
            "-r",
            str(SYNTH_HZ),
            "-R",
            "0",
            "-C",
            "0",
            "-F",
            wav,
            SOUNDFONT,
            midi,
        ],
        check=True,
        capture_output=True,
    )
    rendered, _ = soundfile.read(wav, dtype="float32", always_2d=True)
    heard = note_contours(_notes(), candidates_in(_source(rendered.mean(axis=1), SYNTH_HZ)))
    for place, (contour, curve) in enumerate(zip(heard, played, strict=True)):
        assert contour is not None
        since_s = contour.at_s - place
        is_inside = (since_s > 0.1) & (since_s < 0.9)
        expected = curve[np.rint(since_s[is_inside] * RATE_HZ).astype(int)]
        off_cents = 100 * np.abs(contour.semitones[is_inside] - expected)
        assert np.median(off_cents) < 5
        assert np.percentile(off_cents, 95) < 10  # the loop of the sample itself leaps by 19


def _notes() -> list[NoteEvent]:
    return [make.note(pitch, place, place + 0.98) for place, pitch in enumerate(PITCHES)]


def _source(sound: np.ndarray, rate_hz: int = RATE_HZ) -> AudioSource:
    return clip_source(AudioClip(sound[:, None], rate_hz))
