from pathlib import Path

import pytest
import soundfile

from core.engine.options import TranscribeOptions
from core.engine.progress import Progress
from core.errors import (
    AudioReadError,
    ModelBrokenError,
    ModelMissingError,
    TranscriptionFailedError,
)
from core.score.instruments import StemKind
from desktop.playback.synth import render
from desktop.session import worker_process
from desktop.session.messages import CancelledReply, Culprit, TempoRequest, TranscribeRequest
from desktop.session.transcribe_job import TranscribeJob
from desktop.session.worker_process import worker_main
from tests import make

START_MS = 120_000  # a first import of torch on a busy machine

pytestmark = pytest.mark.gui


class OneRequest:
    """A pipe with one request in it; keeps the replies."""

    def __init__(self, request):
        self.waiting = [request]
        self.replies = []

    def poll(self):
        return False

    def recv(self):
        if not self.waiting:
            raise EOFError
        return self.waiting.pop()

    def send(self, reply):
        self.replies.append(reply)


@pytest.fixture
def replies_to(monkeypatch):
    """Return a function that has the worker's loop answer one request in this process."""
    monkeypatch.setattr(worker_process.signal, "signal", lambda *_: None)

    def replies(answer):
        pipe = OneRequest(TranscribeRequest(5, Path("a.wav"), TranscribeOptions()))
        worker_process.serve(pipe, answer)
        return pipe.replies

    return replies


@pytest.mark.parametrize(
    ("error", "culprit"),
    [
        (AudioReadError(Path("a.wav"), "it ends early", "Export it again."), Culprit.FILE),
        (ModelMissingError("It is not here.", "Get it."), Culprit.MODEL),
        (ModelBrokenError("It is damaged.", "Get it again."), Culprit.MODEL),
        (TranscriptionFailedError("No memory is left.", "Close something."), Culprit.RUN),
        (ZeroDivisionError("oops"), Culprit.RUN),
        (MemoryError(), Culprit.RUN),
    ],
)
def test_a_failure_says_what_another_one_of_may_help(replies_to, error, culprit):
    def fail(request, reports, cancel):
        raise error

    (reply,) = replies_to(fail)
    assert (reply.job, reply.culprit) == (5, culprit)


def test_a_report_carries_only_what_was_found_since_the_one_before(replies_to):
    first, second = make.note(60), make.note(64)

    def report(request, reports, cancel):
        progress = Progress("transcribing", 1.0, 2.0, 0.1)
        reports(progress)
        reports.take_notes([first], 0.0, 1.0)
        reports(progress)
        reports.take_notes([], 1.0, 1.5)
        reports.take_notes([second], 1.5, 2.0)
        reports(progress)
        return CancelledReply(request.job)

    *reports, _ = replies_to(report)
    assert [(reply.notes, reply.spans) for reply in reports] == [
        ((), ()),
        ((first,), ((0.0, 1.0),)),
        ((second,), ((1.0, 1.5), (1.5, 2.0))),
    ]


@pytest.fixture
def scale(tmp_path):
    """A file with a C major scale, two notes a second, played by our synth."""
    pitches = (60, 62, 64, 65, 67, 69, 71, 72)
    notes = [make.note(pitch, i * 0.5, i * 0.5 + 0.4, 100) for i, pitch in enumerate(pitches)]
    path = tmp_path / "keys.wav"
    soundfile.write(path, render(notes, sample_rate=44_100, duration_s=4.5), 44_100)
    return path, pitches


@pytest.mark.slow
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
