"""TranscriptionQueue: gives the stems that wait to the worker, one after another.

The queue is the document itself: the stems in state QUEUED, in their order. So whatever puts a stem
into that state - a drop, another kind, undo - has it heard, and nothing can get out of step.
"""

from dataclasses import replace
from itertools import count

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from core.engine.heard import HeardStem, Posteriors
from core.engine.model_set import BUILT_IN
from core.engine.note_choice import AS_USUAL
from core.engine.options import AUTO_MODEL, TranscribeOptions
from core.score.instruments import StemKind, kind_from_name
from desktop.session.document import (
    Document,
    Failure,
    FoundTempo,
    Song,
    Stem,
    StemState,
)
from desktop.session.messages import (
    CancelledReply,
    FailedReply,
    HeardReply,
    ProgressReply,
    TempoReply,
    TempoRequest,
    TranscribeRequest,
)
from desktop.session.model_library import ModelLibrary
from desktop.session.naming import named_again
from desktop.session.settings import Settings
from desktop.session.track_ids import SongId, StemId
from desktop.session.transcribe_job import TranscribeJob


class TranscriptionQueue(QObject):
    """Watches the document, runs the job, and writes what comes of it into the document."""

    changed = Signal()  # what runs, how far, how many wait

    def __init__(
        self,
        document: Document,
        job: TranscribeJob,
        *,
        library: ModelLibrary,
        settings: Settings,
    ) -> None:
        super().__init__(document)
        self._document = document
        self._job = job
        self._library = library
        self._settings = settings
        job.rest_after(60.0 * settings.idle_minutes)
        self._numbers = count(1)
        self._job_number = 0
        self._running_stem: StemId | None = None
        self._running_song: SongId | None = None
        self._tempo_of: dict[SongId, tuple[StemId, ...]] = {}  # the stems a tempo was found from
        self._advancing = QTimer(self)
        self._advancing.setSingleShot(True)
        self._advancing.setInterval(0)
        self._advancing.timeout.connect(self._advance)
        for changed in (document.stemAdded, document.stemChanged, document.stemRemoved):
            changed.connect(self._look_again)
        job.progressed.connect(self._show_progress)
        job.heard.connect(self._keep_heard)
        job.tempoFound.connect(self._keep_tempo)
        job.failed.connect(self._show_failure)
        job.cancelled.connect(self._show_cancelled)

    @property
    def running_stem(self) -> Stem | None:
        return self._document.stem(self._running_stem) if self._running_stem is not None else None

    @property
    def is_finding_tempo(self) -> bool:
        return self._running_song is not None

    @property
    def waiting(self) -> tuple[Stem, ...]:
        return tuple(stem for stem in self._document.stems if stem.state is StemState.QUEUED)

    @property
    def is_busy(self) -> bool:
        return self._running_stem is not None or self._running_song is not None

    def cancel_all(self) -> None:
        """Stop what runs and take what waits off the queue."""
        for stem in self._document.stems:
            if stem.state.is_waiting:
                self.cancel(stem.stem_id)
        if self._running_song is not None:
            self._job.cancel(self._job_number)

    def cancel(self, stem_id: StemId) -> None:
        """Stop or dequeue one stem; its row says so at once, the worker follows within a second."""
        self._document.change_stem(stem_id, _cancelled)

    def rest_after(self, idle_s: float) -> None:
        """Let the worker go, and all memory its models take, after so long without work."""
        self._job.rest_after(idle_s)

    def retry(self, stem_id: StemId) -> None:
        """Hear a stem again."""
        self._document.change_stem(
            stem_id,
            lambda stem: replace(stem, state=StemState.QUEUED, fraction=0.0, failure=None),
        )

    @Slot()
    def _look_again(self) -> None:
        """Advance once control is back in the event loop, however many stems changed."""
        self._stop_unwanted_job()
        self._advancing.start()
        self.changed.emit()

    def _stop_unwanted_job(self) -> None:
        if self._running_stem is None:
            return
        stem = self._document.stem(self._running_stem)
        if stem is None or stem.state not in (StemState.PREPARING, StemState.RUNNING):
            self._job.cancel(self._job_number)

    @Slot()
    def _advance(self) -> None:
        if self.is_busy:
            return
        waiting = self.waiting
        if waiting:
            self._hear(waiting[0])
            return
        for song in self._document.songs:
            stems = _heard_stems(self._document, song.song_id)
            if stems and self._tempo_of.get(song.song_id) != tuple(s.stem_id for s in stems):
                self._find_tempo(song, stems)
                return
        self.changed.emit()

    def _hear(self, stem: Stem) -> None:
        self._job_number = next(self._numbers)
        self._running_stem = stem.stem_id
        if stem.heard is None:
            kind = stem.choice.kind or kind_from_name(stem.path.stem)
            stem = self._with_usual_bends(self._with_usual_model(stem, kind), kind)
        self._document.put_stem(
            replace(
                stem, state=StemState.PREPARING, stage="", done_s=0.0, fraction=0.0, failure=None
            )
        )
        # A model that is not here yet is stood in for, so that the stem need not wait for it.
        is_usable = self._library.is_usable(stem.choice.model)
        options = TranscribeOptions(
            model=stem.choice.model if is_usable else BUILT_IN.id,
            device=self._settings.device,
            kind=stem.choice.kind,
        )
        checkpoints = self._library.checkpoints()
        self._job.start(TranscribeRequest(self._job_number, stem.path, options, checkpoints))

    def _with_usual_model(self, stem: Stem, kind: StemKind | None) -> Stem:
        """Choose the model that the user chose last for the kind, if that says more than `auto`."""
        if kind is None or stem.choice.model != AUTO_MODEL:
            return stem
        usual = self._settings.usual_model(kind)
        is_known = usual == AUTO_MODEL or self._library.model(usual) is not None
        return replace(stem, choice=replace(stem.choice, model=usual)) if is_known else stem

    def _with_usual_bends(self, stem: Stem, kind: StemKind | None) -> Stem:
        """Choose the bends that the user chose last for the kind, unless something was chosen."""
        if kind is None or stem.choice.notes != AS_USUAL:
            return stem
        notes = replace(AS_USUAL, bends=self._settings.usual_bends(kind))
        return replace(stem, choice=replace(stem.choice, notes=notes))

    def _find_tempo(self, song: Song, stems: tuple[Stem, ...]) -> None:
        self._job_number = next(self._numbers)
        self._running_song = song.song_id
        self._tempo_of[song.song_id] = tuple(stem.stem_id for stem in stems)
        heard = tuple(_without_posteriors(stem.heard) for stem in stems if stem.heard is not None)
        self._job.start(TempoRequest(self._job_number, heard))
        self.changed.emit()

    @Slot(ProgressReply)
    def _show_progress(self, reply: ProgressReply) -> None:
        stem = self._wanted_stem(reply.job)
        if stem is not None:
            new_notes = (reply.notes,) if reply.notes else ()
            heard_spans = stem.heard_spans
            for span in reply.spans:
                heard_spans = heard_spans.with_span(*span)
            self._document.put_stem(
                replace(
                    stem,
                    state=StemState.RUNNING,
                    early_notes=stem.early_notes + new_notes,
                    heard_spans=heard_spans,
                    stage=reply.progress.stage,
                    done_s=reply.progress.done_s,
                    fraction=reply.progress.fraction,
                    times_real_time=reply.progress.times_real_time,
                )
            )

    @Slot(HeardReply)
    def _keep_heard(self, reply: HeardReply) -> None:
        stem = self._wanted_stem(reply.job)
        self._finish_job()
        if stem is not None:
            self._tempo_of.pop(stem.song_id, None)
            heard = reply.stem
            if stem.choice.notes != AS_USUAL:
                heard = named_again(heard, stem.choice.notes)
            done = replace(
                stem,
                state=StemState.DONE,
                fraction=1.0,
                times_real_time=reply.stem.times_real_time,
                heard=heard,
            )
            self._document.put_stem(self._heard_as_usual(done, is_first=stem.heard is None))

    def _heard_as_usual(self, stem: Stem, *, is_first: bool) -> Stem:
        """Queue a stem once more whose kind, only now known, is usually heard by another model."""
        assert stem.heard is not None
        if not is_first or stem.heard.kind_found_by != "listening":
            return stem
        usual = self._with_usual_model(stem, stem.heard.source.kind)
        usual = self._with_usual_bends(usual, stem.heard.source.kind)
        if usual.choice.notes != stem.choice.notes:
            usual = replace(usual, heard=named_again(stem.heard, usual.choice.notes))
        model = usual.choice.model
        is_other = model not in (AUTO_MODEL, stem.heard.source.model)
        if is_other and self._library.is_usable(model):
            return replace(usual, state=StemState.QUEUED, fraction=0.0)
        return usual

    @Slot(TempoReply)
    def _keep_tempo(self, reply: TempoReply) -> None:
        song = self._document.song(self._running_song) if self._running_song is not None else None
        self._finish_job()
        if song is not None:
            found = FoundTempo(reply.tempo, reply.key, reply.confidence, reply.how)
            self._document.put_song(replace(song, found=found))

    @Slot(FailedReply)
    def _show_failure(self, reply: FailedReply) -> None:
        stem = self._wanted_stem(reply.job)
        song = self._document.song(self._running_song) if self._running_song is not None else None
        self._finish_job()
        if stem is not None:
            failure = Failure(reply.problem, reply.remedy, reply.culprit)
            self._document.put_stem(replace(stem, state=StemState.FAILED, failure=failure))
        if song is not None:
            how = f"{reply.problem} {reply.remedy}"
            self._document.put_song(replace(song, found=FoundTempo(song.tempo, song.key, 0.0, how)))

    @Slot(CancelledReply)
    def _show_cancelled(self, reply: CancelledReply) -> None:
        stem = self._wanted_stem(reply.job)
        song = self._document.song(self._running_song) if self._running_song is not None else None
        self._finish_job()
        if stem is not None:
            self._document.put_stem(_cancelled(stem))
        if song is not None:
            self._leave_tempo(song, "not measured, because that was cancelled")

    def _leave_tempo(self, song: Song, why: str) -> None:
        """Keep the tempo the song has, and say why there is no better one."""
        self._document.put_song(replace(song, found=FoundTempo(song.tempo, song.key, 0.0, why)))

    def _wanted_stem(self, job: int) -> Stem | None:
        """Return the stem of the running job, unless it was taken back meanwhile."""
        stem = self.running_stem
        if stem is None or job != self._job_number:
            return None
        return stem if stem.state in (StemState.PREPARING, StemState.RUNNING) else None

    def _finish_job(self) -> None:
        self._running_stem = None
        self._running_song = None
        self._advancing.start()
        self.changed.emit()


def _cancelled(stem: Stem) -> Stem:
    return replace(stem, state=StemState.CANCELLED, fraction=0.0, done_s=0.0)


def _heard_stems(document: Document, song_id: SongId) -> tuple[Stem, ...]:
    return tuple(stem for stem in document.stems_of(song_id) if stem.heard is not None)


def _without_posteriors(heard: HeardStem) -> HeardStem:
    return replace(heard, posteriors=Posteriors())
