import pytest
import soundfile

from core.engine.options import TranscribeOptions
from core.score.instruments import StemKind
from desktop.playback.synth import render
from desktop.session.messages import TempoRequest, TranscribeRequest
from desktop.session.transcribe_job import TranscribeJob
from desktop.session.worker_process import worker_main
from tests import make

START_MS = 120_000  # a first import of torch on a busy machine

pytestmark = [
    pytest.mark.gui,
    pytest.mark.slow,
]


@pytest.fixture
def scale(tmp_path):
    """A file with a C major scale, two notes a second, played by our synth."""
    pitches = (60, 62, 64, 65, 67, 69, 71, 72)
    notes = [make.note(pitch, i * 0.5, i * 0.5 + 0.4, 100) for i, pitch in enumerate(pitches)]
    path = tmp_path / "keys.wav"
    soundfile.write(path, render(notes, sample_rate=44_100, duration_s=4.5), 44_100)
    return path, pitches


def test_the_real_worker_hears_a_scale_and_its_tempo(qtbot, scale):
    path, pitches = scale
    job = TranscribeJob(worker_main)
    try:
        with qtbot.waitSignal(job.heard, timeout=START_MS) as heard:
            job.start(TranscribeRequest(1, path, TranscribeOptions()))
        stem = heard.args[0].stem
        assert stem.source.kind is StemKind.KEYS
        assert [note.pitch for note in stem.tracks[0].notes] == list(pitches)
        with qtbot.waitSignal(job.tempoFound, timeout=START_MS) as found:
            job.start(TempoRequest(2, (stem,)))
        assert found.args[0].tempo.bpm > 0
        assert found.args[0].how
    finally:
        job.close()
