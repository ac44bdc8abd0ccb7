"""ModelActs: choosing the model of a stem, and using one that has just come in."""

from dataclasses import replace

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.score.instruments import kind_from_name
from desktop.session.commands import choose_for_stem, wish_for_model
from desktop.session.offers import stems_for
from desktop.views.models_panel import ModelsPanel
from desktop.views.notices import NoticeAction, NoticeStrip
from desktop.views.window_parts import WindowParts


class ModelActs(QObject):
    """Acts on the selected stem, and on all stems that a model would hear better."""

    def __init__(
        self, parts: WindowParts, panel: ModelsPanel, notices: NoticeStrip, window: QWidget
    ) -> None:
        super().__init__(window)
        self._parts = parts
        self._document = parts.document
        self._panel = panel
        self._notices = notices
        panel.idleMinutesChosen.connect(self.choose_idle_minutes)
        parts.library.installed.connect(self.tell_installed)

    def choose_model(self, model_id: str) -> None:
        """Have the selected stem heard by a model, now or once it is here; remember for its kind.

        While the model is missing, notes that are there stay, and a stem without any is heard by
        the built-in one.
        """
        stem = self._document.selected_stem
        if stem is None:
            return
        kind = stem.kind or kind_from_name(stem.path.stem)
        if kind is not None:
            self._parts.settings.set_usual_model(kind, model_id)
        if self._parts.library.is_usable(model_id):
            choose_for_stem(self._document, stem, replace(stem.choice, model=model_id))
        else:
            wish_for_model(self._document, stem, model_id)

    def tell_installed(self, model_id: str) -> None:
        """Offer the stems that could be heard by a model that has just come in."""
        count = len(stems_for(model_id, self._document, self._parts.library))
        title = self._parts.library.title_of(model_id)
        words = self.tr("{0} is installed.").format(title)
        if count:
            one = self.tr("Transcribe 1 stem with it")
            text = one if count == 1 else self.tr("Transcribe {0} stems with it").format(count)
            self._notices.tell(words, NoticeAction(text, lambda: self._use_installed(model_id)))
        elif not self._panel.is_open:  # which says so itself
            self._notices.tell(words)

    def choose_idle_minutes(self, minutes: int) -> None:
        """Let the models leave memory after so long without work."""
        self._parts.settings.idle_minutes = minutes
        self._parts.queue.rest_after(60.0 * minutes)

    def show_panel(self, shows: bool) -> None:
        if shows:
            self._panel.open()
        else:
            self._panel.close_panel()

    def _use_installed(self, model_id: str) -> None:
        for stem in stems_for(model_id, self._document, self._parts.library):
            self._parts.queue.retry(stem.stem_id)
        self._notices.hide()
