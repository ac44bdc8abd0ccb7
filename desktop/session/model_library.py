"""ModelLibrary: which models are on this machine, and what is being done with them.

Whatever reads a disk or a network runs on threads; with each model one thing is done at a time.
"""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event

from PySide6.QtCore import QObject, Signal, Slot

from core.engine.model_choice import ChosenModel, choose_model
from core.engine.model_set import BUILT_IN, TOKEN_MODELS
from core.engine.options import AUTO_MODEL
from core.engine.progress import CancelToken
from core.errors import AppError, CancelledError
from core.model_manager.catalog import Catalog, CatalogEntry, the_catalog
from core.model_manager.store import Store, default_store
from core.score.instruments import StemKind
from desktop.session.background import Background
from desktop.session.model_getting import (
    Counted,
    Download,
    HasBytes,
    ImportInto,
    Tell,
    download_into,
    import_into,
)
from desktop.session.model_work import (
    Doing,
    Import,
    LibraryModel,
    ModelFailure,
    ModelWork,
    Remedy,
    Room,
)
from desktop.session.store_look import StoreLook, look_at

THREADS = 4
TELL_EVERY_S = 0.1  # how often a row's progress is drawn anew

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Run:
    """Something that is being done; results of a run that was given up are dropped."""

    doing: Doing
    stop: Event = field(default_factory=Event)
    told_s: float = 0.0
    done_bytes: int = 0


