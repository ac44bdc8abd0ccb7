"""NoteChoice: how a stem's notes are taken from what its model said, as a musician sets it.

The same words for the window's sliders, the command line and callers. No network runs: the window
takes notes again whenever a slider moves.
"""

from dataclasses import dataclass, replace

from core.codec.bends import Bends
from core.codec.posteriors_to_notes import DecodeOptions, decode_options_for
from core.codec.repair import ALL_RULES, NO_RULES
from core.engine.heard import Posteriors, tracks_from
from core.score.instruments import StemKind
from core.score.transcription import Track

SENSITIVITY_RANGE = 0.4  # how far full sensitivity moves the onset thresholds, which lie near 0.5
CONFIDENCE_RANGE = 0.55  # how sure of a token the model must be at the least sensitivity
SPLIT_RANGE = 0.4  # how far a full split moves the threshold of onsets within sounding notes


@dataclass(frozen=True, slots=True)
class NoteChoice:
    """What suits the kind of stem, until the user moves something.

    `sensitivity` (-1..1): more finds weaker notes. `split` (-1..1): more strikes a sounding note
    again where it swells, less keeps it whole. `min_note_s` None is what suits the kind.
    `is_tidied`: what a model that writes tokens got wrong about instruments is put right.
    `bends` are off unless asked for: in a DAW they stay behind when a note is moved or quantised,
    and a synth with another bend range than the file's plays them wrong.
    """

    sensitivity: float = 0.0
    split: float = 0.0
    min_note_s: float | None = None
    is_tidied: bool = True
    bends: Bends = Bends.OFF

    def __post_init__(self) -> None:
        if not (-1 <= self.sensitivity <= 1 and -1 <= self.split <= 1):
            raise ValueError(f"sensitivity and split must lie within -1..1: {self}")
        if self.min_note_s is not None and self.min_note_s < 0:
            raise ValueError(f"min_note_s must not be negative: {self.min_note_s}")


AS_USUAL = NoteChoice()


def chosen_tracks(posteriors: Posteriors, kind: StemKind, choice: NoteChoice) -> tuple[Track, ...]:
    """Return the tracks of a stem of a kind with the notes that the choice asks for."""
    options = _decode_options(kind, choice, is_tokens=posteriors.tokens is not None)
    rules = ALL_RULES if choice.is_tidied else NO_RULES
    return tracks_from(posteriors, kind, options, rules=rules, bends=choice.bends)


def _decode_options(kind: StemKind, choice: NoteChoice, *, is_tokens: bool) -> DecodeOptions:
    reach = CONFIDENCE_RANGE if is_tokens else SENSITIVITY_RANGE
    options = decode_options_for(kind).more_sensitive_by(choice.sensitivity * reach)
    options = replace(options, split_shift=choice.split * SPLIT_RANGE)
    if choice.min_note_s is not None:
        options = replace(options, min_note_s=choice.min_note_s)
    return options
