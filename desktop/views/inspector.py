"""Inspector: how the selected stem was heard and the song was measured, and what can be changed."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.codec.bends import Bends, may_bend
from core.score.instruments import StemKind
from desktop.session.commands import choose_for_stem, rename_song
from desktop.session.document import Document, Song, Stem, StemChoice
from desktop.session.job_texts import (
    auto_text,
    bends_text,
    device_text,
    kind_text,
    model_text,
    notes_text,
)
from desktop.session.model_library import ModelLibrary
from desktop.session.naming import (
    can_be_named_again,
    can_be_tidied,
    can_bend,
    can_find_more,
    shortest_note_s,
)
from desktop.session.offers import device_offers, model_offers
from desktop.views.elided_label import ElidedLabel
from desktop.views.kind_field import Choice, chosen_kind, fill_with_kinds, show_kind
from desktop.views.model_field import ModelField
from desktop.views.positions import clock_text
from desktop.views.theme import GRID_PX, number_font
from desktop.views.value_slider import ValueSlider

LONGEST_MIN_NOTE_MS = 500
MOST_SENSITIVE = 100  # percent of the slider's half


class Inspector(QScrollArea):
    """Shows what was guessed beside the field that changes it."""

    deviceChosen = Signal(str)
    modelChosen = Signal(str)  # for the selected stem
    modelsRequested = Signal()
    bendsChosen = Signal(Bends)  # for the selected stem

    def __init__(
        self,
        document: Document,
        library: ModelLibrary,
        *,
        device: str,
        song_actions: tuple[QAction, ...],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._library = library
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(self.tr("Inspector"))
        self.file_name, self.file_note = ElidedLabel(), _note()
        self.file_name.setProperty("dim", True)
        self.file_name.setFont(number_font(12))
        self.kind = _combo(self.tr("Kind of stem"))
        fill_with_kinds(self.kind)
        self.kind_note = _note()
        self.model = ModelField()
        self.model.fill(model_offers(library))
        self.model_note = _note()
        self.device = _combo(self.tr("Device, from the next transcription on"))
        for offer in device_offers():
            self.device.addItem(offer.title, offer.device.value)
        self.device.setCurrentIndex(max(0, self.device.findData(device)))
        self.device_note = _note()
        self.sensitivity = ValueSlider(
            self.tr("Sensitivity"), lowest=-100, highest=MOST_SENSITIVE, unit=" %"
        )
        self.split = ValueSlider(self.tr("Split"), lowest=-100, highest=100, unit=" %")
        self.min_note = ValueSlider(
            self.tr("Shortest note"), lowest=0, highest=LONGEST_MIN_NOTE_MS, unit=" ms"
        )
        self.bends = _combo(self.tr("Pitch bends"))
        for bends, words in (
            (Bends.OFF, self.tr("Off")),
            (Bends.STATIC, self.tr("One per note")),
            (Bends.CONTINUOUS, self.tr("Continuous")),
        ):
            self.bends.addItem(words, bends.value)
        self.bends_note = _note()
        self.tidy = QCheckBox(self.tr("Tidy up instruments"))
        self.tidy.setAccessibleName(self.tr("Tidy up instruments"))
        self.tidy.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves Space to the player
        self.notes_note = _note()
        self.song_name = QLineEdit()
        self.song_name.setAccessibleName(self.tr("Name of the song"))
        self.song_name.setToolTip(self.tr("Exported files begin with this name"))
        self.tempo_note, self.downbeat_note = _note(), _note()
        self._lay_out(song_actions)
        self._connect()
        self.refresh()

    def refresh(self) -> None:
        """Show the selected stem and its song."""
        stem, song = self._document.selected_stem, self._document.current_song
        self._stem_part.setVisible(stem is not None)
        self._song_part.setVisible(song is not None)
        if stem is not None:
            self._show_stem(stem)
        if song is not None:
            self._show_song(song)

    def _show_stem(self, stem: Stem) -> None:
        heard, scan = stem.heard, stem.scan
        facts = [] if scan is None else [clock_text(scan.duration_s)[:-4], scan.format]
        if scan is not None:
            facts.append(f"{scan.sample_rate / 1000:g} kHz")
        self.file_name.show_text(stem.path.name)
        self._show_note(self.file_note, "  ".join(facts))
        show_kind(self.kind, stem)
        self.model.show_model(stem.choice.model, auto_text(stem, self._library))
        self._show_note(self.model_note, model_text(stem, self._library))
        self._show_note(self.kind_note, kind_text(stem))
        self._show_note(self.device_note, device_text(heard) if heard is not None else "")
        self._show_sliders(stem)
        self._show_bends(stem)
        self._show_tidy(stem)
        self.notes_note.setText(notes_text(heard))

    def _show_note(self, note: QLabel, text: str) -> None:
        note.setText(text)
        note.setVisible(bool(text))

    def _show_sliders(self, stem: Stem) -> None:
        """Grey out what would change nothing, and say why."""
        heard = stem.heard
        reason = self.tr("There are no notes of this stem yet.") if heard is None else ""
        if heard is not None and not can_be_named_again(heard):
            reason = self.tr("What the model said was not kept; transcribe the stem again.")
        finds_more = heard is None or can_find_more(heard)
        self.sensitivity.set_highest(MOST_SENSITIVE if finds_more else 0)
        explained = self.tr("Leaves out notes that the model was not sure of. It keeps no others.")
        self.sensitivity.show_value(
            round(stem.choice.notes.sensitivity * 100),
            why_not=reason,
            tip="" if finds_more else explained,
        )
        if not reason and stem.kind is StemKind.DRUMS:
            reason = self.tr("Drum hits have no length.")
        self.split.show_value(
            round(stem.choice.notes.split * 100),
            why_not=reason
            or ("" if finds_more else self.tr("This model struck the notes itself.")),
            tip=self.tr("More strikes a sounding note again sooner, less keeps it whole."),
        )
        self.min_note.show_value(round(shortest_note_s(stem) * 1000), why_not=reason)

    def _show_bends(self, stem: Stem) -> None:
        heard = stem.heard
        if heard is None:
            why_not = self.tr("There are no notes of this stem yet.")
        elif not may_bend(heard.source.kind):
            why_not = self.tr("Bends are for stems of one voice: singing, winds, bass, solos.")
        elif not can_bend(heard):
            why_not = self.tr("What the model said was not kept; transcribe the stem again.")
        else:
            why_not = ""
        tip = self.tr(
            "How notes that sound alone leave their keys. One per note: how far it is off. "
            "Continuous: scoops, glides and vibrato. The synth must bend as far as the file says."
        )
        _explain(self.bends, tip, why_not)
        with QSignalBlocker(self.bends):
            self.bends.setCurrentIndex(self.bends.findData(stem.choice.notes.bends.value))
        self._show_note(self.bends_note, "" if why_not else bends_text(stem))

    def _show_tidy(self, stem: Stem) -> None:
        heard = stem.heard
        if heard is None:
            why_not = self.tr("There are no notes of this stem yet.")
        elif not can_be_named_again(heard):
            why_not = self.tr("What the model said was not kept; transcribe the stem again.")
        elif not can_be_tidied(heard):
            why_not = self.tr("What the built-in model hears needs no tidying.")
        else:
            why_not = ""
        tip = self.tr(
            "Puts notes that the model gave to a wrong instrument where they belong. "
            "Off: instruments as the model wrote them."
        )
        _explain(self.tidy, tip, why_not)
        with QSignalBlocker(self.tidy):
            self.tidy.setChecked(stem.choice.notes.is_tidied)

    def _show_song(self, song: Song) -> None:
        if not self.song_name.hasFocus():
            self.song_name.setText(song.name)
            self.song_name.setCursorPosition(0)  # names differ at their beginning
        if not song.is_tempo_known:
            self.tempo_note.setText(self.tr("measured once all stems are heard"))
            self.downbeat_note.hide()
            return
        tempo, found = song.tempo, song.found
        words = [f"{tempo.bpm:.2f} BPM" if tempo.is_constant else self.tr("tempo map")]
        if not tempo.is_constant:
            words.append(self.tr("{0} changes").format(len(tempo.changes) - 1))
        if song.choice.tempo is not None:
            words.append(self.tr("set by hand"))
        elif found is not None:
            words.append(found.how)
            if found.confidence > 0:
                words.append(self.tr("{0} % sure").format(round(found.confidence * 100)))
        self.tempo_note.setText("\n".join(words))
        downbeat = clock_text(tempo.first_downbeat_s)
        self.downbeat_note.show()
        self.downbeat_note.setText(self.tr("bar 1 starts at {0}").format(downbeat))

    def _connect(self) -> None:
        self.kind.activated.connect(self._choose_kind)
        self.model.modelChosen.connect(self.modelChosen)
        self.model.modelsRequested.connect(self.modelsRequested)
        self._library.installedChanged.connect(self._offer_models)
        self.device.activated.connect(lambda _: self.deviceChosen.emit(self.device.currentData()))
        self.song_name.returnPressed.connect(self.song_name.clearFocus)
        self.song_name.editingFinished.connect(self._rename_song)
        self.sensitivity.changed.connect(self._choose_sensitivity)
        self.sensitivity.resetRequested.connect(lambda: self.sensitivity.slider.setValue(0))
        self.split.changed.connect(self._choose_split)
        self.split.resetRequested.connect(lambda: self.split.slider.setValue(0))
        self.min_note.changed.connect(self._choose_min_note)
        self.min_note.resetRequested.connect(self._choose_usual_min_note)
        self.bends.activated.connect(
            lambda _: self.bendsChosen.emit(Bends(self.bends.currentData()))
        )
        self.tidy.toggled.connect(self._choose_tidy)
        self._document.selectedStemChanged.connect(self.refresh)
        self._document.currentSongChanged.connect(self.refresh)
        self._document.songChanged.connect(self.refresh)
        self._document.stemChanged.connect(self._refresh_if_shown)

    def _refresh_if_shown(self, stem_id: int) -> None:
        stem = self._document.selected_stem
        if stem is not None and stem.stem_id == stem_id:
            self._show_stem(stem)

    def _rename_song(self) -> None:
        song = self._document.current_song
        if song is not None:
            rename_song(self._document, song, self.song_name.text().strip())

    def _choose_kind(self) -> None:
        stem = self._document.selected_stem
        if stem is not None:
            self._choose(stem, replace(stem.choice, kind=chosen_kind(self.kind)))

    def _offer_models(self) -> None:
        self.model.fill(model_offers(self._library))
        self.refresh()

    def _choose_sensitivity(self, percent: int) -> None:
        self._choose_notes(sensitivity=percent / 100)

    def _choose_split(self, percent: int) -> None:
        self._choose_notes(split=percent / 100)

    def _choose_min_note(self, milliseconds: int) -> None:
        self._choose_notes(min_note_s=milliseconds / 1000)

    def _choose_usual_min_note(self) -> None:
        self._choose_notes(min_note_s=None)

    def _choose_tidy(self, is_tidied: bool) -> None:
        self._choose_notes(is_tidied=is_tidied)

    def _choose_notes(self, **changed: Any) -> None:
        """Change these fields of the note choice of the stem shown."""
        stem = self._document.selected_stem
        if stem is not None:
            notes = replace(stem.choice.notes, **changed)
            self._choose(stem, replace(stem.choice, notes=notes))

    def _choose(self, stem: Stem, choice: StemChoice) -> None:
        choose_for_stem(self._document, stem, choice)

    def _lay_out(self, song_actions: tuple[QAction, ...]) -> None:
        self._stem_part, stem_column = _part()
        stem_column.addWidget(_heading(self.tr("STEM")))
        stem_column.addWidget(self.file_name)
        stem_column.addWidget(self.file_note)
        for label, field, note in (
            (self.tr("Kind"), self.kind, self.kind_note),
            (self.tr("Model"), self.model, self.model_note),
            (self.tr("Device"), self.device, self.device_note),
        ):
            stem_column.addWidget(_labelled(label, field))
            stem_column.addWidget(note)
        stem_column.addSpacing(2 * GRID_PX)
        stem_column.addWidget(_heading(self.tr("NOTES")))
        for widget in (
            self.sensitivity,
            self.split,
            self.min_note,
            _labelled(self.tr("Bends"), self.bends),
            self.bends_note,
            self.tidy,
            self.notes_note,
        ):
            stem_column.addWidget(widget)
        self._song_part, song_column = _part()
        song_column.addWidget(_heading(self.tr("SONG")))
        song_column.addWidget(self.song_name)
        song_column.addSpacing(2 * GRID_PX)
        song_column.addWidget(_heading(self.tr("TEMPO")))
        song_column.addWidget(self.tempo_note)
        song_column.addWidget(self.downbeat_note)
        for action in song_actions:
            song_column.addWidget(_action_button(action))
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 3 * GRID_PX, 2 * GRID_PX)
        column.setSpacing(3 * GRID_PX)
        column.addWidget(self._stem_part)
        column.addWidget(self._song_part)
        column.addStretch(1)
        self.setWidget(inner)


def _explain(field: QWidget, tip: str, why_not: str) -> None:
    """Say what a field does; grey it out if there is a reason why it would change nothing."""
    field.setEnabled(not why_not)
    field.setToolTip(why_not or tip)
    field.setAccessibleDescription(why_not or tip)


def _part() -> tuple[QFrame, QVBoxLayout]:
    frame = QFrame()
    column = QVBoxLayout(frame)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(GRID_PX)
    return frame, column


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("heading", True)
    return label


def _note() -> QLabel:
    label = QLabel()
    label.setProperty("dim", True)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # long words
    label.setFont(number_font(12))
    return label


def _combo(name: str) -> QComboBox:
    field = Choice()
    field.setAccessibleName(name)
    field.setToolTip(name)
    field.setMinimumContentsLength(8)
    field.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return field


def _labelled(text: str, field: QWidget) -> QWidget:
    line = QWidget()
    row = QHBoxLayout(line)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(2 * GRID_PX)
    label = QLabel(text)
    label.setFixedWidth(13 * GRID_PX)
    row.addWidget(label)
    row.addWidget(field, 1)
    return line


def _action_button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    button.setAccessibleName(action.text().replace("&", ""))
    return button