class ModelLibrary(QObject):
    """Holds one LibraryModel per model that this version can run, the built-in one first."""

    modelChanged = Signal(str)  # the model with this id
    importChanged = Signal()
    roomChanged = Signal()
    installedChanged = Signal()  # another set of models can be used from now on
    installed = Signal(str)  # by a download or an import that has just ended

    _told = Signal(object, str, object)

    def __init__(
        self,
        store: Store | None = None,
        catalog: Catalog | None = None,
        *,
        download: Download = download_into,
        import_file: ImportInto = import_into,
        parent: QObject | None = None,
    ) -> None:
        """Look at once which models are there, because the first stem may wait for one."""
        super().__init__(parent)
        self._store = store or default_store()
        self._download = download
        self._import_file = import_file
        self._background = Background(threads=THREADS)
        entries = [entry for entry in (catalog or the_catalog()).entries if _can_run(entry)]
        self._models = {
            entry.id: LibraryModel(entry, self._store.state_of(entry)) for entry in entries
        }
        self._import: Import | None = None
        self._room = Room(self._store.root)
        self._runs: dict[str, _Run] = {}  # by model id; "" is the import
        self._told.connect(self._show_progress)

    # --- reading

    @property
    def models(self) -> tuple[LibraryModel, ...]:
        return tuple(self._models.values())

    @property
    def importing(self) -> Import | None:
        return self._import

    @property
    def room(self) -> Room:
        return self._room

    def model(self, model_id: str) -> LibraryModel | None:
        return self._models.get(model_id)

    def title_of(self, model_id: str) -> str:
        model = self.model(model_id)
        return model.entry.title if model is not None else model_id

    def is_usable(self, model_id: str) -> bool:
        """Tell whether a stem can be heard with this choice: `auto`, or a model that is here."""
        model = self.model(model_id)
        return model_id == AUTO_MODEL or (model is not None and model.is_installed)

    def checkpoints(self) -> tuple[tuple[str, Path], ...]:
        """Return id and place of the weights of every installed model but the built-in one."""
        return tuple(
            (model.model_id, self._store.path_of(model.entry))
            for model in self.models
            if model.is_installed and not model.entry.is_built_in
        )

    def best_for(self, kind: StemKind) -> ChosenModel:
        """Return what `auto` takes for a kind of stem."""
        return choose_model(AUTO_MODEL, kind, self._installed_ids())

    # --- doing

    def refresh(self) -> None:
        """Look at the disk anew; a terminal may have installed something."""
        entries = [model.entry for model in self.models]
        self._background.run(
            lambda _cancel: look_at(self._store, entries), then=self._take_look, failed=_log_failure
        )

    def download(self, model_id: str) -> None:
        """Get a model; what an earlier try left is used."""

        def get(entry: CatalogEntry, tell: Tell, cancel: CancelToken) -> None:
            self._download(entry, self._store, tell, cancel)

        self._start(model_id, Doing.DOWNLOADING, get)

    def get_again(self, model_id: str) -> None:
        """Throw away what is there of a model and download it."""

        def get(entry: CatalogEntry, tell: Tell, cancel: CancelToken) -> None:
            self._store.remove(entry)
            self._download(entry, self._store, tell, cancel)

        self._start(model_id, Doing.DOWNLOADING, get)

    def check(self, model_id: str) -> None:
        """Compare a model with the digests that were published or first verified."""

        def verify(entry: CatalogEntry, tell: Tell, cancel: CancelToken) -> None:
            total = self._store.size_of(entry)
            counted = 0
            started_s = time.monotonic()

            def count(new_bytes: int) -> None:
                nonlocal counted
                cancel.raise_if_set()
                counted += new_bytes
                tell(Counted(counted, total, counted / max(1e-3, time.monotonic() - started_s)))

            self._store.verify(entry, count)

        self._start(model_id, Doing.CHECKING, verify)

    def remove(self, model_id: str) -> None:
        """Delete a model, or what was begun of its download."""

        def delete(entry: CatalogEntry, _tell: Tell, _cancel: CancelToken) -> None:
            try:
                self._store.remove(entry)
            except OSError as error:
                raise AppError(
                    f"'{entry.title}' could not be deleted: {error.strerror or error}.",
                    "Cancel the transcriptions that use it and try again.",
                ) from error

        self._start(model_id, Doing.REMOVING, delete)

    def import_from(self, path: Path, model_id: str | None = None) -> None:
        """Take a checkpoint file or folder, or another store's folder, into the store.

        `model_id` says which model it is; None leaves that to be recognised.
        """
        if "" in self._runs:
            return
        run = self._runs[""] = _Run(Doing.IMPORTING)
        self._import = Import(path, model_id, ModelWork(Doing.IMPORTING))
        self.importChanged.emit()

        def take_in(_closing: CancelToken) -> tuple[str, ...]:
            tell = partial(self._tell, run, "")
            try:
                return self._import_file(path, self._store, model_id, tell, CancelToken(run.stop))
            except CancelledError:
                return ()

        self._background.run(
            take_in,
            then=self._end_import,
            failed=partial(self._fail_import, path, model_id),
        )

    def cancel(self, model_id: str) -> None:
        """Stop what is done with a model; a download can be resumed later."""
        run = self._runs.get(model_id)
        if run is not None:
            run.stop.set()

    def cancel_import(self) -> None:
        """Stop the import, or forget why it failed."""
        self.cancel("")
        if "" not in self._runs:
            self._import = None
            self.importChanged.emit()

    def dismiss(self, model_id: str) -> None:
        """Forget why something failed."""
        self._change(model_id, lambda model: replace(model, failure=None))

    def close(self) -> None:
        """Stop everything; what was downloaded stays for the next time."""
        for run in self._runs.values():
            run.stop.set()
        self._background.close()

    # --- what is being done

    def _start(
        self,
        model_id: str,
        doing: Doing,
        act: Callable[[CatalogEntry, Tell, CancelToken], None],
    ) -> None:
        model = self.model(model_id)
        if model is None or model_id in self._runs:
            return
        run = self._runs[model_id] = _Run(doing)
        work = ModelWork(doing, total_bytes=model.entry.size_bytes)
        self._change(
            model_id, lambda model: replace(model, work=work, failure=None, was_checked=False)
        )
        entry = model.entry

        def do(_closing: CancelToken) -> bool:
            try:
                act(entry, partial(self._tell, run, model_id), CancelToken(run.stop))
            except CancelledError:
                return False
            return True

        self._background.run(
            do,
            then=partial(self._end, run, model_id),
            failed=partial(self._fail, run, model_id),
        )

    def _tell(self, run: _Run, model_id: str, progress: HasBytes) -> None:
        """Pass on how far it is, at most ten times a second; called from the thread."""
        now_s = time.monotonic()
        if now_s - run.told_s < TELL_EVERY_S:
            return
        run.told_s = now_s
        work = ModelWork(
            run.doing,
            progress.done_bytes,
            progress.total_bytes,
            progress.bytes_per_s,
            progress.left_s,
        )
        self._told.emit(run, model_id, work)

    @Slot(object, str, object)
    def _show_progress(self, run: _Run, model_id: str, work: ModelWork) -> None:
        if self._runs.get(model_id) is not run:
            return
        if model_id:
            self._change(model_id, lambda model: replace(model, work=work))
        elif self._import is not None:
            self._import = replace(self._import, work=work)
            self.importChanged.emit()

    def _end(self, run: _Run, model_id: str, is_done: bool) -> None:
        self._runs.pop(model_id, None)
        was_checked = is_done and run.doing is Doing.CHECKING
        self._change(model_id, lambda model: replace(model, work=None, was_checked=was_checked))
        self._look_after(*[model_id] if is_done and run.doing is Doing.DOWNLOADING else [])

    def _fail(self, run: _Run, model_id: str, error: AppError) -> None:
        self._runs.pop(model_id, None)
        failure = _failure(error, run.doing)
        self._change(model_id, lambda model: replace(model, work=None, failure=failure))
        self.refresh()

    def _end_import(self, model_ids: tuple[str, ...]) -> None:
        self._runs.pop("", None)
        self._import = None
        self.importChanged.emit()
        self._look_after(*model_ids)

    def _fail_import(self, path: Path, model_id: str | None, error: AppError) -> None:
        self._runs.pop("", None)
        self._import = Import(path, model_id, failure=_failure(error, Doing.IMPORTING))
        self.importChanged.emit()
        self.refresh()

    def _look_after(self, *came_in: str) -> None:
        """Look at the disk anew and then say which models came in, if any did."""
        entries = [model.entry for model in self.models]

        def take(look: StoreLook) -> None:
            self._take_look(look)
            for model_id in came_in:
                self._change(model_id, lambda model: replace(model, failure=None))
                self.installed.emit(model_id)

        self._background.run(
            lambda _cancel: look_at(self._store, entries), then=take, failed=_log_failure
        )

    def _take_look(self, look: StoreLook) -> None:
        before = self._installed_ids()
        for found in look.found:
            model = self._models[found.model_id]
            if (model.state, model.here_bytes) != (found.state, found.here_bytes):
                self._models[found.model_id] = replace(
                    model, state=found.state, here_bytes=found.here_bytes
                )
                self.modelChanged.emit(found.model_id)
        if look.room != self._room:
            self._room = look.room
            self.roomChanged.emit()
        if self._installed_ids() != before:
            self.installedChanged.emit()

    def _installed_ids(self) -> Collection[str]:
        return {model.model_id for model in self.models if model.is_installed}

    def _change(self, model_id: str, change: Callable[[LibraryModel], LibraryModel]) -> None:
        model = self._models.get(model_id)
        if model is not None:
            self._models[model_id] = change(model)
            self.modelChanged.emit(model_id)


_REMEDIES = {
    Doing.DOWNLOADING: (Remedy.TRY_AGAIN, Remedy.IMPORT),
    Doing.IMPORTING: (Remedy.IMPORT,),
    Doing.CHECKING: (Remedy.GET_AGAIN,),
    Doing.REMOVING: (Remedy.TRY_AGAIN, Remedy.OPEN_FOLDER),
}


def _failure(error: AppError, during: Doing) -> ModelFailure:
    """Word a failure for the window, where buttons stand for the commands of the terminal."""
    remedy = error.remedy
    if "notewright models" in remedy:
        remedy = ""
    elif "--as" in remedy:
        remedy = "Use 'Import…' on the row of the model that it is."
    return ModelFailure(error.problem, remedy, _REMEDIES[during])


def _can_run(entry: CatalogEntry) -> bool:
    """Tell whether this version can run a model of the catalogue."""
    return entry.id == BUILT_IN.id or entry.id in TOKEN_MODELS


def _log_failure(error: AppError) -> None:
    _log.warning("%s", error)
