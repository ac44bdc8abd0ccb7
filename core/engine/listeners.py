"""Listeners: a model on a device, asked what is in a source of sound."""

from collections.abc import Callable, Sequence
from typing import Protocol

from core.audio.source import AudioSource
from core.codec.posteriors_to_notes import (
    DrumPosteriors,
    PitchPosteriors,
    decode_options_for,
    notes_from_drums,
    notes_from_pitch,
)
from core.engine.built_in import (
    SAMPLE_RATE_HZ,
    DrumListener,
    PitchListener,
    drum_gain,
    pitch_gain,
)
from core.engine.heard import Posteriors
from core.engine.model_set import BUILT_IN
from core.engine.note_hearing import NoteWeights
from core.engine.progress import OnNotes
from core.score.instruments import StemKind, program_of
from core.score.note import NoteEvent

OnFraction = Callable[[float], None]


class Listener(Protocol):
    """What the transcriber needs of a model."""

    def listen(
        self,
        source: AudioSource,
        kind: StemKind,
        on_fraction: OnFraction,
        *,
        on_notes: OnNotes | None = None,
    ) -> Posteriors:
        """Hear the whole source; what `on_fraction` (0..1 of the work) raises ends it.

        `on_notes` gets notes as they are found, always before `on_fraction`.
        """
        ...


class BuiltInListener:
    """The built-in networks, each loaded when first asked."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._pitch: PitchListener | None = None
        self._drums: DrumListener | None = None

    def listen(
        self,
        source: AudioSource,
        kind: StemKind,
        on_fraction: OnFraction,
        *,
        on_notes: OnNotes | None = None,
        until_s: float | None = None,
    ) -> Posteriors:
        """Ask the networks that suit the kind about the first `until_s` seconds, or all.

        Of a mix the drums are found first, from its start to its end.
        """
        early = _EarlyNotes(kind, on_notes) if on_notes is not None else None
        heard_s = min(source.duration_s, until_s or source.duration_s)
        networks = 2 if kind is StemKind.MIX else 1
        drums = pitch = None
        if kind in (StemKind.DRUMS, StemKind.MIX):
            self._drums = self._drums or DrumListener(BUILT_IN.drum_weights, device=self._device)
            drums = self._drums.posteriors(
                source.blocks(SAMPLE_RATE_HZ, until_s=until_s),
                gain=drum_gain(source.peak),
                on_seconds_done=lambda done_s: on_fraction(done_s / heard_s / networks),
                on_heard=early.tell_hits if early else None,
            )
        if kind is not StemKind.DRUMS:
            before = (networks - 1) / networks
            self._pitch = self._pitch or PitchListener(
                BUILT_IN.pitch_weights,
                NoteWeights(BUILT_IN.family_weights, BUILT_IN.unison_weights),
                device=self._device,
            )
            # Players of a mix stand apart from each other; a stem is one player.
            hear = source.mid_and_side if kind is StemKind.MIX else source.blocks
            pitch = self._pitch.posteriors(
                hear(SAMPLE_RATE_HZ, until_s=until_s),
                gain=pitch_gain(source.level_p95),
                on_seconds_done=lambda done_s: on_fraction(before + done_s / heard_s / networks),
                on_heard=early.tell_notes if early else None,
            )
        return Posteriors(pitch, drums)


class _EarlyNotes:
    """Names the notes of one stretch after the other; those that cross a border end there."""

    def __init__(self, kind: StemKind, on_notes: OnNotes) -> None:
        self._options = decode_options_for(kind)
        self._program = program_of(kind)
        self._on_notes = on_notes

    def tell_notes(self, heard: PitchPosteriors, start_s: float) -> None:
        notes = notes_from_pitch(heard, self._options, program=self._program)
        self._tell(notes, start_s, len(heard.onset) / heard.frames_per_s)

    def tell_hits(self, heard: DrumPosteriors, start_s: float) -> None:
        hits = notes_from_drums(heard, self._options)
        self._tell(hits, start_s, len(heard.onset) / heard.frames_per_s)

    def _tell(self, notes: Sequence[NoteEvent], start_s: float, length_s: float) -> None:
        moved = [note.moved(start_s) for note in notes]
        self._on_notes(moved, start_s, start_s + length_s)
