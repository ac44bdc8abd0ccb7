"""Stand-ins for what a test machine lacks: a model, a sound card."""

from dataclasses import replace
from threading import Event

import numpy as np
from PySide6.QtCore import QObject, Signal

from core.engine.heard import HeardStem, Posteriors
from core.engine.progress import Progress
from core.model_manager.catalog import Catalog, CatalogEntry, CatalogFile
from core.score.instruments import StemKind
from core.score.tempo import constant_tempo
from core.score.transcription import Key, Source, Track
from desktop.playback.mixer import BLOCK_FRAMES, CHANNELS
from desktop.playback.sound_device import NoSoundError
from desktop.session.messages import (
    CancelledReply,
    FailedReply,
    HeardReply,
    ProgressReply,
    TempoReply,
    TempoRequest,
    TranscribeRequest,
)
from desktop.session.model_getting import Counted
from tests import make

SAMPLE_RATE = 48_000


def heard(
    path,
    *tracks: Track,
    kind: StemKind = StemKind.KEYS,
    model: str = "built-in",
    found_by: str = "file name",
) -> HeardStem:
    """Return what a model might have heard in a file of two seconds."""
    return HeardStem(
        path=path,
        source=Source(path.name, 2.0, kind, model),
        tracks=tracks or (make.track(make.note(60, 0.0, 0.5), make.note(64, 0.5, 1.0)),),
        kind_found_by=found_by,
        model_reason="always here",
        device_reason="no GPU",
        elapsed_s=0.5,
        posteriors=Posteriors(),
    )


class ScriptedJob(QObject):
    """Keeps the request until the test answers it; has the signals of TranscribeJob."""

    progressed = Signal(ProgressReply)
    heard = Signal(HeardReply)
    tempoFound = Signal(TempoReply)  # noqa: N815 - as in TranscribeJob
    failed = Signal(FailedReply)
    cancelled = Signal(CancelledReply)

    def __init__(self):
        super().__init__()
        self.requests = []
        self.is_closed = False

    @property
    def request(self):
        return self.requests[-1]

    def warm_up(self):
        pass

    def rest_after(self, idle_s):
        self.idle_s = idle_s

    def start(self, request):
        self.requests.append(request)

    def cancel(self, job):
        if self.requests and self.request.job == job:
            self.cancelled.emit(CancelledReply(job))

    def close(self):
        self.is_closed = True

    def progress(self, done_s, *notes, total_s=2.0, spans=()):
        """Report seconds, and notes found in spans; without any, from the start on."""
        progress = Progress("transcribing", done_s, total_s, 0.1)
        spans = spans or (((0.0, done_s),) if notes else ())
        self.progressed.emit(ProgressReply(self.request.job, progress, notes, spans))

    def answer(self, *tracks, kind=StemKind.KEYS, found_by="file name"):
        assert isinstance(self.request, TranscribeRequest)
        model = self.request.options.model.replace("auto", "built-in")
        stem = heard(self.request.path, *tracks, kind=kind, model=model, found_by=found_by)
        self.heard.emit(HeardReply(self.request.job, stem))

    def answer_tempo(self, bpm=122.0, first_downbeat_s=0.0):
        assert isinstance(self.request, TempoRequest)
        tempo = constant_tempo(bpm, first_downbeat_s=first_downbeat_s)
        self.tempoFound.emit(TempoReply(self.request.job, tempo, Key(9, True), 0.93, "the drums"))

    def fail(self, problem="The model could not finish.", remedy="Try again."):
        self.failed.emit(FailedReply(self.request.job, problem, remedy))


def _entry(model_id, title, family, good_at, *sizes):
    files = tuple(
        CatalogFile(f"{model_id}{number}.bin", "https://nowhere.invalid/", size, "0" * 64)
        for number, size in enumerate(sizes)
    )
    return CatalogEntry(
        id=model_id,
        title=title,
        family=family,
        good_at=good_at,
        licence="MIT",
        paper="https://paper.invalid",
        homepage="",
        note="",
        is_folder=len(files) > 1,
        files=files,
    )


CATALOG = Catalog(
    (
        _entry("built-in", "Built-in v8", "built-in", "every stem"),
        _entry("mt3_magenta", "MT3", "mt3", "guitar, piano and mixes", 3_000, 1_000),
        _entry("mr_mt3", "MR-MT3", "mr_mt3", "mixes", None),
    ),
    {},
)


class FakeShelf:
    """Where models come from; while `gate` is closed they are half there."""

    def __init__(self):
        self.problem = None
        self.asked = []
        self.gate = Event()
        self.gate.set()

    def download(self, entry, store, tell, cancel):
        self.asked.append(entry.id)
        total = entry.size_bytes
        tell(Counted(2_000, total, 500.0))
        while not self.gate.wait(0.005):
            cancel.raise_if_set()
        if self.problem is not None:
            raise self.problem
        self.put(entry, store)

    def import_file(self, path, store, model_id, tell, cancel):
        self.asked.append((path, model_id))
        tell(Counted(1_000, 4_000, 500.0))
        while not self.gate.wait(0.005):
            cancel.raise_if_set()
        if self.problem is not None:
            raise self.problem
        entry = CATALOG.entry(model_id or "mt3_magenta")
        self.put(entry, store)
        return (entry.id,)

    def put(self, entry, store):
        """Lay files of the right size where the store looks for them."""
        folder = store.folder_of(entry)
        folder.mkdir(parents=True)
        for file in entry.files:
            (folder / file.name).write_bytes(b"x" * (file.size_bytes or 500))
        store.record(entry, {file.name: file.sha256 for file in entry.files}, "the shelf")


class FakeStream:
    """A sound card whose clock the test turns by asking for blocks."""

    latency_s = 0.1

    def __init__(self, render):
        self.render = render
        self.time = 0.0
        self.is_active = False
        self.is_closed = False

    def start(self):
        self.is_active = True

    def stop(self):
        self.is_active = False

    def close(self):
        self.is_active = False
        self.is_closed = True

    def block(self):
        """Return the next block [frame, channel], heard at once."""
        out = np.full((BLOCK_FRAMES, CHANNELS), np.nan, np.float32)
        self.render(out, self.time)
        self.time += BLOCK_FRAMES / SAMPLE_RATE
        return out

    def blocks(self, count):
        return np.concatenate([self.block() for _ in range(count)])


class FakeSound:
    """The system's sound; `problem` is what keeps it from working."""

    def __init__(self, problem=None):
        self.problem = problem
        self.streams = []
        self.look_ups = 0

    @property
    def stream(self):
        return self.streams[-1]

    def sample_rate(self):
        if self.problem:
            raise NoSoundError(self.problem)
        return SAMPLE_RATE

    def open(self, sample_rate, render):
        assert sample_rate == SAMPLE_RATE
        if self.problem:
            raise NoSoundError(self.problem)
        self.streams.append(FakeStream(render))
        return self.stream

    def look_again(self):
        self.look_ups += 1


def with_posteriors(stem: HeardStem, posteriors: Posteriors) -> HeardStem:
    return replace(stem, posteriors=posteriors)
