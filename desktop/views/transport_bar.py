"""TransportBar: play, where we are, tempo, meter and key, what is heard, and the way out."""

from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QToolButton,
    QWidget,
)

from core.score.tempo import MAX_BPM, MIN_BPM, Meter, TempoChange, TempoMap, constant_tempo
from desktop.session.commands import choose_tempo
from desktop.session.document import Document
from desktop.views.kind_field import Choice
from desktop.views.positions import bars_text, clock_text
from desktop.views.theme import GRID_PX, number_font

_METERS = ("2/4", "3/4", "4/4", "5/4", "6/8", "7/8", "9/8", "12/8")
_TONICS = ("C", "D♭", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
TAP_PAUSE_S = 2.0  # a longer gap between taps begins a new count
TAPS_KEPT = 8
BALANCE_STEPS = 100


class TransportBar(QFrame):
    """Shows the song's tempo and the playhead; the actions come from the window."""

    balanceChanged = Signal(float)  # 0 is the source alone, 1 the MIDI alone

    def __init__(
        self,
        document: Document,
        *,
        transport: tuple[QAction, ...],
        tap: QAction,
        export: QToolButton,
        drag_handle: QWidget,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("transport_bar")
        self._document = document
        self._taps_s: list[float] = []
        self._tempo = TempoMap()
        self.clock = _place_label(self.tr("Position in minutes and seconds"), "00:00.000")
        self.bars = _place_label(self.tr("Position in bars, beats and ticks"), "1.1.000")
        self.bpm = self._bpm_field()
        self.half = self._small_button("½x", self.tr("Half the tempo"), self.halve_tempo)
        self.double = self._small_button("2x", self.tr("Double the tempo"), self.double_tempo)
        self.meter = self._meter_field()
        self.key = QLabel()
        self.key.setAccessibleName(self.tr("Key"))
        self.key.setToolTip(self.tr("Key found from the notes"))
        self.balance = self._balance_slider()
        tap.triggered.connect(self._tap)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        row.setSpacing(GRID_PX)
        for action in transport:
            row.addWidget(_action_button(action))
        row.addSpacing(2 * GRID_PX)
        row.addWidget(self.clock)
        row.addWidget(self.bars)
        row.addSpacing(2 * GRID_PX)
        for widget in (self.bpm, self.half, self.double, _action_button(tap), self.meter):
            row.addWidget(widget)
        row.addSpacing(GRID_PX)
        row.addWidget(self.key)
        row.addSpacing(2 * GRID_PX)
        row.addStretch(1)
        row.addWidget(_dim(self.tr("Source")))
        row.addWidget(self.balance)
        row.addWidget(_dim(self.tr("MIDI")))
        row.addStretch(1)
        row.addWidget(drag_handle)
        row.addWidget(export)
        document.currentSongChanged.connect(self.refresh)
        document.songChanged.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show tempo, meter and key of the song that is shown."""
        song = self._document.current_song
        self._tempo = song.tempo if song is not None else TempoMap()
        for widget in (self.bpm, self.half, self.double, self.meter):
            widget.setEnabled(song is not None)
        with QSignalBlocker(self.bpm), QSignalBlocker(self.meter):
            is_known = song is not None and song.is_tempo_known
            self.bpm.setSpecialValueText("" if is_known else "♩ -")  # stands for the minimum
            self.bpm.setValue(self._tempo.bpm if is_known else MIN_BPM)
            meter = str(self._tempo.meter)
            if self.meter.findText(meter) < 0:
                self.meter.addItem(meter)
            self.meter.setCurrentText(meter)
        key = song.key if song is not None else None
        mode = self.tr("min") if key is not None and key.is_minor else self.tr("maj")
        self.key.setText(f"{_TONICS[key.tonic]} {mode}" if key is not None else "")

    def show_place(self, place_s: float) -> None:
        self.clock.setText(clock_text(place_s))
        self.bars.setText(bars_text(self._tempo, place_s))

    def hear_source(self) -> None:
        self.balance.setValue(0)

    def hear_midi(self) -> None:
        self.balance.setValue(self.balance.maximum())

    def enable_balance(self, *, is_enabled: bool) -> None:
        self.balance.setEnabled(is_enabled)

    def _balance_slider(self) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, BALANCE_STEPS)
        slider.setMinimumWidth(12 * GRID_PX)
        slider.setMaximumWidth(20 * GRID_PX)
        slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        slider.setAccessibleName(self.tr("Balance of source and MIDI"))
        slider.setToolTip(self.tr("Hear the source (A), the MIDI (B), or both"))
        slider.valueChanged.connect(lambda value: self.balanceChanged.emit(value / BALANCE_STEPS))
        return slider

    def _bpm_field(self) -> QDoubleSpinBox:
        field = QDoubleSpinBox()
        field.setRange(MIN_BPM, MAX_BPM)
        field.setDecimals(2)
        field.setPrefix("♩ ")
        field.setKeyboardTracking(False)
        field.setFont(number_font())
        field.setFixedWidth(22 * GRID_PX)
        field.setAccessibleName(self.tr("Tempo in beats per minute"))
        field.setToolTip(self.tr("Tempo in beats per minute: type, or turn the wheel"))
        field.valueChanged.connect(self._choose_bpm)
        field.editingFinished.connect(field.clearFocus)
        return field

    def _meter_field(self) -> QComboBox:
        field = Choice()
        field.addItems(_METERS)
        field.setAccessibleName(self.tr("Meter"))
        field.setToolTip(self.tr("Meter"))
        field.textActivated.connect(self._choose_meter)
        return field

    def _small_button(self, text: str, name: str, act: Callable[[], None]) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.setProperty("flat", True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(act)
        return button

    def _choose_bpm(self, bpm: float) -> None:
        self._choose(
            constant_tempo(
                bpm,
                meter=self._tempo.meter,
                first_downbeat_s=self._tempo.first_downbeat_s,
            )
        )

    def _choose_meter(self, text: str) -> None:
        beats, unit = text.split("/")
        self._choose(self._tempo.with_meter(Meter(int(beats), int(unit))))

    def halve_tempo(self) -> None:
        self._scale(0.5)

    def double_tempo(self) -> None:
        self._scale(2.0)

    def _scale(self, factor: float) -> None:
        """Count twice or half as many beats in the same time."""
        scaled = [change.bpm * factor for change in self._tempo.changes]
        if all(MIN_BPM <= bpm <= MAX_BPM for bpm in scaled):
            changes = tuple(
                TempoChange(change.at_beat * factor, change.bpm * factor)
                for change in self._tempo.changes
            )
            self._choose(replace(self._tempo, changes=changes))

    def _tap(self) -> None:
        now_s = monotonic()
        if self._taps_s and now_s - self._taps_s[-1] > TAP_PAUSE_S:
            self._taps_s.clear()
        self._taps_s = [*self._taps_s[-TAPS_KEPT + 1 :], now_s]
        if len(self._taps_s) >= 3:
            beat_s = (self._taps_s[-1] - self._taps_s[0]) / (len(self._taps_s) - 1)
            self._choose_bpm(round(min(MAX_BPM, max(MIN_BPM, 60.0 / beat_s)), 1))

    def _choose(self, tempo: TempoMap) -> None:
        song = self._document.current_song
        if song is not None:
            choose_tempo(self._document, song, tempo)


def _dim(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("dim", True)
    return label


def _place_label(name: str, widest: str) -> QLabel:
    label = QLabel(widest)
    label.setAccessibleName(name)
    label.setFont(number_font(15))
    label.setMinimumWidth(label.fontMetrics().horizontalAdvance(widest + "00"))
    label.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
    return label


def _action_button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setProperty("flat", True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setAccessibleName(action.text().replace("&", ""))
    return button
